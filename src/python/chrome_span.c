/* See chrome_log.h: ChromeSpan(name, cat="dur", **arguments), in whichever log is used when it is entered. */
#include "chrome_log.h"

typedef struct chrome_span {
    PyObject_HEAD PyObject *name, *category;
    PyObject *arguments; /* dict; NULL: none */
    log_object *log;     /* that it has been entered in; NULL: none */
    int64_t begin_ns;
    face_state *state;
} chrome_span;

/* ------------------------------------------------------------------ making */

static PyObject *wrong_call(const char *what) {
    PyErr_Format(PyExc_TypeError, "kev() takes name and cat as text, and keywords: %s", what);
    return NULL;
}

/* The keywords: cat, and else the arguments. 0, or -1 with an exception. */
static int take_keywords(chrome_span *span, PyObject *const *items, PyObject *names) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *key = PyTuple_GET_ITEM(names, i);
        PyObject **given = PyUnicode_CompareWithASCIIString(key, "name") == 0  ? &span->name
                           : PyUnicode_CompareWithASCIIString(key, "cat") == 0 ? &span->category
                                                                               : NULL;
        if (given && *given) {
            PyErr_Format(PyExc_TypeError, "kev() got multiple values for argument '%U'", key);
            return -1;
        }
        if (given) {
            *given = Py_NewRef(items[i]);
            continue;
        }
        if (!span->arguments && !(span->arguments = PyDict_New()))
            return -1;
        if (PyDict_SetItem(span->arguments, key, items[i]) < 0)
            return -1;
    }
    return 0;
}

PyObject *chrome_span_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count > 2)
        return wrong_call("too many arguments");
    chrome_span *span = PyObject_GC_New(chrome_span, (PyTypeObject *)type);
    if (!span)
        return NULL;
    span->state = state_of_type((PyTypeObject *)type);
    span->name = count > 0 ? Py_NewRef(args[0]) : NULL;
    span->category = count > 1 ? Py_NewRef(args[1]) : NULL;
    span->arguments = NULL;
    span->log = NULL;
    if (names && take_keywords(span, args + count, names) < 0) {
        Py_DECREF(span);
        return NULL;
    }
    if (!span->category)
        span->category = Py_NewRef(span->state->word_dur);
    if (!span->name || !PyUnicode_Check(span->name) || !PyUnicode_Check(span->category)) {
        Py_DECREF(span);
        return wrong_call("a name is wanted");
    }
    if (span->arguments)
        PyObject_GC_Track(span);
    return (PyObject *)span;
}

static int chrome_span_traverse(PyObject *object, visitproc visit, void *arg) {
    chrome_span *self = (chrome_span *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->arguments);
    Py_VISIT(self->log);
    return 0;
}

static int chrome_span_clear(PyObject *object) {
    chrome_span *self = (chrome_span *)object;
    Py_CLEAR(self->arguments);
    Py_CLEAR(self->log);
    return 0;
}

static void chrome_span_dealloc(PyObject *object) {
    chrome_span *self = (chrome_span *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->arguments)
        PyObject_GC_UnTrack(object);
    chrome_span_clear(object);
    Py_XDECREF(self->name);
    Py_XDECREF(self->category);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

/* -------------------------------------------------------------------- with */

static PyObject *chrome_span_enter(PyObject *object, PyObject *Py_UNUSED(unused)) {
    chrome_span *self = (chrome_span *)object;
    log_object *log = (log_object *)self->state->chrome_log;
    if (self->log) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this kev() has been entered already; make another one");
        return NULL;
    }
    if (log && log->is_open) {
        self->log = (log_object *)Py_NewRef((PyObject *)log);
        self->begin_ns = log_now(log);
    }
    return Py_NewRef(Py_None);
}

/* What a value says of itself. Its own code runs, and may fail: then what failed is said. NULL: no memory. */
static PyObject *text_of(PyObject *value) {
    PyObject *text = PyObject_Str(value);
    if (text)
        return text;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    text = PyUnicode_FromFormat("<%s: str() raised %s>", Py_TYPE(value)->tp_name,
                                type ? ((PyTypeObject *)type)->tp_name : "an error");
    if (!text)
        PyErr_Clear();
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    return text;
}

/* Keys and values as texts, by turns. NULL where there are none, or no memory. */
static PyObject *texts_of(PyObject *arguments) {
    PyObject *key, *value, *texts = PyList_New(0);
    Py_ssize_t at = 0;
    /* A copy: str() may do anything, also to the dict. */
    PyObject *copy = texts ? PyDict_Copy(arguments) : NULL;
    int failed = !copy;
    while (!failed && PyDict_Next(copy, &at, &key, &value)) {
        PyObject *text = text_of(value);
        failed = !text || PyList_Append(texts, key) < 0 || PyList_Append(texts, text) < 0;
        Py_XDECREF(text);
    }
    Py_XDECREF(copy);
    if (failed) {
        PyErr_Clear();
        Py_CLEAR(texts);
    }
    return texts;
}

static PyObject *chrome_span_exit(PyObject *object, PyObject *const *Py_UNUSED(args),
                                  Py_ssize_t Py_UNUSED(count)) {
    chrome_span *self = (chrome_span *)object;
    log_object *log = self->log;
    if (!log)
        return Py_NewRef(Py_False);
    int64_t end_ns = log_now(log);
    PyObject *texts = self->arguments && log->is_open ? texts_of(self->arguments) : NULL;
    if (self->begin_ns >= 0 && end_ns >= 0)
        log_complete(log, self->name, self->category, self->begin_ns, end_ns, texts);
    Py_XDECREF(texts);
    Py_CLEAR(self->log);
    return Py_NewRef(Py_False);
}

/* @kev("name"): marey/compat/keke knows how functions are wrapped. */
static PyObject *chrome_span_call(PyObject *object, PyObject *args, PyObject *kwargs) {
    chrome_span *self = (chrome_span *)object;
    PyObject *function;
    if ((kwargs && PyDict_GET_SIZE(kwargs)) || !PyArg_ParseTuple(args, "O:kev", &function))
        return NULL;
    PyObject *module = PyImport_ImportModule("marey.compat.keke");
    PyObject *made =
        module ? PyObject_CallMethod(module, "_decorated", "OOOO", function, self->name,
                                     self->category, self->arguments ? self->arguments : Py_None)
               : NULL;
    Py_XDECREF(module);
    return made;
}

/* use_log(ChromeLog | None): where spans that are entered from now on go */
PyObject *chrome_log_use(PyObject *module, PyObject *log) {
    face_state *state = PyModule_GetState(module);
    if (log != Py_None && !Py_IS_TYPE(log, state->log_type)) {
        PyErr_Format(PyExc_TypeError, "a ChromeLog or None, not %s", Py_TYPE(log)->tp_name);
        return NULL;
    }
    Py_XSETREF(state->chrome_log, log == Py_None ? NULL : Py_NewRef(log));
    return Py_NewRef(Py_None);
}

/* -------------------------------------------------------------------- type */

static PyMethodDef chrome_span_methods[] = {
    {"__enter__", chrome_span_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))chrome_span_exit, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL}};

/* Arguments given later: by ktrace, which has to look at the call first. */
static int set_arguments(PyObject *object, PyObject *value, void *Py_UNUSED(closure)) {
    chrome_span *self = (chrome_span *)object;
    if (!value || !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "arguments are a dict");
        return -1;
    }
    if (!self->arguments)
        PyObject_GC_Track(object);
    Py_XSETREF(self->arguments, Py_NewRef(value));
    return 0;
}

static PyObject *get_arguments(PyObject *object, void *Py_UNUSED(closure)) {
    PyObject *arguments = ((chrome_span *)object)->arguments;
    return Py_NewRef(arguments ? arguments : Py_None);
}

static PyGetSetDef chrome_span_getset[] = {{"arguments", get_arguments, set_arguments, NULL, NULL},
                                           {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot chrome_span_slots[] = {
    {Py_tp_doc,
     (void *)PyDoc_STR(
         "kev(name, cat='dur', **args)\n--\n\n"
         "A span as one complete event, written when it ends; the arguments are str()ed\n"
         "then. A context manager and a decorator.")},
    {Py_tp_new, (void *)type_refuse_new},
    {Py_tp_dealloc, (void *)chrome_span_dealloc},
    {Py_tp_traverse, (void *)chrome_span_traverse},
    {Py_tp_clear, (void *)chrome_span_clear},
    {Py_tp_call, (void *)chrome_span_call},
    {Py_tp_methods, chrome_span_methods},
    {Py_tp_getset, chrome_span_getset},
    {0, NULL}};

PyType_Spec chrome_span_spec = {"marey._marey.ChromeSpan", sizeof(chrome_span), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                                chrome_span_slots};
