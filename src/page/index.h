/* Inside the page: what finds events by time, so that an answer costs as much as it has pixels, not as the trace has spans.
 *
 * The spans of a track lie in lanes: a lane is a row of the timeline, its spans follow one another and do not overlap. That
 * is a span's depth, but where ends out of order made two spans of one depth overlap: then the later one goes to the next
 * lane that is free.
 *
 * Made once by index_make; afterwards nothing changes. */
#ifndef MAREY_PAGE_INDEX_H
#define MAREY_PAGE_INDEX_H

#include "model/sampling.h"
#include "model/trace.h"
#include "page/flows.h"

enum {
    LANES_MAX = 2 * SPAN_DEPTH_MAX, /* of a track; in the last one spans may overlap */
    VALUES_BLOCK = 64,              /* values of a counter whose range is known together */
    SAMPLES_BLOCK = 32,             /* samples of a thread whose sum is known together */
};

struct lane {
    uint32_t first, count;               /* in the index's places */
    uint32_t first_failed, failed_count; /* in the index's failed */
};

/* The range of VALUES_BLOCK values of a counter in a row. */
struct value_range {
    double least, most;
};

struct index_track {
    uint32_t first_span; /* its spans stand in a row */
    uint32_t first_lane, lane_count;
    uint32_t first_instant; /* number of its first event, counted over all tracks */
    uint32_t first_range;   /* of a counter */
    uint32_t thread;        /* place in the trace's threads; MAP_NONE: it is not a thread's own */
};

/* The samples of a thread, by time. */
struct index_thread {
    uint32_t first, count; /* in the index's samples */
    uint32_t first_sum;    /* in the index's sums: of its first block, of its first two, ... */
};

struct index {
    struct index_track *tracks; /* as the reader's */
    struct lane *lanes;
    uint32_t lane_count;
    uint16_t *lane_of; /* of a span: its lane, counted within its track */
    uint32_t *places;  /* of spans, lane by lane, by begin */
    uint32_t *failed;  /* likewise, those alone that failed */
    struct value_range *ranges;
    struct index_thread *threads; /* as the trace's */
    uint32_t *samples;            /* places of samples, thread by thread */
    struct sample_times *sums;    /* wrap around: only differences count */
    uint32_t *named;              /* by string: how many spans have that name */
    uint32_t named_count;         /* strings that there were then */
    struct flows flows;
};

/* Returns 0 or MAREY_ENOMEM; index_free in every case. */
int index_make(struct index *index, const struct trace *trace);
void index_free(struct index *index);

/* When a span ends; one without an end does with the trace. */
static inline int64_t span_end_ns(const struct trace *trace, const struct span *span) {
    if (span->duration_ns >= 0)
        return span->begin_ns + span->duration_ns;
    return trace->last_ns > span->begin_ns ? trace->last_ns : span->begin_ns;
}

/* Of a lane's spans (or `failed` ones) the first, from `from` on, that begins at or after a time; `count` where none
 * does. Quick where it is near. */
uint32_t index_seek(const struct trace *trace, const uint32_t *places, uint32_t count,
                    uint32_t from, int64_t time_ns);
/* The same of events in order of time. */
uint32_t index_seek_event(const struct event *events, uint32_t count, uint32_t from,
                          int64_t time_ns);
/* The same of places of samples. */
uint32_t index_seek_sample(const struct trace *trace, const uint32_t *places, uint32_t count,
                           uint32_t from, int64_t time_ns);
/* The least and the most of a counter's values [from, to), from < to. */
struct value_range index_range(const struct index *index, const struct trace *trace, uint32_t track,
                               uint32_t from, uint32_t to);
/* What a thread's samples [from, to) add up to. */
struct sample_times index_sum(const struct index *index, const struct trace *trace, uint32_t thread,
                              uint32_t from, uint32_t to);

#endif
