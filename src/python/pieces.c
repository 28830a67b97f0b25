/* marey.traced for generators: an iterator that passes everything on to a generator and records a span for each piece
 * of it, from a resumption to the next yield. Stands behind `yield from` in a generator function of marey/_traced.py,
 * so what callers see is a generator. */
#include "span.h"

typedef struct pieces_object {
    PyObject_HEAD PyObject *generator;
    span_object *span; /* whose arguments are shown with the first piece */
    int64_t step;
    bool result;
} pieces_object;

static bool is_ordinary_end(void) {
    return PyErr_ExceptionMatches(PyExc_StopIteration) ||
           PyErr_ExceptionMatches(PyExc_GeneratorExit);
}

/* Begins the next piece. Returns its track, owned, or NULL. */
static NOINLINE PyObject *piece_begin(pieces_object *self, marey_span *token) {
    span_object *span = self->span;
    PyObject *step = PyLong_FromLongLong(self->step);
    PyErr_Clear(); /* no memory: the piece has no number */
    PyObject *on =
        (PyObject *)event_begin(span, token, &span->state->word_step, &step, step != NULL);
    Py_XINCREF(on);
    Py_XDECREF(step);
    if (self->step == 0)
        span_clear_arguments(span);
    return on;
}

static NOINLINE void piece_end(pieces_object *self, marey_span *token, PyObject *result) {
    error_aside error = {0};
    bool failed = !result && PyErr_Occurred(), ordinary = failed && is_ordinary_end();
    if (failed)
        error_take(&error);
    event_end(self->span->state, token, self->result ? result : NULL, ordinary ? NULL : error.value,
              NULL);
    if (failed)
        error_put_back(&error);
}

/* How to resume the generator: with a value to send, or by calling one of its methods. */
typedef struct resumption {
    PyObject *value; /* None: just go on */
    const char *method;
    PyObject *args;
} resumption;

static PyObject *generator_resume(PyObject *generator, const resumption *how) {
    if (how->method) {
        PyObject *method = PyObject_GetAttrString(generator, how->method);
        PyObject *result = method ? PyObject_CallObject(method, how->args) : NULL;
        Py_XDECREF(method);
        return result;
    }
    if (how->value == Py_None && Py_TYPE(generator)->tp_iternext)
        return Py_TYPE(generator)->tp_iternext(generator);
    return PyObject_CallMethod(generator, "send", "O", how->value);
}

static PyObject *piece(pieces_object *self, const resumption *how) {
    marey_span token = {0};
    PyObject *on = NULL;
    if (span_wanted(self->span))
        on = piece_begin(self, &token);
    self->step++;
    PyObject *result = generator_resume(self->generator, how);
    if (token.depth)
        piece_end(self, &token, result);
    Py_XDECREF(on);
    return result;
}

static PyObject *pieces_next(PyObject *self) {
    return piece((pieces_object *)self, &(resumption){.value = Py_None});
}

static PyObject *pieces_send(PyObject *self, PyObject *value) {
    return piece((pieces_object *)self, &(resumption){.value = value});
}

static PyObject *pieces_throw(PyObject *self, PyObject *args) {
    return piece((pieces_object *)self, &(resumption){.method = "throw", .args = args});
}

static PyObject *pieces_close(PyObject *self, PyObject *Py_UNUSED(unused)) {
    return piece((pieces_object *)self, &(resumption){.method = "close"});
}

/* Pieces(generator, span, result) */
static PyObject *pieces_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    PyObject *generator, *span;
    int result;
    face_state *state = state_of_type(type);
    if (!PyArg_ParseTuple(args, "OO!p:Pieces", &generator, state->span_type, &span, &result))
        return NULL;
    pieces_object *self = (pieces_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->generator = Py_NewRef(generator);
    self->span = (span_object *)Py_NewRef(span);
    self->result = result;
    return (PyObject *)self;
}

static int pieces_traverse(PyObject *self, visitproc visit, void *arg) {
    pieces_object *pieces = (pieces_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(pieces->generator);
    Py_VISIT(pieces->span);
    return 0;
}

static void pieces_dealloc(PyObject *self) {
    pieces_object *pieces = (pieces_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(pieces->generator);
    Py_XDECREF((PyObject *)pieces->span);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef pieces_methods[] = {{"send", pieces_send, METH_O, NULL},
                                       {"throw", pieces_throw, METH_VARARGS, NULL},
                                       {"close", pieces_close, METH_NOARGS, NULL},
                                       {NULL, NULL, 0, NULL}};

static PyType_Slot pieces_slots[] = {{Py_tp_new, (void *)pieces_new},
                                     {Py_tp_dealloc, (void *)pieces_dealloc},
                                     {Py_tp_traverse, (void *)pieces_traverse},
                                     {Py_tp_iter, (void *)PyObject_SelfIter},
                                     {Py_tp_iternext, (void *)pieces_next},
                                     {Py_tp_methods, pieces_methods},
                                     {0, NULL}};

PyType_Spec pieces_spec = {"marey._marey.Pieces", sizeof(pieces_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                           pieces_slots};
