/* Spans of Python: the object, its entering and leaving, and the options that it shares with other events. */
#ifndef MAREY_PYTHON_SPAN_H
#define MAREY_PYTHON_SPAN_H

#include "face.h"

/* ----------------------------------------------------------------- options */

/* What a call of span, instant, begin ... takes beside the arguments of the event. */
enum option { OPTION_CATEGORY, OPTION_TRACK, OPTION_FLOW, OPTION_TS, OPTION_COUNT };

typedef struct event_options {
    marey_category *category; /* NULL: none */
    track_object *track;      /* borrowed; NULL: none */
    PyObject *flow;           /* owned: a Flow, a tuple of them, or NULL */
    uint64_t ts;
} event_options;

/* How a function takes them: `positional` after its name, in that order; `keywords` is a mask of 1 << option. */
typedef struct options_form {
    const char *function;
    unsigned char positional[OPTION_COUNT];
    int positional_count;
    unsigned keywords;
} options_form;

/* Reads them from a vectorcall; args starts behind the name. 0, or -1 with an exception. options_fini in any case. */
int options_read(face_state *state, const options_form *form, PyObject *const *args,
                 Py_ssize_t count, PyObject *kwnames, event_options *options);
void options_fini(event_options *options);
/* The enum option that a keyword names, if the form takes it; else -1: an argument of the event. */
int options_which(face_state *state, const options_form *form, PyObject *keyword);
/* Adds the flow and all keywords that are no options. */
void options_add(values *v, const options_form *form, const event_options *options,
                 PyObject *const *kwvalues, PyObject *kwnames);
/* The first argument of a call, which has to be a str. Borrowed; NULL with an exception. */
PyObject *options_name(const char *function, PyObject *const *args, Py_ssize_t count);

/* ------------------------------------------------------------------- spans */

/* One entering of a span that is not yet left. */
typedef struct span_open {
    marey_span token;
    track_object *on;         /* owned. NULL: the thread's own track */
    const thread_place *from; /* the thread that began it */
    PyObject *results;        /* dict of what set() collected, or NULL */
} span_open;

enum { SPAN_VALUES = 4 }; /* arguments that a span object has room for */

/* What stands for a span's __enter__ or __exit__ while that is held: see way.c. */
typedef struct span_half {
    PyObject_HEAD vectorcallfunc called;
    Py_ssize_t offset; /* of this half in its span */
} span_half;

/* With what the garbage collector puts before an object of its own: two words, in every CPython with the GIL. */
typedef struct span_half_of_gc {
    uintptr_t gc_head[2];
    span_half half;
} span_half_of_gc;

struct span_object {
    PyObject_HEAD PyObject *name;
    face_state *state;
    uint32_t id;   /* of the name; 0: not asked yet */
    uint32_t open; /* entered and not left */
    span_open first;
    span_open *deeper; /* the second entering and on */
    uint32_t deeper_room;
    bool rich;                /* any of the following is set */
    bool tracked;             /* the garbage collector knows it */
    marey_category *category; /* NULL: none */
    track_object *track;      /* NULL: where the thread is */
    PyObject *flow;           /* a Flow, a tuple of them, or NULL */
    marey_source *source;     /* where the traced function stands */
    PyObject *kwnames;        /* tuple of the arguments' names, or NULL */
    PyObject **kwvalues;      /* as many; NULL for options */
    PyObject *inlined[SPAN_VALUES];
    span_half_of_gc enter, exit; /* not alive while nobody holds them */
};

/* A span object with nothing but a name. NULL with an exception. */
span_object *span_make(face_state *state, PyObject *name);
/* One with the properties and arguments of another one. NULL with an exception. */
span_object *span_like(const span_object *other);
/* Gives it arguments, in place of those that it has. `items` may hold NULLs. 0, or -1 with an exception. */
int span_set_arguments(span_object *span, PyObject *names, PyObject *const *items);
void span_clear_arguments(span_object *span);
/* As its set(): a dict, which is the span's from now on. Leaves no exception. */
void span_add_results(span_object *span, PyObject *results);
void span_free_list_clear(face_state *state);
/* Whether the span is to be recorded now. */
static inline bool span_wanted(const span_object *span) {
    return marey_recording() && (!span->category || marey_category_recording(span->category));
}
/* The number of its name. */
static inline uint32_t span_id(span_object *span) {
    uint32_t id = __atomic_load_n(&span->id, __ATOMIC_RELAXED);
    if (UNLIKELY(!id)) {
        id = names_id(span->state, span->name);
        __atomic_store_n(&span->id, id, __ATOMIC_RELAXED);
    }
    return id;
}

/* Begins a span where it belongs: its own track, the running task's, or the thread's. Adds what the span itself says
 * (flow, source, arguments) and `count` more arguments. Returns the track, borrowed, or NULL. */
track_object *event_begin(span_object *span, marey_span *token, PyObject *const *names,
                          PyObject *const *items, Py_ssize_t count);
/* Ends it, with a result, an exception (each may be NULL) and a dict of arguments (may be NULL). */
void event_end(face_state *state, marey_span *token, PyObject *result, PyObject *exception,
               PyObject *results);

/* From now on the object can be part of a cycle. */
void span_track(span_object *span);
/* The first entering of it, or one of those within that. */
static inline span_open *span_at(span_object *span, uint32_t index) {
    return index ? &span->deeper[index - 1] : &span->first;
}

PyObject *span_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
/* What `with` does. __exit__ may be called with less than its three arguments. */
PyObject *span_enter(span_object *span);
PyObject *span_exit(span_object *span, PyObject *const *args, Py_ssize_t count);
/* Gives the type of spans its __enter__ and __exit__. 0, or -1 with an exception. */
int way_add_both(face_state *state);
/* Tells the garbage collector of those that are held, when it has been told of the span. */
void way_track_halves(span_object *span);
/* Makes a new span ready for them. */
void way_init_halves(span_object *span);
/* The method set(). */
PyObject *span_set(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *kwnames);

#endif
