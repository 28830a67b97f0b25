/* Inside the model: a track's begins and ends become spans, as trace_processor matches them. */
#ifndef MAREY_MODEL_SPANS_H
#define MAREY_MODEL_SPANS_H

#include "model/trace.h"

/* Takes a track's events, which are in order of time, and counts them into the track and the trace. Returns 0, or -1
 * where memory is short. */
int spans_match(struct trace *trace, uint32_t track);

/* Sorts by time; events of equal times stay in their order. Returns 0, or -1 where memory is short. */
int events_sort(struct event *events, uint32_t count);

#endif
