/* What all StackSamples have in common that are written here: what their weights mean, and the kinds of frames. The same
 * as in recorded samples (trace/sample.c). */
#ifndef MAREY_OUTPUT_STACK_SAMPLE_H
#define MAREY_OUTPUT_STACK_SAMPLE_H

#include "base/sample.h"
#include "output/display.h"

/* The fields of StackSampleDefaults. */
void stack_sample_defaults(struct text *to);
/* The fields of a StackSample that hold its weights, in the order of those. */
void stack_sample_weights(struct text *to, const uint64_t weights_ns[SAMPLE_WEIGHTS],
                          uint64_t count);
/* An enum frame_kind, of an enum sample_kind. */
unsigned stack_sample_frame_kind(unsigned kind);

#endif
