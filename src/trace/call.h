/* Calls of functions as slices (docs/FORMAT.md, 10): into the session that this process records into, and into logs, traces in
 * memory that belong to whoever opened them.
 *
 * The caller reads the clock once, by marey__stamp, and says that time to every place that the event goes to. Like every
 * recording call these never fail: what cannot be kept is counted. */
#ifndef MAREY_TRACE_CALL_H
#define MAREY_TRACE_CALL_H

#include "marey.h"

/* The number of a function, for as long as the process lives; 0, one that stands for all, where there are too many.
 * module may be ""; file NULL, and line 0, for one written in C. Any thread. */
MAREY_API uint32_t marey__function_id(const char *module, const char *name, const char *file,
                                      unsigned line);

/* The time, as begin and end take it. */
MAREY_API uint64_t marey__stamp(void);
/* 1 where that is the processor's counter, which one may as well read oneself. */
MAREY_API extern int marey__stamp_is_ticks;
static inline uint64_t call_stamp(void) {
#if defined(__x86_64__)
    if (__builtin_expect(marey__stamp_is_ticks, 1))
        return __builtin_ia32_rdtsc();
#endif
    return marey__stamp();
}
/* How many nanoseconds passed from one stamp to another. */
MAREY_API uint64_t marey__stamp_ns(uint64_t from, uint64_t to);

/* The stamp so many nanoseconds later. */
MAREY_API uint64_t marey__stamp_after(uint64_t from, uint64_t ns);

/* What one event says. */
struct call_event {
    uint32_t function; /* where text is NULL */
    const char *text;  /* NULL, or the name of a slice around calls, of the category "calls" */
    uint64_t stamp;
    const marey_arg *args;
    size_t count;
};

/* ------------------------------------------------------------- the session */

/* As marey__span_begin and marey__span_end_args do. Neither asks whether something records. */
MAREY_API void marey__call_begin(marey_span *span, marey_track *track,
                                 const struct call_event *event);
MAREY_API void marey__call_end(marey_span *span, const struct call_event *event);
/* A call that is over, begin and end at once: with absolute times, in any order, and without a place among the open spans. */
MAREY_API void marey__call_whole(marey_track *track, const struct call_event *begin,
                                 const struct call_event *end);

/* -------------------------------------------------------------------- logs */

/* A trace in memory. One thread at a time may use it. */
struct call_log;
/* What its events are on: a thread's track, or one below another. */
struct call_lane;

/* NULL where memory is short. */
MAREY_API struct call_log *marey__call_log_open(uint64_t limit_bytes);
MAREY_API void marey__call_log_close(struct call_log *log);

/* The lane lives as long as the log. tid is 0 for a lane that is no thread's; above may be NULL for the process. The first lane of a log
 * is that of the thread that calls. NULL where memory is short. */
MAREY_API struct call_lane *marey__call_lane(struct call_log *log, struct call_lane *above,
                                             int32_t tid, const char *name);

/* 1 if it was written; else the log is full, and its end is not to be written. */
MAREY_API int marey__log_begin(struct call_log *log, struct call_lane *lane,
                               const struct call_event *event);
MAREY_API void marey__log_end(struct call_log *log, struct call_lane *lane,
                              const struct call_event *event);
/* The same for a call of which nothing else is said. */
MAREY_API int marey__log_begin_bare(struct call_log *log, struct call_lane *lane, uint32_t function,
                                    uint64_t stamp);
MAREY_API void marey__log_end_bare(struct call_log *log, struct call_lane *lane, uint64_t stamp);
MAREY_API int marey__log_whole(struct call_log *log, struct call_lane *lane,
                               const struct call_event *begin, const struct call_event *end);

/* A whole trace of all that was recorded so far, marey__log_bytes() long. */
MAREY_API size_t marey__log_bytes(const struct call_log *log);
MAREY_API void marey__log_copy(const struct call_log *log, uint8_t *out);
/* Events that found no room, and arguments that were cut. */
MAREY_API void marey__log_losses(const struct call_log *log, marey_losses *losses);

#endif
