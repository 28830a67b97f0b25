/* The part of a trace that a format writes: some of its tracks, some of its time. Times are counted from the trace's
 * first event, whatever part is wanted, so that parts of one trace fit together. */
#ifndef MAREY_OUTPUT_PART_H
#define MAREY_OUTPUT_PART_H

#include "model/filter.h"
#include "output/display.h"

struct part {
    const struct trace *trace;
    const struct trace_filter *filter;
    uint8_t *tracks;  /* by place in the reader's tracks: not 0 where it is wanted */
    uint8_t *threads; /* the same of the trace's threads */
};

/* The span as far as it is within the wanted time, in nanoseconds since the trace's first event. */
struct part_span {
    int64_t begin_ns, end_ns;
    int open; /* it has no end; end_ns is that of the trace */
};

/* The filter outlives the part. Returns 0 or MAREY_ENOMEM; part_close in every case. */
int part_open(struct part *part, const struct trace *trace, const struct trace_filter *filter);
void part_close(struct part *part);

/* Whether any of it is wanted. */
int part_has_span(const struct part *part, const struct span *span, struct part_span *cut);
/* The part of a sample that is; its time stays in the trace's clock. */
int part_has_sample(const struct part *part, const struct taken_sample *sample,
                    struct taken_sample *cut);
/* Whether a moment is within the wanted time. */
int part_has_time(const struct part *part, int64_t time_ns);
/* A time of the trace's clock since the trace's first event. */
int64_t part_since(const struct part *part, int64_t time_ns);

/* Whose a track is; NULL: nobody's. */
const struct process *part_process(const struct part *part, const struct track *track);
const struct track *part_thread(const struct part *part, const struct track *track);

/* What to call a track, and a thread: "app 100: MainThread 100", "app 100: device". As the trace has the names. */
void part_label_track(struct text *label, const struct part *part, const struct track *track);
void part_label_thread(struct text *label, const struct part *part, const struct thread *thread);

#endif
