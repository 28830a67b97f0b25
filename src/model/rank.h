/* Percentiles of many values, without sorting them. */
#ifndef MAREY_MODEL_RANK_H
#define MAREY_MODEL_RANK_H

#include <stdint.h>

/* By nearest rank: the smallest of the values that at least so many percent do not exceed. count > 0. Changes the order of the
 * values; the time it takes is near to linear in them, whatever they are. */
int64_t rank_percentile(int64_t *values, uint64_t count, unsigned percent);

#endif
