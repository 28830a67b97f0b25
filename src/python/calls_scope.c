/* A scope: what `with marey.calls(...)` opens and closes. The Python around it (marey/_calls.py) has checked the options.
 *
 *   open     the log is made, the hook is on, the slice around the calls begins
 *   enter    what runs in this context from now on is seen ...
 *   leave    ... and no longer; a generator enters for each of its pieces
 *   close    the calls that go on are ended, the slice ends, the hook is let go of; what was recorded stays
 *
 * Leaving and closing may happen in another context, or thread, than entering: then the mark stays where it is, and is passed
 * over. A forked child has no part in the scopes of its parent: they record nothing more there. */
#include "calls.h"

#include <pthread.h>
#include <stdlib.h>
#include <structmember.h>

typedef struct scope_object {
    PyObject_HEAD scope *of;
    face_state *state;
    mark_object *mark;               /* as it was entered last; NULL: it is not */
    PyObject *label;                 /* bytes, or NULL */
    uint64_t max_time, min_duration; /* nanoseconds; 0: none */
    uint64_t log_bytes;              /* 0: no log */
    uint64_t lost;                   /* at the end */
    uint64_t unseen;                 /* when it was opened: what hooks had not seen until then */
    bool was_opened;
} scope_object;

uint64_t calls_forks;
static int scopes_open; /* of calls_state's interpreter */

static void after_fork(void) {
    calls_forks++;
    calls_changed();
}

static void guard_fork(void) {
    pthread_atfork(NULL, NULL, after_fork);
}

void scopes_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, guard_fork);
}

void scopes_fini(face_state *state) {
    if (calls_state != state)
        return;
    calls_state = NULL;
    scopes_open = 0;
    memory_fini();
    calls_changed();
}

void scope_free(scope *of) {
    lanes_free(of);
    free(of);
}

/* -------------------------------------------------------------------- marks */

static void mark_dealloc(PyObject *self) {
    mark_object *mark = (mark_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    scope_drop(mark->of);
    Py_XDECREF((PyObject *)mark->above);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot mark_slots[] = {
    {Py_tp_new, (void *)type_refuse_new}, {Py_tp_dealloc, (void *)mark_dealloc}, {0, NULL}};

PyType_Spec mark_spec = {"marey._marey.Mark", sizeof(mark_object), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, mark_slots};

/* The innermost open scope of this context. New reference, or NULL without an exception. */
static mark_object *mark_here(face_state *state) {
    PyObject *found = NULL;
    if (PyContextVar_Get(state->calls_var, NULL, &found) < 0)
        PyErr_Clear();
    if (found && !Py_IS_TYPE(found, state->mark_type))
        Py_CLEAR(found);
    mark_object *mark = (mark_object *)found;
    while (mark && !mark->of->open) {
        mark_object *above = (mark_object *)Py_XNewRef((PyObject *)mark->above);
        Py_DECREF((PyObject *)mark);
        mark = above;
    }
    return mark;
}

static int mark_set(face_state *state, PyObject *value) {
    PyObject *token = PyContextVar_Set(state->calls_var, value);
    Py_XDECREF(token);
    calls_changed();
    return token ? 0 : -1;
}

static int scope_enter(scope_object *self) {
    mark_object *mark = type_make(self->state->mark_type);
    if (!mark)
        return -1;
    mark->of = scope_hold(self->of);
    mark->above = mark_here(self->state);
    int levels = 1;
    for (const mark_object *at = mark->above; at; at = at->above)
        levels++;
    if (levels > CALLS_SINKS_MAX - CALLS_EVERYONE_MAX) {
        PyErr_Format(PyExc_RuntimeError, "more than %d scopes of calls within one another",
                     CALLS_SINKS_MAX - CALLS_EVERYONE_MAX);
        Py_DECREF((PyObject *)mark);
        return -1;
    }
    if (mark_set(self->state, (PyObject *)mark) < 0) {
        Py_DECREF((PyObject *)mark);
        return -1;
    }
    Py_XSETREF(self->mark, mark);
    return 0;
}

/* Where another scope was entered inside and not left, or this is another context, the mark stays. */
static void scope_leave(scope_object *self) {
    PyObject *now = NULL;
    if (!self->mark)
        return;
    if (PyContextVar_Get(self->state->calls_var, NULL, &now) < 0)
        PyErr_Clear();
    if (now == (PyObject *)self->mark) {
        mark_object *above = self->mark->above;
        mark_set(self->state, above ? (PyObject *)above : Py_None);
        PyErr_Clear();
    }
    Py_XDECREF(now);
    Py_CLEAR(self->mark);
    calls_changed();
}

/* ------------------------------------------------------------------ opening */

static const char *slice_name(const scope_object *self, char *buffer, size_t room) {
    const char *label = self->label ? PyBytes_AS_STRING(self->label) : "";
    snprintf(buffer, room, *label ? "calls: %s" : "calls", label);
    return buffer;
}

/* What no hook of this process saw: calls that did not nest or found no room, and, each one, calls that came too deep for
 * the C stack with all that they called. */
static uint64_t unseen(void) {
    hook_losses lost = hook_lost();
    return lost.deep + lost.unnested + lost.memory;
}

/* The slice around the calls: in the log and, while one records, in the session. */
static void slice_begin(scope_object *self, call_thread *thread, track_object *track) {
    char name[MAREY_NAME_MAX];
    scope *of = self->of;
    self->unseen = unseen();
    if (!of->log)
        return;
    struct call_event event = {.text = slice_name(self, name, sizeof name),
                               .stamp = marey__stamp()};
    lane_here(of, thread, NULL); /* the log's first lane is the thread's */
    of->slice_lane = lane_here(of, thread, track);
    if (of->slice_lane)
        marey__log_begin(of->log, of->slice_lane->in_log, &event);
    if (marey_recording())
        marey__call_begin(&of->slice, track ? track->track : NULL, &event);
}

static marey_arg number_of(const char *name, uint64_t number) {
    return (marey_arg){.name = marey_name_id(name), .kind = MAREY_KIND_I64, .i64 = (int64_t)number};
}

static void slice_end(scope_object *self) {
    scope *of = self->of;
    marey_losses lost = {0};
    if (!of->log)
        return;
    marey__log_losses(of->log, &lost);
    self->unseen = unseen() - self->unseen;
    if (self->unseen)
        scope_limited(of, "stack");
    self->lost = lost.limit + lost.disk + lost.arguments + self->unseen;
    marey_arg args[4];
    size_t count = 0;
    args[count++] = number_of("call_count", of->call_count);
    if (of->limit) {
        args[count] = (marey_arg){.name = marey_name_id("limit")};
        value_set_text(&args[count++], of->limit, strlen(of->limit));
    }
    if (of->skipped)
        args[count++] = number_of("skipped", of->skipped);
    if (self->lost)
        args[count++] = number_of("lost", self->lost);
    struct call_event event = {.stamp = marey__stamp(), .args = args, .count = count};
    if (of->slice_lane)
        marey__log_end(of->log, of->slice_lane->in_log, &event);
    marey__call_end(&of->slice, &event);
}

static hook_options options_of(const scope *of) {
    return (hook_options){.c_calls = of->c_calls};
}

static int interpreter_take(face_state *state) {
    if (calls_state && calls_state != state && scopes_open) {
        PyErr_SetString(PyExc_RuntimeError,
                        "calls are recorded in another interpreter of this process");
        return -1;
    }
    if (calls_state != state)
        scopes_open = 0;
    calls_state = state;
    return 0;
}

static int log_make(scope_object *self) {
    if (!self->log_bytes)
        return 0;
    self->of->log = marey__call_log_open(self->log_bytes);
    if (self->of->log)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static int scope_open(scope_object *self) {
    scope *of = self->of;
    if (interpreter_take(self->state) < 0 || hook_start(self->state, options_of(of)) < 0)
        return -1;
    hook_thread *thread = hook_thread_here();
    call_thread *recorder = thread ? call_thread_here(thread) : NULL;
    if (!recorder)
        PyErr_NoMemory();
    int failed = !recorder || log_make(self) < 0 || (of->memory && memory_start() < 0);
    if (!failed && of->everyone && everyone_add(of) < 0) {
        failed = 1;
        if (of->memory)
            memory_stop();
    }
    if (failed) {
        hook_stop(self->state, options_of(of));
        return -1;
    }
    scopes_open++;
    of->forks = calls_forks;
    of->open = true;
    uint64_t now = marey__stamp();
    of->deadline = self->max_time ? marey__stamp_after(now, self->max_time) : 0;
    of->least = self->min_duration ? marey__stamp_after(0, self->min_duration) : 0;
    of->simple = !of->deadline && !of->least && !of->memory;
    /* Before the lock: asyncio's tasks are asked by calls of Python, which the hook sees, too. */
    track_object *track = of->log ? task_track(self->state) : NULL;
    calls_lock();
    slice_begin(self, recorder, track);
    calls_unlock();
    calls_changed();
    return 0;
}

static void scope_close(scope_object *self) {
    scope *of = self->of;
    if (!of->open)
        return;
    hook_thread *thread = hook_thread_here();
    call_thread *recorder = thread ? call_thread_here(thread) : NULL;
    scope_leave(self);
    calls_lock();
    if (recorder)
        calls_end_open(recorder, of);
    slice_end(self);
    of->open = false;
    calls_unlock();
    if (of->everyone)
        everyone_remove(of);
    filter_drop(of->filter_number);
    calls_changed();
    hook_stop(self->state, options_of(of));
    if (of->memory)
        memory_stop();
    if (!--scopes_open)
        pieces_clear();
}

/* ------------------------------------------------------------------ methods */

static PyObject *method_open(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_object *self = (scope_object *)object;
    if (self->was_opened) {
        PyErr_SetString(PyExc_RuntimeError, "a scope of calls is opened once");
        return NULL;
    }
    if (scope_open(self) < 0)
        return NULL;
    self->was_opened = true;
    return Py_NewRef(Py_None);
}

static PyObject *method_enter(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_object *self = (scope_object *)object;
    if (!self->of->everyone && self->of->open && scope_enter(self) < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

static PyObject *method_leave(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_leave((scope_object *)object);
    return Py_NewRef(Py_None);
}

static PyObject *method_close(PyObject *object, PyObject *Py_UNUSED(unused)) {
    scope_close((scope_object *)object);
    return Py_NewRef(Py_None);
}

static PyObject *method_bytes(PyObject *object, PyObject *Py_UNUSED(unused)) {
    const scope *of = ((scope_object *)object)->of;
    if (!of->log)
        return PyBytes_FromStringAndSize("", 0);
    size_t size = marey__log_bytes(of->log);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (bytes)
        marey__log_copy(of->log, (uint8_t *)PyBytes_AS_STRING(bytes));
    return bytes;
}

static PyObject *get_call_count(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((scope_object *)self)->of->call_count);
}

static PyObject *get_skipped(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((scope_object *)self)->of->skipped);
}

static PyObject *get_limit(PyObject *self, void *Py_UNUSED(closure)) {
    const char *limit = ((scope_object *)self)->of->limit;
    return limit ? PyUnicode_FromString(limit) : Py_NewRef(Py_None);
}

static PyObject *get_lost(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((scope_object *)self)->lost);
}

static PyObject *get_is_open(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((scope_object *)self)->of->open);
}

/* ------------------------------------------------------------------- object */

/* Scope(label, include, ignore, redact, max_depth, max_calls, max_time, max_repr, args, results, repr, c_calls, min_duration,
 * everyone, memory, log): times in nanoseconds; tuples of bytes; 0 for no limit; memory: whether calls say it; log: bytes of
 * the scope's own trace, 0 for none. */
static PyObject *scope_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    face_state *state = state_of_type(type);
    static uint64_t last_serial;
    PyObject *label, *include, *ignore, *redact;
    unsigned max_depth, max_repr;
    unsigned long long max_calls, max_time, min_duration, log_bytes;
    int with_args, results, repr, c_calls, everyone, memory;
    if (!PyArg_ParseTuple(args, "OO!O!O!IKKIppppKppK:Scope", &label, &PyTuple_Type, &include,
                          &PyTuple_Type, &ignore, &PyTuple_Type, &redact, &max_depth, &max_calls,
                          &max_time, &max_repr, &with_args, &results, &repr, &c_calls,
                          &min_duration, &everyone, &memory, &log_bytes))
        return NULL;
    scope_object *self = (scope_object *)type->tp_alloc(type, 0);
    scope *of = self ? calloc(1, sizeof *of) : NULL;
    if (!of) {
        Py_XDECREF((PyObject *)self);
        return PyErr_NoMemory();
    }
    self->state = state;
    self->of = of;
    self->label = label == Py_None ? NULL : Py_NewRef(label);
    self->max_time = max_time;
    self->min_duration = min_duration;
    self->log_bytes = log_bytes;
    *of = (scope){.references = 1,
                  .everyone = everyone,
                  .args = with_args,
                  .results = results,
                  .repr = repr,
                  .c_calls = c_calls,
                  .memory = memory,
                  .filter_number = -1,
                  .max_depth = max_depth,
                  .max_repr = max_repr < CALLS_REPR_MAX ? max_repr : CALLS_REPR_MAX,
                  .max_calls = max_calls ? max_calls : UINT64_MAX,
                  .serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED)};
    of->filter_number = filter_take(state, include, ignore, redact);
    if (of->filter_number < 0) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    of->filter = UINT32_C(1) << of->filter_number;
    return (PyObject *)self;
}

static void scope_dealloc(PyObject *object) {
    scope_object *self = (scope_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    scope *of = self->of;
    if (of && of->open)
        scope_close(self);
    else if (of && of->filter_number >= 0 && !self->was_opened)
        filter_drop(of->filter_number);
    Py_XDECREF((PyObject *)self->mark);
    Py_XDECREF(self->label);
    if (of && of->log) {
        marey__call_log_close(of->log);
        of->log = NULL;
    }
    if (of)
        scope_drop(of);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef scope_methods[] = {
    {"open", method_open, METH_NOARGS, NULL},   {"enter", method_enter, METH_NOARGS, NULL},
    {"leave", method_leave, METH_NOARGS, NULL}, {"close", method_close, METH_NOARGS, NULL},
    {"bytes", method_bytes, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyGetSetDef scope_getset[] = {
    {"call_count", get_call_count, NULL, NULL, NULL}, {"skipped", get_skipped, NULL, NULL, NULL},
    {"limit", get_limit, NULL, NULL, NULL},           {"lost", get_lost, NULL, NULL, NULL},
    {"is_open", get_is_open, NULL, NULL, NULL},       {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot scope_slots[] = {{Py_tp_new, (void *)scope_new},
                                    {Py_tp_dealloc, (void *)scope_dealloc},
                                    {Py_tp_methods, scope_methods},
                                    {Py_tp_getset, scope_getset},
                                    {0, NULL}};

PyType_Spec scope_spec = {"marey._marey.Scope", sizeof(scope_object), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, scope_slots};
