/* The profile that a request asks for: what all formats of weighted stacks are made of. */
#ifndef MAREY_OUTPUT_STACK_PROFILE_H
#define MAREY_OUTPUT_STACK_PROFILE_H

#include "model/stack_owner.h"
#include "output/format.h"

struct stack_profile {
    struct profile *profile;
    struct stack_owners owners; /* empty where they are not told apart */
    int of_spans;               /* else of samples */
    /* that stands for all: an enum sample_weight in nanoseconds, or PROFILE_COUNT where the samples say no times */
    unsigned weight;
};

/* by_owner: threads, tasks and tracks are told apart (model/stack_owner.h). The trace has been read with TRACE_CALLS where
 * calls are to have files and lines. Returns 0 or MAREY_ENOMEM; stack_profile_free in every case. */
int stack_profile_make(struct stack_profile *made, struct trace *trace,
                       const struct format_request *request, int by_owner);
void stack_profile_free(struct stack_profile *made);

/* What is counted: "samples" or "calls". */
const char *stack_profile_counted(const struct stack_profile *made);
/* What the weight is: "wall time", "time that the GIL was held", "samples". */
const char *stack_profile_weight(const struct stack_profile *made);

#endif
