/* Inside the model: which process and thread a track belongs to. */
#ifndef MAREY_MODEL_PROCESSES_H
#define MAREY_MODEL_PROCESSES_H

#include "model/trace.h"

/* Fills in the trace's processes and threads, and the process of each track. Returns 0, or -1 where memory is short. */
int processes_find(struct trace *trace);

#endif
