/* The spans and calls of a trace as a profile: each is counted once, and weighs its own time (as SAMPLE_WALL), which is its
 * duration less that of those inside it.
 *
 * A trace that has calls is one of calls (model/calls.h), so that a generator or coroutine stands below who called it first,
 * whoever resumed it. Where it has none its spans are taken as they stand, which is faster. */
#ifndef MAREY_MODEL_SPAN_PROFILE_H
#define MAREY_MODEL_SPAN_PROFILE_H

#include "model/filter.h"
#include "model/stack_owner.h"

/* Those that are wanted, each with the part of its time that is. The trace has been read with TRACE_CALLS or TRACE_ARGUMENTS
 * where calls are to have files and lines. owners: tracks are told apart, and stand there; NULL: they are not. Returns 0 or
 * MAREY_ENOMEM; profile_close(*profile) and stack_owners_free in every case. */
int span_profile(struct profile **profile, struct trace *trace, const struct trace_filter *filter,
                 struct stack_owners *owners);

#endif
