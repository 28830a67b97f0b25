/* How `with` finds __enter__ and __exit__ of a span without an object being made for either.
 *
 * Before CPython 3.14 a `with` binds both methods each time: two objects of the garbage collector, and half of what an
 * empty context manager written in C costs. Here both attributes are a way: a descriptor that answers, when it is asked
 * for a span, with a part of that span's own memory. Such a part, span_half, is an object with a type and a count of its
 * own, which keeps the whole span alive while anybody holds it; with nobody it is not alive (count 0), and is revived when
 * it is asked for. Asked for the type, a way answers with itself and takes the span as its first argument, as a method
 * does: so do contextlib.ExitStack and super().
 *
 * The garbage collector has to see that a half holds its span, or a suspended generator with a span open whose arguments
 * lead back to it would never be freed. So halves have a head for the collector, too; but only where the span itself
 * is known to it, which one with nothing but a name is not, are they made known while they are alive.
 *
 * Without the GIL a count cannot be revived: there spans have plain methods. */
#include "span.h"

#ifndef Py_GIL_DISABLED
#include <structmember.h>

typedef struct way_object {
    PyObject_HEAD vectorcallfunc called;
    PyTypeObject *of;        /* borrowed: its dict owns us */
    PyTypeObject *half_type; /* kept alive for the halves, which own no reference to it */
    Py_ssize_t offset;       /* of the half in a span */
    const char *name, *doc;
} way_object;

/* -------------------------------------------------------------------- half */

static span_object *half_span(PyObject *half) {
    return (span_object *)((char *)half - ((span_half *)half)->offset);
}

static PyObject *enter_called(PyObject *half, PyObject *const *Py_UNUSED(args), size_t nargsf,
                              PyObject *kwnames) {
    if (UNLIKELY(PyVectorcall_NARGS(nargsf) || kwnames)) {
        PyErr_SetString(PyExc_TypeError, "__enter__() takes no arguments");
        return NULL;
    }
    return span_enter(half_span(half));
}

static PyObject *exit_called(PyObject *half, PyObject *const *args, size_t nargsf,
                             PyObject *kwnames) {
    if (UNLIKELY(kwnames != NULL)) {
        PyErr_SetString(PyExc_TypeError, "__exit__() takes no keyword arguments");
        return NULL;
    }
    return span_exit(half_span(half), args, PyVectorcall_NARGS(nargsf));
}

static void half_dealloc(PyObject *half) {
    span_object *span = half_span(half);
    if (UNLIKELY(span->tracked))
        PyObject_GC_UnTrack(half);
    Py_DECREF((PyObject *)span);
}

static int half_traverse(PyObject *half, visitproc visit, void *arg) {
    Py_VISIT(half_span(half));
    return 0;
}

void way_track_halves(span_object *span) {
    if (Py_REFCNT(&span->enter.half) != 0)
        PyObject_GC_Track(&span->enter.half);
    if (Py_REFCNT(&span->exit.half) != 0)
        PyObject_GC_Track(&span->exit.half);
}

static PyObject *half_self(PyObject *half, void *Py_UNUSED(closure)) {
    return Py_NewRef((PyObject *)half_span(half));
}

static PyMemberDef half_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(span_half, called), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef half_getset[] = {{"__self__", half_self, NULL, NULL, NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot half_slots[] = {{Py_tp_dealloc, (void *)half_dealloc},
                                   {Py_tp_traverse, (void *)half_traverse},
                                   {Py_tp_new, (void *)type_refuse_new},
                                   {Py_tp_call, (void *)PyVectorcall_Call},
                                   {Py_tp_members, half_members},
                                   {Py_tp_getset, half_getset},
                                   {0, NULL}};

static PyType_Spec half_spec = {"marey._marey.bound_way", sizeof(span_half), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                    Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
                                half_slots};

static void half_init(span_half *half, PyTypeObject *type, vectorcallfunc called,
                      Py_ssize_t offset) {
    Py_SET_TYPE((PyObject *)half, type);
    half->called = called;
    half->offset = offset;
}

void way_init_halves(span_object *span) {
    PyTypeObject *type = span->state->half_type;
    half_init(&span->enter.half, type, enter_called, offsetof(span_object, enter.half));
    half_init(&span->exit.half, type, exit_called, offsetof(span_object, exit.half));
}

/* --------------------------------------------------------------------- way */

static PyObject *way_get(PyObject *self, PyObject *span, PyObject *Py_UNUSED(type)) {
    if (UNLIKELY(!span))
        return Py_NewRef(self);
    way_object *way = (way_object *)self;
    span_half *half = (span_half *)((char *)span + way->offset);
    if (UNLIKELY(Py_REFCNT(half) != 0))
        return Py_NewRef((PyObject *)half);
#if defined(Py_REF_DEBUG) || defined(Py_TRACE_REFS)
    _Py_NewReference((PyObject *)half);
#else
    Py_SET_REFCNT((PyObject *)half, 1);
#endif
    Py_INCREF(span);
    if (UNLIKELY(((span_object *)span)->tracked))
        PyObject_GC_Track(half);
    return (PyObject *)half;
}

static PyObject *way_called(PyObject *self, PyObject *const *args, size_t nargsf,
                            PyObject *kwnames) {
    way_object *way = (way_object *)self;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (!count || !Py_IS_TYPE(args[0], way->of))
        return PyErr_Format(PyExc_TypeError, "%s() needs a span", way->name);
    PyObject *half = way_get(self, args[0], NULL);
    PyObject *result = PyObject_Vectorcall(half, args + 1, (size_t)count - 1, kwnames);
    Py_DECREF(half);
    return result;
}

static void way_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(((way_object *)self)->half_type);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMemberDef way_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(way_object, called), READONLY, NULL},
    {"__name__", T_STRING, offsetof(way_object, name), READONLY, NULL},
    {"__doc__", T_STRING, offsetof(way_object, doc), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot way_slots[] = {
    {Py_tp_dealloc, (void *)way_dealloc}, {Py_tp_new, (void *)type_refuse_new},
    {Py_tp_descr_get, (void *)way_get},   {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_members, way_members},         {0, NULL}};

static PyType_Spec way_spec = {
    "marey._marey.way", sizeof(way_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE, way_slots};

/* ------------------------------------------------------------------- adding */

static int way_add(face_state *state, PyTypeObject *type, const char *name, const char *doc,
                   Py_ssize_t offset) {
    way_object *way = PyObject_New(way_object, type);
    if (!way)
        return -1;
    way->called = way_called;
    way->of = state->span_type;
    way->half_type = (PyTypeObject *)Py_NewRef((PyObject *)state->half_type);
    way->offset = offset;
    way->name = name;
    way->doc = doc;
    int failed = PyDict_SetItemString(way->of->tp_dict, name, (PyObject *)way);
    Py_DECREF(way);
    return failed;
}

int way_add_both(face_state *state) {
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&way_spec);
    state->half_type = (PyTypeObject *)PyType_FromSpec(&half_spec);
    int failed = !type || !state->half_type ||
                 way_add(state, type, "__enter__", "Begin. Returns the span.",
                         offsetof(span_object, enter.half)) < 0 ||
                 way_add(state, type, "__exit__", "End.", offsetof(span_object, exit.half)) < 0;
    PyType_Modified(state->span_type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

#else

static PyObject *method_enter(PyObject *self, PyObject *Py_UNUSED(unused)) {
    return span_enter((span_object *)self);
}

static PyObject *method_exit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return span_exit((span_object *)self, args, count);
}

static PyMethodDef methods[] = {
    {"__enter__", method_enter, METH_NOARGS, PyDoc_STR("Begin. Returns the span.")},
    {"__exit__", (PyCFunction)(void (*)(void))method_exit, METH_FASTCALL, PyDoc_STR("End.")}};

void way_init_halves(span_object *Py_UNUSED(span)) {}

void way_track_halves(span_object *Py_UNUSED(span)) {}

int way_add_both(face_state *state) {
    PyTypeObject *of = state->span_type;
    int failed = 0;
    for (size_t i = 0; i < sizeof methods / sizeof *methods && !failed; i++) {
        PyObject *method = PyDescr_NewMethod(of, &methods[i]);
        failed = !method || PyDict_SetItemString(of->tp_dict, methods[i].ml_name, method) < 0;
        Py_XDECREF(method);
    }
    PyType_Modified(of);
    return failed ? -1 : 0;
}

#endif
