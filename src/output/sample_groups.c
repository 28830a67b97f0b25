/* See sample_groups.h. */
#include "output/sample_groups.h"

#include <stdlib.h>

#include "marey.h"

static uint32_t group_of(const struct taken_sample *sample) {
    return 2 * sample->thread + (sample->task != 0);
}

int sample_groups_make(struct sample_groups *groups, const struct samples *samples) {
    groups->count = 2 * samples->thread_count;
    groups->order = malloc((samples->count + 1u) * sizeof *groups->order);
    groups->first = calloc(groups->count + 2u, sizeof *groups->first);
    if (!groups->order || !groups->first)
        return MAREY_ENOMEM;
    /* first[g + 1] counts up to the end of g - 1, and then, as they are put in, to that of g. */
    for (uint32_t i = 0; i < samples->count; i++)
        groups->first[group_of(&samples->all[i]) + 2]++;
    for (uint32_t g = 2; g < groups->count + 2; g++)
        groups->first[g] += groups->first[g - 1];
    for (uint32_t i = 0; i < samples->count; i++)
        groups->order[groups->first[group_of(&samples->all[i]) + 1]++] = i;
    return 0;
}

void sample_groups_free(struct sample_groups *groups) {
    free(groups->order);
    free(groups->first);
    *groups = (struct sample_groups){0};
}

uint32_t sample_stack(const struct samples *samples, uint32_t stack, uint32_t *frames) {
    uint32_t depth = 0;
    for (uint32_t at = stack; at && depth < STACK_DEPTH_MAX; at = samples->stacks[at].parent)
        depth++;
    for (uint32_t i = depth; i-- > 0; stack = samples->stacks[stack].parent)
        frames[i] = samples->stacks[stack].frame;
    return depth;
}
