/* marey.track: a line of the timeline of one's own. asyncio's tasks have one each, made in task.c. */
#include "span.h"

#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_READONLY READONLY
#endif

track_object *track_make(face_state *state, PyObject *name, track_object *parent,
                         marey_track *place) {
    PyObject *bytes = text_bytes(name);
    if (!bytes)
        return NULL;
    track_object *self = type_make(state->track_type);
    if (!self) {
        Py_DECREF(bytes);
        return NULL;
    }
    self->name = Py_NewRef(name);
    self->parent = Py_XNewRef((PyObject *)parent);
    self->track = marey_track_open(PyBytes_AS_STRING(bytes), parent ? parent->track : place);
    Py_DECREF(bytes);
    if (!self->track) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    return self;
}

static int place_named(PyObject *given, marey_track **place) {
    if (PyUnicode_CompareWithASCIIString(given, "process") == 0)
        *place = MAREY_OF_PROCESS;
    else if (PyUnicode_CompareWithASCIIString(given, "thread") == 0)
        *place = MAREY_OF_THREAD;
    else if (PyUnicode_CompareWithASCIIString(given, "global") == 0)
        *place = MAREY_OF_NOBODY;
    else
        return -1;
    return 0;
}

int track_parent(face_state *state, PyObject *given, track_object **parent, marey_track **place) {
    *parent = NULL;
    *place = MAREY_OF_PROCESS;
    if (given == Py_None || (PyUnicode_Check(given) && place_named(given, place) == 0))
        return 0;
    if (PyObject_TypeCheck(given, state->track_type)) {
        *parent = (track_object *)given;
        return 0;
    }
    PyErr_Format(PyExc_ValueError,
                 "a parent is a marey.Track, \"process\", \"thread\" or \"global\", not %.100R",
                 given);
    return -1;
}

/* track(name, parent=None) */
PyObject *track_new(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *kwnames) {
    face_state *state = PyModule_GetState(module);
    PyObject *name = options_name("track", args, count), *given = count > 1 ? args[1] : Py_None;
    track_object *parent;
    marey_track *place;
    if (!name)
        return NULL;
    Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (keywords == 1 && count == 1 &&
        PyUnicode_Compare(PyTuple_GET_ITEM(kwnames, 0), state->word_parent) == 0)
        given = args[1];
    else if (keywords || count > 2) {
        PyErr_SetString(PyExc_TypeError, "track() takes a name and a parent");
        return NULL;
    }
    if (track_parent(state, given, &parent, &place) < 0)
        return NULL;
    return (PyObject *)track_make(state, name, parent, place);
}

/* ------------------------------------------------------------------ events */

enum { EVENT_BEGIN = 1, EVENT_END = 2, EVENT_INSTANT = 3 };

/* begin(name, /, ts=None, flow=None, **args), instant(...), end(ts=None, flow=None, **args) */
static const options_form event_forms[] = {
    [EVENT_BEGIN] = {"begin", {OPTION_TS, OPTION_FLOW}, 2, 1u << OPTION_TS | 1u << OPTION_FLOW},
    [EVENT_END] = {"end", {OPTION_TS, OPTION_FLOW}, 2, 1u << OPTION_TS | 1u << OPTION_FLOW},
    [EVENT_INSTANT] = {"instant", {OPTION_TS, OPTION_FLOW}, 2, 1u << OPTION_TS | 1u << OPTION_FLOW},
};

static void track_record(track_object *self, int event, PyObject *name,
                         const event_options *options, PyObject *const *kwvalues,
                         PyObject *kwnames) {
    face_state *state = state_of_type(Py_TYPE((PyObject *)self));
    values v;
    values_init(&v, state);
    options_add(&v, &event_forms[event], options, kwvalues, kwnames);
    marey__track_event(self->track, event, options->ts, name ? names_id(state, name) : 0, v.top,
                       v.count);
    values_fini(&v);
}

static PyObject *track_event(PyObject *self, int event, PyObject *const *args, Py_ssize_t count,
                             PyObject *kwnames) {
    const options_form *form = &event_forms[event];
    PyObject *name = NULL;
    if (event != EVENT_END) {
        name = options_name(form->function, args, count);
        if (!name)
            return NULL;
        args++;
        count--;
    }
    event_options options;
    face_state *state = state_of_type(Py_TYPE(self));
    int result = options_read(state, form, args, count, kwnames, &options);
    if (result == 0 && marey_recording())
        track_record((track_object *)self, event, name, &options, args + count, kwnames);
    options_fini(&options);
    if (result < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

static PyObject *track_begin(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *kwnames) {
    return track_event(self, EVENT_BEGIN, args, count, kwnames);
}

static PyObject *track_end(PyObject *self, PyObject *const *args, Py_ssize_t count,
                           PyObject *kwnames) {
    return track_event(self, EVENT_END, args, count, kwnames);
}

static PyObject *track_instant(PyObject *self, PyObject *const *args, Py_ssize_t count,
                               PyObject *kwnames) {
    return track_event(self, EVENT_INSTANT, args, count, kwnames);
}

/* ----------------------------------------------------------------- children */

static PyObject *track_counter(PyObject *self, PyObject *const *args, Py_ssize_t count,
                               PyObject *kwnames) {
    return counter_open(state_of_type(Py_TYPE(self)), args, count, kwnames, self);
}

static PyObject *track_track(PyObject *self, PyObject *name) {
    if (!options_name("track", &name, 1))
        return NULL;
    return (PyObject *)track_make(state_of_type(Py_TYPE(self)), name, (track_object *)self, NULL);
}

static PyObject *track_span(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *kwnames) {
    face_state *state = state_of_type(Py_TYPE(self));
    PyObject *made = span_vectorcall((PyObject *)state->span_type, args, (size_t)count, kwnames);
    span_object *span = (span_object *)made;
    if (span && span->track) {
        PyErr_SetString(PyExc_TypeError, "span() of a track takes no other track");
        Py_CLEAR(made);
    } else if (span) {
        span->track = (track_object *)Py_NewRef(self);
        span->rich = true;
    }
    return made;
}

/* -------------------------------------------------------------------- type */

static int track_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((track_object *)self)->parent);
    return 0;
}

static void track_dealloc(PyObject *self) {
    track_object *track = (track_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (track->weakrefs)
        PyObject_ClearWeakRefs(self);
    if (track->track)
        marey_track_close(track->track);
    Py_XDECREF(track->name);
    Py_XDECREF(track->parent);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *track_repr(PyObject *self) {
    return PyUnicode_FromFormat("<marey.Track %R>", ((track_object *)self)->name);
}

static PyObject *track_get_name(PyObject *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(((track_object *)self)->name);
}

static PyObject *track_get_parent(PyObject *self, void *Py_UNUSED(closure)) {
    PyObject *parent = ((track_object *)self)->parent;
    return Py_NewRef(parent ? parent : Py_None);
}

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

static PyMethodDef track_methods[] = {
    {"begin", FAST(track_begin),
     PyDoc_STR(
         "begin(name, /, ts=None, flow=None, **args)\n--\n\nBegin a span; ts is nanoseconds of "
         "marey.now(), in any order, or None for now.")},
    {"end", FAST(track_end),
     PyDoc_STR("end(ts=None, flow=None, **args)\n--\n\nEnd the innermost open span; without one: "
               "nothing.")},
    {"instant", FAST(track_instant),
     PyDoc_STR("instant(name, /, ts=None, flow=None, **args)\n--\n\nSomething that happened.")},
    {"counter", FAST(track_counter),
     PyDoc_STR("counter(name, /, unit=None)\n--\n\nA counter below this track.")},
    {"span", FAST(track_span),
     PyDoc_STR("span(name, /, category=None, flow=None, **args)\n--\n\nmarey.span on this track.")},
    {"track", track_track, METH_O, PyDoc_STR("track(name, /)\n--\n\nA track below this one.")},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef track_getset[] = {{"name", track_get_name, NULL, NULL, NULL},
                                     {"parent", track_get_parent, NULL, NULL, NULL},
                                     {NULL, NULL, NULL, NULL, NULL}};

static struct PyMemberDef track_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(track_object, weakrefs), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot track_slots[] = {
    {Py_tp_doc, (void *)"A line of the timeline. See marey.track()."},
    {Py_tp_new, (void *)type_refuse_new},
    {Py_tp_dealloc, (void *)track_dealloc},
    {Py_tp_traverse, (void *)track_traverse},
    {Py_tp_repr, (void *)track_repr},
    {Py_tp_methods, track_methods},
    {Py_tp_getset, track_getset},
    {Py_tp_members, track_members},
    {0, NULL}};

PyType_Spec track_spec = {"marey.Track", sizeof(track_object), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                          track_slots};
