/* Short texts of Python objects, made without running any code of theirs: bounded, and never failing. */
#include "face.h"

enum { INT_BITS_MAX = 8192, BYTES_SHOWN = 48 };

static size_t utf8_put(char *out, Py_UCS4 c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

bool text_ready(PyObject *text) {
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(text) < 0) {
        PyErr_Clear();
        return false;
    }
#else
    (void)text;
#endif
    return true;
}

const char *text_utf8(PyObject *text, char *buffer, size_t room, size_t *bytes) {
    *bytes = 0;
    if (!text_ready(text))
        return "";
    size_t length = (size_t)PyUnicode_GET_LENGTH(text);
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        *bytes = length;
        return PyUnicode_DATA(text);
    }
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    size_t used = 0;
    for (size_t i = 0; i < length && used + 4 <= room; i++)
        used += utf8_put(buffer + used, PyUnicode_READ(kind, data, (Py_ssize_t)i));
    *bytes = used;
    return buffer;
}

/* The text with U+2400, as the library shows it, for each NUL. New reference; NULL with an exception. */
static PyObject *without_nul(PyObject *text) {
    PyObject *nul = PyUnicode_FromStringAndSize("", 1), *picture = PyUnicode_FromOrdinal(0x2400);
    PyObject *replaced = nul && picture ? PyUnicode_Replace(text, nul, picture, -1) : NULL;
    Py_XDECREF(nul);
    Py_XDECREF(picture);
    return replaced;
}

PyObject *text_bytes(PyObject *text) {
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "a name is a str, not %.100s", Py_TYPE(text)->tp_name);
        return NULL;
    }
    PyObject *plain = without_nul(text);
    PyObject *bytes = plain ? PyUnicode_AsEncodedString(plain, "utf-8", "surrogatepass") : NULL;
    Py_XDECREF(plain);
    return bytes;
}

void text_put(text_writer *writer, const char *text, size_t bytes) {
    size_t room = (size_t)(writer->end - writer->at);
    bytes = bytes < room ? bytes : room;
    memcpy(writer->at, text, bytes);
    writer->at += bytes;
}

void text_puts(text_writer *writer, const char *text) {
    text_put(writer, text, strlen(text));
}

static void put_str(text_writer *writer, PyObject *text) {
    char buffer[MAREY_NAME_MAX];
    size_t bytes;
    const char *utf8 = text_utf8(text, buffer, sizeof buffer, &bytes);
    text_put(writer, utf8, bytes);
}

/* Numbers that have no place in 64 bits are shown as hexadecimal; enormous ones by their size. */
static void put_big_int(text_writer *writer, PyObject *number) {
    PyObject *method = PyObject_GetAttrString((PyObject *)&PyLong_Type, "bit_length");
    PyObject *bits =
        method ? PyObject_CallOneArg(method, number) : NULL; /* int's, not the object's own */
    Py_XDECREF(method);
    long count = bits ? PyLong_AsLong(bits) : -1;
    Py_XDECREF(bits);
    PyObject *hex = count >= 0 && count <= INT_BITS_MAX ? PyNumber_ToBase(number, 16) : NULL;
    PyErr_Clear();
    if (hex) {
        size_t length = (size_t)PyUnicode_GET_LENGTH(hex); /* ASCII */
        text_put(writer, PyUnicode_DATA(hex), length);
        Py_DECREF(hex);
        return;
    }
    char text[64];
    snprintf(text, sizeof text, "<int of %ld bits>", count);
    text_puts(writer, text);
}

static void put_int(text_writer *writer, PyObject *number) {
    char text[32];
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow) {
        put_big_int(writer, number);
        return;
    }
    snprintf(text, sizeof text, "%lld", value);
    text_puts(writer, text);
}

static void put_bytes(text_writer *writer, const char *data, Py_ssize_t count) {
    char text[48];
    text_puts(writer, "b'");
    for (Py_ssize_t i = 0; i < count && i < BYTES_SHOWN; i++) {
        unsigned char c = (unsigned char)data[i];
        bool plain = c >= ' ' && c < 127 && c != '\'' && c != '\\';
        snprintf(text, sizeof text, plain ? "%c" : "\\x%02x", c);
        text_puts(writer, text);
    }
    snprintf(text, sizeof text, "'%s (%zd bytes)", count > BYTES_SHOWN ? "..." : "", count);
    text_puts(writer, text);
}

/* The module that a class says it is of; NULL where that is not plain text. New reference. */
static PyObject *type_module(PyTypeObject *type) {
    PyObject *module = NULL;
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *dict = PyType_GetDict(type);
#else
    PyObject *dict = Py_XNewRef(type->tp_dict);
#endif
    if (dict && PyDict_Check(dict))
        module = Py_XNewRef(PyDict_GetItemString(dict, "__module__"));
    Py_XDECREF(dict);
    if (module && !PyUnicode_CheckExact(module))
        Py_CLEAR(module);
    return module;
}

void text_put_type(text_writer *writer, PyTypeObject *type) {
    const char *name = type->tp_name;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE && !strchr(name, '.')) {
        PyObject *module = type_module(type);
        if (module && PyUnicode_CompareWithASCIIString(module, "builtins")) {
            put_str(writer, module);
            text_puts(writer, ".");
        }
        Py_XDECREF(module);
    }
    text_puts(writer, name);
}

static void put_float(text_writer *writer, double number) {
    char *text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (!text) {
        PyErr_Clear();
        return;
    }
    text_puts(writer, text);
    PyMem_Free(text);
}

static void put_complex(text_writer *writer, PyObject *number) {
    text_puts(writer, "(");
    put_float(writer, PyComplex_RealAsDouble(number));
    text_puts(writer, " + ");
    put_float(writer, PyComplex_ImagAsDouble(number));
    text_puts(writer, "j)");
}

static void put_quoted(text_writer *writer, PyObject *text) {
    text_puts(writer, "'");
    put_str(writer, text);
    text_puts(writer, "'");
}

void text_put_object(text_writer *writer, PyObject *object) {
    if (PyUnicode_Check(object))
        put_str(writer, object);
    else if (object == Py_None || object == Py_True || object == Py_False)
        text_puts(writer, object == Py_None ? "None" : object == Py_True ? "True" : "False");
    else if (PyLong_Check(object))
        put_int(writer, object);
    else if (PyFloat_Check(object))
        put_float(writer, PyFloat_AS_DOUBLE(object));
    else if (PyComplex_CheckExact(object))
        put_complex(writer, object);
    else if (PyBytes_Check(object))
        put_bytes(writer, PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object));
    else if (PyByteArray_Check(object))
        put_bytes(writer, PyByteArray_AS_STRING(object), PyByteArray_GET_SIZE(object));
    else if (PyExceptionInstance_Check(object))
        text_put_exception(writer, object);
    else if (PyFunction_Check(object))
        put_str(writer, ((PyFunctionObject *)object)->func_qualname);
    else {
        text_puts(writer, "<");
        if (PyType_Check(object))
            text_puts(writer, "class ");
        text_put_type(writer, PyType_Check(object) ? (PyTypeObject *)object : Py_TYPE(object));
        text_puts(writer, ">");
    }
}

/* What str() of an OSError shows, from its fields. False: it is not made of an errno and a text. */
static bool put_os_error(text_writer *writer, PyObject *exception) {
    PyOSErrorObject *error = (PyOSErrorObject *)exception;
    if (!error->myerrno || !error->strerror)
        return false;
    text_puts(writer, "[Errno ");
    text_put_object(writer, error->myerrno);
    text_puts(writer, "] ");
    text_put_object(writer, error->strerror);
    if (!error->filename || error->filename == Py_None)
        return true;
    text_puts(writer, ": ");
    if (PyUnicode_Check(error->filename))
        put_quoted(writer, error->filename);
    else
        text_put_object(writer, error->filename);
    return true;
}

/* What the built-in str() of an exception shows, from its arguments. */
static void put_message(text_writer *writer, PyObject *exception) {
    if (PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_OSError) &&
        put_os_error(writer, exception))
        return;
    PyObject *args = Py_XNewRef(((PyBaseExceptionObject *)exception)->args);
    bool tuple = args && PyTuple_CheckExact(args);
    for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(args); i++) {
        if (i)
            text_puts(writer, ", ");
        PyObject *item = PyTuple_GET_ITEM(args, i);
        if (PyExceptionInstance_Check(item)) /* may hold itself: its type is enough */
            text_put_type(writer, Py_TYPE(item));
        else if (PyUnicode_Check(item) && PyErr_GivenExceptionMatches(exception, PyExc_KeyError))
            put_quoted(writer, item);
        else
            text_put_object(writer, item);
    }
    Py_XDECREF(args);
}

void text_put_exception(text_writer *writer, PyObject *exception) {
    text_put_type(writer, Py_TYPE(exception));
    char *name_end = writer->at;
    text_puts(writer, ": ");
    char *message = writer->at;
    put_message(writer, exception);
    if (writer->at == message)
        writer->at = name_end;
}
