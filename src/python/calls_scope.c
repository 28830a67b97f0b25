/* A scope: what `with marey.calls(...)` opens and closes. The Python around it (marey/_calls.py) has checked the options.
 *
 *   open     the log is made, the hook is on, the slice around the calls begins
 *   enter    what runs in this context from now on is seen ...
 *   leave    ... and no longer; a generator enters for each of its pieces
 *   close    the calls that go on are ended, the slice ends, the hook is let go of; what was recorded stays
 *
 * Leaving and closing may happen in another context, or thread, than entering: then the mark stays where it is, and is passed
 * over. A forked child has no part in the scopes of its parent: they record nothing more there. */
#include "calls_scope.h"

#include <pthread.h>
#include <stdlib.h>

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

int scope_enter(scope_object *self) {
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
void scope_leave(scope_object *self) {
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

int scope_open(scope_object *self) {
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

void scope_close(scope_object *self) {
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
