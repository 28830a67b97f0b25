/* marey.flow: an arrow between spans or instants of any thread, task or process. A flow is a number; the object may be
 * pickled, so that it travels with the work through a queue or a pool. */
#include "face.h"

typedef struct flow_object {
    PyObject_HEAD uint64_t id;
    bool end;
} flow_object;

uint64_t flow_id(PyObject *flow, bool *end) {
    *end = ((flow_object *)flow)->end;
    return ((flow_object *)flow)->id;
}

static PyObject *flow_make(PyTypeObject *type, uint64_t id, bool end) {
    flow_object *flow = (flow_object *)type->tp_alloc(type, 0);
    if (flow) {
        flow->id = id;
        flow->end = end;
    }
    return (PyObject *)flow;
}

/* flow(id=None, end=False) */
static PyObject *flow_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *words[] = {(char *)"id", (char *)"end", NULL};
    PyObject *given = Py_None;
    int end = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Op:flow", words, &given, &end))
        return NULL;
    unsigned long long id = 0;
    if (given != Py_None && (id = PyLong_AsUnsignedLongLong(given)) == 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "the id of a flow is not 0");
        return NULL;
    }
    if (PyErr_Occurred())
        return NULL;
    return flow_make(type, id ? id : marey_flow_new(), end);
}

PyObject *flow_argument(face_state *state, PyObject *given) {
    if (Py_TYPE(given) == state->flow_type)
        return Py_NewRef(given);
    if (PyList_Check(given) || PyTuple_Check(given)) {
        PyObject *flows = PySequence_Tuple(given);
        Py_ssize_t count = flows ? PyTuple_GET_SIZE(flows) : 0, i = 0;
        while (i < count && Py_TYPE(PyTuple_GET_ITEM(flows, i)) == state->flow_type)
            i++;
        if (!flows || i == count)
            return flows;
        Py_DECREF(flows);
    }
    PyErr_Format(PyExc_TypeError, "flow is a marey.flow(), or a list of them, not %.100s",
                 Py_TYPE(given)->tp_name);
    return NULL;
}

static PyObject *flow_get_id(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((flow_object *)self)->id);
}

static PyObject *flow_get_end(PyObject *self, void *Py_UNUSED(closure)) {
    return flow_make(Py_TYPE(self), ((flow_object *)self)->id, true);
}

static PyObject *flow_reduce(PyObject *self, PyObject *Py_UNUSED(unused)) {
    flow_object *flow = (flow_object *)self;
    return Py_BuildValue("O(KO)", Py_TYPE(self), (unsigned long long)flow->id,
                         flow->end ? Py_True : Py_False);
}

static PyObject *flow_repr(PyObject *self) {
    flow_object *flow = (flow_object *)self;
    return PyUnicode_FromFormat("<marey.flow %llu%s>", (unsigned long long)flow->id,
                                flow->end ? " end" : "");
}

static Py_hash_t flow_hash(PyObject *self) {
    Py_hash_t hash = (Py_hash_t)(((flow_object *)self)->id * 2 + ((flow_object *)self)->end);
    return hash == -1 ? -2 : hash;
}

static PyObject *flow_compare(PyObject *left, PyObject *right, int operation) {
    if (Py_TYPE(left) != Py_TYPE(right) || (operation != Py_EQ && operation != Py_NE))
        return Py_NewRef(Py_NotImplemented);
    const flow_object *a = (flow_object *)left, *b = (flow_object *)right;
    bool equal = a->id == b->id && a->end == b->end;
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static void flow_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(flow_doc,
             "flow(id=None, end=False)\n--\n\n"
             "An arrow: give it to span(flow=), instant(flow=), begin(flow=). The first one in\n"
             "time is where it starts, the following ones are its steps; `f.end` in place of\n"
             "`f` ends it. id: of a flow that another process made; else a new one.");

static PyMethodDef flow_methods[] = {{"__reduce__", flow_reduce, METH_NOARGS, NULL},
                                     {NULL, NULL, 0, NULL}};

static PyGetSetDef flow_getset[] = {
    {"id", flow_get_id, NULL, PyDoc_STR("Its number, never 0."), NULL},
    {"end", flow_get_end, NULL, PyDoc_STR("The same flow, for its last step."), NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot flow_slots[] = {{Py_tp_doc, (void *)flow_doc},
                                   {Py_tp_new, (void *)flow_new},
                                   {Py_tp_dealloc, (void *)flow_dealloc},
                                   {Py_tp_repr, (void *)flow_repr},
                                   {Py_tp_hash, (void *)flow_hash},
                                   {Py_tp_richcompare, (void *)flow_compare},
                                   {Py_tp_methods, flow_methods},
                                   {Py_tp_getset, flow_getset},
                                   {0, NULL}};

PyType_Spec flow_spec = {"marey.flow", sizeof(flow_object), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, flow_slots};
