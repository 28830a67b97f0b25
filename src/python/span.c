/* marey.span: a context manager and decorator for a piece of the program.
 *
 * What `with marey.span("x"):` costs is the point of this file and of span_enter.c. An object with nothing but a name comes
 * from a free list, is not known to the garbage collector, and resolves its name by the str's address. Without the GIL there
 * is no free list. */
#include "span.h"

static const options_form span_form = {"span",
                                       {OPTION_CATEGORY, OPTION_TRACK, OPTION_FLOW},
                                       3,
                                       1u << OPTION_CATEGORY | 1u << OPTION_TRACK |
                                           1u << OPTION_FLOW};

/* ------------------------------------------------------------------ making */

static span_object *span_allocate(face_state *state) {
#ifndef Py_GIL_DISABLED
    span_object *free = state->free_spans;
    if (LIKELY(free != NULL)) {
        state->free_spans = (span_object *)free->name;
        state->free_count--;
#if defined(Py_REF_DEBUG) || defined(Py_TRACE_REFS)
        _Py_NewReference((PyObject *)free);
#else
        Py_SET_REFCNT((PyObject *)free, 1);
#endif
        return free;
    }
#endif
    span_object *span =
        state->span_type ? PyObject_GC_New(span_object, state->span_type) : type_gone();
    if (span) {
        memset((char *)span + sizeof(PyObject), 0, sizeof *span - sizeof(PyObject));
        span->state = state;
        way_init_halves(span);
    }
    return span;
}

span_object *span_make(face_state *state, PyObject *name) {
    span_object *span = span_allocate(state);
    if (LIKELY(span != NULL))
        span->name = Py_NewRef(name);
    return span;
}

void span_track(span_object *span) {
    if (!span->tracked) {
        span->tracked = true;
        PyObject_GC_Track(span);
        way_track_halves(span);
    }
}

int span_set_arguments(span_object *span, PyObject *names, PyObject *const *items) {
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    span_clear_arguments(span);
    span->kwvalues = span->inlined;
    if (count > SPAN_VALUES)
        span->kwvalues = PyMem_New(PyObject *, (size_t)count);
    if (!span->kwvalues) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        span->kwvalues[i] = Py_XNewRef(items[i]);
    span->kwnames = Py_NewRef(names);
    span->rich = true;
    span_track(span);
    return 0;
}

void span_clear_arguments(span_object *span) {
    PyObject *names = span->kwnames, **items = span->kwvalues;
    if (!names)
        return;
    span->kwnames = NULL;
    span->kwvalues = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        Py_CLEAR(items[i]);
    if (items != span->inlined)
        PyMem_Free(items);
    Py_DECREF(names);
}

span_object *span_like(const span_object *other) {
    span_object *span = span_make(other->state, other->name);
    if (!span)
        return NULL;
    span->id = other->id;
    span->rich = other->rich;
    span->category = other->category;
    span->track = (track_object *)Py_XNewRef((PyObject *)other->track);
    span->flow = Py_XNewRef(other->flow);
    span->source = other->source;
    if (other->kwnames && span_set_arguments(span, other->kwnames, other->kwvalues) < 0)
        Py_CLEAR(span);
    return span;
}

/* The keywords that are arguments of the span, those that are options left out. 0, or -1 with an exception. */
static int span_keep_keywords(span_object *span, PyObject *const *items, PyObject *kwnames) {
    if (span_set_arguments(span, kwnames, items) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
        if (options_which(span->state, &span_form, PyTuple_GET_ITEM(kwnames, i)) >= 0)
            Py_CLEAR(span->kwvalues[i]);
    return 0;
}

static NOINLINE PyObject *span_make_rich(face_state *state, PyObject *const *args, Py_ssize_t count,
                                         PyObject *kwnames) {
    PyObject *name = options_name("span", args, count);
    span_object *span = name ? span_make(state, name) : NULL;
    if (!span)
        return NULL;
    event_options options;
    if (options_read(state, &span_form, args + 1, count - 1, kwnames, &options) < 0 ||
        (kwnames && span_keep_keywords(span, args + count, kwnames) < 0)) {
        options_fini(&options);
        Py_DECREF(span);
        return NULL;
    }
    span->category = options.category;
    span->track = (track_object *)Py_XNewRef((PyObject *)options.track);
    span->flow = Py_XNewRef(options.flow);
    span->rich = true;
    options_fini(&options);
    return (PyObject *)span;
}

PyObject *span_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
    face_state *state = state_of_type((PyTypeObject *)type);
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (LIKELY(count == 1 && !kwnames && PyUnicode_CheckExact(args[0])))
        return (PyObject *)span_make(state, args[0]);
    return span_make_rich(state, args, count, kwnames);
}

/* ------------------------------------------------------------------- ending */

static NOINLINE void span_drop(span_object *span) {
    span_clear_arguments(span);
    Py_CLEAR(span->track);
    Py_CLEAR(span->flow);
    Py_CLEAR(span->first.on);
    Py_CLEAR(span->first.results);
    for (uint32_t i = 0; i + 1 < span->open; i++) {
        Py_CLEAR(span->deeper[i].on);
        Py_CLEAR(span->deeper[i].results);
    }
    PyMem_Free(span->deeper);
    span->deeper = NULL;
    span->deeper_room = 0;
    span->first.token = (marey_span){0};
    span->open = 0;
    span->category = NULL;
    span->source = NULL;
    span->rich = false;
}

static void span_dealloc(PyObject *self) {
    span_object *span = (span_object *)self;
    if (UNLIKELY(span->tracked)) {
        PyObject_GC_UnTrack(self);
        span->tracked = false;
    }
    if (UNLIKELY(span->rich || span->open || span->deeper))
        span_drop(span);
    Py_DECREF(span->name);
    span->id = 0;
#ifndef Py_GIL_DISABLED
    face_state *state = span->state;
    if (LIKELY(state->free_count < FREE_SPANS_MAX)) {
        state->free_count++;
        span->name = (PyObject *)state->free_spans;
        state->free_spans = span;
        return;
    }
#endif
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

void span_free_list_clear(face_state *state) {
    while (state->free_spans) {
        span_object *span = state->free_spans;
        state->free_spans = (span_object *)span->name;
        PyTypeObject *type = Py_TYPE((PyObject *)span);
        PyObject_GC_Del(span);
        Py_DECREF(type);
    }
    state->free_count = FREE_SPANS_MAX; /* what is freed from now on is freed at once */
}

static int span_traverse(PyObject *self, visitproc visit, void *arg) {
    span_object *span = (span_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(span->track);
    Py_VISIT(span->flow);
    Py_VISIT(span->first.on);
    Py_VISIT(span->first.results);
    for (uint32_t i = 0; i + 1 < span->open; i++) {
        Py_VISIT(span->deeper[i].on);
        Py_VISIT(span->deeper[i].results);
    }
    for (Py_ssize_t i = 0; span->kwnames && i < PyTuple_GET_SIZE(span->kwnames); i++)
        Py_VISIT(span->kwvalues[i]);
    return 0;
}

static int span_tp_clear(PyObject *self) {
    span_object *span = (span_object *)self;
    span_clear_arguments(span);
    Py_CLEAR(span->first.results);
    for (uint32_t i = 0; i + 1 < span->open; i++)
        Py_CLEAR(span->deeper[i].results);
    return 0;
}

/* --------------------------------------------------------------- decorator */

static PyObject *span_call(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *function;
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "a span decorates one function; it takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O:span", &function))
        return NULL;
    PyObject *module = PyImport_ImportModule("marey._traced");
    PyObject *wrapped = module ? PyObject_CallMethod(module, "wrap", "OO", function, self) : NULL;
    Py_XDECREF(module);
    return wrapped;
}

static PyObject *span_repr(PyObject *self) {
    return PyUnicode_FromFormat("<marey.span %R>", ((span_object *)self)->name);
}

static PyObject *span_get_name(PyObject *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(((span_object *)self)->name);
}

PyDoc_STRVAR(
    span_doc,
    "span(name, /, category=None, track=None, flow=None, **args)\n--\n\n"
    "A piece of the program, as a context manager or a decorator.\n\n"
    "name: a str. category: a str or marey.Category; the span is recorded while that is on.\n"
    "track: a marey.Track to be on; else the running asyncio task's, else the thread's.\n"
    "flow: a marey.Flow, or several. Everything else is shown with the span; values are\n"
    "read when it is entered, without running any code of theirs.\n"
    "One object may be entered again and again, also while it is entered.\n"
    "An exception that leaves the span is shown as its argument `exception`.");

/* _set_source(file, function, line): where what it is of stands */
static PyObject *span_set_source(PyObject *self, PyObject *args) {
    PyObject *file, *function;
    unsigned line;
    if (!PyArg_ParseTuple(args, "UUI:_set_source", &file, &function, &line))
        return NULL;
    span_object *span = (span_object *)self;
    LOCK_OBJECT(self);
    span->source = source_find(file, function, line);
    span->rich = true;
    UNLOCK_OBJECT();
    return Py_NewRef(Py_None);
}

static PyMethodDef span_methods[] = {
    {"_set_source", span_set_source, METH_VARARGS, NULL},
    {"set", (PyCFunction)(void (*)(void))span_set, METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR(
         "set(*, flow=None, **args)\n--\n\nResults, shown with the open span; read when it ends.\n"
         "flow: a marey.flow, or several, that go out where the span ends. Without an open span:\n"
         "nothing.")},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef span_getset[] = {{"name", span_get_name, NULL, NULL, NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot span_slots[] = {
    {Py_tp_doc, (void *)span_doc},         {Py_tp_new, (void *)type_refuse_new},
    {Py_tp_dealloc, (void *)span_dealloc}, {Py_tp_traverse, (void *)span_traverse},
    {Py_tp_clear, (void *)span_tp_clear},  {Py_tp_call, (void *)span_call},
    {Py_tp_repr, (void *)span_repr},       {Py_tp_methods, span_methods},
    {Py_tp_getset, span_getset},           {0, NULL}};

PyType_Spec span_spec = {"marey.span", sizeof(span_object), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                         span_slots};
