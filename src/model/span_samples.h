/* Samples by span: which of a program's spans its threads were in when they were sampled. */
#ifndef MAREY_MODEL_SPAN_SAMPLES_H
#define MAREY_MODEL_SPAN_SAMPLES_H

#include "model/patterns.h"
#include "model/sampling.h"

/* The spans of one name and category. */
struct span_samples_row {
    uint32_t name, category;   /* strings; 0: none */
    struct sample_times self;  /* of samples whose innermost open span is one of these */
    struct sample_times total; /* of samples within one of these, at any depth, each once */
};

struct span_samples {
    struct span_samples_row *rows; /* the largest self first, by wall time, then by samples */
    uint32_t count, capacity;
    struct sample_times outside; /* of samples within no span */
    struct sample_times all;
};

/* Of the samples that are wanted. Where a sample says which asyncio task its thread was running, the spans of the task's track
 * count, and if none is open there, those of the thread's own. Calls are no spans here. Returns 0 or MAREY_ENOMEM.
 * span_samples_free in every case. */
int span_samples_make(struct span_samples *made, const struct trace *trace,
                      const struct trace_filter *filter);
/* Takes out rows whose names are not wanted. */
void span_samples_choose(struct span_samples *made, const struct trace *trace,
                         const struct patterns *names);
void span_samples_free(struct span_samples *made);

#endif
