/* Arguments, results and exceptions of calls: numbers as such, all else as a text as Python would write it, cut to max_repr
 * bytes. No code of the values runs, unless repr is asked for: other objects are shown by their type, large containers by
 * their type and length. Nothing here fails, and no exception is left behind. */
#include "calls.h"

enum {
    NESTING_MAX = 6,   /* containers in containers */
    ENTRIES_MAX = 100, /* of a container that is shown by its entries */
};

/* A text being put together. */
typedef struct drawing {
    text_writer out;
    const call_values *of;
    bool cut; /* something did not fit */
    int nesting;
} drawing;

static void put(drawing *d, const char *text, size_t bytes) {
    size_t room = (size_t)(d->out.end - d->out.at);
    d->cut |= bytes > room;
    text_put(&d->out, text, bytes);
}

static void puts_text(drawing *d, const char *text) {
    put(d, text, strlen(text));
}

/* Made by others, who say not what did not fit: a full buffer is taken for one that was too small. */
static void put_by(drawing *d, void (*by)(text_writer *, PyObject *), PyObject *value) {
    by(&d->out, value);
    d->cut |= d->out.at == d->out.end;
}

/* -------------------------------------------------------------------- text */

static size_t utf8_of(Py_UCS4 c, char *out) {
    if (c < 0x80)
        return (size_t)(out[0] = (char)c, 1);
    size_t bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00 >> bytes & 0xFF) | c);
    return bytes;
}

/* As in a literal: printable as it is, the rest escaped. */
static void put_char(drawing *d, Py_UCS4 c, Py_UCS4 quote) {
    char text[16];
    size_t bytes;
    if (c == quote || c == '\\')
        bytes = (size_t)snprintf(text, sizeof text, "\\%c", (char)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        bytes = (size_t)snprintf(text, sizeof text, "\\%c",
                                 c == '\n'   ? 'n'
                                 : c == '\r' ? 'r'
                                             : 't');
    else if (c < ' ' || (c >= 0x7F && c < 0xA0))
        bytes = (size_t)snprintf(text, sizeof text, "\\x%02x", (unsigned)c);
    else if (c >= 0xD800 && c < 0xE000)
        bytes = (size_t)snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
    else
        bytes = utf8_of(c, text);
    if (bytes > (size_t)(d->out.end - d->out.at)) /* whole characters alone */
        d->cut = true;
    else
        put(d, text, bytes);
}

static void put_str(drawing *d, PyObject *text) {
    if (!text_ready(text))
        return;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), seen = length;
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t room = d->out.end - d->out.at + 1;
    seen = seen < room ? seen : room;
    bool single = false, both = false;
    for (Py_ssize_t i = 0; i < seen; i++) {
        single |= PyUnicode_READ(kind, data, i) == '\'';
        both |= PyUnicode_READ(kind, data, i) == '"';
    }
    Py_UCS4 quote = single && !both ? '"' : '\'';
    char mark = (char)quote;
    put(d, &mark, 1);
    for (Py_ssize_t i = 0; i < length && !d->cut; i++)
        put_char(d, PyUnicode_READ(kind, data, i), quote);
    put(d, &mark, 1);
}

/* -------------------------------------------------------------- containers */

static void put_value(drawing *d, PyObject *value);

static Py_ssize_t size_of(PyObject *value) {
    if (PyDict_Check(value))
        return PyDict_Type.tp_as_mapping->mp_length(value);
    return PyAnySet_Check(value) ? PySet_GET_SIZE(value) : Py_SIZE(value);
}

static void put_summary(drawing *d, PyObject *value, Py_ssize_t size) {
    char text[48];
    puts_text(d, "<");
    text_put_type(&d->out, Py_TYPE(value));
    snprintf(text, sizeof text, " of %zd>", size);
    puts_text(d, text);
}

/* Between two entries. */
static void put_entry(drawing *d, bool *first, PyObject *value) {
    if (!*first)
        puts_text(d, ", ");
    *first = false;
    put_value(d, value);
}

/* The size is asked each time: where there is no GIL, another thread may have changed it. */
static void put_sequence(drawing *d, PyObject *value) {
    bool list = PyList_Check(value), first = true;
    puts_text(d, list ? "[" : "(");
    for (Py_ssize_t i = 0; i < size_of(value) && !d->cut; i++) {
        PyObject *item = Py_XNewRef(list ? PyList_GET_ITEM(value, i) : PyTuple_GET_ITEM(value, i));
        if (item)
            put_entry(d, &first, item);
        Py_XDECREF(item);
    }
    puts_text(d, list ? "]" : size_of(value) == 1 ? ",)" : ")");
}

static void put_set(drawing *d, PyObject *value) {
    bool frozen = PyFrozenSet_Check(value), first = true;
    PyObject *iterator = PySet_Type.tp_iter(value), *item;
    puts_text(d, frozen ? "frozenset({" : "{");
    while (iterator && !d->cut && (item = Py_TYPE(iterator)->tp_iternext(iterator))) {
        put_entry(d, &first, item);
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    PyErr_Clear();
    puts_text(d, frozen ? "})" : "}");
}

static bool key_is_hidden(const call_values *v, PyObject *key) {
    char buffer[128];
    size_t bytes;
    if (!PyUnicode_CheckExact(key))
        return false;
    if (names_secret(v->state, key))
        return true;
    const char *text = text_utf8(key, buffer, sizeof buffer, &bytes);
    return filters_hiding(v->state, text, bytes) & v->filter;
}

static void put_dict(drawing *d, PyObject *value) {
    PyObject *key, *item;
    Py_ssize_t at = 0;
    bool first = true;
    puts_text(d, "{");
    while (!d->cut && PyDict_Next(value, &at, &key, &item)) {
        Py_INCREF(key);
        Py_INCREF(item);
        put_entry(d, &first, key);
        puts_text(d, ": ");
        if (key_is_hidden(d->of, key))
            puts_text(d, "***");
        else
            put_value(d, item);
        Py_DECREF(key);
        Py_DECREF(item);
    }
    puts_text(d, "}");
}

static void put_container(drawing *d, PyObject *value) {
    Py_ssize_t size = size_of(value);
    bool large = size > ENTRIES_MAX && !d->of->repr; /* else: the first */
    if (large || (size && d->nesting == NESTING_MAX)) {
        put_summary(d, value, size);
        return;
    }
    d->nesting++;
    LOCK_OBJECT(value);
    if (PyDict_Check(value))
        put_dict(d, value);
    else if (PyAnySet_Check(value) && size)
        put_set(d, value);
    else if (PyAnySet_Check(value))
        puts_text(d, PyFrozenSet_Check(value) ? "frozenset()" : "set()");
    else
        put_sequence(d, value);
    UNLOCK_OBJECT();
    d->nesting--;
}

/* ------------------------------------------------------------------ objects */

static bool is_container(PyObject *value) {
    return PyList_Check(value) || PyTuple_Check(value) || PyDict_Check(value) ||
           PyAnySet_Check(value);
}

static bool is_plain_container(PyObject *value) {
    return PyList_CheckExact(value) || PyTuple_CheckExact(value) || PyDict_CheckExact(value) ||
           PyAnySet_CheckExact(value);
}

static void put_type(drawing *d, PyObject *value) {
    puts_text(d, "<");
    if (PyType_Check(value))
        puts_text(d, "class ");
    text_put_type(&d->out, PyType_Check(value) ? (PyTypeObject *)value : Py_TYPE(value));
    puts_text(d, ">");
}

static void put_function(drawing *d, PyObject *value) {
    char buffer[MAREY_NAME_MAX];
    size_t bytes;
    const char *name =
        text_utf8(((PyFunctionObject *)value)->func_qualname, buffer, sizeof buffer, &bytes);
    puts_text(d, "<function ");
    put(d, name, bytes);
    puts_text(d, ">");
}

static void put_bytes(drawing *d, PyObject *value) {
    const char *bytes = PyBytes_AS_STRING(value);
    puts_text(d, "b'");
    for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(value) && !d->cut; i++) {
        Py_UCS4 c = (unsigned char)bytes[i];
        char escape[8];
        if (c < 0x80) {
            put_char(d, c, '\'');
        } else {
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned)c);
            puts_text(d, escape);
        }
    }
    puts_text(d, "'");
}

static void put_other(drawing *d, PyObject *value) {
    if (PyFunction_Check(value))
        put_function(d, value);
    else if (PyType_Check(value))
        put_type(d, value);
    else if (is_container(value))
        put_summary(d, value, size_of(value));
    else if (PyUnicode_Check(value) && Py_TYPE(Py_TYPE(value)) == &PyType_Type)
        put_str(d, value); /* no member of an enum */
    else
        put_by(d, value_put_other, value);
}

/* What the object itself says. It may run any code. */
static void put_repr(drawing *d, PyObject *value) {
    PyObject *text = PyObject_Repr(value);
    if (text) {
        char buffer[CALLS_REPR_MAX + 8];
        size_t bytes;
        const char *utf8 = text_utf8(text, buffer, sizeof buffer, &bytes);
        put(d, utf8, bytes);
        d->cut |= utf8 == buffer && bytes + 8 > sizeof buffer;
        Py_DECREF(text);
    } else {
        PyErr_Clear();
        puts_text(d, "<unprintable>");
    }
}

static void put_value(drawing *d, PyObject *value) {
    if (PyUnicode_CheckExact(value))
        put_str(d, value);
    else if (value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) ||
             PyFloat_CheckExact(value))
        put_by(d, text_put_object, value);
    else if (PyBytes_CheckExact(value))
        put_bytes(d, value);
    else if (is_plain_container(value)) /* also where others say it: of them, no more than fits */
        put_container(d, value);
    else if (d->of->repr)
        put_repr(d, value);
    else
        put_other(d, value);
}

/* --------------------------------------------------------------- arguments */

static marey_arg *next_argument(call_values *v, uint32_t name) {
    enum { ROOM = sizeof v->args / sizeof *v->args };
    if (v->count == ROOM)
        return NULL;
    marey_arg *arg = &v->args[v->count++];
    *arg = (marey_arg){.name = name};
    return arg;
}

static void draw(call_values *v, marey_arg *arg, PyObject *value,
                 void (*how)(drawing *, PyObject *)) {
    enum { DOTS = 3 };
    char *start = v->text + v->used;
    size_t left = sizeof v->text - v->used, room = left < v->most ? left : v->most;
    drawing d = {.out = {start, start + room}, .of = v};
    how(&d, value);
    if (d.cut && room >= DOTS) {
        char *cut = d.out.end - DOTS;
        cut = cut < d.out.at ? cut : d.out.at;
        while (cut > start && ((unsigned char)*cut & 0xC0) == 0x80) /* between characters */
            cut--;
        memcpy(cut, "...", DOTS);
        d.out.at = cut + DOTS;
    }
    value_set_text(arg, start, (size_t)(d.out.at - start));
    v->used += (uint32_t)(d.out.at - start);
}

static bool set_number(marey_arg *arg, PyObject *value) {
    if (PyLong_CheckExact(value)) {
        int overflow;
        arg->i64 = PyLong_AsLongLongAndOverflow(value, &overflow);
        arg->kind = MAREY_KIND_I64;
        return !overflow;
    }
    if (PyFloat_CheckExact(value)) {
        arg->kind = MAREY_KIND_F64;
        arg->f64 = PyFloat_AS_DOUBLE(value);
        return true;
    }
    if (PyBool_Check(value)) {
        arg->kind = MAREY_KIND_BOOL;
        arg->i64 = value == Py_True;
        return true;
    }
    return false;
}

void call_value_add(call_values *v, uint32_t name, PyObject *value, bool by_type) {
    marey_arg *arg = next_argument(v, name);
    if (!arg)
        return;
    if (by_type)
        draw(v, arg, value, put_type);
    else if (!set_number(arg, value))
        draw(v, arg, value, put_value);
}

void call_value_add_text(call_values *v, uint32_t name, const char *text) {
    marey_arg *arg = next_argument(v, name);
    if (arg)
        value_set_text(arg, text, strlen(text));
}

void call_value_add_number(call_values *v, uint32_t name, uint64_t number) {
    marey_arg *arg = next_argument(v, name);
    if (!arg)
        return;
    arg->kind = MAREY_KIND_I64;
    arg->i64 = (int64_t)number;
}

static void put_exception(drawing *d, PyObject *value) {
    if (PyExceptionInstance_Check(value))
        put_by(d, text_put_exception, value);
    else if (PyType_Check(value))
        text_put_type(&d->out, (PyTypeObject *)value);
}

void call_value_add_exception(call_values *v, uint32_t name, PyObject *exception) {
    marey_arg *arg = next_argument(v, name);
    if (arg)
        draw(v, arg, exception, put_exception);
}
