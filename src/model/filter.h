/* A part of a trace: some of its processes and threads, some of its time. */
#ifndef MAREY_MODEL_FILTER_H
#define MAREY_MODEL_FILTER_H

#include "model/trace.h"

/* What is wanted. All zero: all. A pattern is a process or thread id, or one of fnmatch(3) of the name; one that is met
 * is enough. */
struct trace_filter {
    const char *const *processes;
    const char *const *threads;
    uint32_t process_count, thread_count;
    int64_t from_ns, to_ns; /* of the trace's clock, [from, to); to_ns 0: no limit */
};

/* Whether a thread (a place in the trace's threads) is wanted. */
int filter_has_thread(const struct trace_filter *filter, const struct trace *trace,
                      uint32_t thread);
/* For each of the reader's tracks whether it is wanted: its own thread or process is, or that of the track above. NULL
 * where memory is short; the caller frees. */
uint8_t *filter_tracks(const struct trace_filter *filter, const struct trace *trace);

#endif
