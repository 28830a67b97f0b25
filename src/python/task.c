/* Where a thread is when it records: on its own track, or on that of the asyncio task which it runs.
 *
 * Each task has a track, named as the task is when it first records, below the track "asyncio" of its thread. The task
 * itself holds it, so it lives as long; open spans hold it, too. Asking asyncio costs a microsecond, so the answer is
 * kept for each thread with a key made of all that can change it. CPython counts PyThreadState.context_ver up whenever
 * a context is entered or left (Python/context.c), and every step of a task runs in the task's own context; so within
 * a step, and in threads without asyncio, the answer costs two compares.
 *
 * The slow way is also where a thread's name, as threading knows it, and a process's, as multiprocessing does, reach
 * the trace: at the first event after either can have changed. */
#include "face.h"

#include <pthread.h>

THREAD_LOCAL thread_place task_place;
uint64_t task_epoch = 1;

/* Whether the process's name is still to be looked at; and whether the user gave it one. */
static int process_is_new = 1;
static bool process_is_named;

void task_changed(void) {
    __atomic_fetch_add(&task_epoch, 1, __ATOMIC_RELAXED);
}

bool task_is_settled(void) {
    return task_place.thread == thread_state() &&
           task_place.epoch == __atomic_load_n(&task_epoch, __ATOMIC_RELAXED);
}

void task_process_named(void) {
    process_is_named = true;
}

static void after_fork(void) {
    process_is_new = 1;
    process_is_named = false;
    task_changed();
}

static void task_guard(void) {
    pthread_atfork(NULL, NULL, after_fork);
}

void task_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, task_guard);
}

PyObject *python_find(const char *module_name, const char *name) {
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *module = modules ? Py_XNewRef(PyDict_GetItemString(modules, module_name)) : NULL;
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    PyErr_Clear();
    return found;
}

/* ------------------------------------------------------------------- names */

/* The private text attribute `name` of object, as its class stores it. New reference or NULL. */
static PyObject *plain_text(PyObject *object, const char *name) {
    PyObject *attribute = PyUnicode_FromString(name);
    PyObject *text = attribute ? PyObject_GenericGetAttr(object, attribute) : NULL;
    Py_XDECREF(attribute);
    if (text && !PyUnicode_Check(text))
        Py_CLEAR(text);
    PyErr_Clear();
    return text;
}

static void give_name(PyObject *text, void (*give)(const char *)) {
    PyObject *bytes = text_bytes(text);
    if (bytes)
        give(PyBytes_AS_STRING(bytes));
    Py_XDECREF(bytes);
    PyErr_Clear();
}

/* What marey.thread_name() was called with in this thread. New reference or NULL. */
static PyObject *thread_name_given(face_state *state) {
    PyObject *dict = PyThreadState_GetDict(); /* borrowed */
    PyObject *text = dict ? Py_XNewRef(PyDict_GetItemWithError(dict, state->name_key)) : NULL;
    PyErr_Clear();
    return text;
}

int task_thread_named(face_state *state, PyObject *name) {
    PyObject *dict = PyThreadState_GetDict(); /* borrowed */
    return dict ? PyDict_SetItem(dict, state->name_key, name) : 0;
}

/* What threading calls this thread, if it does. Threads that Python did not start keep the system's name. */
static PyObject *thread_name_known(void) {
    PyObject *active = python_find("threading", "_active"), *text = NULL;
    PyObject *ident = active ? PyLong_FromUnsignedLong(PyThread_get_thread_ident()) : NULL;
    if (ident && PyDict_CheckExact(active)) {
        PyObject *thread = Py_XNewRef(PyDict_GetItemWithError(active, ident));
        if (thread)
            text = plain_text(thread, "_name");
        Py_XDECREF(thread);
    }
    Py_XDECREF(ident);
    Py_XDECREF(active);
    PyErr_Clear();
    return text;
}

PyObject *task_thread_name(face_state *state) {
    PyObject *text = thread_name_given(state);
    return text ? text : thread_name_known();
}

static void name_thread(face_state *state, thread_place *place) {
    PyObject *text = task_thread_name(state);
    Py_hash_t hash = text ? PyUnicode_Type.tp_hash(text) : 0;
    if (text && hash != place->name_hash && marey_recording()) { /* else nobody hears it */
        place->name_hash = hash;
        give_name(text, marey_thread_name);
    }
    Py_XDECREF(text);
}

/* The name of a child of multiprocessing, or NULL. New reference. */
static PyObject *child_name(void) {
    PyObject *process = python_find("multiprocessing.process", "_current_process");
    PyObject *text = process ? plain_text(process, "_name") : NULL;
    if (text && PyUnicode_CompareWithASCIIString(text, "MainProcess") == 0)
        Py_CLEAR(text);
    Py_XDECREF(process);
    return text;
}

/* The last part of a path but for what -m runs of a package, which is its __main__.py: then the package. New reference. */
static PyObject *last_part(PyObject *path, Py_ssize_t end) {
    Py_ssize_t slash = PyUnicode_FindChar(path, '/', 0, end, -1);
    PyObject *part = PyUnicode_Substring(path, slash < 0 ? 0 : slash + 1, end);
    if (part && slash > 0 && PyUnicode_CompareWithASCIIString(part, "__main__.py") == 0) {
        Py_DECREF(part);
        return last_part(path, slash);
    }
    return part;
}

/* What sys.argv[0] names where that is a file, or NULL. New reference. */
static PyObject *script_name(void) {
    PyObject *argv = PySys_GetObject("argv"); /* borrowed */
    PyObject *path =
        argv && PyList_Check(argv) && PyList_GET_SIZE(argv) ? PyList_GET_ITEM(argv, 0) : NULL;
    Py_ssize_t length = path && PyUnicode_Check(path) ? PyUnicode_GET_LENGTH(path) : 0;
    if (!length || PyUnicode_READ_CHAR(path, 0) == '-')
        return NULL;
    return last_part(path, length);
}

/* A name that says more than "python3". A plain fork keeps its parent's, if that had one yet. */
static void name_process(void) {
    static bool has_script_name;
    PyObject *text = process_is_named ? NULL : child_name();
    if (!text && !process_is_named && !has_script_name) {
        text = script_name();
        has_script_name = text != NULL;
    }
    if (text)
        give_name(text, marey_process_name);
    Py_XDECREF(text);
    PyErr_Clear();
}

static void place_renew(face_state *state, thread_place *place, PyThreadState *thread,
                        uint64_t epoch) {
    if (place->thread != thread)
        place->name_hash = 0;
    place->thread = thread;
    place->epoch = epoch;
    if (__atomic_exchange_n(&process_is_new, 0, __ATOMIC_RELAXED)) {
        place->name_hash = 0;
        name_process();
    }
    name_thread(state, place);
}

/* ------------------------------------------------------------------- tasks */

static bool asyncio_find(face_state *state) {
    if (__atomic_load_n(&state->current_task, __ATOMIC_ACQUIRE))
        return true;
    PyObject *running = python_find("asyncio.events", "_get_running_loop");
    PyObject *current = running ? python_find("asyncio.tasks", "current_task") : NULL;
    if (current) {
        Py_XSETREF(state->running_loop, running);
        __atomic_store_n(&state->current_task, current, __ATOMIC_RELEASE);
        return true;
    }
    Py_XDECREF(running);
    return false;
}

/* The task that this thread runs. New reference, or NULL without an exception. */
static PyObject *running_task(face_state *state) {
    if (!asyncio_find(state))
        return NULL;
    PyObject *loop = PyObject_CallNoArgs(state->running_loop), *task = NULL;
    if (loop && loop != Py_None)
        task = PyObject_CallOneArg(state->current_task, loop);
    Py_XDECREF(loop);
    PyErr_Clear();
    if (task == Py_None)
        Py_CLEAR(task);
    return task;
}

/* The track "asyncio" of this thread. Borrowed from the thread's dict; NULL with an exception. */
static track_object *group_track(face_state *state) {
    PyObject *dict = PyThreadState_GetDict(); /* borrowed */
    if (!dict)
        return NULL;
    PyObject *found = PyDict_GetItemWithError(dict, state->group_key); /* borrowed */
    if (found || PyErr_Occurred())
        return (track_object *)found;
    PyObject *name = PyUnicode_FromString("asyncio");
    track_object *made = name ? track_make(state, name, NULL, MAREY_OF_THREAD) : NULL;
    Py_XDECREF(name);
    if (made && PyDict_SetItem(dict, state->group_key, (PyObject *)made) < 0)
        Py_CLEAR(made);
    Py_XDECREF((PyObject *)made); /* the dict holds it */
    return made;
}

static PyObject *task_name(face_state *state, PyObject *task) {
    PyObject *name = PyObject_CallMethodObjArgs(task, state->word_get_name, NULL);
    if (name && PyUnicode_Check(name))
        return name;
    PyErr_Clear();
    Py_XDECREF(name);
    return PyUnicode_FromString("task");
}

/* Tasks without a __dict__ have their tracks in a WeakKeyDictionary. Borrowed; NULL with an exception. */
static PyObject *odd_tasks(face_state *state) {
    if (!state->task_tracks) {
        PyObject *weakref = PyImport_ImportModule("weakref");
        if (weakref)
            state->task_tracks = PyObject_CallMethod(weakref, "WeakKeyDictionary", NULL);
        Py_XDECREF(weakref);
    }
    return state->task_tracks;
}

/* What is known of a task: its track, or, until that is made, the number of the flow that leads to it. Borrowed from the
 * task; NULL: nothing yet. Leaves no exception. */
static PyObject *task_known(face_state *state, PyObject *task) {
    PyObject *found = NULL;
    if (PyObject_GetOptionalAttr(task, state->attribute_track, &found) <= 0 && state->task_tracks) {
        PyErr_Clear();
        found = PyObject_GetItem(state->task_tracks, task);
    }
    PyErr_Clear();
    Py_XDECREF(found); /* the task, or the dictionary, holds it */
    return found;
}

/* Lets the task hold it. False, without an exception, where that is not possible. */
static bool task_keep(face_state *state, PyObject *task, PyObject *what) {
    if (PyObject_SetAttr(task, state->attribute_track, what) == 0)
        return true;
    PyErr_Clear();
    PyObject *odd = odd_tasks(state);
    bool kept = odd && PyObject_SetItem(odd, task, what) == 0;
    PyErr_Clear();
    return kept;
}

/* Gives a task its track, by its name of now: asyncio names a task only after it is made. `flow` is an int, or NULL.
 * Borrowed from the task; NULL where that is not possible. Leaves no exception. */
static track_object *task_make(face_state *state, PyObject *task, PyObject *flow) {
    track_object *group = group_track(state), *track = NULL;
    PyObject *name = group ? task_name(state, task) : NULL;
    if (name)
        track = track_make(state, name, group, NULL);
    Py_XDECREF(name);
    PyErr_Clear();
    if (!track)
        return NULL;
    if (flow && PyLong_Check(flow))
        track->flow = PyLong_AsUnsignedLongLongMask(flow);
    bool kept = task_keep(state, task, (PyObject *)track);
    Py_DECREF((PyObject *)track);
    return kept ? track : NULL;
}

track_object *task_track_slow(face_state *state, PyThreadState *thread, uint64_t key) {
    thread_place *place = &task_place;
    uint64_t epoch = __atomic_load_n(&task_epoch, __ATOMIC_RELAXED);
    bool renew = place->thread != thread || place->epoch != epoch;
    /* first, so that what the rest calls finds an answer and does not come here again */
    place->key = key;
    place->track = NULL;
    if (renew)
        place_renew(state, place, thread, epoch);
    PyObject *task = running_task(state);
    if (!task)
        return NULL;
    PyObject *known = task_known(state, task);
    place->track = known && Py_TYPE(known) == state->track_type ? (track_object *)known
                                                                : task_make(state, task, known);
    Py_DECREF(task); /* asyncio holds it while it runs */
    return place->track;
}

/* What the task runs, as text. New reference, or NULL. */
static PyObject *coroutine_name(face_state *state, PyObject *task) {
    PyObject *coroutine = PyObject_CallMethodObjArgs(task, state->word_get_coro, NULL),
             *name = NULL;
    if (coroutine && (PyCoro_CheckExact(coroutine) || PyGen_CheckExact(coroutine)))
        name = PyObject_GetAttr(coroutine, state->word_qualname);
    PyErr_Clear();
    Py_XDECREF(coroutine);
    return name;
}

void task_created(face_state *state, PyObject *task) {
    if (!marey_recording() || !marey_category_recording(state->asyncio_category) ||
        task_known(state, task))
        return; /* a known one has run already: an eager task */
    uint64_t flow = marey_flow_new();
    PyObject *number = PyLong_FromUnsignedLongLong(flow), *name = coroutine_name(state, task);
    track_object *here = task_track(state);
    values v;
    values_init(&v, state);
    if (number && task_keep(state, task, number))
        values_add_flow_id(&v, flow);
    if (name)
        values_add_named(&v, state->id_coroutine, name);
    marey__instant(state->asyncio_category, here ? here->track : NULL, state->id_create_task, v.top,
                   v.count);
    values_fini(&v);
    Py_XDECREF(number);
    Py_XDECREF(name);
    PyErr_Clear();
}
