/* Events as packets. The functions of marey.h are in event.c, counter.c and flow.c; this is what they share. */
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
    const char *text;  /* NULL, or a name that is not kept for later */
    uint32_t category; /* a name, 0: none */
    int is_call;       /* of `function`: its name, and where it stands */
    uint32_t function;
    uint64_t time_ns; /* of CLOCK_MONOTONIC, or MAREY_NOW */
    uint64_t stamp;   /* what MAREY_NOW is, if the clock was read already; else 0 */
    const marey_arg *args;
    size_t count;
    int is_double; /* EVENT_COUNTER: which of the two */
    uint64_t value;
};

/* Whose nesting the event's spans count in. */
static inline struct nesting *event_nesting(struct writer *writer, struct marey_track *track) {
    return track ? &track->nesting : &writer->nesting;
}

/* Writes the event. Returns 0 where it was lost, which is then counted. Within recording_enter and recording_leave. */
int event_write(const struct event *event);

/* The same into the writer's chunk, whoever's it is. 0 where that has no room, or none is open; nothing is counted. *kept: how
 * many arguments there was space for in a packet. */
int event_write_into_chunk(struct writer *writer, const struct event *event, size_t *kept);

/* A span on the calling thread's own track, or on the event's: its begin, and its end. Within recording_enter and recording_leave. The depth
 * is 0 where nothing records. */
void event_span_begin(marey_span *span, const struct event *event);
void event_span_end(const marey_span *span, const struct event *event);

#endif
