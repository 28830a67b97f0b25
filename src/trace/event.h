/* Events as packets. The functions of marey.h are in event.c and counter.c; this is what they share. */
#ifndef MAREY_TRACE_EVENT_H
#define MAREY_TRACE_EVENT_H

#include "session.h"
#include "track.h"

struct event {
    enum event_type type;
    uint32_t session; /* of the span that it ends: in another one it is not written; 0: any */
    struct marey_track *track; /* NULL: the thread's own */
    uint32_t name;             /* has_name only */
    int has_name;
    uint32_t category; /* a name, 0: none */
    uint64_t time_ns;  /* of CLOCK_MONOTONIC, or MAREY_NOW */
    const marey_arg *args;
    size_t count;
    int is_double; /* EVENT_COUNTER: which of the two */
    uint64_t value;
};

/* Writes the event. Returns 0 where it was lost, which is then counted. Within recording_enter and recording_leave. */
int event_write(const struct event *event);

#endif
