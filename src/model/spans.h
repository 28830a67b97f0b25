/* Inside the model: the tracks of a trace that has been read, settled: times in the trace's clock, begins and ends as spans. */
#ifndef MAREY_MODEL_SPANS_H
#define MAREY_MODEL_SPANS_H

#include "model/trace.h"

/* All tracks. The timebase is settled. Returns 0, or -1 where memory is short. */
int spans_settle(struct trace *trace);

/* Sorts by time; events of equal times stay in their order. Returns 0, or -1 where memory is short. */
int events_sort(struct event *events, uint32_t count);

#endif
