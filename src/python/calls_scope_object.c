/* marey._marey.Scope: the object, for marey/_calls.py. */
#include "calls_scope.h"

#include <stdlib.h>

/* ------------------------------------------------------------------ methods */

static PyObject *method_open(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_object *self = (scope_object *)object;
    if (self->was_opened) {
        PyErr_SetString(PyExc_RuntimeError, "a scope of calls is opened once");
        return NULL;
    }
    if (scope_open(self) < 0)
        return NULL;
    self->was_opened = true;
    return Py_NewRef(Py_None);
}

static PyObject *method_enter(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_object *self = (scope_object *)object;
    if (!self->of->everyone && self->of->open && scope_enter(self) < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

static PyObject *method_leave(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_leave((scope_object *)object);
    return Py_NewRef(Py_None);
}

static PyObject *method_close(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_close((scope_object *)object);
    return Py_NewRef(Py_None);
}

static PyObject *method_bytes(PyObject *object, PyObject *Py_UNUSED(unused)) {
    const scope *of = ((scope_object *)object)->of;
    if (!of->log)
        return PyBytes_FromStringAndSize("", 0);
    size_t size = marey__log_bytes(of->log);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (bytes)
        marey__log_copy(of->log, (uint8_t *)PyBytes_AS_STRING(bytes));
    return bytes;
}

static PyObject *get_call_count(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((scope_object *)self)->of->call_count);
}

static PyObject *get_skipped(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((scope_object *)self)->of->skipped);
}

static PyObject *get_limit(PyObject *self, void *Py_UNUSED(closure)) {
    const char *limit = ((scope_object *)self)->of->limit;
    return limit ? PyUnicode_FromString(limit) : Py_NewRef(Py_None);
}

static PyObject *get_lost(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((scope_object *)self)->lost);
}

static PyObject *get_is_open(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((scope_object *)self)->of->open);
}

/* ------------------------------------------------------------------- object */

/* Scope(label, include, ignore, redact, max_depth, max_calls, max_time, max_repr, args, results, repr, c_calls, min_duration,
 * everyone, memory, log): times in nanoseconds; tuples of bytes; 0 for no limit; memory: whether calls say it; log: bytes of
 * the scope's own trace, 0 for none. */
static PyObject *scope_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    face_state *state = state_of_type(type);
    static uint64_t last_serial;
    PyObject *label, *include, *ignore, *redact;
    unsigned max_depth, max_repr;
    unsigned long long max_calls, max_time, min_duration, log_bytes;
    int with_args, results, repr, c_calls, everyone, memory;
    if (!PyArg_ParseTuple(args, "OO!O!O!IKKIppppKppK:Scope", &label, &PyTuple_Type, &include,
                          &PyTuple_Type, &ignore, &PyTuple_Type, &redact, &max_depth, &max_calls,
                          &max_time, &max_repr, &with_args, &results, &repr, &c_calls,
                          &min_duration, &everyone, &memory, &log_bytes))
        return NULL;
    scope_object *self = (scope_object *)type->tp_alloc(type, 0);
    scope *of = self ? calloc(1, sizeof *of) : NULL;
    if (!of) {
        Py_XDECREF((PyObject *)self);
        return PyErr_NoMemory();
    }
    self->state = state;
    self->of = of;
    self->label = label == Py_None ? NULL : Py_NewRef(label);
    self->max_time = max_time;
    self->min_duration = min_duration;
    self->log_bytes = log_bytes;
    *of = (scope){.references = 1,
                  .everyone = everyone,
                  .args = with_args,
                  .results = results,
                  .repr = repr,
                  .c_calls = c_calls,
                  .memory = memory,
                  .filter_number = -1,
                  .max_depth = max_depth,
                  .max_repr = max_repr < CALLS_REPR_MAX ? max_repr : CALLS_REPR_MAX,
                  .max_calls = max_calls ? max_calls : UINT64_MAX,
                  .serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED)};
    of->filter_number = filter_take(state, include, ignore, redact);
    if (of->filter_number < 0) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    of->filter = UINT32_C(1) << of->filter_number;
    return (PyObject *)self;
}

static void scope_dealloc(PyObject *object) {
    scope_object *self = (scope_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    scope *of = self->of;
    if (of && of->open)
        scope_close(self);
    else if (of && of->filter_number >= 0 && !self->was_opened)
        filter_drop(of->filter_number);
    Py_XDECREF((PyObject *)self->mark);
    Py_XDECREF(self->label);
    if (of && of->log) {
        marey__call_log_close(of->log);
        of->log = NULL;
    }
    if (of)
        scope_drop(of);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef scope_methods[] = {
    {"open", method_open, METH_NOARGS, NULL},   {"enter", method_enter, METH_NOARGS, NULL},
    {"leave", method_leave, METH_NOARGS, NULL}, {"close", method_close, METH_NOARGS, NULL},
    {"bytes", method_bytes, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyGetSetDef scope_getset[] = {
    {"call_count", get_call_count, NULL, NULL, NULL}, {"skipped", get_skipped, NULL, NULL, NULL},
    {"limit", get_limit, NULL, NULL, NULL},           {"lost", get_lost, NULL, NULL, NULL},
    {"is_open", get_is_open, NULL, NULL, NULL},       {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot scope_slots[] = {{Py_tp_new, (void *)scope_new},
                                    {Py_tp_dealloc, (void *)scope_dealloc},
                                    {Py_tp_methods, scope_methods},
                                    {Py_tp_getset, scope_getset},
                                    {0, NULL}};

PyType_Spec scope_spec = {"marey._marey.Scope", sizeof(scope_object), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, scope_slots};
