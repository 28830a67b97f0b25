/* Which scopes see what a thread does: those that were entered in its context, and those of all threads.
 *
 * The context variable of the module holds the mark of the innermost scope that was entered, which leads to those around it.
 * Tasks, and what asyncio.to_thread runs, have copies of the context that they were made in; so they are seen by the scopes that made
 * them, and by no other. A scope that is closed stays in the contexts that have it, and is passed over.
 *
 * Looking all this up takes a few hundred nanoseconds, so each thread keeps the answer with a key of all that can change it:
 * as task.c does, from which the running task comes. */
#include "calls.h"

#include <stdlib.h>
#include <sys/prctl.h>

uint64_t calls_epoch = 1;

static scope *everyone[CALLS_EVERYONE_MAX];
static int everyone_count;

int everyone_add(scope *of) {
    if (everyone_count == CALLS_EVERYONE_MAX) {
        PyErr_Format(PyExc_RuntimeError,
                     "more than %d scopes with threads=\"all\" are open at a time",
                     CALLS_EVERYONE_MAX);
        return -1;
    }
    everyone[everyone_count++] = of;
    calls_changed();
    return 0;
}

void everyone_remove(scope *of) {
    for (int i = 0; i < everyone_count; i++)
        if (everyone[i] == of)
            everyone[i--] = everyone[--everyone_count];
    calls_changed();
}

/* -------------------------------------------------------------------- lanes */

/* Of a thread: odd, 1 more for what its tasks are shown below. Of a task: its track's address. */
static uintptr_t key_of_thread(int32_t tid) {
    return (uintptr_t)tid << 2 | 1;
}

static uintptr_t key_of_group(int32_t tid) {
    return (uintptr_t)tid << 2 | 3;
}

static lane **lane_place(lane **lanes, uint32_t room, uintptr_t key) {
    uint32_t at = (uint32_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (room - 1);
    while (lanes[at] && lanes[at]->key != key)
        at = (at + 1) & (room - 1);
    return &lanes[at];
}

static bool lanes_grow(scope *of) {
    uint32_t wanted = of->lane_room ? 2 * of->lane_room : 8;
    lane **larger = calloc(wanted, sizeof(lane *)); /* NOLINT(*-sizeof-expression) */
    if (!larger)
        return false;
    for (uint32_t i = 0; i < of->lane_room; i++)
        if (of->lanes[i])
            *lane_place(larger, wanted, of->lanes[i]->key) = of->lanes[i];
    free(of->lanes);
    of->lanes = larger;
    of->lane_room = wanted;
    return true;
}

/* The lane of that key. Where there is none yet, one without a place in the log, and *made is set. NULL: memory is short. */
static lane *lane_find(scope *of, uintptr_t key, bool *made) {
    *made = false;
    if (of->lane_count >= of->lane_room / 2 && !lanes_grow(of))
        return NULL;
    lane **place = lane_place(of->lanes, of->lane_room, key);
    if (!*place) {
        *place = calloc(1, sizeof **place);
        if (!*place)
            return NULL;
        **place = (lane){.of = of, .key = key};
        *made = true;
        of->lane_count++;
    }
    return *place;
}

/* As Python calls the thread, else the system. */
static void name_thread(face_state *state, char *name, size_t room) {
    PyObject *known = task_thread_name(state);
    size_t bytes;
    const char *text = known ? text_utf8(known, name, room - 1, &bytes) : NULL;
    if (text) {
        bytes = bytes < room ? bytes : room - 1;
        memmove(name, text, bytes);
        name[bytes] = 0;
    } else {
        char comm[16] = "";
        prctl(PR_GET_NAME, comm);
        snprintf(name, room, "%s", comm);
    }
    Py_XDECREF(known);
}

static lane *lane_of_thread(scope *of, const call_thread *self) {
    bool made;
    lane *found = lane_find(of, key_of_thread(self->tid), &made);
    if (found && made && of->log) {
        char name[64];
        name_thread(self->state, name, sizeof name);
        found->in_log = marey__call_lane(of->log, NULL, self->tid, name);
    }
    return found;
}

static lane *lane_of_group(scope *of, const call_thread *self) {
    bool made;
    const lane *thread = lane_of_thread(of, self);
    lane *found = thread ? lane_find(of, key_of_group(self->tid), &made) : NULL;
    if (found && made)
        found->in_log = marey__call_lane(of->log, thread->in_log, 0, "asyncio");
    return found;
}

static lane *lane_of_task(scope *of, const call_thread *self, track_object *track) {
    char name[128];
    bool made;
    lane *found = lane_find(of, (uintptr_t)track, &made);
    if (!found || !made)
        return found;
    found->track = (track_object *)Py_NewRef((PyObject *)track);
    const lane *group = lane_of_group(of, self);
    size_t bytes;
    const char *text = text_utf8(track->name, name, sizeof name - 1, &bytes);
    bytes = bytes < sizeof name ? bytes : sizeof name - 1;
    memmove(name, text, bytes);
    name[bytes] = 0;
    if (group)
        found->in_log = marey__call_lane(of->log, group->in_log, 0, name);
    return found;
}

/* A scope without a log tells tasks apart by the session's tracks alone. */
lane *lane_here(scope *of, call_thread *self, track_object *track) {
    lane *found = track && of->log ? lane_of_task(of, self, track) : lane_of_thread(of, self);
    return found && (found->in_log || !of->log) ? found : NULL;
}

void lanes_free(scope *of) {
    for (uint32_t i = 0; i < of->lane_room; i++) {
        if (!of->lanes[i])
            continue;
        Py_XDECREF((PyObject *)of->lanes[i]->track);
        free(of->lanes[i]);
    }
    free(of->lanes);
    of->lanes = NULL;
    of->lane_room = of->lane_count = 0;
}

/* -------------------------------------------------------------------- place */

static void add_sink(call_thread *self, scope *of, track_object *track) {
    if (!of->open || self->count == CALLS_SINKS_MAX || (of->log && of->forks != calls_forks))
        return;
    lane *in = lane_here(of, self, track);
    if (!in)
        return;
    self->sinks[self->count++] = in;
    self->filters |= of->filter;
}

static void add_contexts(call_thread *self, track_object *track) {
    PyObject *found = NULL;
    if (PyContextVar_Get(self->state->calls_var, NULL, &found) < 0)
        PyErr_Clear();
    if (found && Py_IS_TYPE(found, self->state->mark_type))
        for (mark_object *mark = (mark_object *)found; mark; mark = mark->above)
            add_sink(self, mark->of, track);
    Py_XDECREF(found); /* the context holds it as long as the key is true */
}

void place_renew(hook_thread *thread, call_thread *self, PyThreadState *now, uint64_t key) {
    bool busy = thread->busy;
    thread->busy = true; /* asyncio is asked, and tasks for their names */
    self->thread = now;
    self->key = key;
    self->count = 0;
    self->filters = 0;
    track_object *track = task_track(self->state);
    self->track = track ? track->track : NULL;
    for (int i = 0; i < everyone_count; i++)
        add_sink(self, everyone[i], track);
    add_contexts(self, track);
    thread->busy = busy;
}
