/* The recorder of calls: what its files share.
 *
 *   calls.c           what the hooks tell becomes slices: calls begin
 *   calls_end.c       and end
 *   calls_thread.c    a thread's calls that are open
 *   calls_scope.c     marey.calls' scopes: opened, entered, left, closed
 *   calls_scope_object.c  the object of Python
 *   calls_place.c     which scopes see what a thread does, and on which lane of each it happens
 *   calls_site.c      what is known of a code object: its name, its parameters, which filters want it
 *   calls_filter.c    include, ignore, redact
 *   calls_value.c     arguments, results and exceptions as short texts, without running any code of theirs
 *   calls_memory.c    how much memory a call leaves behind, where a scope wants that
 *   calls_pieces.c    generators and coroutines: which invocation a piece is of
 *
 * Whose is what. A scope is shared by its Python object, by the contexts that it was entered in, and by the calls that it
 * has begun and not ended; references count them. Its log goes with the Python object. A lane belongs to its scope, and is
 * used by one thread at a time. A call_thread belongs to its thread. All run with the interpreter's lock; where
 * there is none, calls_lock stands for it.
 *
 * One interpreter at a time has scopes. */
#ifndef MAREY_CALLS_H
#define MAREY_CALLS_H

#include "face.h"
#include "hook.h"
#include "trace/call.h"

enum {
    CALLS_SINKS_MAX = 16,       /* scopes that see one call */
    CALLS_EVERYONE_MAX = 8,     /* of them, open at a time, with threads="all" */
    CALLS_FILTERS_MAX = 32,     /* different ones at a time */
    CALLS_DEPTH_MAX = 500,      /* of max_depth: a viewer shows 512 levels of a track */
    CALLS_REPR_MAX = 4096,      /* of max_repr */
    CALLS_PIECES_MAX = 1 << 20, /* generators and coroutines that are waiting and recorded */
    CALLS_TEXT = 8192,          /* bytes of all arguments of a call together */
};

typedef struct scope scope;

/* ----------------------------------------------------------------- filters */

/* Which functions a scope wants, and whose values it keeps out. Equal ones are one; its number is a bit of a site's `wanted`. */
typedef struct call_filter {
    PyObject *include, *ignore, *redact; /* tuples of bytes, sorted as given */
    uint32_t users;
    bool live; /* sites are asked about it */
} call_filter;

/* The filter's number, with one user more. -1 with an exception. The tuples hold bytes. */
int filter_take(face_state *state, PyObject *include, PyObject *ignore, PyObject *redact);
void filter_drop(int number);
/* Which of the live filters want a function of that module and file. */
uint32_t filters_wanting(const char *module, const char *file);
/* For which of them the values of that name are secret; all bits where everybody keeps them out. */
uint32_t filters_hiding(face_state *state, const char *name, size_t bytes);

/* ------------------------------------------------------------------- sites */

typedef struct call_parameter {
    uint32_t name;   /* with its stars */
    uint32_t hidden; /* filters_hiding */
    int index;       /* for hook_argument */
    bool is_self;    /* shown by its type */
} call_parameter;

struct call_site {
    uint32_t function;
    uint32_t wanted; /* filters */
    uint64_t serial; /* no other site of this process has it */
    bool in_pieces;  /* a generator or coroutine */
    int count;
    call_parameter parameters[];
};

/* The number of a C function. */
uint32_t site_of_c(PyObject *callable);

/* ------------------------------------------------------------------- scopes */

/* A thread, or an asyncio task, in a scope. */
typedef struct lane {
    scope *of;
    uintptr_t key;            /* of the thread or the task; 0: free */
    track_object *track;      /* of a task, held; NULL: a thread's */
    struct call_lane *in_log; /* NULL where the scope has no log */
    uint32_t depth;           /* recorded calls that are open */
    uint32_t innermost;       /* the last one's slot in its thread, + 1; 0: none */
} lane;

struct scope {
    uint32_t references;
    bool open, everyone;
    bool args, results, repr, c_calls, memory;
    bool simple;     /* no min_duration, no max_time, no memory */
    uint32_t filter; /* a bit */
    int filter_number;
    uint32_t max_depth, max_repr;
    uint64_t max_calls;
    uint64_t deadline, least; /* stamps: when max_time is over, how long min_duration is; 0: none */
    struct call_log *log;     /* NULL: into the session alone, or the Python object is gone */
    uint64_t serial;          /* no other scope of this process has it */
    uint64_t forks;           /* of the process that opened it */
    uint64_t call_count, skipped;
    const char *limit; /* what ended the recording, or else was reached first */
    lane **lanes;      /* a hash table */
    uint32_t lane_count, lane_room;
    marey_span slice; /* in the session */
    lane *slice_lane;
};

static inline scope *scope_hold(scope *of) {
    of->references++;
    return of;
}
void scope_free(scope *of);
static inline void scope_drop(scope *of) {
    if (UNLIKELY(--of->references == 0))
        scope_free(of);
}
/* Whether a limit ends the recording. The others leave calls out, here and there. */
static inline bool limit_ends(const char *limit) {
    return strcmp(limit, "max_depth") != 0 && strcmp(limit, "stack") != 0;
}
static inline void scope_limited(scope *of, const char *limit) {
    if (!of->limit || (!limit_ends(of->limit) && limit_ends(limit)))
        of->limit = limit;
}

/* What a context holds of a scope that was entered in it. */
typedef struct mark_object {
    PyObject_HEAD scope *of;
    struct mark_object *above;
} mark_object;

/* ------------------------------------------------------------------ threads */

/* A scope's part of a call that is open. */
typedef struct call_slot {
    lane *in;         /* its scope is held */
    uint32_t skipped; /* calls that limits left out, with this one their nearest caller */
    uint32_t before;  /* the lane's innermost until then */
    bool begun;       /* its begin is written */
} call_slot;

/* A call that is open and recorded. */
typedef struct call_running {
    marey_span token; /* in the session */
    uint64_t stamp;
    uint32_t function;
    uint32_t slots; /* where they begin */
    /* where its arguments begin, in call_thread.kept, for those that are written at its end */
    uint32_t kept;
    uint32_t kept_count;
    bool wants_memory; /* one of its scopes does */
    int64_t memory;    /* bytes that there were at its begin; at its end, how many more there are */
} call_running;

typedef struct call_thread {
    face_state *state;
    /* where it is: true as long as the key is */
    PyThreadState *thread;
    uint64_t key;
    uint32_t filters; /* of all sinks */
    int count;
    lane *sinks[CALLS_SINKS_MAX];
    marey_track *track; /* of the task; NULL: the thread's own */
    /* what is open */
    uint64_t generation; /* the hook's */
    call_running *running;
    uint32_t depth, room;
    call_slot *slots;
    uint32_t slot_count, slot_room;
    char *kept; /* what has to wait: marey_args and their texts */
    uint32_t kept_used, kept_room;
    int32_t tid;
} call_thread;

/* changes with everything that changes a thread's place and is not seen in its context */
extern uint64_t calls_epoch;
extern uint64_t calls_forks;    /* times that this process is a fork's child */
extern face_state *calls_state; /* of the interpreter that has scopes, or NULL */

void place_renew(hook_thread *thread, call_thread *self, PyThreadState *now, uint64_t key);

/* Sees to it that self->sinks are those of here and now. Both epochs only grow, so their sum changes with each. */
static inline void place_look(hook_thread *thread, call_thread *self) {
    PyThreadState *now = thread_state();
    uint64_t key = now->context_ver + now->id * UINT64_C(0x9E3779B97F4A7C15) +
                   (__atomic_load_n(&calls_epoch, __ATOMIC_RELAXED) +
                    __atomic_load_n(&task_epoch, __ATOMIC_RELAXED)) *
                       UINT64_C(0xC2B2AE3D27D4EB4F);
    if (UNLIKELY(self->thread != now || self->key != key))
        place_renew(thread, self, now, key);
}

static inline void calls_changed(void) {
    __atomic_fetch_add(&calls_epoch, 1, __ATOMIC_RELAXED);
}

/* For scopes of all threads. 0, or -1 with an exception. */
int everyone_add(scope *of);
void everyone_remove(scope *of);
/* The lane of the thread, or of the task that it runs, in a scope; NULL where memory is short. */
lane *lane_here(scope *of, call_thread *self, track_object *track);
void lanes_free(scope *of);

/* The calling thread's. NULL where memory is short. */
call_thread *call_thread_here(hook_thread *thread);
/* The calls of this thread that are open in the scope end there, as such that went on. */
void calls_end_open(call_thread *self, scope *of);

/* ------------------------------------------------------------------- pieces */

/* An invocation of a generator or coroutine that waits, or runs. */
typedef struct invocation {
    const void *frame;
    uint64_t site;   /* its serial */
    uint64_t number; /* no other of this process has it */
    uint32_t step;
    int64_t memory;     /* what its pieces so far have left behind */
    uint32_t count;     /* scopes that have its beginning */
    uint64_t serials[]; /* theirs */
} invocation;

extern uint32_t pieces_count;
invocation *pieces_find(const void *frame, const call_site *site);
/* A new one, in place of whatever stood there. NULL: memory is short, or there are too many. */
invocation *pieces_add(const void *frame, const call_site *site, uint32_t count);
void pieces_forget(const void *frame);
void pieces_clear(void);
bool invocation_is_of(const invocation *self, const scope *of);

/* ------------------------------------------------------------------- values */

/* The arguments of an event, on the C stack. */
typedef struct call_values {
    face_state *state;
    uint32_t filter; /* bits: whose secrets are kept out */
    uint32_t most;   /* bytes of a value */
    bool repr;
    uint32_t count;
    uint32_t used;
    marey_arg args[MAREY_ARGS_MAX + 4];
    char text[CALLS_TEXT];
} call_values;

void call_value_add(call_values *v, uint32_t name, PyObject *value, bool by_type);
void call_value_add_text(call_values *v, uint32_t name, const char *text);
void call_value_add_number(call_values *v, uint32_t name, uint64_t number);
/* An exception, or the class of one. */
void call_value_add_exception(call_values *v, uint32_t name, PyObject *exception);

/* ------------------------------------------------------------------- memory */

/* tracemalloc is wanted from now on. 0, or -1 with an exception. */
int memory_start(void);
void memory_stop(void);
/* The interpreter ends: nobody wants it any more. */
void memory_fini(void);
/* Bytes that it counts. No exception. */
int64_t memory_now(void);

/* ------------------------------------------------------------------- module */

extern PyType_Spec scope_spec, mark_spec;
/* Once a process. */
void scopes_start(void);
/* The module goes: what is open is no more. */
void scopes_fini(face_state *state);

/* Where there is no GIL, one thread at a time records calls. */
#ifdef Py_GIL_DISABLED
void calls_lock(void);
void calls_unlock(void);
#else
static inline void calls_lock(void) {}
static inline void calls_unlock(void) {}
#endif

#endif
