/* A profile as a Perfetto trace: what was seen as often as it was seen, all at one time. */
#ifndef MAREY_OUTPUT_PROFILE_TRACE_H
#define MAREY_OUTPUT_PROFILE_TRACE_H

#include "model/profile.h"
#include "output/display.h"

/* A process whose profile it is. */
struct profiled {
    int32_t pid;
    const char *name;
    uint32_t sequence;    /* of its packets, not 0: other traces behind this one have others */
    uint64_t time_ns;     /* of CLOCK_MONOTONIC, when the samples are said to be taken */
    uint64_t realtime_ns; /* the same moment since 1970 */
};

/* Adds the bytes of a trace: a StackSample for each node that samples ended in, with its weights, of one thread "all
 * threads". Traces of several processes may stand one behind the other. */
void profile_trace(struct text *to, const struct profile *profile, const struct profiled *process);

#endif
