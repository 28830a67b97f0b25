/* Sums of numbers that anybody may have written: they stop at the largest one, or the smallest. */
#ifndef MAREY_MODEL_SUMS_H
#define MAREY_MODEL_SUMS_H

#include <stdint.h>

static inline void sum_add(uint64_t *sum, uint64_t more) {
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = UINT64_MAX;
}

static inline void sum_add_ns(int64_t *sum, int64_t more) {
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = more > 0 ? INT64_MAX : INT64_MIN;
}

#endif
