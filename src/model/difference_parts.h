/* Inside the difference: how a side is taken in. */
#ifndef MAREY_MODEL_DIFFERENCE_PARTS_H
#define MAREY_MODEL_DIFFERENCE_PARTS_H

#include "model/difference.h"

/* Returns 0, or -1 where memory is short. */
int difference_take_samples(struct difference *self, int side, const struct trace *trace,
                            const struct trace_filter *filter, enum sample_grouping grouping);

#endif
