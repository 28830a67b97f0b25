/* The extension module marey._marey: what its files share.
 *
 *   module.c   the module, sessions            names.c    Python text to names, categories, secrets
 *   span.c     marey.span: the object          value.c    Python values to arguments
 *   span_enter.c  entered and left             way.c      __enter__ and __exit__ of a span
 *   traced.c   marey.traced                    argument.c the arguments of an event
 *   pieces.c   marey.traced for generators     text.c     Python objects to short texts
 *   track.c    marey.track                     event.c    instants, and what spans and tracks share
 *   counter.c  marey.counter                   task.c     where a thread is: itself, or an asyncio task
 *   flow.c     marey.flow                      gc.c       pauses of the garbage collector
 *   category.c marey.Category                  session.c  open, join, close, snapshot, status
 *   forest.c   what was recorded of calls      call.c     one of them
 *   chrome_*.c lines of Chrome's JSON, spans as such
 *   reading*.c a whole trace                   model_value.c  its texts and arguments
 *   sampler.c  marey.Sampler, on profiler.c    dump.c     marey.dump, on dumper.c
 *   request*.c requests of web applications, see request.h
 *
 * page/ is another module, marey._page, which knows nothing of this one; both use versions.h and zlib.c.
 *
 * Everything is recorded through marey.h. All state hangs on the module (one for each interpreter), save what
 * the library keeps for ever anyway: categories and source locations, which belong to the process.
 * Nothing here raises for what the user hands over as a value; only a call of the wrong form does. */
#ifndef MAREY_FACE_H
#define MAREY_FACE_H

#include <stdbool.h>

#include "marey.h"
#include "versions.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE __attribute__((noinline))

/* -------------------------------------------------------------- exceptions */

/* An exception set aside while something is recorded, and put back. */
typedef struct error_aside {
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *value;
#else
    PyObject *type, *value, *traceback;
#endif
} error_aside;

static inline void error_take(error_aside *aside) {
#if PY_VERSION_HEX >= 0x030C0000
    aside->value = PyErr_GetRaisedException();
#else
    PyErr_Fetch(&aside->type, &aside->value, &aside->traceback);
    if (aside->type)
        PyErr_NormalizeException(&aside->type, &aside->value, &aside->traceback);
#endif
}

static inline void error_put_back(error_aside *aside) {
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(aside->value);
#else
    PyErr_Restore(aside->type, aside->value, aside->traceback);
#endif
}

/* ------------------------------------------------------------------- state */

enum {
    NAMES_BITS = 11, /* of the cache of names: 2048 */
    /* characters of a name that is not interned and may be kept by the cache */
    NAME_KEPT_MAX = 128,
    FREE_SPANS_MAX = 64,   /* span objects kept for the next */
    COUNTERS_MAX = 4096,   /* counters remembered by name */
    CATEGORIES_MAX = 1024, /* of a process */
    SOURCES_MAX = 65536,   /* source locations of a process */
};

/* What is known of a str object. Found by its address; the cache owns a reference, so the address stays its own. */
typedef struct name_entry {
    PyObject *text;
    marey_category *category; /* NULL: not asked yet */
    uint32_t id;
    uint32_t secret; /* 0: not asked yet, 1: no, 2: yes */
} name_entry;

typedef struct span_object span_object;

typedef struct face_state {
    uint32_t id_exception, id_result, id_generation, id_collected, id_uncollectable, id_coroutine;
    uint32_t id_gc, id_create_task, id_more;
    PyTypeObject *span_type, *traced_type, *pieces_type, *track_type, *counter_type, *flow_type;
    PyTypeObject *category_type, *half_type, *sampler_type, *scope_type, *mark_type;
    PyObject *calls_var; /* ContextVar: the mark of the innermost scope of calls */
    PyTypeObject *forest_type, *call_type; /* see forest.h */
    PyTypeObject *reading_type, *column_type;
    PyTypeObject *times_type, *requests_type, *request_type; /* see request.h */
    PyTypeObject *way_type, *answer_type, *sized_answer_type;
    PyTypeObject *log_type, *chrome_span_type; /* see chrome_log.h */
    PyObject *chrome_log;                      /* in use, or NULL */
    span_object *free_spans;                   /* linked by `name` */
    int free_count;
    PyObject *word_category, *word_track, *word_flow, *word_ts, *word_parent, *word_step,
        *word_unit, *word_dur, *word_get_name, *word_get_coro, *word_qualname;
    PyObject *attribute_track, *group_key,
        *name_key;         /* where tasks and threads keep their tracks and names */
    PyObject *secrets;     /* tuple of bytes, lower case */
    PyObject *counters;    /* (name, unit, of nobody) -> counter */
    PyObject *task_tracks; /* WeakKeyDictionary for tasks without a __dict__, or NULL */
    PyObject *running_loop, *current_task; /* of asyncio, once it is imported */
    PyObject *gc_callback;
    PyObject *gc_owner; /* the track of the pause that is going on */
    marey_span gc_span;
    marey_category *gc_category, *asyncio_category;
    name_entry names[1 << NAMES_BITS];
} face_state;

static inline face_state *state_of_type(PyTypeObject *type) {
    return (face_state *)PyType_GetModuleState(type);
}

/* ------------------------------------------------------------------- names */

/* The number of a name; any str. Never fails. */
uint32_t names_id_slow(face_state *state, PyObject *text);

static inline name_entry *names_slot(face_state *state, PyObject *text) {
    uint64_t hash = ((uintptr_t)text >> 4) * UINT64_C(0x9E3779B97F4A7C15);
    return &state->names[hash >> (64 - NAMES_BITS)];
}

static inline uint32_t names_id(face_state *state, PyObject *text) {
    name_entry *entry = names_slot(state, text);
    if (LIKELY(__atomic_load_n(&entry->text, __ATOMIC_ACQUIRE) == text))
        return entry->id;
    return names_id_slow(state, text);
}

/* The category of that name, which lives as long as the process. Never NULL. */
marey_category *names_category(face_state *state, PyObject *text);
marey_category *category_find(const char *text, size_t bytes);
/* Calls visit for every category that the face has made. */
void category_each(void (*visit)(marey_category *, void *), void *context);
/* True where a parameter or key of that name is shown as "***". */
bool names_secret(face_state *state, PyObject *text);
bool names_secret_text(face_state *state, const char *text, size_t bytes);
/* Takes an iterable of str. 0, or -1 with an exception. */
int names_set_secrets(face_state *state, PyObject *names);
void names_clear(face_state *state);
/* A source location for as long as the process lives; equal ones are one. NULL where there are too many. */
marey_source *source_find(PyObject *file, PyObject *function, unsigned line);
/* Once a process: makes fork safe for what names.c shares between interpreters. */
void names_start(void);

/* -------------------------------------------------------------------- text */

/* The UTF-8 of a str as bytes without a NUL, for functions that take a C string. New reference; NULL with an exception. */
PyObject *text_bytes(PyObject *text);

/* A text being put together in a buffer; what does not fit is left away. */
typedef struct text_writer {
    char *at, *end;
} text_writer;

/* Whether the layout of a str may be read: false for one of the kind before 3.12 that there is no memory to convert. */
bool text_ready(PyObject *text);
/* The UTF-8 of a str: its own buffer where that is ASCII, else as many whole characters as fit into room bytes of
 * buffer; lone surrogates as three bytes. *bytes is the length. Never fails, never allocates. */
const char *text_utf8(PyObject *text, char *buffer, size_t room, size_t *bytes);
void text_put(text_writer *writer, const char *text, size_t bytes);
void text_puts(text_writer *writer, const char *text);
/* A short text of any object, made without running code of its own: text, numbers and None as they are, everything
 * else as <module.Type>. */
void text_put_object(text_writer *writer, PyObject *object);
/* "module.Type", without the module for builtins. */
void text_put_type(text_writer *writer, PyTypeObject *type);
/* "Type: message" of an exception; the message only as far as no code of the exception need run. */
void text_put_exception(text_writer *writer, PyObject *exception);

/* ------------------------------------------------------------------ values */

enum {
    VALUES_NESTING = MAREY_NESTING_MAX - 1, /* one more is the event's own level */
    VALUES_POOL = 192,                      /* entries of nested values, of one event */
    VALUES_TEXT = 4096,                     /* bytes of copied text on the stack ... */
    VALUES_MORE = 1 << 15,                  /* ... and then on the heap */
};

/* The arguments of one event. On the C stack; not across a call into Python. */
typedef struct values {
    face_state *state;
    size_t count; /* of top */
    size_t left;  /* arguments that found no place */
    size_t pool_used, text_used, more_used;
    char *more;
    int depth;
    const void *path[VALUES_NESTING]; /* the containers that we are in */
    marey_arg top[MAREY_ARGS_MAX];
    marey_arg pool[VALUES_POOL];
    char text[VALUES_TEXT];
} values;

void values_init(values *v, face_state *state);
void values_fini(values *v);
/* One argument of that name (an exact str). Never fails; leaves no exception. `value` must live until values_fini. */
void values_add(values *v, PyObject *name, PyObject *value);
void values_add_pairs(values *v, PyObject *names, PyObject *const *items);
void values_add_dict(values *v, PyObject *dict);
void values_add_named(values *v, uint32_t name, PyObject *value);
void values_add_exception(values *v, PyObject *exception);
void values_add_source(values *v, marey_source *source);
/* flow: a Flow, or a tuple of them, or NULL. */
void values_add_flow(values *v, PyObject *flow);
void values_add_flow_id(values *v, uint64_t flow);
/* Copies text, cut to what there is room for and no event would keep more of. */
const char *values_copy(values *v, const char *text, size_t *bytes);
/* To be called when all is added: says how many did not fit. */
void values_all_added(values *v);

/* Room for text, `most` bytes at most: on the stack first, then in one block of the heap. *room is what there is; what
 * of it is used has to be taken. */
char *values_text_room(values *v, size_t most, size_t *room);
void values_text_take(values *v, const char *at, size_t bytes);
/* Makes *out a value, without its name. nested: it lies in a container, which may change: its text is copied. */
void value_set(values *v, marey_arg *out, PyObject *value, bool nested);
void value_set_text(marey_arg *out, const char *text, size_t bytes);
/* "... (N more)" */
void value_set_more(values *v, marey_arg *out, size_t left);
/* The short text that `put` makes of an object. */
void value_set_short(values *v, marey_arg *out, PyObject *object,
                     void (*put)(text_writer *, PyObject *));

/* The text that value_set shows of an object which is no container. */
void value_put_other(text_writer *writer, PyObject *value);

/* ------------------------------------------------------------------ tracks */

typedef struct track_object {
    PyObject_HEAD marey_track *track;
    PyObject *name;
    PyObject *parent; /* a track, or NULL */
    uint64_t flow;    /* of a task: leads to its first event; 0 once that is recorded */
    PyObject *weakrefs;
} track_object;

/* A track below `parent` (a track_object), or below `place` where that is NULL. NULL with an exception. */
track_object *track_make(face_state *state, PyObject *name, track_object *parent,
                         marey_track *place);
/* What `parent=` takes: a Track, "process", "thread", "global", None. 0, or -1 with an exception. */
int track_parent(face_state *state, PyObject *given, track_object **parent, marey_track **place);
/* What `flow=` takes, checked: a new reference to a Flow or a tuple of Flows; NULL with an exception. */
PyObject *flow_argument(face_state *state, PyObject *given);
uint64_t flow_id(PyObject *flow, bool *end);
/* What `category=` takes: a str, a Category, None (then *category is NULL). 0, or -1 with an exception. */
int category_argument(face_state *state, PyObject *given, marey_category **category);
/* What `ts=` takes: None (MAREY_NOW) or nanoseconds. 0, or -1 with an exception. */
int time_argument(PyObject *given, uint64_t *time_ns);
PyObject *counter_open(face_state *state, PyObject *const *args, Py_ssize_t count,
                       PyObject *kwnames, PyObject *track);

/* ------------------------------------------------------------------- tasks */

/* Where a thread was when it last recorded. The key changes with everything that can change the answer: the thread
 * state, its context (each step of an asyncio task enters the task's own), and face_epoch. */
typedef struct thread_place {
    PyThreadState *thread;
    uint64_t key;
    track_object *track; /* borrowed: the running task holds it. NULL: the thread's own */
    uint64_t epoch;      /* task_epoch when the thread's name was last looked at */
    Py_hash_t name_hash; /* of the name that was given to the thread; 0: none */
} thread_place;

#ifdef __GLIBC__
#define THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define THREAD_LOCAL _Thread_local
#endif
extern THREAD_LOCAL thread_place task_place;
extern uint64_t task_epoch;

track_object *task_track_slow(face_state *state, PyThreadState *thread, uint64_t key);

/* The track of the asyncio task that this thread runs, borrowed; NULL: none, so the thread's own. Leaves no exception. */
static inline track_object *task_track(face_state *state) {
    PyThreadState *thread = thread_state();
    uint64_t key = thread->context_ver + thread->id * UINT64_C(0x9E3779B97F4A7C15) +
                   __atomic_load_n(&task_epoch, __ATOMIC_RELAXED) * UINT64_C(0xC2B2AE3D27D4EB4F);
    if (LIKELY(task_place.thread == thread && task_place.key == key))
        return task_place.track;
    return task_track_slow(state, thread, key);
}

/* Whether task_track would do no more than look for a task: the names of thread and process are known. */
bool task_is_settled(void);
/* Something changed that thread_place cannot see: a thread's name, a new session. */
void task_changed(void);
/* The user gave the calling thread, or the process, a name: it stands above what Python calls it. */
int task_thread_named(face_state *state, PyObject *name);
void task_process_named(void);
/* What the user, or threading, calls the calling thread. New reference, or NULL without an exception. */
PyObject *task_thread_name(face_state *state);
/* Once a process: a forked child is a new process. */
void task_start(void);
/* Notes that the running code has created `task`. */
void task_created(face_state *state, PyObject *task);

/* ------------------------------------------------------------------- types */

extern PyType_Spec span_spec, traced_spec, pieces_spec, track_spec, counter_spec, flow_spec;
extern PyType_Spec category_spec, sampler_spec;
extern PyType_Spec forest_spec, call_spec, reading_spec, column_spec;
extern PyType_Spec log_spec, chrome_span_spec;
extern PyType_Spec times_spec, requests_spec, request_spec;
extern PyType_Spec request_way_spec, answer_spec, sized_answer_spec;
PyObject *chrome_span_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *names);
/* use_log(ChromeLog | None) */
PyObject *chrome_log_use(PyObject *module, PyObject *log);

/* Functions of the module that live in other files. */
PyObject *event_instant(PyObject *module, PyObject *const *args, Py_ssize_t count,
                        PyObject *kwnames);
/* stack_text(frame, places: dict, stacks: dict, make) -> str */
PyObject *stack_text(PyObject *module, PyObject *args);
PyObject *event_instant_at(PyObject *module, PyObject *args);
PyObject *track_new(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *kwnames);
PyObject *counter_new(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *kwnames);
PyObject *gc_start(PyObject *module, PyObject *unused);
PyObject *gc_stop(PyObject *module, PyObject *unused);
PyObject *category_list(PyObject *module, PyObject *unused);
/* An attribute of a module that is imported already, or NULL. New reference; leaves no exception. */
PyObject *python_find(const char *module, const char *name);
/* A new object of a type of the module's state. NULL with an exception, also where the interpreter is ending and the
 * type is no more. */
void *type_make(PyTypeObject *type);
void *type_gone(void);
/* The tp_new of types whose objects are made by functions. */
PyObject *type_refuse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
/* load_calls(data: bytes-like | None, path: bytes | None) -> Forest, or (code, text, hint). */
PyObject *forest_load(PyObject *module, PyObject *args);
/* load_trace(data: bytes-like | None, path: bytes | None, arguments: bool) -> Reading, or (code, text, hint). */
PyObject *reading_load(PyObject *module, PyObject *args);
PyObject *session_open(PyObject *module, PyObject *args);
PyObject *session_join(PyObject *module, PyObject *path);
PyObject *session_close(PyObject *module, PyObject *unused);
PyObject *session_snapshot(PyObject *module, PyObject *path);
PyObject *session_cut(PyObject *module, PyObject *args);
PyObject *session_status(PyObject *module, PyObject *unused);
PyObject *session_statistics(PyObject *module, PyObject *interval_ms);
/* None for 0, else (code, text, hint): marey/_record.py makes it an exception. */
PyObject *outcome(int code);
PyObject *dump_now(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *dump_on(PyObject *module, PyObject *args);
PyObject *dump_json(PyObject *module, PyObject *unused);
PyObject *dump_off(PyObject *module, PyObject *signal);
PyObject *dump_after_fork(PyObject *module, PyObject *unused);

#endif
