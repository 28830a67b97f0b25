/* marey.traced for plain functions: a callable that records a span around each call.
 *
 * It behaves as a function does: it binds to instances, keeps the attributes that functools.update_wrapper copies,
 * and is pickled by name. While nothing records, a call is passed on after one load and a compare.
 * Coroutines and generators are wrapped by functions in marey/_traced.py, which ask span() for the span of a call. */
#include "span.h"

#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_READONLY READONLY
#endif

typedef struct traced_object {
    PyObject_HEAD vectorcallfunc call;
    PyObject *function;
    span_object *span; /* name, category, source, arguments that are always the same */
    /* tuple: the name, or None, of each positional argument. NULL: no arguments wanted */
    PyObject *positional;
    PyObject *rest;   /* the name of those beyond, or None */
    PyObject *wanted; /* frozenset of the keywords that are wanted; None: all */
    bool result;      /* record what the call returns */
    PyObject *dict, *weakrefs;
} traced_object;

/* --------------------------------------------------------------- arguments */

/* The arguments of one call, by name. On the C stack; owns nothing but `rest`. */
typedef struct bound {
    PyObject *rest; /* tuple of the positional ones beyond those with a name, or NULL */
    Py_ssize_t count;
    PyObject *name[MAREY_ARGS_MAX], *item[MAREY_ARGS_MAX];
} bound;

static void bound_add(bound *b, PyObject *name, PyObject *item) {
    if (b->count < MAREY_ARGS_MAX) {
        b->name[b->count] = name;
        b->item[b->count++] = item;
    }
}

static bool keyword_wanted(const traced_object *self, PyObject *keyword) {
    if (self->wanted == Py_None)
        return true;
    int contains = PySet_Contains(self->wanted, keyword);
    PyErr_Clear();
    return contains == 1;
}

static void bind_rest(const traced_object *self, bound *b, PyObject *const *args, Py_ssize_t from,
                      Py_ssize_t count) {
    if (from >= count || self->rest == Py_None || !(b->rest = PyTuple_New(count - from)))
        return;
    for (Py_ssize_t i = from; i < count; i++)
        PyTuple_SET_ITEM(b->rest, i - from, Py_NewRef(args[i]));
    bound_add(b, self->rest, b->rest);
}

/* Names the arguments of a call. Leaves no exception; without memory they are left away. */
static void bind(const traced_object *self, bound *b, PyObject *const *args, Py_ssize_t count,
                 PyObject *kwnames) {
    b->count = 0;
    b->rest = NULL;
    if (!self->positional)
        return;
    Py_ssize_t known = PyTuple_GET_SIZE(self->positional);
    for (Py_ssize_t i = 0; i < count && i < known; i++)
        if (PyTuple_GET_ITEM(self->positional, i) != Py_None)
            bound_add(b, PyTuple_GET_ITEM(self->positional, i), args[i]);
    bind_rest(self, b, args, known, count);
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++)
        if (keyword_wanted(self, PyTuple_GET_ITEM(kwnames, i)))
            bound_add(b, PyTuple_GET_ITEM(kwnames, i), args[count + i]);
    PyErr_Clear();
}

/* The names as a tuple. New reference; NULL with an exception. */
static PyObject *bound_names(const bound *b) {
    PyObject *names = PyTuple_New(b->count);
    for (Py_ssize_t i = 0; names && i < b->count; i++)
        PyTuple_SET_ITEM(names, i, Py_NewRef(b->name[i]));
    return names;
}

/* ----------------------------------------------------------------- calling */

static NOINLINE track_object *call_begin(traced_object *self, marey_span *token,
                                         PyObject *const *args, Py_ssize_t count,
                                         PyObject *kwnames) {
    if (!self->positional)
        return event_begin(self->span, token, NULL, NULL, 0);
    bound b;
    bind(self, &b, args, count, kwnames);
    track_object *on = event_begin(self->span, token, b.name, b.item, b.count);
    Py_XDECREF(b.rest);
    return on;
}

static NOINLINE void call_failed(traced_object *self, marey_span *token) {
    error_aside error;
    error_take(&error);
    event_end(self->span->state, token, NULL, error.value, NULL);
    error_put_back(&error);
}

static PyObject *traced_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                                   PyObject *kwnames) {
    traced_object *self = (traced_object *)callable;
    if (LIKELY(!span_wanted(self->span)))
        return PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    marey_span token = {0};
    PyObject *on = (PyObject *)call_begin(self, &token, args, PyVectorcall_NARGS(nargsf), kwnames);
    Py_XINCREF(on);
    PyObject *result = PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    if (!token.depth)
        ;
    else if (UNLIKELY(!result))
        call_failed(self, &token);
    else if (self->result)
        event_end(self->span->state, &token, result, NULL, NULL);
    else
        marey__span_end(&token);
    Py_XDECREF(on);
    return result;
}

/* span(args, kwargs, /): a span for one call with these, for the wrappers of coroutines and generators. */
static PyObject *traced_span(PyObject *object, PyObject *const *given, Py_ssize_t count) {
    traced_object *self = (traced_object *)object;
    if (count != 2 || !PyTuple_Check(given[0]) || !PyDict_Check(given[1])) {
        PyErr_SetString(PyExc_TypeError, "span() takes the tuple and the dict of a call");
        return NULL;
    }
    span_object *span = span_like(self->span);
    if (!span || !self->positional)
        return (PyObject *)span;
    bound b;
    bind(self, &b, &PyTuple_GET_ITEM(given[0], 0), PyTuple_GET_SIZE(given[0]), NULL);
    PyObject *keyword, *item;
    Py_ssize_t at = 0;
    while (PyDict_Next(given[1], &at, &keyword, &item))
        if (keyword_wanted(self, keyword))
            bound_add(&b, keyword, item);
    PyObject *names = bound_names(&b);
    if (!names || span_set_arguments(span, names, b.item) < 0)
        Py_CLEAR(span);
    Py_XDECREF(names);
    Py_XDECREF(b.rest);
    return (PyObject *)span;
}

/* -------------------------------------------------------------------- type */

/* Traced(function, span, positional, rest, wanted, result): positional is None where no arguments are wanted. */
static PyObject *traced_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    PyObject *function, *span, *positional, *rest, *wanted;
    int result;
    face_state *state = state_of_type(type);
    if (!PyArg_ParseTuple(args, "OO!OOOp:Traced", &function, state->span_type, &span, &positional,
                          &rest, &wanted, &result))
        return NULL;
    traced_object *self = (traced_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->call = traced_vectorcall;
    self->function = Py_NewRef(function);
    self->positional = PyTuple_Check(positional) ? Py_NewRef(positional) : NULL;
    self->rest = Py_NewRef(rest);
    self->wanted = Py_NewRef(wanted);
    self->result = result;
    self->span = span_like((span_object *)span);
    if (!self->span)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* set_source(file, function, line, /): where the traced function stands. */
static PyObject *traced_set_source(PyObject *self, PyObject *args) {
    PyObject *file, *function;
    unsigned line;
    if (!PyArg_ParseTuple(args, "UUI:set_source", &file, &function, &line))
        return NULL;
    span_object *span = ((traced_object *)self)->span;
    span->source = source_find(file, function, line);
    span->rich = true;
    return Py_NewRef(Py_None);
}

static PyObject *traced_get(PyObject *self, PyObject *object, PyObject *Py_UNUSED(type)) {
    if (!object || object == Py_None)
        return Py_NewRef(self);
    return PyMethod_New(self, object);
}

static PyObject *traced_reduce(PyObject *self, PyObject *Py_UNUSED(unused)) {
    return PyObject_GetAttrString(self, "__qualname__"); /* by name, as functions are */
}

static PyObject *traced_repr(PyObject *self) {
    return PyUnicode_FromFormat("<marey.traced %R>", ((traced_object *)self)->function);
}

static int traced_traverse(PyObject *self, visitproc visit, void *arg) {
    traced_object *traced = (traced_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(traced->function);
    Py_VISIT(traced->span);
    Py_VISIT(traced->positional);
    Py_VISIT(traced->wanted);
    Py_VISIT(traced->dict);
    return 0;
}

static int traced_clear(PyObject *self) {
    traced_object *traced = (traced_object *)self;
    Py_CLEAR(traced->dict);
    return 0; /* the rest is needed as long as it can be called, and goes with it */
}

static void traced_dealloc(PyObject *self) {
    traced_object *traced = (traced_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (traced->weakrefs)
        PyObject_ClearWeakRefs(self);
    Py_XDECREF(traced->function);
    Py_XDECREF((PyObject *)traced->span);
    Py_XDECREF(traced->positional);
    Py_XDECREF(traced->rest);
    Py_XDECREF(traced->wanted);
    Py_XDECREF(traced->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef traced_methods[] = {
    {"span", (PyCFunction)(void (*)(void))traced_span, METH_FASTCALL, NULL},
    {"set_source", traced_set_source, METH_VARARGS, NULL},
    {"__reduce__", traced_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

static struct PyMemberDef traced_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(traced_object, call), Py_READONLY, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(traced_object, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(traced_object, weakrefs), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef traced_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot traced_slots[] = {{Py_tp_new, (void *)traced_new},
                                     {Py_tp_dealloc, (void *)traced_dealloc},
                                     {Py_tp_traverse, (void *)traced_traverse},
                                     {Py_tp_clear, (void *)traced_clear},
                                     {Py_tp_call, (void *)PyVectorcall_Call},
                                     {Py_tp_descr_get, (void *)traced_get},
                                     {Py_tp_repr, (void *)traced_repr},
                                     {Py_tp_methods, traced_methods},
                                     {Py_tp_members, traced_members},
                                     {Py_tp_getset, traced_getset},
                                     {0, NULL}};

#if PY_VERSION_HEX < 0x030C0000 && !defined(Py_TPFLAGS_HAVE_VECTORCALL)
#define Py_TPFLAGS_HAVE_VECTORCALL _Py_TPFLAGS_HAVE_VECTORCALL
#endif

PyType_Spec traced_spec = {"marey._marey.Traced", sizeof(traced_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                               Py_TPFLAGS_METHOD_DESCRIPTOR,
                           traced_slots};
