/* Marey: see what a program does. One Perfetto trace file, whole at every instant.
 *
 *   #include <marey.h>
 *   marey_open("app.perfetto-trace", NULL);          // or joins $MAREY_TRACE by itself, on first use
 *   {
 *       MAREY_SPAN("parse", MAREY_STR("path", path)); // ends with the scope
 *       marey_instant("retry", MAREY_I64("attempt", 2));
 *   }
 *   marey_begin("load");
 *   marey_end(MAREY_I64("rows", n));
 *   marey_close();
 *
 * Index
 *   session      marey_open marey_join marey_close marey_snapshot marey_status marey_strerror marey_hint
 *   spans        MAREY_SPAN MAREY_SPAN_IN marey_begin marey_end marey_instant marey_instant_in
 *   arguments    MAREY_BOOL MAREY_I64 MAREY_U64 MAREY_F64 MAREY_STR MAREY_STRN MAREY_PTR MAREY_DICT
 *                MAREY_ARRAY MAREY_HERE MAREY_FLOW_OUT MAREY_FLOW_IN MAREY_FLOW_END
 *   tracks       marey_track_open marey_track_begin marey_track_end marey_track_instant
 *   counters     marey_counter_open marey_counter_set marey_counter_add marey_track_counter
 *   flows        marey_flow_new marey_flow_out marey_flow_in marey_flow_end
 *   categories   MAREY_CATEGORY marey_category_enable marey_categories
 *   names        marey_process_name marey_thread_name marey_attribute_text marey_attribute_number
 *   more         marey_now_ns marey_statistics_start marey_statistics_stop
 *
 * Rules
 *   - A recording call returns nothing that can fail: it never blocks, never allocates once its thread is
 *     warm, and what it cannot keep it counts (marey_status, and a counter track in the trace).
 *   - Any thread may record. No call is async-signal-safe except where it says so: an event recorded by a
 *     signal handler that interrupted the recording of another one is dropped and counted.
 *   - Text is UTF-8; what is not, and NUL, is replaced. Names longer than MAREY_NAME_MAX and text values
 *     longer than MAREY_TEXT_MAX bytes are cut and end in "...".
 *   - Times are nanoseconds of CLOCK_MONOTONIC.
 *   - C11 with GNU extensions (statement expressions), by gcc or clang. From C++ the functions are there,
 *     the macros with arguments are not. */
#ifndef MAREY_H
#define MAREY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAREY_VERSION "0.1.0"

#if defined(__GNUC__)
#define MAREY_API __attribute__((visibility("default")))
#else
#define MAREY_API
#endif

/* Named limits. */
enum {
    MAREY_NAME_MAX = 512,     /* bytes of a name or a category */
    MAREY_TEXT_MAX = 4096,    /* bytes of a text argument */
    MAREY_DEPTH_MAX = 512,    /* open spans of a track; deeper ones are counted, not kept */
    MAREY_ARGS_MAX = 64,      /* arguments of an event, and entries of a dict or array */
    MAREY_NESTING_MAX = 16,   /* dicts within dicts */
    MAREY_PACKET_MAX = 32768, /* bytes of one event with its arguments */
    MAREY_NAMES_MAX = 32767,  /* different names of a process; see marey_name_id */
};

/* ------------------------------------------------------------------ errors */

/* Codes are negative. X(name, value, text, hint). */
#define MAREY_ERRORS(X)                                                                                               \
    X(MAREY_ENOENT, -2, "no such file or directory", "create the directory first, or name another one")               \
    X(MAREY_EACCES, -3, "permission denied", "choose a file or directory that you may write")                         \
    X(MAREY_ENOSPC, -4, "no space left on the device", "free some space, or record into a ring with a size")          \
    X(MAREY_EIO, -5, "input/output error", "see the system log")                                                      \
    X(MAREY_ENOMEM, -6, "out of memory or address space", "raise the memory limit")                                   \
    X(MAREY_EINVAL, -7, "invalid argument", "see the function's documentation")                                       \
    X(MAREY_EBUSY, -8, "this process is recording already", "close the recording that is on, or join it")             \
    X(MAREY_EOFF, -9, "nothing is being recorded", "open a recording first")                                          \
    X(MAREY_ENOTFILE, -10, "not a regular file", "a trace is mapped into memory: it must be a regular file")          \
    X(MAREY_EFOREIGN, -11, "not a recording of this version of Marey", "every process needs the same Marey")          \
    X(MAREY_ECLOSED, -12, "that recording has ended", "start a new one")                                              \
    X(MAREY_ELIMIT, -13, "a limit was reached", "raise the limit")                                                    \
    X(MAREY_EMAP, -14, "the file system cannot map files for writing", "record to another file system")               \
    X(MAREY_ENOPROCESS, -15, "no such process", "it has ended, or its number is another one")                         \
    X(MAREY_EPTRACE, -16, "this process may not be read",                                                             \
      "run as root, or allow reading it (CAP_SYS_PTRACE, ptrace scope)")                                              \
    X(MAREY_EADDRESS, -17, "memory that cannot be read", "the process changed meanwhile, or is not what it seems")    \
    X(MAREY_ENOTPYTHON, -18, "no Python found in this process", "name a process that runs CPython")                   \
    X(MAREY_EVERSION, -19, "a Python that is not known", "CPython 3.9 to 3.15 are known")                             \
    X(MAREY_ENOTYET, -20, "this Python has not started yet, or has ended", "try again a little later")                \
    X(MAREY_ETORN, -21, "the stack changed while it was read", "read it again")                                       \
    X(MAREY_ENOTRACE, -22, "not a trace", "traces of track events, and JSON of the Trace Event Format are read")      \
    X(MAREY_ENOGIL, -23, "this Python runs without a GIL, which no thread can hold", "sample by mode cpu or wall")

#define MAREY__ENUM(name, value, text, hint) name = value,
enum marey_error { MAREY_ERRORS(MAREY__ENUM) };
#undef MAREY__ENUM

/* The text of a code, "no error" for 0. Never NULL. */
MAREY_API const char *marey_strerror(int code);
/* What to do about it. Never NULL. */
MAREY_API const char *marey_hint(int code);

/* ----------------------------------------------------------------- session */

enum marey_flags {
    MAREY_CHILDREN = 1, /* set $MAREY_TRACE, so that programs started from here record into the same file */
};

typedef struct marey_options {
    uint64_t ring_bytes;    /* keep the last so many bytes only; 0: keep all */
    uint64_t limit_bytes;   /* the file may grow so far; 0: MAREY_LIMIT_DEFAULT. Ignored by a ring */
    const char *categories; /* what marey_categories() takes; NULL: all */
    unsigned flags;         /* enum marey_flags */
} marey_options;

#define MAREY_LIMIT_DEFAULT (8ull << 30)
#define MAREY_RING_MIN (256ull << 10)

/* Start to record into the file `path`, made anew with mode 0600 (an old file of that name is replaced).
 * options may be NULL. Returns 0, or MAREY_EBUSY where this process records already, or another
 * enum marey_error; on error nothing has changed. */
MAREY_API int marey_open(const char *path, const marey_options *options);

/* Record into the file of another process that records; path NULL means $MAREY_TRACE. Returns 0 (also where
 * this process records into that file already), MAREY_EOFF where path is NULL and $MAREY_TRACE is not set,
 * MAREY_ECLOSED, MAREY_EFOREIGN, ... */
MAREY_API int marey_join(const char *path);

/* Stop. Where this process opened the recording, it ends for all processes (those notice when they need their
 * next piece of the file). The file was whole before; now what was never used is cut off. Returns 0 or MAREY_EOFF. */
MAREY_API int marey_close(void);

/* Copy what is recorded so far, whole, to a new file `path`, while recording goes on. Made for rings.
 * Returns 0 or an enum marey_error. */
MAREY_API int marey_snapshot(const char *path);

/* What could not be kept, and why. In the trace each kind is a counter track, once there is any. */
typedef struct marey_losses {
    uint64_t disk;      /* events lost: no space, no memory, or the disk failed */
    uint64_t limit;     /* events lost: the file reached limit_bytes */
    uint64_t depth;     /* spans deeper than MAREY_DEPTH_MAX, or begun when the track was full */
    uint64_t reentry;   /* events recorded by a signal handler in the middle of another one */
    uint64_t ring;      /* bytes of older events that the ring wrote over: what a ring is for */
    uint64_t arguments; /* events whose arguments were cut to MAREY_PACKET_MAX */
} marey_losses;

typedef struct marey_status_info {
    int recording;       /* 1: this process records */
    int owner;           /* 1: this process opened the recording, 0: it joined */
    char path[4096];     /* absolute */
    uint64_t ring_bytes; /* 0: a file that keeps all */
    uint64_t file_bytes; /* claimed so far */
    marey_losses losses; /* of all processes of the session */
} marey_status_info;

/* Returns 0, or MAREY_EOFF (then the info is all zero). */
MAREY_API int marey_status(marey_status_info *info);

/* ---------------------------------------------------------------- plumbing */
/* What the macros below need. Use those, not these. */

extern MAREY_API uint32_t marey__on; /* 0: nothing records in this process */

static inline int marey_recording(void) {
    return __builtin_expect(__atomic_load_n(&marey__on, __ATOMIC_RELAXED) != 0, 0);
}

/* The number of a name: the same for the same text, for as long as the process lives. 0 where the table is
 * full (MAREY_NAMES_MAX names): such an event is named "(too many names)"; put what varies into an argument. */
MAREY_API uint32_t marey_name_id(const char *text);
MAREY_API uint32_t marey_name_id_n(const char *text, size_t bytes);

#define MAREY__IS_LITERAL(text) ((#text)[0] == '"')

#define MAREY__NAME(text)                                                                                             \
    (__extension__({                                                                                                  \
        uint32_t marey__id;                                                                                           \
        if (MAREY__IS_LITERAL(text)) {                                                                                \
            static uint32_t marey__cached;                                                                            \
            marey__id = __atomic_load_n(&marey__cached, __ATOMIC_ACQUIRE);                                            \
            if (__builtin_expect(!marey__id, 0)) {                                                                    \
                marey__id = marey_name_id(text);                                                                      \
                __atomic_store_n(&marey__cached, marey__id, __ATOMIC_RELEASE);                                        \
            }                                                                                                         \
        } else {                                                                                                      \
            marey__id = marey_name_id(text);                                                                          \
        }                                                                                                             \
        marey__id;                                                                                                    \
    }))

/* --------------------------------------------------------------- arguments */

enum marey_kind {
    MAREY_KIND_NONE,
    MAREY_KIND_BOOL,
    MAREY_KIND_I64,
    MAREY_KIND_U64,
    MAREY_KIND_F64,
    MAREY_KIND_TEXT,
    MAREY_KIND_POINTER,
    MAREY_KIND_DICT,
    MAREY_KIND_ARRAY,
    MAREY_KIND_SOURCE,
    MAREY_KIND_FLOW,     /* out or in: a step of the flow */
    MAREY_KIND_FLOW_END, /* the flow's last step */
};

/* Where in a program's text. Lives as long as the program. */
typedef struct marey_source {
    const char *file;
    const char *function;
    uint32_t line;
    uint32_t id; /* given at first use; starts as 0 */
} marey_source;

typedef struct marey_arg {
    uint32_t name; /* marey_name_id; within a dict of text keys: 0, and `key` is set */
    uint16_t kind; /* enum marey_kind */
    uint16_t key_length;
    const char *key; /* used where name is 0; not used in arrays */
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        const char *text;             /* `count` bytes; NULL is shown as "NULL" */
        const struct marey_arg *args; /* `count` of them */
        marey_source *source;
    };
    uint64_t count;
} marey_arg;

#ifndef __cplusplus
#define MAREY__COUNTED(...)                                                                                           \
    (const marey_arg[]){__VA_ARGS__}, sizeof((const marey_arg[]){__VA_ARGS__}) / sizeof(marey_arg)

#define MAREY_BOOL(n, v) ((marey_arg){.name = MAREY__NAME(n), .kind = MAREY_KIND_BOOL, .i64 = !!(v)})
#define MAREY_I64(n, v) ((marey_arg){.name = MAREY__NAME(n), .kind = MAREY_KIND_I64, .i64 = (v)})
#define MAREY_U64(n, v) ((marey_arg){.name = MAREY__NAME(n), .kind = MAREY_KIND_U64, .u64 = (v)})
#define MAREY_F64(n, v) ((marey_arg){.name = MAREY__NAME(n), .kind = MAREY_KIND_F64, .f64 = (v)})
#define MAREY_STRN(n, v, bytes)                                                                                       \
    ((marey_arg){.name = MAREY__NAME(n), .kind = MAREY_KIND_TEXT, .text = (v), .count = (bytes)})
#define MAREY_STR(n, v)                                                                                               \
    (__extension__({                                                                                                  \
        const char *marey__v = (v);                                                                                   \
        MAREY_STRN(n, marey__v, marey__v ? __builtin_strlen(marey__v) : 0);                                           \
    }))
#define MAREY_PTR(n, v) ((marey_arg){.name = MAREY__NAME(n), .kind = MAREY_KIND_POINTER, .u64 = (uintptr_t)(v)})
/* MAREY_DICT("point", MAREY_I64("x", 1), MAREY_I64("y", 2)); MAREY_ARRAY("ids", MAREY_I64("", 7), ...) */
#define MAREY_DICT(n, ...) MAREY__NESTED(n, MAREY_KIND_DICT, __VA_ARGS__)
#define MAREY_ARRAY(n, ...) MAREY__NESTED(n, MAREY_KIND_ARRAY, __VA_ARGS__)
#define MAREY__NESTED(n, k, ...)                                                                                      \
    ((marey_arg){.name = MAREY__NAME(n),                                                                              \
                 .kind = (k),                                                                                         \
                 .args = (const marey_arg[]){__VA_ARGS__},                                                            \
                 .count = sizeof((const marey_arg[]){__VA_ARGS__}) / sizeof(marey_arg)})
/* Not values but properties of the event. */
#define MAREY_HERE                                                                                                    \
    (__extension__({                                                                                                  \
        static marey_source marey__here = {__FILE__, NULL, __LINE__, 0};                                              \
        __atomic_store_n(&marey__here.function, __func__, __ATOMIC_RELAXED);                                          \
        (marey_arg){.kind = MAREY_KIND_SOURCE, .source = &marey__here};                                               \
    }))
#define MAREY_FLOW_OUT(flow) ((marey_arg){.kind = MAREY_KIND_FLOW, .u64 = (flow)})
#define MAREY_FLOW_IN(flow) ((marey_arg){.kind = MAREY_KIND_FLOW, .u64 = (flow)})
#define MAREY_FLOW_END(flow) ((marey_arg){.kind = MAREY_KIND_FLOW_END, .u64 = (flow)})
#endif

/* -------------------------------------------------------------- categories */

/* A switch for a group of events. Define it once, at file scope: MAREY_CATEGORY(db, "db"). Used by MAREY_SPAN_IN
 * and marey_instant_in. Costs one load while it is off. */
typedef struct marey_category {
    uint32_t on; /* 0 off, 1 on, 2 not yet known to the library */
    uint32_t name;
    const char *text;
    struct marey_category *next;
} marey_category;

#define MAREY_CATEGORY(variable, name_text) marey_category variable = {2, 0, name_text, NULL}

/* Switch a category on (1) or off (0), by name, while running, in this process. Names not yet in use are
 * remembered (up to 256). Returns 0 or MAREY_ELIMIT. */
MAREY_API int marey_category_enable(const char *name, int on);
/* Set them all from a list: "db,net" only these; "*,-gc" all but gc; NULL or "*" all. Returns 0 or MAREY_EINVAL. */
MAREY_API int marey_categories(const char *list);
/* 1 where the category is on and something is recorded. */
MAREY_API int marey__category_on(marey_category *category);

static inline int marey_category_recording(marey_category *category) {
    uint32_t on = __atomic_load_n(&category->on, __ATOMIC_RELAXED);
    return __builtin_expect(on != 0, 0) && (on == 1 || marey__category_on(category));
}

/* ------------------------------------------------------------------- spans */

typedef struct marey_track marey_track;

/* What an open span needs to be ended rightly wherever its end is called. All zero: not recorded. */
typedef struct marey_span {
    marey_track *track; /* NULL: the thread's own */
    uint32_t owner;     /* a number of the thread, or of the session where it is on a track, that no other has */
    uint32_t depth;     /* how many spans were open on the track, this one included */
} marey_span;

MAREY_API void marey__begin(uint32_t name);
MAREY_API void marey__begin_args(uint32_t name, const marey_arg *args, size_t count);
MAREY_API void marey__end(void);
MAREY_API void marey__end_args(const marey_arg *args, size_t count);
/* For scopes and language bindings. Begins on `track`, or on the thread's own where that is NULL; category may be
 * NULL. Ends are right on any thread and in any session: spans left open inside are ended with it; on another thread
 * than its own an instant says so and the span is ended with the one around it; in another session, or in a forked
 * child, nothing is recorded. Neither asks whether something records: the caller did, for the begin. */
MAREY_API void marey__span_begin(marey_span *span, marey_category *category, marey_track *track, uint32_t name,
                                 const marey_arg *args, size_t count);
MAREY_API void marey__span_end(marey_span *span);
MAREY_API void marey__span_end_args(marey_span *span, const marey_arg *args, size_t count);
MAREY_API void marey__instant(marey_category *category, marey_track *track, uint32_t name, const marey_arg *args,
                              size_t count);

static inline void marey__scope_end(marey_span *span) {
    if (span->depth)
        marey__span_end(span);
}

#ifndef __cplusplus
#define MAREY__ARGS(...)                                                                                              \
    (const marey_arg[]){{0}, ##__VA_ARGS__} + 1,                                                                      \
        sizeof((const marey_arg[]){{0}, ##__VA_ARGS__}) / sizeof(marey_arg) - 1
#define MAREY__JOIN2(a, b) a##b
#define MAREY__JOIN(a, b) MAREY__JOIN2(a, b)

#define MAREY__SCOPE(recording, category, name, ...)                                                                  \
    MAREY__SCOPE_AS(MAREY__JOIN(marey__span_, __COUNTER__), recording, category, name, ##__VA_ARGS__)
#define MAREY__SCOPE_AS(variable, recording, category, name, ...)                                                     \
    marey_span variable __attribute__((cleanup(marey__scope_end), unused)) = {0};                                     \
    if (recording)                                                                                                    \
    marey__span_begin(&variable, category, NULL, MAREY__NAME(name), MAREY__ARGS(__VA_ARGS__))

/* A span of this thread that ends with the enclosing scope. name: text; then any MAREY_... arguments. */
#define MAREY_SPAN(name, ...) MAREY__SCOPE(marey_recording(), NULL, name, ##__VA_ARGS__)
/* The same, where the category is on. */
#define MAREY_SPAN_IN(category, name, ...)                                                                            \
    MAREY__SCOPE(marey_category_recording(&(category)), &(category), name, ##__VA_ARGS__)

/* A span of this thread by hand. marey_end ends the innermost one that is open; without one it does nothing.
 * marey_end("arguments only": they are shown beside those of the begin). */
#define marey_begin(name, ...)                                                                                        \
    do {                                                                                                              \
        if (marey_recording()) {                                                                                      \
            if (sizeof((const marey_arg[]){{0}, ##__VA_ARGS__}) == sizeof(marey_arg))                                 \
                marey__begin(MAREY__NAME(name));                                                                      \
            else                                                                                                      \
                marey__begin_args(MAREY__NAME(name), MAREY__ARGS(__VA_ARGS__));                                       \
        }                                                                                                             \
    } while (0)
#define marey_end(...)                                                                                                \
    do {                                                                                                              \
        if (marey_recording()) {                                                                                      \
            if (sizeof((const marey_arg[]){{0}, ##__VA_ARGS__}) == sizeof(marey_arg))                                 \
                marey__end();                                                                                         \
            else                                                                                                      \
                marey__end_args(MAREY__ARGS(__VA_ARGS__));                                                            \
        }                                                                                                             \
    } while (0)
/* Something that happened, with no duration. */
#define marey_instant(name, ...)                                                                                      \
    do {                                                                                                              \
        if (marey_recording())                                                                                        \
            marey__instant(NULL, NULL, MAREY__NAME(name), MAREY__ARGS(__VA_ARGS__));                                  \
    } while (0)
#define marey_instant_in(category, name, ...)                                                                         \
    do {                                                                                                              \
        if (marey_category_recording(&(category)))                                                                    \
            marey__instant(&(category), NULL, MAREY__NAME(name), MAREY__ARGS(__VA_ARGS__));                           \
    } while (0)
#endif

/* ------------------------------------------------------------------ tracks */

/* A line of the timeline of one's own: a device, a request, a connection. May be made before a recording opens and
 * used in several. Any thread may use it; who begins and ends on one track from two threads at a time has to
 * order them himself. */
#define MAREY_OF_PROCESS ((marey_track *)0) /* parent: this process */
#define MAREY_OF_THREAD ((marey_track *)1)  /* parent: the calling thread */
#define MAREY_OF_NOBODY ((marey_track *)2)  /* parent: none; a track beside the processes */

#define MAREY_NOW 0 /* as a time: read the clock */

/* Returns NULL only where memory is short; every function below takes that NULL and does nothing. */
MAREY_API marey_track *marey_track_open(const char *name, marey_track *parent);
/* Frees it. What was recorded on it stays. Not while another thread uses it or a track below it lives. */
MAREY_API void marey_track_close(marey_track *track);

MAREY_API void marey__track_event(marey_track *track, int type, uint64_t time_ns, uint32_t name, const marey_arg *args,
                                  size_t count);
#ifndef __cplusplus
/* time_ns: MAREY_NOW or nanoseconds of CLOCK_MONOTONIC, in any order. */
#define marey_track_begin(track, time_ns, name, ...)                                                                  \
    do {                                                                                                              \
        if (marey_recording())                                                                                        \
            marey__track_event(track, 1, time_ns, MAREY__NAME(name), MAREY__ARGS(__VA_ARGS__));                       \
    } while (0)
#define marey_track_end(track, time_ns, ...)                                                                          \
    do {                                                                                                              \
        if (marey_recording())                                                                                        \
            marey__track_event(track, 2, time_ns, 0, MAREY__ARGS(__VA_ARGS__));                                       \
    } while (0)
#define marey_track_instant(track, time_ns, name, ...)                                                                \
    do {                                                                                                              \
        if (marey_recording())                                                                                        \
            marey__track_event(track, 3, time_ns, MAREY__NAME(name), MAREY__ARGS(__VA_ARGS__));                       \
    } while (0)
#endif

/* ---------------------------------------------------------------- counters */

/* A number over time. unit: shown beside it ("items", "bytes", "%"), or NULL. Whole or floating: what was set last.
 * parent as for tracks. May be made before a recording opens. NULL only where memory is short. */
typedef struct marey_counter marey_counter;
MAREY_API marey_counter *marey_counter_open(const char *name, const char *unit, marey_track *parent);
MAREY_API void marey_counter_close(marey_counter *counter);

MAREY_API void marey_counter_set_i64(marey_counter *counter, int64_t value);
MAREY_API void marey_counter_set_f64(marey_counter *counter, double value);
/* Any thread may add; the sum is kept while nothing records, too. */
MAREY_API void marey_counter_add_i64(marey_counter *counter, int64_t delta);
MAREY_API void marey_counter_add_f64(marey_counter *counter, double delta);
/* With a time of one's own, in any order. */
MAREY_API void marey_counter_at_i64(marey_counter *counter, uint64_t time_ns, int64_t value);
MAREY_API void marey_counter_at_f64(marey_counter *counter, uint64_t time_ns, double value);
#ifndef __cplusplus
#define marey_counter_set(counter, value)                                                                             \
    _Generic((value), float                                                                                           \
             : marey_counter_set_f64, double                                                                          \
             : marey_counter_set_f64, default                                                                         \
             : marey_counter_set_i64)(counter, value)
#define marey_counter_add(counter, value)                                                                             \
    _Generic((value), float                                                                                           \
             : marey_counter_add_f64, double                                                                          \
             : marey_counter_add_f64, default                                                                         \
             : marey_counter_add_i64)(counter, value)
#endif

/* ------------------------------------------------------------------- flows */

/* An arrow between spans or instants, of any thread, task or process. A number that is new in the session; never 0.
 * Give it to MAREY_FLOW_OUT/IN/END of a begin, end or instant, or draw it from an instant of its own: */
MAREY_API uint64_t marey_flow_new(void);
MAREY_API void marey_flow_out(uint64_t flow);
MAREY_API void marey_flow_in(uint64_t flow);
MAREY_API void marey_flow_end(uint64_t flow);

/* ------------------------------------------------------- names, attributes */

/* The name of this process, of the calling thread (else: what the system says). Shown from the next piece of the
 * file on, which is started at once. */
MAREY_API void marey_process_name(const char *name);
MAREY_API void marey_thread_name(const char *name);
/* A fact about the whole trace: a run id, a host, a version. */
MAREY_API void marey_attribute_text(const char *key, const char *value);
MAREY_API void marey_attribute_number(const char *key, int64_t value);

/* -------------------------------------------------------------------- more */

/* Nanoseconds of CLOCK_MONOTONIC, by the recording's clock. */
MAREY_API uint64_t marey_now_ns(void);

/* Counters of this process: CPU %, resident memory, open files, threads; every interval_ms (10 to 60000), by a thread
 * that does nothing else. Returns 0, MAREY_EINVAL or MAREY_ENOMEM. Ends with the recording. */
MAREY_API int marey_statistics_start(unsigned interval_ms);
MAREY_API void marey_statistics_stop(void);

#ifdef __cplusplus
}
#endif
#endif
