/* The table of spans: how often each name, and how long. */
#ifndef MAREY_MODEL_SUMMARY_H
#define MAREY_MODEL_SUMMARY_H

#include "model/filter.h"
#include "model/order.h"
#include "model/patterns.h"

/* The spans of one name and category. Times in nanoseconds, of those that ended; 0 where none did. */
struct summary_row {
    uint32_t name, category; /* strings; 0: none */
    uint64_t count;          /* those without an end included */
    uint64_t open;           /* without an end */
    uint64_t errors;
    int64_t total_ns, mean_ns, p50_ns, p99_ns, max_ns; /* percentiles by nearest rank */
};

struct summary {
    struct summary_row *rows; /* the largest total first, then the largest count */
    uint32_t count, capacity;
};

/* Returns 0 or MAREY_ENOMEM. summary_free in every case. */
int summary_make(struct summary *summary, const struct trace *trace);
/* The same of a part of the trace. Spans that are partly within its time count, with the part inside. */
int summary_make_part(struct summary *summary, const struct trace *trace,
                      const struct trace_filter *filter);
/* Sorts the rows otherwise. */
void summary_sort(struct summary *summary, const struct trace *trace, enum order order);
/* Takes out rows whose names are not wanted. */
void summary_choose(struct summary *summary, const struct trace *trace,
                    const struct patterns *names);
void summary_free(struct summary *summary);

#endif
