/* The samples of a trace, each thread's together, for formats that hold them so: those of the thread itself and those of
 * its asyncio tasks that waited apart. */
#ifndef MAREY_OUTPUT_SAMPLE_GROUPS_H
#define MAREY_OUTPUT_SAMPLE_GROUPS_H

#include "output/part.h"

struct sample_groups {
    uint32_t *order; /* places in the samples: group by group, by time */
    uint32_t *first; /* of each group: in `order`; one more at the end */
    uint32_t count;  /* of groups: two of each sampled thread; 2 * i + 1: of thread i's tasks */
};

/* Returns 0 or MAREY_ENOMEM. sample_groups_free in every case. */
int sample_groups_make(struct sample_groups *groups, const struct samples *samples);
void sample_groups_free(struct sample_groups *groups);

/* A stack as frames, outermost first: places in the samples' frames. Returns how many; `frames` has room for
 * STACK_DEPTH_MAX. */
uint32_t sample_stack(const struct samples *samples, uint32_t stack, uint32_t *frames);

#endif
