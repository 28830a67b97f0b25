/* The spans that took longest, one by one. */
#ifndef MAREY_MODEL_SLOWEST_H
#define MAREY_MODEL_SLOWEST_H

#include "model/filter.h"
#include "model/patterns.h"

enum { SLOWEST_MAX = 1000 };

struct slowest {
    uint32_t *spans; /* places, the longest first; of equal ones the earlier */
    uint32_t count;
};

/* The `count` (at most SLOWEST_MAX) longest that ended and are wanted, by their whole length, also where a part of it is within
 * the filter's time. Calls and pauses of the garbage collector are left out. Returns 0 or MAREY_ENOMEM. slowest_free in
 * every case. */
int slowest_find(struct slowest *slowest, const struct trace *trace,
                 const struct trace_filter *filter, const struct patterns *names, uint32_t count);
void slowest_free(struct slowest *slowest);

#endif
