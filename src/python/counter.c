/* marey.counter: a number over time. Counters of the process (and of nobody) with one name and unit are one object, so
 * that `marey.counter("queue").add(1)` may stand wherever it is handy. Those of a track or a thread are made anew. */
#include "span.h"

typedef struct counter_object {
    PyObject_HEAD marey_counter *counter;
    PyObject *name, *unit; /* unit: None for none */
    PyObject *track;       /* keeps a parent alive, or NULL */
} counter_object;

typedef struct number {
    bool whole;
    int64_t i64;
    double f64;
} number;

/* int, float, and what converts to them without a loss of kind. 0, or -1 with an exception. */
static int number_read(PyObject *given, number *out) {
    out->whole = !PyFloat_Check(given);
    if (!out->whole) {
        out->f64 = PyFloat_AS_DOUBLE(given);
        return 0;
    }
    PyObject *index = PyIndex_Check(given) ? PyNumber_Index(given) : NULL;
    int overflow = 0;
    if (index) {
        out->i64 = PyLong_AsLongLongAndOverflow(index, &overflow);
        Py_DECREF(index);
        if (!overflow)
            return 0;
    }
    if (PyErr_Occurred())
        return -1;
    out->whole = false;
    out->f64 = PyFloat_AsDouble(given); /* beyond 64 bits, or a number of another kind */
    if (out->f64 == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return -1;
        PyErr_Clear();
        out->f64 = overflow < 0 ? -Py_HUGE_VAL : Py_HUGE_VAL;
    }
    return 0;
}

static PyObject *counter_set(PyObject *self, PyObject *given) {
    number value;
    if (number_read(given, &value) < 0)
        return NULL;
    marey_counter *counter = ((counter_object *)self)->counter;
    if (value.whole)
        marey_counter_set_i64(counter, value.i64);
    else
        marey_counter_set_f64(counter, value.f64);
    return Py_NewRef(Py_None);
}

static PyObject *counter_add(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    number delta = {true, 1, 0};
    if (count > 1) {
        PyErr_SetString(PyExc_TypeError, "add() takes one number, or none for 1");
        return NULL;
    }
    if (count == 1 && number_read(args[0], &delta) < 0)
        return NULL;
    marey_counter *counter = ((counter_object *)self)->counter;
    if (delta.whole)
        marey_counter_add_i64(counter, delta.i64);
    else
        marey_counter_add_f64(counter, delta.f64);
    return Py_NewRef(Py_None);
}

static PyObject *counter_at(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    number value;
    uint64_t time_ns;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "at() takes a time in nanoseconds and a number");
        return NULL;
    }
    if (time_argument(args[0], &time_ns) < 0 || number_read(args[1], &value) < 0)
        return NULL;
    marey_counter *counter = ((counter_object *)self)->counter;
    if (time_ns == MAREY_NOW)
        time_ns = marey_now_ns();
    if (value.whole)
        marey_counter_at_i64(counter, time_ns, value.i64);
    else
        marey_counter_at_f64(counter, time_ns, value.f64);
    return Py_NewRef(Py_None);
}

/* ------------------------------------------------------------------ making */

static PyObject *counter_make(face_state *state, PyObject *name, PyObject *unit, PyObject *track,
                              track_object *parent, marey_track *place) {
    PyObject *name_bytes = text_bytes(name);
    PyObject *unit_bytes = unit == Py_None ? NULL : text_bytes(unit);
    counter_object *self = NULL;
    if (!PyErr_Occurred())
        self = type_make(state->counter_type);
    if (self) {
        self->name = Py_NewRef(name);
        self->unit = Py_NewRef(unit);
        self->track = Py_XNewRef(track);
        self->counter = marey_counter_open(PyBytes_AS_STRING(name_bytes),
                                           unit_bytes ? PyBytes_AS_STRING(unit_bytes) : NULL,
                                           parent ? parent->track : place);
        if (!self->counter) {
            PyErr_NoMemory();
            Py_CLEAR(self);
        }
    }
    Py_XDECREF(name_bytes);
    Py_XDECREF(unit_bytes);
    return (PyObject *)self;
}

/* The counter of that key, made where there is none yet; always where the key is NULL. */
static PyObject *counter_find(face_state *state, PyObject *key, PyObject *name, PyObject *unit,
                              PyObject *track, track_object *parent, marey_track *place) {
    PyObject *found = key ? PyDict_GetItemWithError(state->counters, key) : NULL; /* borrowed */
    if (found || PyErr_Occurred())
        return Py_XNewRef(found);
    PyObject *made = counter_make(state, name, unit, track, parent, place);
    if (made && key && PyDict_GET_SIZE(state->counters) < COUNTERS_MAX) {
        PyObject *kept = PyDict_SetDefault(state->counters, key, made); /* borrowed */
        Py_SETREF(made, Py_XNewRef(kept));
    }
    return made;
}

PyObject *counter_open(face_state *state, PyObject *const *args, Py_ssize_t count,
                       PyObject *kwnames, PyObject *track) {
    PyObject *name = options_name("counter", args, count), *unit = count > 1 ? args[1] : Py_None;
    if (!name)
        return NULL;
    bool fixed = track != NULL;
    if (!fixed && count > 2)
        track = args[2];
    if (count > (fixed ? 2 : 3)) {
        PyErr_SetString(PyExc_TypeError, "counter() takes a name, a unit and a track");
        return NULL;
    }
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, i), *given = args[count + i];
        if (PyUnicode_Compare(keyword, state->word_unit) == 0) {
            unit = given;
        } else if (!fixed && PyUnicode_Compare(keyword, state->word_track) == 0) {
            track = given;
        } else {
            PyErr_Format(PyExc_TypeError, "counter() has no argument %R", keyword);
            return NULL;
        }
    }
    if (unit != Py_None && !PyUnicode_Check(unit)) {
        PyErr_SetString(PyExc_TypeError, "the unit of a counter is a str or None");
        return NULL;
    }
    track_object *parent;
    marey_track *place;
    track = track ? track : Py_None;
    if (track_parent(state, track, &parent, &place) < 0)
        return NULL;
    bool shared = !parent && place != MAREY_OF_THREAD;
    PyObject *of_nobody = place == MAREY_OF_NOBODY ? Py_True : Py_False;
    PyObject *key = shared ? PyTuple_Pack(3, name, unit, of_nobody) : NULL, *found = NULL;
    if (key || !shared)
        found = counter_find(state, key, name, unit, track, parent, place);
    Py_XDECREF(key);
    return found;
}

PyObject *counter_new(PyObject *module, PyObject *const *args, Py_ssize_t count,
                      PyObject *kwnames) {
    return counter_open(PyModule_GetState(module), args, count, kwnames, NULL);
}

static int counter_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((counter_object *)self)->track);
    return 0;
}

static void counter_dealloc(PyObject *self) {
    counter_object *counter = (counter_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (counter->counter)
        marey_counter_close(counter->counter);
    Py_XDECREF(counter->name);
    Py_XDECREF(counter->unit);
    Py_XDECREF(counter->track);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *counter_repr(PyObject *self) {
    return PyUnicode_FromFormat("<marey.Counter %R>", ((counter_object *)self)->name);
}

static PyObject *counter_get_name(PyObject *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(((counter_object *)self)->name);
}

static PyObject *counter_get_unit(PyObject *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(((counter_object *)self)->unit);
}

static PyMethodDef counter_methods[] = {
    {"set", counter_set, METH_O,
     PyDoc_STR("set(value, /)\n--\n\nThe value from now on: int or float.")},
    {"add", (PyCFunction)(void (*)(void))counter_add, METH_FASTCALL,
     PyDoc_STR(
         "add(delta=1, /)\n--\n\nChange the value. Any thread may; the sum is kept while nothing "
         "records, too.")},
    {"at", (PyCFunction)(void (*)(void))counter_at, METH_FASTCALL,
     PyDoc_STR("at(ts, value, /)\n--\n\nThe value at a time, in nanoseconds of marey.now(), in any "
               "order.")},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef counter_getset[] = {{"name", counter_get_name, NULL, NULL, NULL},
                                       {"unit", counter_get_unit, NULL, NULL, NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot counter_slots[] = {
    {Py_tp_doc, (void *)"A number over time. See marey.counter()."},
    {Py_tp_new, (void *)type_refuse_new},
    {Py_tp_dealloc, (void *)counter_dealloc},
    {Py_tp_traverse, (void *)counter_traverse},
    {Py_tp_repr, (void *)counter_repr},
    {Py_tp_methods, counter_methods},
    {Py_tp_getset, counter_getset},
    {0, NULL}};

PyType_Spec counter_spec = {"marey.Counter", sizeof(counter_object), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                            counter_slots};
