/* Inside the model: which process and thread a track belongs to. */
#ifndef MAREY_MODEL_PROCESSES_H
#define MAREY_MODEL_PROCESSES_H

#include "model/trace.h"

enum { PARENTS_MAX = 100 }; /* trace_processor's limit of nested tracks */

/* Fills in the trace's processes and threads, and the process of each track. Returns 0, or -1 where memory is short. */
int processes_find(struct trace *trace);
/* The track that says whose this one is: itself or the next of its parents that is a thread or process. NULL: nobody's. */
const struct track *track_owner(const struct trace *trace, const struct track *track);

#endif
