/* A request: a span where something records, and in any case a time of its route. Nothing here raises into the
 * application. See request.h.
 *
 * A span needs its name when it begins, and frameworks find the route only later. So names are remembered by method and
 * path: what a request of a path was called the last time, this one is called, too. What is not known is looked up by the
 * framework's own means, which costs as much as the framework pays. By the end it has told the route: requests are
 * counted by that.
 *
 * Where frameworks do tell, paths that differ in numbers alone are remembered together: /users/7 as /users/#. Should two
 * of them turn out to have different routes, such paths are looked up from then on. */
#include "request.h"

#include <structmember.h>

/* -------------------------------------------------------------------- names */

/* "GET /users/<id>"; "GET" where nobody knows routes. NULL with an exception. */
static PyObject *name_by_route(const request_object *request, PyObject *route) {
    if (request->is_named)
        return Py_NewRef(route);
    if (!PyUnicode_GET_LENGTH(route))
        return Py_NewRef(request->method);
    return PyUnicode_FromFormat("%U %U", request->method, route);
}

/* Takes the route, a new reference, which may be NULL. */
static void name_set(request_object *request, PyObject *route) {
    PyObject *name = route ? name_by_route(request, route) : NULL;
    if (!name) {
        Py_XDECREF(route);
        return;
    }
    Py_XSETREF(request->route, route);
    Py_XSETREF(request->name, name);
}

/* Whether a part of a path most likely is one of many: a number, or eight and more hexadecimal digits, as in a UUID. */
static bool is_one_of_many(const char *part, size_t length) {
    size_t decimals = 0, hexadecimals = 0;
    for (size_t i = 0; i < length; i++) {
        bool decimal = part[i] >= '0' && part[i] <= '9';
        decimals += decimal;
        hexadecimals +=
            decimal || part[i] == '-' || ((part[i] | 32) >= 'a' && (part[i] | 32) <= 'f');
    }
    return decimals && (decimals == length || (length >= 8 && hexadecimals == length));
}

/* Copies a path, each part that is one of many as '#'. Returns the length. */
static size_t path_fold(const char *path, size_t length, char *out) {
    size_t used = 0;
    for (size_t at = 0; at <= length;) {
        const char *slash = memchr(path + at, '/', length - at);
        size_t part = slash ? (size_t)(slash - path) - at : length - at;
        if (is_one_of_many(path + at, part)) {
            out[used++] = '#';
        } else {
            memcpy(out + used, path + at, part);
            used += part;
        }
        if (slash)
            out[used++] = '/';
        at += part + 1;
    }
    return used;
}

/* The key by which the name is remembered. */
static void key_make(request_object *request) {
    PyObject *path = request->path;
    char folded[REQUEST_KEY_MAX + 1];
    if (!request->requests->recalls_names || !text_ready(path) ||
        PyUnicode_GET_LENGTH(path) > REQUEST_KEY_MAX)
        return;
    size_t length = (size_t)PyUnicode_GET_LENGTH(path);
    if (request->requests->tells_routes && PyUnicode_IS_ASCII(path)) {
        size_t used = path_fold(PyUnicode_DATA(path), length, folded);
        folded[used] = '\0';
        request->is_folded = used != length || memcmp(folded, PyUnicode_DATA(path), length) != 0;
    }
    request->key = request->is_folded ? PyUnicode_FromFormat("%U %s", request->method, folded)
                                      : PyUnicode_FromFormat("%U %U", request->method, path);
}

/* Remembers (route, name) by the key, or None: paths of this key have several routes. */
static void remember(request_object *request, PyObject *both) {
    PyObject *names = request->requests->names;
    if (!request->key || !both || !request->requests->recalls_names)
        return;
    LOCK_OBJECT(request->requests);
    if (PyDict_GET_SIZE(names) >= REQUEST_NAMES_MAX)
        PyDict_Clear(names);
    PyDict_SetItem(names, request->key, both);
    UNLOCK_OBJECT();
}

static void remember_name(request_object *request) {
    PyObject *both = request->name ? PyTuple_Pack(2, request->route, request->name) : NULL;
    remember(request, both);
    Py_XDECREF(both);
}

/* What is remembered. A new reference; NULL: nothing is. */
static PyObject *recall(request_object *request) {
    requests_object *requests = request->requests;
    PyObject *known = NULL;
    LOCK_OBJECT(requests);
    if (request->key)
        known = Py_XNewRef(PyDict_GetItemWithError(requests->names, request->key));
    UNLOCK_OBJECT();
    return known;
}

static void name_look_up(request_object *request) {
    name_set(request, requests_ask(request->requests, ASK_FIND_ROUTE, (PyObject *)request));
}

/* By what such a request was called the last time; else by the framework's routes. */
static void name_find(request_object *request) {
    key_make(request);
    PyObject *known = recall(request);
    if (known && PyTuple_Check(known)) {
        request->route = Py_NewRef(PyTuple_GET_ITEM(known, 0));
        request->name = Py_NewRef(PyTuple_GET_ITEM(known, 1));
    } else {
        name_look_up(request);
        if (!known)
            remember_name(request);
    }
    Py_XDECREF(known);
}

/* The framework has told another route than was expected. */
static void name_correct(request_object *request, PyObject *told) {
    bool differs = request->route != NULL;
    name_set(request, told);
    if (differs && request->is_folded)
        remember(request, Py_None);
    else
        remember_name(request);
}

/* As the framework has told by now. Where it tells nothing, a route that was expected of all such paths may be that of
 * others. */
static void name_tell(request_object *request) {
    PyObject *told = Py_XNewRef(request->told);
    if (!told)
        told = requests_ask(request->requests, ASK_ROUTE_TOLD, (PyObject *)request);
    if (!told || !PyUnicode_CheckExact(told)) {
        Py_XDECREF(told);
        if (!request->name)
            name_find(request);
        if (request->is_folded)
            name_look_up(request);
        return;
    }
    request->requests->tells_routes = true;
    if (request->route && PyUnicode_Compare(told, request->route) == 0)
        Py_DECREF(told);
    else
        name_correct(request, told);
}

/* -------------------------------------------------------------------- begin */

request_object *request_make(requests_object *requests, PyObject *method, PyObject *path,
                             PyObject *given, PyObject *before) {
    request_object *request = type_make(requests->state->request_type);
    if (!request)
        return NULL;
    request->requests = (requests_object *)Py_NewRef((PyObject *)requests);
    request->method = Py_NewRef(method);
    request->path = path ? Py_NewRef(path) : PyUnicode_FromString("");
    request->given = Py_NewRef(given);
    request->before = Py_NewRef(before);
    if (!request->path)
        Py_CLEAR(request);
    return request;
}

/* The arguments of its span, as a new dict. NULL with an exception. */
static PyObject *arguments_of(request_object *request, PyObject *given) {
    requests_object *requests = request->requests;
    PyObject *all = PyDict_New(), *more = NULL;
    if (requests->has_arguments)
        more = requests_ask(requests, ASK_ARGUMENTS, (PyObject *)request);
    if (!all || (more && PyDict_Check(more) && PyDict_Update(all, more) < 0) ||
        (given && PyDict_Update(all, given) < 0) ||
        (requests->shows_path && PyUnicode_GET_LENGTH(request->path) &&
         PyDict_SetItem(all, requests->words[WORD_PATH], request->path) < 0))
        Py_CLEAR(all);
    Py_XDECREF(more);
    return all;
}

void request_record(request_object *request, PyObject *given) {
    requests_object *requests = request->requests;
    PyTypeObject *type = requests->state->span_type;
    if (!request->is_named)
        name_find(request);
    PyErr_Clear();
    PyObject *arguments = arguments_of(request, given), *positional = NULL;
    if (arguments && request->name)
        positional = PyTuple_Pack(2, request->name, requests->category);
    if (positional && type)
        request->span = (span_object *)PyObject_Call((PyObject *)type, positional, arguments);
    if (request->span)
        Py_DECREF(span_enter(request->span));
    Py_XDECREF(positional);
    Py_XDECREF(arguments);
    PyErr_Clear();
}

/* ---------------------------------------------------------------------- end */

static double seconds_of(const request_object *request) {
    uint64_t ended = request->ended_ns ? request->ended_ns : marey_now_ns();
    return (double)(ended - request->began_ns) / 1e9;
}

static bool has_failed(const request_object *request) {
    return request->status >= 500 ||
           (request->error && PyObject_TypeCheck(request->error, (PyTypeObject *)PyExc_Exception));
}

/* What its span shows at the end, beside args. route: it is another one than the span is named by. NULL with an
 * exception. */
static PyObject *results_of(request_object *request, PyObject *args, bool route) {
    PyObject *const *words = request->requests->words;
    PyObject *status = request->status ? PyLong_FromLong(request->status) : NULL;
    const struct {
        request_word word;
        PyObject *value;
    } said[] = {{WORD_STATUS, status},
                {WORD_FAILED, has_failed(request) ? Py_True : Py_False},
                {WORD_USER, request->user},
                {WORD_KEPT, request->kept},
                {WORD_ROUTE, route ? request->route : NULL}};
    PyObject *results = args ? PyDict_Copy(args) : PyDict_New();
    for (size_t i = 0; results && i < sizeof said / sizeof *said; i++)
        if (said[i].value && PyDict_SetItem(results, words[said[i].word], said[i].value) < 0)
            Py_CLEAR(results);
    Py_XDECREF(status);
    return results;
}

/* Python says None. */
static void said_or_null(PyObject **said) {
    if (*said == Py_None)
        Py_CLEAR(*said);
}

static void end_span(request_object *request, PyObject *args, bool route) {
    requests_object *requests = request->requests;
    PyObject *const exit_args[] = {Py_None, request->error ? request->error : Py_None, Py_None};
    if (seconds_of(request) > requests->judged_from || has_failed(request))
        Py_XDECREF(requests_ask(requests, ASK_JUDGE, (PyObject *)request));
    said_or_null(&request->user);
    said_or_null(&request->kept);
    PyObject *results = results_of(request, args, route);
    if (results)
        span_add_results(request->span, results);
    Py_XDECREF(results);
    PyErr_Clear();
    Py_DECREF(span_exit(request->span, exit_args, 3));
    if (request->kept)
        Py_XDECREF(requests_ask(requests, ASK_KEEP, (PyObject *)request));
}

static void end_now(request_object *request, PyObject *error, PyObject *args) {
    request->ended_ns = marey_now_ns();
    if (error && PyExceptionInstance_Check(error))
        Py_XSETREF(request->error, Py_NewRef(error));
    PyObject *called = Py_XNewRef(request->name);
    if (!request->is_named)
        name_tell(request);
    PyErr_Clear();
    if (request->span)
        end_span(request, args, request->name != called);
    Py_XDECREF(called);
    if (request->name)
        request_times_add(request->requests->times, request->name,
                          request->ended_ns - request->began_ns, has_failed(request));
    Py_CLEAR(request->given);
    Py_CLEAR(request->before);
    Py_CLEAR(request->error);
    Py_CLEAR(request->span);
}

void request_end(request_object *request, PyObject *error, PyObject *args) {
    bool was_over;
    LOCK_OBJECT(request);
    was_over = request->is_over;
    request->is_over = true;
    UNLOCK_OBJECT();
    if (was_over)
        return;
    error_aside aside;
    error_take(&aside);
    end_now(request, error, args);
    error_put_back(&aside);
}

/* --------------------------------------------------------------------- type */

/* end(error=None, /, **args) */
static PyObject *request_end_called(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *error = NULL;
    if (!PyArg_ParseTuple(args, "|O:end", &error))
        return NULL;
    request_end((request_object *)self, error, kwargs);
    return Py_NewRef(Py_None);
}

static PyObject *request_failed_by(PyObject *self, PyObject *error) {
    request_object *request = (request_object *)self;
    if (!request->is_over && PyExceptionInstance_Check(error))
        Py_XSETREF(request->error, Py_NewRef(error));
    return Py_NewRef(Py_None);
}

static PyObject *request_duration(PyObject *self, void *Py_UNUSED(closure)) {
    return PyFloat_FromDouble(seconds_of((request_object *)self));
}

static PyObject *request_failed(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(has_failed((request_object *)self));
}

static int request_traverse(PyObject *self, visitproc visit, void *arg) {
    request_object *request = (request_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(request->requests);
    Py_VISIT(request->given);
    Py_VISIT(request->before);
    Py_VISIT(request->error);
    Py_VISIT(request->span);
    return 0;
}

static int request_clear(PyObject *self) {
    request_object *request = (request_object *)self;
    Py_CLEAR(request->given);
    Py_CLEAR(request->before);
    Py_CLEAR(request->error);
    Py_CLEAR(request->span);
    return 0;
}

static void request_dealloc(PyObject *self) {
    request_object *request = (request_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    request_clear(self);
    Py_XDECREF((PyObject *)request->requests);
    Py_XDECREF(request->method);
    Py_XDECREF(request->path);
    Py_XDECREF(request->told);
    Py_XDECREF(request->route);
    Py_XDECREF(request->name);
    Py_XDECREF(request->key);
    Py_XDECREF(request->user);
    Py_XDECREF(request->kept);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(request_doc, "One request, from its begin to its end. Nothing here raises.");

static PyMemberDef request_members[] = {
    {"method", T_OBJECT, offsetof(request_object, method), READONLY, NULL},
    {"path", T_OBJECT, offsetof(request_object, path), READONLY, NULL},
    {"given", T_OBJECT, offsetof(request_object, given), READONLY,
     PyDoc_STR("What the framework has of it; None when it is over.")},
    {"before", T_OBJECT, offsetof(request_object, before), READONLY,
     PyDoc_STR("What of that was so as it began.")},
    {"told", T_OBJECT, offsetof(request_object, told), 0,
     PyDoc_STR("The route, where the framework has told it while it answered, or None.")},
    {"route", T_OBJECT, offsetof(request_object, route), READONLY, NULL},
    {"name", T_OBJECT, offsetof(request_object, name), READONLY, NULL},
    {"error", T_OBJECT, offsetof(request_object, error), READONLY, NULL},
    {"user", T_OBJECT, offsetof(request_object, user), 0, NULL},
    {"kept", T_OBJECT, offsetof(request_object, kept), 0,
     PyDoc_STR("Why its trace is kept, or None.")},
    {"status", T_INT, offsetof(request_object, status), 0, PyDoc_STR("As of HTTP; 0: not known.")},
    {"began_ns", T_ULONGLONG, offsetof(request_object, began_ns), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef request_getset[] = {
    {"duration", request_duration, NULL, PyDoc_STR("Seconds."), NULL},
    {"failed", request_failed, NULL, PyDoc_STR("By an exception, or a status from 500 on."), NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef request_methods[] = {
    {"end", (PyCFunction)(void (*)(void))request_end_called, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("end(error=None, /, **args)\n--\n\n"
               "It is over; once. `error` left the application; args are shown with the span.")},
    {"failed_by", request_failed_by, METH_O,
     PyDoc_STR("An exception that the framework has made an answer of.")},
    {"starting", request_starting, METH_O,
     PyDoc_STR("A start_response (PEP 3333) that notes the status and passes all on to this one.")},
    {"answered", request_answered, METH_O,
     PyDoc_STR("The application's iterable, with whose end, or closing, the request ends.")},
    {"sending", request_sending, METH_O,
     PyDoc_STR("A send (ASGI) that notes the status and passes all on to this one.")},
    {NULL, NULL, 0, NULL}};

static PyType_Slot request_slots[] = {{Py_tp_doc, (void *)request_doc},
                                      {Py_tp_new, (void *)type_refuse_new},
                                      {Py_tp_dealloc, (void *)request_dealloc},
                                      {Py_tp_traverse, (void *)request_traverse},
                                      {Py_tp_clear, (void *)request_clear},
                                      {Py_tp_members, request_members},
                                      {Py_tp_getset, request_getset},
                                      {Py_tp_methods, request_methods},
                                      {0, NULL}};

PyType_Spec request_spec = {"marey._marey.Request", sizeof(request_object), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                            request_slots};
