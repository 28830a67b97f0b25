/* Python values to the arguments of an event.
 *
 *   bool int float str      as they are; ints beyond 64 bits as hexadecimal text
 *   None                    "None"
 *   bytes bytearray         the first bytes and the length
 *   list tuple set dict     nested, MAREY_ARGS_MAX entries and VALUES_NESTING levels of them, then "... (N more)"
 *   a member of an enum     "Class.NAME"
 *   pathlib, decimal, uuid, datetime    the text of their own classes
 *   an exception            "Type: message"
 *   numbers of C types      (numpy's) as int or float
 *   everything else         "<module.Type>"
 *
 * No method of the user's classes is called: containers are read by their concrete layout. Text in containers is
 * copied, because the container may change as soon as another thread runs; text given as an argument is not,
 * because the caller holds it. Nothing here fails, and no exception is left behind. */
#include "face.h"

void value_set_text(marey_arg *out, const char *text, size_t bytes) {
    out->kind = MAREY_KIND_TEXT;
    out->text = text;
    out->count = bytes;
}

static void set_str(values *v, marey_arg *out, PyObject *text, bool nested) {
    size_t bytes, room;
    if (!text_ready(text)) {
        value_set_text(out, "", 0);
        return;
    }
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        bytes = (size_t)PyUnicode_GET_LENGTH(text);
        const char *data = PyUnicode_DATA(text);
        if (nested)
            data = values_copy(v, data, &bytes);
        value_set_text(out, data, bytes);
        return;
    }
    size_t length = (size_t)PyUnicode_GET_LENGTH(text);
    size_t most = length < MAREY_TEXT_MAX / 4 ? 4 * length + 4 : MAREY_TEXT_MAX + 8;
    char *copy = values_text_room(v, most, &room);
    const char *utf8 = text_utf8(text, copy, room, &bytes);
    values_text_take(v, copy, bytes);
    value_set_text(out, utf8, bytes);
}

/* The short text of an object. */
void value_set_short(values *v, marey_arg *out, PyObject *object,
                     void (*put)(text_writer *, PyObject *)) {
    char buffer[MAREY_NAME_MAX];
    text_writer writer = {buffer, buffer + sizeof buffer};
    put(&writer, object);
    size_t bytes = (size_t)(writer.at - buffer);
    const char *copy = values_copy(v, buffer, &bytes);
    value_set_text(out, copy, bytes);
}

/* ----------------------------------------------------------------- numbers */

static void set_int(values *v, marey_arg *out, PyObject *number) {
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    out->kind = MAREY_KIND_I64;
    out->i64 = value;
    if (LIKELY(!overflow))
        return;
    unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(number) : 0;
    if (overflow > 0 && !PyErr_Occurred()) {
        out->kind = MAREY_KIND_U64;
        out->u64 = large;
        return;
    }
    PyErr_Clear();
    value_set_short(v, out, number, text_put_object);
}

/* Scalars of types written in C that convert to int or float: numpy's. New reference; NULL, without an exception: it is none. */
static PyObject *foreign_number(PyObject *value) {
    PyTypeObject *type = Py_TYPE(value);
    PyNumberMethods *number = type->tp_as_number;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE || !number ||
        !(number->nb_index || number->nb_float) ||
        (type->tp_as_mapping && type->tp_as_mapping->mp_length) ||
        (type->tp_as_sequence && type->tp_as_sequence->sq_length))
        return NULL;
    PyObject *plain = number->nb_index ? PyNumber_Index(value) : PyNumber_Float(value);
    if (!plain && number->nb_index && number->nb_float) {
        PyErr_Clear();
        plain = PyNumber_Float(value);
    }
    PyErr_Clear();
    return plain;
}

static bool set_foreign_number(values *v, marey_arg *out, PyObject *value) {
    PyObject *plain = foreign_number(value);
    if (!plain)
        return false;
    if (PyLong_Check(plain)) {
        set_int(v, out, plain);
    } else {
        out->kind = MAREY_KIND_F64;
        out->f64 = PyFloat_AsDouble(plain);
    }
    Py_DECREF(plain);
    return true;
}

/* -------------------------------------------------------------- containers */

void value_set_more(values *v, marey_arg *out, size_t left) {
    char text[48];
    size_t bytes = (size_t)snprintf(text, sizeof text, "... (%zu more)", left);
    const char *copy = values_copy(v, text, &bytes);
    value_set_text(out, copy, bytes);
}

/* Entries for a container of `size`, the last one for "... (N more)" where not all have a place. NULL: none is left. */
static marey_arg *pool_take(values *v, size_t size, size_t *entries) {
    size_t left = VALUES_POOL - v->pool_used;
    size_t most = size < MAREY_ARGS_MAX ? size : MAREY_ARGS_MAX;
    *entries = left < most ? left : most;
    marey_arg *taken = v->pool + v->pool_used;
    v->pool_used += *entries;
    for (size_t i = 0; i < *entries; i++)
        taken[i] = (marey_arg){0};
    return *entries ? taken : NULL;
}

/* What one container has been given, and how far that is filled. */
typedef struct filling {
    marey_arg *entries;
    size_t room, used, size;
} filling;

static marey_arg *filling_next(filling *f) {
    size_t usable = f->room < f->size ? f->room - 1 : f->room;
    return f->used < usable ? &f->entries[f->used++] : NULL;
}

static void filling_end(values *v, filling *f, marey_arg *out, bool dict) {
    if (f->size > f->room) {
        marey_arg *last = &f->entries[f->used];
        value_set_more(v, last, f->size - f->used);
        if (dict) {
            last->key = "...";
            last->key_length = 3;
        }
        f->used++;
    }
    out->kind = dict ? MAREY_KIND_DICT : MAREY_KIND_ARRAY;
    out->args = f->entries;
    out->count = f->used;
}

/* list and tuple. The size is asked each time: another thread may have run. */
static void fill_sequence(values *v, filling *f, PyObject *sequence) {
    bool list = PyList_Check(sequence);
    for (Py_ssize_t i = 0; i < (list ? PyList_GET_SIZE(sequence) : PyTuple_GET_SIZE(sequence));
         i++) {
        marey_arg *entry = filling_next(f);
        if (!entry)
            return;
        PyObject *item = list ? PyList_GET_ITEM(sequence, i) : PyTuple_GET_ITEM(sequence, i);
        Py_XINCREF(item);
        if (item)
            value_set(v, entry, item, true);
        Py_XDECREF(item);
    }
}

/* set and frozenset, by the built-in iterator. */
static void fill_set(values *v, filling *f, PyObject *set) {
    PyTypeObject *type = PyFrozenSet_Check(set) ? &PyFrozenSet_Type : &PySet_Type;
    PyObject *iterator = type->tp_iter(set), *item;
    while (iterator && f->used < f->room && (item = Py_TYPE(iterator)->tp_iternext(iterator))) {
        marey_arg *entry = filling_next(f);
        if (entry)
            value_set(v, entry, item, true);
        Py_DECREF(item);
        if (!entry)
            break;
    }
    Py_XDECREF(iterator);
    PyErr_Clear();
}

static void set_key(values *v, marey_arg *entry, PyObject *key) {
    marey_arg text = {0};
    if (PyUnicode_Check(key))
        set_str(v, &text, key, true);
    else
        value_set_short(v, &text, key, text_put_object);
    entry->key = text.text;
    entry->key_length = (uint16_t)(text.count > MAREY_NAME_MAX ? MAREY_NAME_MAX : text.count);
}

static void fill_dict(values *v, filling *f, PyObject *dict) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value)) {
        marey_arg *entry = filling_next(f);
        if (!entry)
            return;
        Py_INCREF(key);
        Py_INCREF(value);
        set_key(v, entry, key);
        if (names_secret_text(v->state, entry->key, entry->key_length))
            value_set_text(entry, "***", 3);
        else
            value_set(v, entry, value, true);
        Py_DECREF(key);
        Py_DECREF(value);
    }
}

static bool path_holds(const values *v, const void *container) {
    for (int i = 0; i < v->depth; i++)
        if (v->path[i] == container)
            return true;
    return false;
}

static size_t container_size(PyObject *value) {
    Py_ssize_t size = PyList_Check(value)    ? PyList_GET_SIZE(value)
                      : PyTuple_Check(value) ? PyTuple_GET_SIZE(value)
                      : PyDict_Check(value)  ? PyDict_Type.tp_as_mapping->mp_length(value)
                                             : PySet_GET_SIZE(value);
    return (size_t)size;
}

static void fill(values *v, filling *f, PyObject *value) {
    LOCK_OBJECT(value);
    if (PyDict_Check(value))
        fill_dict(v, f, value);
    else if (PyAnySet_Check(value))
        fill_set(v, f, value);
    else
        fill_sequence(v, f, value);
    UNLOCK_OBJECT();
}

static void set_container(values *v, marey_arg *out, PyObject *value) {
    if (path_holds(v, value)) {
        value_set_text(out, "<circular>", 10);
        return;
    }
    filling f = {.size = container_size(value)};
    f.entries = v->depth < VALUES_NESTING ? pool_take(v, f.size, &f.room) : NULL;
    if (!f.entries) {
        if (f.size)
            value_set_more(v, out, f.size);
        else
            value_set_text(out, PyDict_Check(value) ? "{}" : "[]", 2);
        return;
    }
    v->path[v->depth++] = value;
    fill(v, &f, value);
    v->depth--;
    filling_end(v, &f, out, PyDict_Check(value));
}

/* ------------------------------------------------------ enums, texts, rest */

static bool type_is_of(PyTypeObject *type, const char *module, const char *name) {
    PyObject *wanted = python_find(module, name);
    bool is = wanted && PyType_Check(wanted) && PyType_IsSubtype(type, (PyTypeObject *)wanted);
    Py_XDECREF(wanted);
    return is;
}

static void put_enum(text_writer *writer, PyObject *member) {
    PyObject *attribute = PyUnicode_InternFromString("_name_");
    PyObject *name = attribute ? PyObject_GenericGetAttr(member, attribute) : NULL;
    Py_XDECREF(attribute);
    PyErr_Clear();
    text_puts(writer, Py_TYPE(member)->tp_name);
    text_puts(writer, ".");
    if (name && PyUnicode_Check(name))
        text_put_object(writer, name);
    Py_XDECREF(name);
}

static bool is_enum(PyObject *value) {
    PyTypeObject *meta = Py_TYPE(Py_TYPE(value));
    return meta != &PyType_Type && type_is_of(meta, "enum", "EnumMeta");
}

/* Classes of the standard library whose str() is its own, and says what a reader wants to see. */
static const struct {
    const char *module, *class;
} texts[] = {
    {"pathlib", "PosixPath"},       {"pathlib", "PurePosixPath"}, {"pathlib", "WindowsPath"},
    {"pathlib", "PureWindowsPath"}, {"decimal", "Decimal"},       {"uuid", "UUID"},
    {"datetime", "date"},           {"datetime", "datetime"},     {"datetime", "time"},
    {"datetime", "timedelta"},
};

/* A time of a zone asks the zone, which may be anybody's class: not that. */
static bool has_foreign_zone(PyObject *value) {
    PyObject *zone = PyObject_GetAttrString(value, "tzinfo");
    PyErr_Clear();
    PyObject *plain = python_find("datetime", "timezone");
    bool foreign = zone && zone != Py_None && (PyObject *)Py_TYPE(zone) != plain;
    Py_XDECREF(zone);
    Py_XDECREF(plain);
    return foreign;
}

static bool is_text(PyObject *value) {
    const char *name = Py_TYPE(value)->tp_name;
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(dot ? dot + 1 : name, texts[i].class) != 0)
            continue;
        PyObject *type = python_find(texts[i].module, texts[i].class);
        bool is = type == (PyObject *)Py_TYPE(value);
        Py_XDECREF(type);
        return is && !(strcmp(texts[i].module, "datetime") == 0 && has_foreign_zone(value));
    }
    return false;
}

static void set_text_of(values *v, marey_arg *out, PyObject *value) {
    PyObject *text = PyObject_Str(value);
    if (!text) {
        PyErr_Clear();
        value_set_short(v, out, value, text_put_object);
        return;
    }
    set_str(v, out, text, true);
    Py_DECREF(text);
}

static void set_other(values *v, marey_arg *out, PyObject *value) {
    if (is_enum(value))
        value_set_short(v, out, value, put_enum);
    else if (is_text(value))
        set_text_of(v, out, value);
    else if (!set_foreign_number(v, out, value))
        value_set_short(v, out, value, text_put_object);
}

static void put_owned(text_writer *writer, PyObject *text, PyObject *value) {
    PyErr_Clear();
    text_put_object(writer, text ? text : value);
    Py_XDECREF(text);
}

void value_put_other(text_writer *writer, PyObject *value) {
    bool plain = Py_TYPE(Py_TYPE(value)) == &PyType_Type;
    if (is_enum(value))
        put_enum(writer, value);
    else if (is_text(value))
        put_owned(writer, PyObject_Str(value), value);
    else
        put_owned(writer, plain ? foreign_number(value) : NULL, value);
}

static bool is_container(PyObject *value) {
    return PyList_Check(value) || PyTuple_Check(value) || PyDict_Check(value) ||
           PyAnySet_Check(value);
}

void value_set(values *v, marey_arg *out, PyObject *value, bool nested) {
    bool plain =
        Py_TYPE(Py_TYPE(value)) == &PyType_Type; /* a member of an enum may be an int, too */
    if (PyBool_Check(value)) {
        out->kind = MAREY_KIND_BOOL;
        out->i64 = value == Py_True;
    } else if (PyLong_Check(value) && plain) {
        set_int(v, out, value);
    } else if (PyUnicode_Check(value) && plain) {
        set_str(v, out, value, nested);
    } else if (PyFloat_Check(value) && plain) {
        out->kind = MAREY_KIND_F64;
        out->f64 = PyFloat_AS_DOUBLE(value);
    } else if (value == Py_None) {
        value_set_text(out, "None", 4);
    } else if (is_container(value)) {
        set_container(v, out, value);
    } else {
        set_other(v, out, value);
    }
}
