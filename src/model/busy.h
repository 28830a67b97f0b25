/* What each thread did: how it was sampled, and how much of the time it was within a span. */
#ifndef MAREY_MODEL_BUSY_H
#define MAREY_MODEL_BUSY_H

#include "model/sampling.h"

struct busy {
    uint32_t thread;           /* place in the trace's threads; of a process: its first */
    struct sample_times times; /* all 0: it was not sampled */
    uint64_t spans;            /* on its own track, calls included */
    int64_t in_spans_ns;       /* from the begin of each outermost one to its end */
};

struct busy_list {
    /* those that were sampled or have spans; the longest sampled first, then the longest in spans */
    struct busy *rows;
    uint32_t count;
};

/* Of the part that is wanted, thread by thread, or process by process (tracks that are no thread's count for their process).
 * Returns 0 or MAREY_ENOMEM. busy_free in every case. */
int busy_make(struct busy_list *list, const struct trace *trace, const struct trace_filter *filter,
              int processes);
void busy_free(struct busy_list *list);

#endif
