/* What stands between an application and its server, for one request: all is passed on as it is. See request.h.
 *
 *   starting  in place of the server's start_response (PEP 3333): sees the status
 *   sending   in place of the server's send (ASGI 3): sees it in the messages
 *   answered  in place of the application's iterable: sees that its last piece was taken, or that it is closed */
#include "request.h"

#include <structmember.h>

typedef struct way_through {
    PyObject_HEAD vectorcallfunc called;
    request_object *request;
    PyObject *to;     /* what it stands for */
    PyObject *pieces; /* answered: its iterator, once there is one */
} way_through;

static PyObject *way_make(PyTypeObject *type, vectorcallfunc called, PyObject *request,
                          PyObject *to) {
    way_through *way = type_make(type);
    if (!way)
        return NULL;
    way->called = called;
    way->request = (request_object *)Py_NewRef(request);
    way->to = Py_NewRef(to);
    return (PyObject *)way;
}

static face_state *state_of(PyObject *request) {
    return ((request_object *)request)->requests->state;
}

/* ------------------------------------------------------------------- status */

/* "404 Not Found" -> 404; 0 for what is none. */
static int status_of_line(PyObject *line) {
    int status = 0;
    if (!PyUnicode_Check(line) || PyUnicode_GET_LENGTH(line) < 3)
        return 0;
    for (Py_ssize_t i = 0; i < 3; i++) {
        Py_UCS4 digit = PyUnicode_READ_CHAR(line, i);
        if (digit < '0' || digit > '9')
            return 0;
        status = 10 * status + (int)(digit - '0');
    }
    return status;
}

static PyObject *starting_called(PyObject *self, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames) {
    way_through *way = (way_through *)self;
    request_object *request = way->request;
    if (PyVectorcall_NARGS(nargsf) && !request->is_over) {
        request->status = status_of_line(args[0]);
        if (request->requests->sees_answer)
            Py_XDECREF(requests_ask(request->requests, ASK_SEE_ANSWER, (PyObject *)request));
    }
    return PyObject_Vectorcall(way->to, args, nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
}

PyObject *request_starting(PyObject *request, PyObject *start_response) {
    return way_make(state_of(request)->way_type, starting_called, request, start_response);
}

/* What a message of ASGI has of that name. Borrowed, NULL: nothing. Leaves no exception. */
static PyObject *message_item(PyObject *message, const char *name) {
    return PyDict_Check(message) ? PyDict_GetItemString(message, name) : NULL;
}

static bool is_text(PyObject *object, const char *text) {
    return PyUnicode_CompareWithASCIIString(object, text) == 0;
}

/* asgiref 3, HTTP and WebSocket messages */
static void message_seen(request_object *request, PyObject *message) {
    PyObject *kind = message_item(message, "type");
    if (!kind || !PyUnicode_Check(kind) || is_text(kind, "http.response.body"))
        return;
    if (is_text(kind, "http.response.start") || is_text(kind, "websocket.http.response.start")) {
        PyObject *status = message_item(message, "status");
        long number = status && PyLong_Check(status) ? PyLong_AsLong(status) : 0;
        PyErr_Clear();
        request->status = number > 0 && number < 1000 ? (int)number : 0;
    } else if (is_text(kind, "websocket.accept")) {
        request->status = 101;
    } else if (is_text(kind, "websocket.close") && !request->status) {
        request->status = 403; /* refused */
    }
}

static PyObject *sending_called(PyObject *self, PyObject *const *args, size_t nargsf,
                                PyObject *kwnames) {
    way_through *way = (way_through *)self;
    if (PyVectorcall_NARGS(nargsf) && !way->request->is_over)
        message_seen(way->request, args[0]);
    return PyObject_Vectorcall(way->to, args, nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
}

PyObject *request_sending(PyObject *request, PyObject *send) {
    return way_make(state_of(request)->way_type, sending_called, request, send);
}

/* ------------------------------------------------------------------- answer */

/* The exception that is set ends the request. */
static void answer_failed(way_through *way) {
    error_aside aside;
    error_take(&aside);
    request_end(way->request, aside.value, NULL);
    error_put_back(&aside);
}

static PyObject *answered_next(PyObject *self) {
    way_through *way = (way_through *)self;
    if (!way->pieces && !(way->pieces = PyObject_GetIter(way->to))) {
        answer_failed(way);
        return NULL;
    }
    PyObject *piece = Py_TYPE(way->pieces)->tp_iternext(way->pieces);
    if (piece)
        return piece;
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration))
        answer_failed(way);
    else
        request_end(way->request, NULL, NULL);
    return NULL;
}

static Py_ssize_t answered_length(PyObject *self) {
    return PyObject_Length(((way_through *)self)->to);
}

/* The exception that the server handles while it closes the answer: what it closes it for. New reference, or NULL. */
static PyObject *handled(void) {
    PyObject *type, *value, *traceback;
    PyErr_GetExcInfo(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    if (value && !PyExceptionInstance_Check(value))
        Py_CLEAR(value);
    return value;
}

/* close(): the server has what it wants, or the client has left: then nothing has failed here. */
static PyObject *answered_close(PyObject *self, PyObject *Py_UNUSED(unused)) {
    way_through *way = (way_through *)self;
    PyObject *close = PyObject_GetAttrString(way->to, "close"), *closed = NULL;
    if (close) {
        closed = PyObject_CallNoArgs(close);
        Py_DECREF(close);
    } else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        closed = Py_NewRef(Py_None);
    }
    if (!closed) {
        answer_failed(way);
        return NULL;
    }
    PyObject *error = handled();
    bool has_left = error && PyObject_TypeCheck(error, (PyTypeObject *)PyExc_ConnectionError);
    request_end(way->request, has_left ? NULL : error, NULL);
    Py_XDECREF(error);
    Py_DECREF(closed);
    return Py_NewRef(Py_None);
}

static void answered_finalize(PyObject *self) {
    request_end(((way_through *)self)->request, NULL, NULL);
}

PyObject *request_answered(PyObject *request, PyObject *body) {
    face_state *state = state_of(request);
    const PySequenceMethods *sequence = Py_TYPE(body)->tp_as_sequence;
    const PyMappingMethods *mapping = Py_TYPE(body)->tp_as_mapping;
    bool has_length = (sequence && sequence->sq_length) || (mapping && mapping->mp_length);
    return way_make(has_length ? state->sized_answer_type : state->answer_type, NULL, request,
                    body);
}

/* -------------------------------------------------------------------- types */

static int way_traverse(PyObject *self, visitproc visit, void *arg) {
    way_through *way = (way_through *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(way->request);
    Py_VISIT(way->to);
    Py_VISIT(way->pieces);
    return 0;
}

static int way_clear(PyObject *self) {
    way_through *way = (way_through *)self;
    Py_CLEAR(way->to);
    Py_CLEAR(way->pieces);
    return 0;
}

static void way_dealloc(PyObject *self) {
    if (Py_TYPE(self)->tp_finalize && PyObject_CallFinalizerFromDealloc(self) < 0)
        return; /* somebody holds it again */
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    way_clear(self);
    Py_XDECREF((PyObject *)((way_through *)self)->request);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef way_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(way_through, called), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot way_slots[] = {{Py_tp_new, (void *)type_refuse_new},
                                  {Py_tp_dealloc, (void *)way_dealloc},
                                  {Py_tp_traverse, (void *)way_traverse},
                                  {Py_tp_clear, (void *)way_clear},
                                  {Py_tp_call, (void *)PyVectorcall_Call},
                                  {Py_tp_members, way_members},
                                  {0, NULL}};

PyType_Spec request_way_spec = {"marey._marey.RequestWay", sizeof(way_through), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                    Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
                                way_slots};

static PyMethodDef answer_methods[] = {{"close", answered_close, METH_NOARGS, NULL},
                                       {NULL, NULL, 0, NULL}};

#define ANSWER_SLOTS                                                                               \
    {Py_tp_new, (void *)type_refuse_new}, {Py_tp_dealloc, (void *)way_dealloc},                    \
        {Py_tp_finalize, (void *)answered_finalize}, {Py_tp_traverse, (void *)way_traverse},       \
        {Py_tp_clear, (void *)way_clear}, {Py_tp_iter, (void *)PyObject_SelfIter},                 \
        {Py_tp_iternext, (void *)answered_next}, {                                                 \
        Py_tp_methods, answer_methods                                                              \
    }

static PyType_Slot answer_slots[] = {ANSWER_SLOTS, {0, NULL}};

/* Servers make a Content-Length of the length of a list. */
static PyType_Slot sized_answer_slots[] = {
    ANSWER_SLOTS, {Py_sq_length, (void *)answered_length}, {0, NULL}};

PyType_Spec answer_spec = {"marey._marey.Answer", sizeof(way_through), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                           answer_slots};

PyType_Spec sized_answer_spec = {"marey._marey.SizedAnswer", sizeof(way_through), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                                 sized_answer_slots};
