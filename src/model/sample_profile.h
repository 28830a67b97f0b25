/* The samples of a trace as a profile. */
#ifndef MAREY_MODEL_SAMPLE_PROFILE_H
#define MAREY_MODEL_SAMPLE_PROFILE_H

#include "model/filter.h"
#include "model/stack_owner.h"

/* What stands together in a profile. */
enum sample_grouping {
    GROUP_FUNCTIONS, /* with the lines in them */
    GROUP_WHOLE,     /* functions, without */
    GROUP_LINES,     /* each line of a function is one */
    GROUP_FILES,     /* each file is one */
    GROUP_MODULES,   /* the same, for tables that name them as modules */
};

/* Those that are wanted. owners: threads and tasks are told apart, and stand there; NULL: they are not. Returns 0 or
 * MAREY_ENOMEM; profile_close(*profile) and stack_owners_free in every case. */
int sample_profile(struct profile **profile, const struct trace *trace,
                   const struct trace_filter *filter, enum sample_grouping grouping,
                   struct stack_owners *owners);

#endif
