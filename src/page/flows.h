/* Inside the page: the flows of a trace, by id and time: who handed something on to whom. */
#ifndef MAREY_PAGE_FLOWS_H
#define MAREY_PAGE_FLOWS_H

#include "model/trace.h"

/* A step of a flow: the begin or the end of a span, or an instant. */
struct flow_point {
    uint64_t id;
    int64_t time_ns;
    uint32_t track;
    uint32_t span;    /* place; MAP_NONE: an instant's */
    uint32_t instant; /* its number; counted as index_track's first_instant */
    uint32_t ends;    /* the flow ends here; a later step of the same id begins another */
};

/* By id, then by time. */
struct flows {
    struct flow_point *all;
    uint32_t count, capacity;
};

struct index;
/* Returns 0, or -1 where memory is short. flows_free in every case. */
int flows_make(struct flows *flows, const struct index *index, const struct trace *trace);
void flows_free(struct flows *flows);

/* Whether there is an arrow from a step to the one behind it. */
int flows_goes_on(const struct flows *flows, uint32_t place);
/* The first step of an id at or after a time; `count` where there is none. */
uint32_t flows_find(const struct flows *flows, uint64_t id, int64_t time_ns);

#endif
