/* A part of a trace: some of its processes and threads, some of its time. */
#ifndef MAREY_MODEL_FILTER_H
#define MAREY_MODEL_FILTER_H

#include "model/trace.h"

/* What is wanted. All zero: all. A pattern is a process or thread id, or one of fnmatch(3) of the name; one that is met
 * is enough. */
struct trace_filter {
    const char *const *processes;
    const char *const *threads;
    const char *const *tracks; /* by name alone; a track is also wanted if one above it is */
    uint32_t process_count, thread_count, track_count;
    /* by place in the trace's threads: not 0 where wanted; NULL: all */
    const uint8_t *only_threads;
    int64_t from_ns, to_ns; /* of the trace's clock, [from, to); each 0: no limit */
};

/* Whether less than all is wanted. */
int filter_is_any(const struct trace_filter *filter);
/* Whether a thread (a place in the trace's threads) is wanted. */
int filter_has_thread(const struct trace_filter *filter, const struct trace *trace,
                      uint32_t thread);
/* For each of the reader's tracks whether it is wanted: its own thread or process is, or that of the track above. NULL
 * where memory is short; the caller frees. */
uint8_t *filter_tracks(const struct trace_filter *filter, const struct trace *trace);
/* Likewise for each thread that was sampled (samples.h). */
uint8_t *filter_sampled(const struct trace_filter *filter, const struct trace *trace);

/* The part of [*begin_ns, *end_ns) that lies within the filter's time; what has no length is within if its moment is.
 * Returns whether there is any; if there is none both stay. */
int filter_clip(const struct trace_filter *filter, int64_t *begin_ns, int64_t *end_ns);
/* The same of a span; of one without an end, up to the end of the trace. */
int filter_clip_span(const struct trace_filter *filter, const struct trace *trace,
                     const struct span *span, int64_t *begin_ns, int64_t *end_ns);
/* The part of a sample that lies within: where it stands for several that were alike, those of them, with their share of
 * its time. They stand at equal distances from its time on. Returns whether there is any. */
int filter_clip_sample(const struct trace_filter *filter, struct taken_sample *sample);

#endif
