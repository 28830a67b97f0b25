/* The flows of a trace as Chrome's: which step is the first and which the last, and how they are to be written.
 *
 * The old way is an event of its own at the step's time, which viewers bind to the slice around it on the same thread; a
 * span may have any number. Spans of asynchronous tracks are on no thread: for these there is the new way, an id in the
 * span's own event, one a span. A flow has to be written one way throughout. */
#ifndef MAREY_OUTPUT_CHROME_FLOWS_H
#define MAREY_OUTPUT_CHROME_FLOWS_H

#include "output/part.h"

struct chrome_flow {
    uint64_t id;
    int64_t first_ns, last_ns;
    uint8_t is_new; /* the new way: a step is on an asynchronous track */
    uint8_t has_begun, has_ended;
};

struct chrome_flows {
    struct chrome_flow *all;
    uint32_t count, capacity;
    struct map places; /* by id */
};

/* Of the spans and events that are wanted. Returns 0 or MAREY_ENOMEM. chrome_flows_free in every case. */
int chrome_flows_make(struct chrome_flows *flows, const struct part *part);
void chrome_flows_free(struct chrome_flows *flows);

struct chrome_flow *chrome_flow(struct chrome_flows *flows, uint64_t id);
/* 's', 't' or 'f': which step this is of its flow. Each is asked for once, in any order. */
char chrome_flow_phase(struct chrome_flow *flow, int64_t time_ns);

#endif
