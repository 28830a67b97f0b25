/* What the samples of a trace come to: how they were taken, and how much time of each thread they stand for. */
#ifndef MAREY_MODEL_SAMPLING_H
#define MAREY_MODEL_SAMPLING_H

#include "model/filter.h"

struct sample_times {
    uint64_t count;
    uint64_t ns[SAMPLE_WEIGHTS];
};

void sample_times_add(struct sample_times *to, const struct sample_times *more);

/* How the samples were taken, as the recorder says; all 0 where it says nothing. */
struct sampling {
    int known;
    uint64_t taken, torn, missed; /* stacks; stacks given up; ticks that came too late */
    uint64_t cpu_ns;              /* that sampling took */
    uint64_t interval_ns;         /* asked for */
    double rate;                  /* kept, a second */
};

void sampling_find(struct sampling *sampling, const struct trace *trace);

/* Adds up the samples of each sampled thread: `times` has as many entries. Of those that are not wanted 0. */
void sampling_times(const struct trace *trace, const struct trace_filter *filter,
                    struct sample_times *times);

#endif
