/* Pauses of Python's garbage collector as spans of the thread that collects: "gc", in the category of that name, with
 * the generation, and at the end what was collected and what could not be. */
#include "face.h"

static void add_number(values *v, uint32_t name, PyObject *info, const char *key) {
    PyObject *number = PyDict_Check(info) ? PyDict_GetItemString(info, key) : NULL; /* borrowed */
    if (number && PyLong_Check(number))
        values_add_named(v, name, number);
}

/* A pause can come while a thread or a process is still being set up, before it has its name: then it settles nothing. */
static void gc_begin(face_state *state, PyObject *info) {
    track_object *on = task_is_settled() ? task_track(state) : NULL;
    values v;
    values_init(&v, state);
    add_number(&v, state->id_generation, info, "generation");
    marey__span_begin(&state->gc_span, state->gc_category, on ? on->track : NULL, state->id_gc,
                      v.top, v.count);
    values_fini(&v);
    Py_XSETREF(state->gc_owner, Py_XNewRef((PyObject *)on));
}

static void gc_end(face_state *state, PyObject *info) {
    values v;
    values_init(&v, state);
    add_number(&v, state->id_collected, info, "collected");
    add_number(&v, state->id_uncollectable, info, "uncollectable");
    marey__span_end_args(&state->gc_span, v.top, v.count);
    values_fini(&v);
    state->gc_span = (marey_span){0};
    Py_CLEAR(state->gc_owner);
}

/* An entry of gc.callbacks: (phase, info). */
static PyObject *gc_pause(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    face_state *state = PyModule_GetState(module);
    if (count != 2 || !PyUnicode_Check(args[0]))
        return Py_NewRef(Py_None);
    bool start = PyUnicode_CompareWithASCIIString(args[0], "start") == 0;
    if (!start && state->gc_span.depth)
        gc_end(state, args[1]);
    else if (start && !state->gc_span.depth && marey_recording() &&
             marey_category_recording(state->gc_category))
        gc_begin(state, args[1]);
    return Py_NewRef(Py_None);
}

static PyMethodDef gc_pause_def = {"marey_gc_pause", (PyCFunction)(void (*)(void))gc_pause,
                                   METH_FASTCALL,
                                   PyDoc_STR("Records a pause of the garbage collector.")};

static PyObject *gc_callbacks(void) {
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *callbacks = gc ? PyObject_GetAttrString(gc, "callbacks") : NULL;
    Py_XDECREF(gc);
    if (callbacks && !PyList_Check(callbacks)) {
        PyErr_SetString(PyExc_TypeError, "gc.callbacks is not a list");
        Py_CLEAR(callbacks);
    }
    return callbacks;
}

PyObject *gc_start(PyObject *module, PyObject *Py_UNUSED(unused)) {
    face_state *state = PyModule_GetState(module);
    if (state->gc_callback)
        return Py_NewRef(Py_None);
    PyObject *callbacks = gc_callbacks();
    PyObject *callback = callbacks ? PyCFunction_New(&gc_pause_def, module) : NULL;
    int result = callback ? PyList_Append(callbacks, callback) : -1;
    Py_XDECREF(callbacks);
    if (result < 0) {
        Py_XDECREF(callback);
        return NULL;
    }
    state->gc_callback = callback;
    return Py_NewRef(Py_None);
}

PyObject *gc_stop(PyObject *module, PyObject *Py_UNUSED(unused)) {
    face_state *state = PyModule_GetState(module);
    PyObject *callback = state->gc_callback, *callbacks = callback ? gc_callbacks() : NULL;
    state->gc_callback = NULL;
    if (callbacks) {
        Py_ssize_t at = PySequence_Index(callbacks, callback);
        if (at >= 0)
            PySequence_DelItem(callbacks, at);
        PyErr_Clear(); /* someone else has taken it out */
    }
    Py_XDECREF(callbacks);
    Py_XDECREF(callback);
    if (PyErr_Occurred())
        return NULL;
    return Py_NewRef(Py_None);
}
