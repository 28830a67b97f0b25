/* The table of functions: how often each was called, and how long it took. */
#ifndef MAREY_MODEL_CALL_STATS_H
#define MAREY_MODEL_CALL_STATS_H

#include "model/calls.h"
#include "model/order.h"
#include "model/patterns.h"

/* The calls of one function. Times in nanoseconds. */
struct call_stats_row {
    uint32_t function;    /* place in the functions */
    uint64_t calls, open; /* open: without an end */
    uint64_t exceptions;  /* that left it */
    /* with what they called and waited for; of recursive calls the outermost alone */
    int64_t total_ns;
    int64_t self_ns;    /* without */
    int64_t waiting_ns; /* between the pieces of generators and coroutines; part of the total */
    /* of each call, inner ones of a recursion included */
    int64_t min_ns, mean_ns, p50_ns, p99_ns, max_ns;
};

struct call_stats {
    struct call_stats_row *rows; /* the largest total first, then the largest count */
    uint32_t count;
};

/* Returns 0 or MAREY_ENOMEM. call_stats_free in every case. */
int call_stats_make(struct call_stats *stats, const struct calls *calls);
/* The same of a trace as it is, without its calls as a forest, in a fraction of the memory: of the part that is wanted. `calls`
 * gets the functions and call_count alone. Returns as above; both are to be freed in every case. */
int call_stats_of_spans(struct call_stats *stats, struct calls *calls, struct trace *trace,
                        const struct trace_filter *filter);
/* Sorts the rows otherwise. */
void call_stats_sort(struct call_stats *stats, const struct calls *calls, enum order order);
/* Takes out functions whose names are not wanted. */
void call_stats_choose(struct call_stats *stats, const struct calls *calls,
                       const struct patterns *names);
void call_stats_free(struct call_stats *stats);

#endif
