/* Inside the model: steps of flows that stand beside the spans which they belong to, as JSON has them. */
#ifndef MAREY_MODEL_LOOSE_FLOWS_H
#define MAREY_MODEL_LOOSE_FLOWS_H

#include <stdint.h>

struct trace;

enum loose_flow_place {
    FLOW_IN_ENCLOSING, /* the span around that time */
    FLOW_IN_NEXT,      /* the next one that begins, else that around it */
};

struct loose_flow {
    int64_t time_ns;
    uint64_t id;
    uint32_t track;
    uint8_t ends;  /* it is the last step */
    uint8_t place; /* enum loose_flow_place */
};

/* All zero is empty. */
struct loose_flows {
    struct loose_flow *all;
    uint32_t count, capacity;
};

/* Gives each to its span; one that is in none is left out. The spans are settled. Returns 0, or -1 where memory is
 * short. */
int loose_flows_settle(struct trace *trace);

#endif
