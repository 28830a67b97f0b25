/* Times of requests by route, in bounded memory: a histogram for each, each of whose classes ends at most 1/32 above
 * where it begins, so that a percentile is right within 2 %. Classes of one power of two get memory together, when the
 * first of them is needed. marey/integrations/_routes.py reads it. */
#include "request.h"

enum {
    ROUTES_MAX = 1000, /* that have times of their own; the others have them together */
    CLASS_BITS = 5,    /* of a power of two: 32 classes */
    CLASSES = 1 << CLASS_BITS,
    POWER_MIN = 10, /* classes begin at a microsecond and end at 13 days */
    POWER_MAX = 49,
    POWERS = POWER_MAX - POWER_MIN + 1,
};

typedef struct route_times {
    uint64_t count, errors, total_ns, most_ns;
    uint64_t *classes[POWERS];
} route_times;

typedef struct times_object {
    PyObject_HEAD PyObject *places; /* dict: route -> number of its times, from 0 */
    PyObject *others;               /* the route of those that came too late */
    route_times **routes;
    size_t count, room;
    uint64_t begun, over;
} times_object;

/* The class of a time: its power of two, and which of that's 32 parts. */
static void class_of(uint64_t ns, unsigned *power, unsigned *part) {
    const uint64_t least = UINT64_C(1) << POWER_MIN, most = (UINT64_C(1) << (POWER_MAX + 1)) - 1;
    ns = ns < least ? least : ns > most ? most : ns;
    unsigned high = 63 - (unsigned)__builtin_clzll(ns);
    *power = high - POWER_MIN;
    *part = (unsigned)(ns >> (high - CLASS_BITS)) & (CLASSES - 1);
}

static void routes_free(times_object *times) {
    for (size_t i = 0; i < times->count; i++) {
        for (unsigned power = 0; power < POWERS; power++)
            PyMem_Free(times->routes[i]->classes[power]);
        PyMem_Free(times->routes[i]);
    }
    PyMem_Free(times->routes);
    times->routes = NULL;
    times->count = times->room = 0;
}

/* A new route's times. NULL with an exception. */
static route_times *route_make(times_object *times, PyObject *route) {
    if (times->count == times->room) {
        size_t room = times->room ? 2 * times->room : 8;
        route_times **routes = PyMem_Realloc(times->routes, room * sizeof(route_times *));
        if (!routes)
            return (route_times *)PyErr_NoMemory();
        times->routes = routes;
        times->room = room;
    }
    route_times *made = PyMem_Calloc(1, sizeof *made);
    PyObject *number = made ? PyLong_FromSize_t(times->count) : PyErr_NoMemory();
    if (!number || PyDict_SetItem(times->places, route, number) < 0) {
        Py_XDECREF(number);
        PyMem_Free(made);
        return NULL;
    }
    Py_DECREF(number);
    return times->routes[times->count++] = made;
}

/* NULL with an exception. */
static route_times *route_find(times_object *times, PyObject *route) {
    PyObject *number = PyDict_GetItemWithError(times->places, route);
    if (number)
        return times->routes[PyLong_AsSize_t(number)];
    if (PyErr_Occurred())
        return NULL;
    if (times->count < ROUTES_MAX || route == times->others)
        return route_make(times, route);
    return route_find(times, times->others);
}

static void times_add(times_object *times, PyObject *route, uint64_t ns, bool failed) {
    route_times *found = route_find(times, route);
    unsigned power, part;
    times->over++;
    if (!found)
        return;
    class_of(ns, &power, &part);
    if (!found->classes[power] &&
        !(found->classes[power] = PyMem_Calloc(CLASSES, sizeof *found->classes[power]))) {
        PyErr_NoMemory();
        return;
    }
    found->classes[power][part]++;
    found->count++;
    found->errors += failed;
    found->total_ns += ns;
    if (ns > found->most_ns)
        found->most_ns = ns;
}

void request_times_begin(PyObject *self) {
    LOCK_OBJECT(self);
    ((times_object *)self)->begun++;
    UNLOCK_OBJECT();
}

void request_times_add(PyObject *self, PyObject *route, uint64_t ns, bool failed) {
    LOCK_OBJECT(self);
    times_add((times_object *)self, route, ns, failed);
    UNLOCK_OBJECT();
    PyErr_Clear();
}

/* ------------------------------------------------------------------ reading */

/* [(class, requests), ...] of a route. NULL with an exception. */
static PyObject *classes_of(const route_times *route) {
    PyObject *list = PyList_New(0);
    for (unsigned power = 0; list && power < POWERS; power++)
        for (unsigned part = 0; list && route->classes[power] && part < CLASSES; part++) {
            uint64_t requests = route->classes[power][part];
            if (!requests)
                continue;
            PyObject *pair =
                Py_BuildValue("IK", power * CLASSES + part, (unsigned long long)requests);
            if (!pair || PyList_Append(list, pair) < 0)
                Py_CLEAR(list);
            Py_XDECREF(pair);
        }
    return list;
}

static PyObject *route_said(const route_times *route) {
    return Py_BuildValue("KKddN", (unsigned long long)route->count,
                         (unsigned long long)route->errors, (double)route->total_ns / 1e9,
                         (double)route->most_ns / 1e9, classes_of(route));
}

/* Of a copy of the places: what is allocated may have a request end, whose route is new. */
static PyObject *said(times_object *times) {
    PyObject *places = PyDict_Copy(times->places), *dict = places ? PyDict_New() : NULL;
    PyObject *route, *number;
    for (Py_ssize_t at = 0; dict && PyDict_Next(places, &at, &route, &number);) {
        PyObject *one = route_said(times->routes[PyLong_AsSize_t(number)]);
        if (!one || PyDict_SetItem(dict, route, one) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(one);
    }
    Py_XDECREF(places);
    return dict;
}

static PyObject *times_classes(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyObject *result;
    LOCK_OBJECT(self);
    result = said((times_object *)self);
    UNLOCK_OBJECT();
    return result;
}

static PyObject *times_counts(PyObject *self, PyObject *Py_UNUSED(unused)) {
    times_object *times = (times_object *)self;
    unsigned long long count = 0, errors = 0, open;
    LOCK_OBJECT(self);
    for (size_t i = 0; i < times->count; i++) {
        count += times->routes[i]->count;
        errors += times->routes[i]->errors;
    }
    open = times->begun > times->over ? times->begun - times->over : 0;
    UNLOCK_OBJECT();
    return Py_BuildValue("{sKsKsK}", "open", open, "count", count, "errors", errors);
}

/* ------------------------------------------------------------------ counting */

/* add(route, seconds, failed) */
static PyObject *times_add_one(PyObject *self, PyObject *args) {
    PyObject *route;
    double seconds;
    int failed;
    if (!PyArg_ParseTuple(args, "Udp:add", &route, &seconds, &failed))
        return NULL;
    double ns = seconds * 1e9;
    LOCK_OBJECT(self);
    times_add((times_object *)self, route,
              ns > 0 ? ns < 1e18 ? (uint64_t)ns : UINT64_C(1) << 60 : 0, failed);
    UNLOCK_OBJECT();
    if (PyErr_Occurred())
        return NULL;
    return Py_NewRef(Py_None);
}

static PyObject *times_clear(PyObject *self, PyObject *Py_UNUSED(unused)) {
    times_object *times = (times_object *)self;
    LOCK_OBJECT(self);
    PyDict_Clear(times->places);
    routes_free(times);
    UNLOCK_OBJECT();
    return Py_NewRef(Py_None);
}

static PyObject *times_after_fork(PyObject *self, PyObject *unused) {
    times_object *times = (times_object *)self;
    times->begun = times->over = 0;
    return times_clear(self, unused);
}

/* --------------------------------------------------------------------- type */

static PyObject *times_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    if (!PyArg_ParseTuple(args, ":RequestTimes"))
        return NULL;
    times_object *times = (times_object *)type->tp_alloc(type, 0);
    if (!times)
        return NULL;
    times->places = PyDict_New();
    times->others = PyUnicode_InternFromString("(other)");
    if (!times->places || !times->others)
        Py_CLEAR(times);
    return (PyObject *)times;
}

PyObject *request_times_new(face_state *state) {
    return state->times_type ? PyObject_CallNoArgs((PyObject *)state->times_type) : type_gone();
}

static void times_dealloc(PyObject *self) {
    times_object *times = (times_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    routes_free(times);
    Py_XDECREF(times->places);
    Py_XDECREF(times->others);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(times_doc,
             "Times of requests by route, in bounded memory. Any thread may call the methods.");

static PyMethodDef times_methods[] = {
    {"add", times_add_one, METH_VARARGS,
     PyDoc_STR("add(route, seconds, failed, /)\n--\n\nA request is over.")},
    {"classes", times_classes, METH_NOARGS,
     PyDoc_STR("{route: (requests, errors, seconds in all, at most, [(class, requests), ...])}")},
    {"counts", times_counts, METH_NOARGS,
     PyDoc_STR("Requests that are open, that are over (\"count\"), and errors, as a dict.")},
    {"clear", times_clear, METH_NOARGS, PyDoc_STR("Count anew.")},
    {"after_fork", times_after_fork, METH_NOARGS,
     PyDoc_STR("In a forked child: what was counted, and what is open, is the parent's.")},
    {NULL, NULL, 0, NULL}};

static PyType_Slot times_slots[] = {{Py_tp_doc, (void *)times_doc},
                                    {Py_tp_new, (void *)times_new},
                                    {Py_tp_dealloc, (void *)times_dealloc},
                                    {Py_tp_methods, times_methods},
                                    {0, NULL}};

PyType_Spec times_spec = {"marey._marey.RequestTimes", sizeof(times_object), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, times_slots};
