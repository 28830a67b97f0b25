/* Spans entered and left: while nothing records, that is one load and a compare each.
 *
 * An object may be entered again while it is entered (recursion, threads and tasks that share it): each entering is a
 * span_open. Leaving closes the latest one of the same thread and track. The first has its place in the object.
 *
 * Without the GIL an object's lock orders who enters and leaves it. */
#include "span.h"

static const options_form set_form = {"set", {OPTION_FLOW}, 0, 1u << OPTION_FLOW};

/* One more place. NULL without memory: that entering is not recorded. */
static span_open *span_push(span_object *span) {
    if (span->open && span->open - 1 == span->deeper_room) {
        uint32_t room = span->deeper_room ? 2 * span->deeper_room : 4;
        span_open *deeper = PyMem_Realloc(span->deeper, room * sizeof *deeper);
        if (!deeper)
            return NULL;
        span->deeper = deeper;
        span->deeper_room = room;
    }
    span_open *open = span_at(span, span->open++);
    *open = (span_open){.from = &task_place};
    return open;
}

/* The begin comes first: what it reads may run the standard library's code, or a finalizer, that enters this span. */
static NOINLINE void span_enter_slow(span_object *span) {
    marey_span token = {0};
    track_object *on = span_wanted(span) ? event_begin(span, &token, NULL, NULL, 0)
                       : span->track     ? span->track
                                         : task_track(span->state);
    Py_XINCREF((PyObject *)on);
    span_open *open = span_push(span);
    if (!open) {
        marey__span_end(&token);
        Py_XDECREF((PyObject *)on);
        return;
    }
    open->token = token;
    open->on = on;
}

static inline void span_begin(span_object *span) {
    track_object *on = task_track(span->state);
    if (UNLIKELY(span->rich || span->open || (on && on->flow))) {
        span_enter_slow(span);
        return;
    }
    marey__span_begin(&span->first.token, NULL, on ? on->track : NULL, span_id(span), NULL, 0);
    span->first.on = (track_object *)Py_XNewRef((PyObject *)on);
    span->first.from = &task_place;
    span->open = 1;
}

PyObject *span_enter(span_object *span) {
    LOCK_OBJECT(span);
    if (marey_recording()) {
        span_begin(span);
    } else if (UNLIKELY(span->open)) {
        span_push(span);
    } else { /* noted as well, so that its leaving is not taken for that of another entering */
        span->first.from = &task_place;
        span->open = 1;
    }
    UNLOCK_OBJECT();
    return Py_NewRef((PyObject *)span);
}

/* Which entering a leaving belongs to: the latest of this thread and task, those included that were made while nothing
 * was recorded; else the latest of all, which was begun elsewhere. */
static uint32_t span_latest(span_object *span) {
    if (span->open == 1)
        return 0;
    const track_object *on = span->track ? span->track : task_track(span->state);
    for (uint32_t i = span->open; i-- > 0;) {
        const span_open *open = span_at(span, i);
        if (open->from == &task_place && (open->on == on || (!open->on && !open->token.depth)))
            return i;
    }
    return span->open - 1;
}

/* Takes one entering out. The caller owns what *taken holds. */
static void span_take(span_object *span, uint32_t index, span_open *taken) {
    *taken = *span_at(span, index);
    for (uint32_t i = index; i + 1 < span->open; i++)
        *span_at(span, i) = *span_at(span, i + 1);
    *span_at(span, --span->open) = (span_open){0};
}

static NOINLINE void span_leave_slow(span_object *span, PyObject *exception) {
    span_open taken;
    task_track(span->state); /* this thread's first event, maybe: it gets its name */
    span_take(span, span_latest(span), &taken);
    if (taken.token.depth)
        event_end(span->state, &taken.token, NULL, exception, taken.results);
    Py_XDECREF(taken.on);
    Py_XDECREF(taken.results);
}

static inline void span_end(span_object *span, PyObject *exception) {
    span_open *first = &span->first;
    if (UNLIKELY(span->open != 1 || exception || first->results || first->from != &task_place)) {
        span_leave_slow(span, exception);
        return;
    }
    if (LIKELY(first->token.depth)) {
        marey__span_end(&first->token);
        first->token = (marey_span){0};
    }
    span->open = 0;
    track_object *on = first->on;
    first->on = NULL;
    Py_XDECREF((PyObject *)on);
}

PyObject *span_exit(span_object *span, PyObject *const *args, Py_ssize_t count) {
    PyObject *exception = count >= 2 && args[1] != Py_None ? args[1] : NULL;
    if (exception && !PyExceptionInstance_Check(exception))
        exception = NULL;
    LOCK_OBJECT(span);
    if (span->open)
        span_end(span, exception);
    UNLOCK_OBJECT();
    return Py_NewRef(Py_None);
}

/* --------------------------------------------------------------------- set */

static int span_collect(span_object *span, PyObject *const *items, PyObject *kwnames) {
    span_open *open = span_at(span, span_latest(span));
    if (!open->token.depth)
        return 0;
    if (!open->results && !(open->results = PyDict_New()))
        return -1;
    span_track(span);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *key = PyTuple_GET_ITEM(kwnames, i);
        int is_flow = options_which(span->state, &set_form, key) == OPTION_FLOW;
        PyObject *value = is_flow ? flow_argument(span->state, items[i]) : Py_NewRef(items[i]);
        int failed = !value || PyDict_SetItem(open->results, key, value) < 0;
        Py_XDECREF(value);
        if (failed)
            return -1;
    }
    return 0;
}

void span_add_results(span_object *span, PyObject *results) {
    LOCK_OBJECT(span);
    span_open *open = span->open ? span_at(span, span_latest(span)) : NULL;
    if (open && open->token.depth) {
        span_track(span);
        if (!open->results)
            open->results = Py_NewRef(results);
        else if (PyDict_Update(open->results, results) < 0)
            PyErr_Clear();
    }
    UNLOCK_OBJECT();
}

PyObject *span_set(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *kwnames) {
    span_object *span = (span_object *)self;
    if (count) {
        PyErr_SetString(PyExc_TypeError, "set() takes keyword arguments only");
        return NULL;
    }
    int result = 0;
    LOCK_OBJECT(self);
    if (span->open && kwnames)
        result = span_collect(span, args, kwnames);
    UNLOCK_OBJECT();
    if (result < 0)
        return NULL;
    return Py_NewRef(Py_None);
}
