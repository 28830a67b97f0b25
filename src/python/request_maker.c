/* What makes requests: the base of marey.integrations' Requests, which says what is wanted of them and is asked for what
 * only Python knows. See request.h. */
#include "request.h"

#include <structmember.h>

static const char *const words[REQUEST_WORDS] = {
    [WORD_OTHER_METHOD] = "(other)",
    [WORD_PATH] = "path",
    [WORD_STATUS] = "status",
    [WORD_FAILED] = "failed",
    [WORD_USER] = "user",
    [WORD_KEPT] = "kept",
    [WORD_ROUTE] = "route",
    [ASK_MAKE_READY] = "_make_ready",
    [ASK_FIND_ROUTE] = "_find_route",
    [ASK_ROUTE_TOLD] = "_route_told",
    [ASK_ARGUMENTS] = "_arguments",
    [ASK_SEE_ANSWER] = "_see_answer",
    [ASK_JUDGE] = "_judge",
    [ASK_KEEP] = "_keep",
};

PyObject *requests_ask(requests_object *requests, request_word word, PyObject *argument) {
    PyObject *result =
        PyObject_CallMethodObjArgs((PyObject *)requests, requests->words[word], argument, NULL);
    if (!result)
        PyErr_WriteUnraisable((PyObject *)requests);
    return result;
}

/* -------------------------------------------------------------------- begin */

/* Whether something records, from this request on. */
static bool is_recording(requests_object *requests) {
    bool recording = marey_recording();
    if (LIKELY(requests->is_ready && (recording || !requests->keeps)))
        return recording;
    Py_XDECREF(requests_ask(requests, ASK_MAKE_READY, NULL));
    return marey_recording();
}

/* The method by a name of which there are few, for clients choose it. Borrowed; NULL with an exception. */
static PyObject *method_known(requests_object *requests, PyObject *given) {
    PyObject *known = PyDict_GetItemWithError(requests->methods, given);
    if (LIKELY(known != NULL))
        return known;
    PyObject *upper = PyErr_Occurred() ? NULL : PyObject_CallMethod(given, "upper", NULL);
    if (!upper)
        return NULL;
    known = PyDict_GetItemWithError(requests->methods, upper);
    Py_DECREF(upper);
    return known || PyErr_Occurred() ? known : requests->words[WORD_OTHER_METHOD];
}

static void begin(requests_object *requests, request_object *request, PyObject *arguments) {
    request_times_begin(requests->times);
    request->began_ns = marey_now_ns();
    if (is_recording(requests))
        request_record(request, arguments);
}

/* The request, its two texts being exact strs from here on: nobody's code runs for them. */
static request_object *begin_exact(requests_object *requests, PyObject *method, PyObject *path,
                                   PyObject *given, PyObject *before) {
    PyObject *known = method && path ? method_known(requests, method) : NULL;
    request_object *request = known ? request_make(requests, known, path, given, before) : NULL;
    if (request)
        begin(requests, request, NULL);
    return request;
}

static PyObject *requests_begin(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count < 3 || count > 4 || !PyUnicode_Check(args[0]) || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "begin() takes two strs, and what belongs to them");
        return NULL;
    }
    PyObject *method = PyUnicode_FromObject(args[0]), *path = PyUnicode_FromObject(args[1]);
    request_object *request =
        begin_exact((requests_object *)self, method, path, args[2], count == 4 ? args[3] : Py_None);
    Py_XDECREF(method);
    Py_XDECREF(path);
    return (PyObject *)request;
}

static PyObject *requests_begin_named(PyObject *self, PyObject *args, PyObject *kwargs) {
    requests_object *requests = (requests_object *)self;
    PyObject *name, *method, *given;
    if (!PyArg_ParseTuple(args, "UUO:begin_named", &name, &method, &given))
        return NULL;
    request_object *request = request_make(requests, method, NULL, given, Py_None);
    if (!request)
        return NULL;
    request->is_named = true;
    request->name = PyUnicode_FromObject(name);
    request->route = Py_XNewRef(request->name);
    if (!request->name)
        Py_CLEAR(request);
    else
        begin(requests, request, kwargs);
    return (PyObject *)request;
}

/* --------------------------------------------------------------------- type */

/* The state of the module of the type that this one is derived from. */
static face_state *state_below(PyTypeObject *type) {
    for (PyTypeObject *base = type; base; base = base->tp_base) {
        bool may_have = PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE);
        face_state *state = may_have ? PyType_GetModuleState(base) : NULL;
        if (state)
            return state;
        PyErr_Clear(); /* a class made by Python belongs to no module of ours */
    }
    return type_gone();
}

static PyObject *requests_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                              PyObject *Py_UNUSED(kwargs)) {
    face_state *state = state_below(type);
    requests_object *requests = state ? (requests_object *)type->tp_alloc(type, 0) : NULL;
    if (!requests)
        return NULL;
    requests->state = state;
    requests->times = request_times_new(state);
    requests->methods = PyDict_New();
    requests->names = PyDict_New();
    requests->category = Py_NewRef(Py_None);
    bool failed = !requests->times || !requests->methods || !requests->names;
    for (int i = 0; i < REQUEST_WORDS; i++)
        failed |= !(requests->words[i] = PyUnicode_InternFromString(words[i]));
    if (failed)
        Py_CLEAR(requests);
    return (PyObject *)requests;
}

static int requests_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self)); /* the rest is text, and what knows nothing else */
    return 0;
}

static void requests_dealloc(PyObject *self) {
    requests_object *requests = (requests_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(requests->times);
    Py_XDECREF(requests->category);
    Py_XDECREF(requests->methods);
    Py_XDECREF(requests->names);
    for (int i = 0; i < REQUEST_WORDS; i++)
        Py_XDECREF(requests->words[i]);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(requests_doc,
             "What marey.integrations' Requests is made of. It asks methods of that.");

static PyMemberDef requests_members[] = {
    {"_times", T_OBJECT, offsetof(requests_object, times), READONLY, NULL},
    {"_methods", T_OBJECT, offsetof(requests_object, methods), READONLY, NULL},
    {"_span_category", T_OBJECT_EX, offsetof(requests_object, category), 0, NULL},
    {"_judged_from", T_DOUBLE, offsetof(requests_object, judged_from), 0, NULL},
    {"_is_ready", T_BOOL, offsetof(requests_object, is_ready), 0, NULL},
    {"_keeps", T_BOOL, offsetof(requests_object, keeps), 0, NULL},
    {"_has_arguments", T_BOOL, offsetof(requests_object, has_arguments), 0, NULL},
    {"_shows_path", T_BOOL, offsetof(requests_object, shows_path), 0, NULL},
    {"_recalls_names", T_BOOL, offsetof(requests_object, recalls_names), 0, NULL},
    {"_sees_answer", T_BOOL, offsetof(requests_object, sees_answer), 0, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyMethodDef requests_methods[] = {
    {"begin", (PyCFunction)(void (*)(void))requests_begin, METH_FASTCALL,
     PyDoc_STR("begin(method, path, given, before=None, /)\n--\n\n"
               "A request begins. given: what the framework has of it; before: what of that may "
               "change.")},
    {"begin_named", (PyCFunction)(void (*)(void))requests_begin_named, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("begin_named(name, method, given, /, **args)\n--\n\n"
               "One that has no route, but a name.")},
    {NULL, NULL, 0, NULL}};

static PyType_Slot requests_slots[] = {{Py_tp_doc, (void *)requests_doc},
                                       {Py_tp_new, (void *)requests_new},
                                       {Py_tp_dealloc, (void *)requests_dealloc},
                                       {Py_tp_traverse, (void *)requests_traverse},
                                       {Py_tp_members, requests_members},
                                       {Py_tp_methods, requests_methods},
                                       {0, NULL}};

PyType_Spec requests_spec = {"marey._marey.Requests", sizeof(requests_object), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
                                 Py_TPFLAGS_IMMUTABLETYPE,
                             requests_slots};
