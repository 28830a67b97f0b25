/* See model_value.h. */
#include "model_value.h"

#include "model/calls.h"

PyObject *model_text(const struct trace *trace, uint32_t string) {
    const char *text = trace_text(trace, string);
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* What is inside a dict or list. Recursion ends at ARGUMENT_NESTING_MAX. */
static PyObject *container(const struct trace *trace, const struct value *value) {
    const struct value *end = value + 1 + value->inside;
    int is_dict = value->kind == VALUE_DICT;
    PyObject *made = is_dict ? PyDict_New() : PyList_New(0);
    for (const struct value *at = value + 1; made && at < end; at += 1 + at->inside) {
        PyObject *item = model_value(trace, at);
        PyObject *key = is_dict && item ? model_text(trace, at->key) : NULL;
        int failed = !item || (is_dict ? !key || PyDict_SetItem(made, key, item) < 0
                                       : PyList_Append(made, item) < 0);
        Py_XDECREF(key);
        Py_XDECREF(item);
        if (failed)
            Py_CLEAR(made);
    }
    return made;
}

PyObject *model_value(const struct trace *trace, const struct value *value) {
    switch ((enum value_kind)value->kind) {
    case VALUE_BOOL: return PyBool_FromLong(value->number != 0);
    case VALUE_INT: return PyLong_FromLongLong(value->integer);
    case VALUE_UINT:
    case VALUE_POINTER: return PyLong_FromUnsignedLongLong(value->number);
    case VALUE_DOUBLE: return PyFloat_FromDouble(value->real);
    case VALUE_TEXT: return model_text(trace, value->text);
    case VALUE_DICT:
    case VALUE_ARRAY: return container(trace, value);
    case VALUE_CUT: return PyUnicode_FromString("...");
    case VALUE_NOTHING: break;
    }
    return Py_NewRef(Py_None);
}

int model_arguments(const struct trace *trace, uint32_t detail, int marks, PyObject *dict) {
    const struct arguments *arguments = &trace->reader.arguments;
    uint32_t count = detail ? arguments->details[detail].size : 0;
    const struct value *all = count ? arguments->values + arguments->details[detail].first : NULL;
    for (uint32_t i = 0; i < count; i += 1 + all[i].inside) {
        if (!marks && calls_is_mark(trace_text(trace, all[i].key)))
            continue;
        PyObject *key = model_text(trace, all[i].key);
        PyObject *value = key ? model_value(trace, &all[i]) : NULL;
        int failed = !value || PyDict_SetItem(dict, key, value) < 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (failed)
            return -1;
    }
    return 0;
}

int list_append(PyObject *list, PyObject *item) {
    int failed = !item || PyList_Append(list, item) < 0;
    Py_XDECREF(item);
    return failed ? -1 : 0;
}
