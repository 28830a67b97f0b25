/* The samples of a trace as a profile. */
#ifndef MAREY_MODEL_SAMPLE_PROFILE_H
#define MAREY_MODEL_SAMPLE_PROFILE_H

#include "model/filter.h"
#include "model/stack_owner.h"

/* Those that are wanted. lines: frames are told apart by line. owners: threads and tasks are told apart, and stand there;
 * NULL: they are not. Returns 0 or MAREY_ENOMEM; profile_close(*profile) and stack_owners_free in every case. */
int sample_profile(struct profile **profile, const struct trace *trace,
                   const struct trace_filter *filter, int lines, struct stack_owners *owners);

#endif
