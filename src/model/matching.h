/* Inside the model: begins and ends of a track become spans, one after the other, as trace_processor matches them.
 *
 * An end closes the innermost open span whose name and category are those that it gives; one that gives none closes the
 * innermost. A begin beyond the depth limit is dropped, but its end still closes another: writers must stop both.
 *
 * Events are taken in order of time. Where one turns up that is older than those before it, all is undone: the spans
 * become events again, which are kept, sorted, and matched when the file has been read. Most tracks are written in
 * order, and need no memory but for their spans. */
#ifndef MAREY_MODEL_MATCHING_H
#define MAREY_MODEL_MATCHING_H

#include "model/trace.h"

/* Spans of one track, by begin; places of parents are counted within the track. */
struct span_block {
    struct span_block *next;
    uint32_t count, capacity;
    struct span spans[];
};

struct open_span {
    struct span *span;
    uint32_t place;
};

struct matching {
    struct span_block *first, *last;
    uint32_t count;
    struct open_span *open; /* innermost last */
    uint32_t depth, open_capacity;
};

/* Takes a begin or an end. Returns 0; or where it fits nothing, which of EVENT_DEEP, EVENT_OTHER_END and EVENT_STRAY it is;
 * or -1 where memory is short. */
int matching_take(struct track *track, const struct event *event, struct arguments *arguments);
/* The spans become events in front of those that the track keeps. Returns 0, or -1 where memory is short. */
int matching_undo(struct track *track, struct arguments *arguments);
/* Moves the spans to `to`, the place `first` of all spans: adds `add_ns` to times, says which track it is. */
void matching_move(struct track *track, struct span *to, uint32_t first, uint32_t place,
                   int64_t add_ns);
void matching_free(struct track *track);

#endif
