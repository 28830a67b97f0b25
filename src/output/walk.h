/* The begins and ends of a track's spans, one after the other as they happened: by time, and in the order that readers
 * matched them by. Nothing is kept but what is open. */
#ifndef MAREY_OUTPUT_WALK_H
#define MAREY_OUTPUT_WALK_H

#include "output/part.h"

struct walk_open {
    uint32_t span;  /* place in the trace's spans */
    uint8_t wanted; /* it is within the part */
    int64_t end_ns; /* of all of it, in the trace's clock; INT64_MAX: it has none */
    struct part_span cut;
};

struct walk {
    const struct part *part;
    uint32_t next, last; /* spans of the track that have not begun */
    uint32_t depth;
    int nested; /* each span ends within its parent: the innermost ends first */
    struct walk_open open[SPAN_DEPTH_MAX + 1];
};

struct walk_step {
    int begins;      /* else it ends */
    int innermost;   /* an end: of the span that began last, of those that are open */
    uint32_t span;   /* place in the trace's spans */
    int64_t time_ns; /* since the trace's first event */
    struct part_span cut;
};

/* Of the spans [first, last) of one track. */
void walk_init(struct walk *walk, const struct part *part, uint32_t first, uint32_t last);
/* Returns 1, or 0 where there is none. A span without an end ends with the trace, cut.open. */
int walk_next(struct walk *walk, struct walk_step *step);
/* Whether what happened at a time comes before a step. Where a span begins or ends, it is within the span. */
int walk_is_past(const struct walk *walk, const struct walk_step *step, int64_t time_ns);

/* The spans of one track that begin at the place `first`: one behind the last of them. Spans stand track by track. */
uint32_t walk_track_end(const struct trace *trace, uint32_t first);

#endif
