/* What the samples of a trace come to: how they were taken, how much time of each thread they stand for, and profiles of
 * them. */
#ifndef MAREY_MODEL_SAMPLING_H
#define MAREY_MODEL_SAMPLING_H

#include "model/filter.h"
#include "model/profile.h"

/* What stands together in a profile. */
enum sample_grouping {
    GROUP_FUNCTIONS, /* with the lines in them */
    GROUP_LINES,     /* each line of a function is one */
    GROUP_FILES,     /* each file is one */
    GROUP_MODULES,   /* the same, for tables that name them as modules */
};

struct sample_times {
    uint64_t count;
    uint64_t ns[SAMPLE_WEIGHTS];
};

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
/* A profile of those that are wanted. Returns 0 or MAREY_ENOMEM; profile_close(*profile) in every case. */
int sampling_profile(struct profile **profile, const struct trace *trace,
                     const struct trace_filter *filter, enum sample_grouping grouping);

#endif
