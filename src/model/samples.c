/* See samples.h. */
#include "model/samples.h"

#include <string.h>

#include "model/grow.h"

/* Pairs of name and file: a function's key has no room for both. */
static uint32_t find_source(struct samples *self, uint32_t name, uint32_t file) {
    uint64_t key = (uint64_t)name << 32 | file;
    uint32_t place = map_get(&self->sources, key);
    if (place != MAP_NONE)
        return place;
    if (map_put(&self->sources, key, self->source_count))
        return MAP_NONE;
    return self->source_count++;
}

/* Kinds of one name, file and line are not told apart: the first counts. */
uint32_t samples_function(struct samples *self, const struct stack_function *function) {
    uint32_t source = find_source(self, function->name, function->file);
    uint64_t key = (uint64_t)source << 32 | (uint32_t)function->first_line;
    uint32_t place = map_get(&self->by_function, key);
    if (place != MAP_NONE || source == MAP_NONE)
        return place;
    place = self->function_count;
    if (GROW(self->functions, place, self->function_capacity) ||
        map_put(&self->by_function, key, place))
        return MAP_NONE;
    self->functions[self->function_count++] = *function;
    return place;
}

uint32_t samples_frame(struct samples *self, uint32_t function, int32_t line) {
    uint64_t key = (uint64_t)function << 32 | (uint32_t)line;
    uint32_t place = map_get(&self->by_frame, key);
    if (place != MAP_NONE)
        return place;
    place = self->frame_count;
    if (GROW(self->frames, place, self->frame_capacity) || map_put(&self->by_frame, key, place))
        return MAP_NONE;
    self->frames[self->frame_count++] = (struct stack_frame){function, line};
    return place;
}

uint32_t samples_stack(struct samples *self, uint32_t parent, uint32_t frame) {
    uint64_t key = (uint64_t)parent << 32 | frame;
    uint32_t place = map_get(&self->by_stack, key);
    if (place != MAP_NONE)
        return place;
    if (!self->stack_count) {
        if (GROW(self->stacks, 0, self->stack_capacity))
            return MAP_NONE;
        self->stacks[self->stack_count++] = (struct stack){0, 0};
    }
    place = self->stack_count;
    if (place >= STACKS_MAX || GROW(self->stacks, place, self->stack_capacity) ||
        map_put(&self->by_stack, key, place))
        return MAP_NONE;
    self->stacks[self->stack_count++] = (struct stack){parent, frame};
    return place;
}

uint32_t samples_thread(struct samples *self, uint32_t machine, uint32_t pid, uint32_t tid) {
    uint64_t key =
        machine ? map_spread((uint64_t)pid << 32 | tid, machine) : (uint64_t)pid << 32 | tid;
    uint32_t place = map_get(&self->by_thread, key);
    if (place != MAP_NONE)
        return place;
    place = self->thread_count;
    if (GROW(self->threads, place, self->thread_capacity) || map_put(&self->by_thread, key, place))
        return MAP_NONE;
    self->threads[self->thread_count++] = (struct sampled_thread){
        .machine = machine, .pid = (int32_t)pid, .tid = (int32_t)tid, .thread = MAP_NONE};
    return place;
}

int samples_add(struct samples *self, const struct taken_sample *sample) {
    if (GROW(self->all, self->count, self->capacity))
        return -1;
    self->all[self->count++] = *sample;
    self->weighted |= sample->weights_ns[SAMPLE_WALL] != 0;
    return 0;
}

/* ------------------------------------------------------------------ by time */

static int is_sorted(const struct samples *self) {
    for (uint32_t i = 1; i < self->count; i++)
        if (self->all[i].time_ns < self->all[i - 1].time_ns)
            return 0;
    return 1;
}

static void merge(const struct taken_sample *from, uint32_t first, uint32_t middle, uint32_t last,
                  struct taken_sample *to) {
    uint32_t a = first, b = middle;
    for (uint32_t i = first; i < last; i++)
        to[i] =
            b == last || (a < middle && from[a].time_ns <= from[b].time_ns) ? from[a++] : from[b++];
}

/* Merge sort, from the bottom up: the same time for whatever a file holds. */
static int merge_sort(struct samples *self) {
    struct taken_sample *from = self->all, *to = malloc(self->count * sizeof *to);
    if (!to)
        return -1;
    for (uint64_t width = 1; width < self->count; width *= 2) {
        for (uint64_t first = 0; first < self->count; first += 2 * width) {
            uint64_t middle = first + width < self->count ? first + width : self->count;
            uint64_t last = middle + width < self->count ? middle + width : self->count;
            merge(from, (uint32_t)first, (uint32_t)middle, (uint32_t)last, to);
        }
        struct taken_sample *swap = from;
        from = to;
        to = swap;
    }
    self->all = from;
    self->capacity = self->count;
    free(to);
    return 0;
}

int samples_sort(struct samples *self) {
    return is_sorted(self) ? 0 : merge_sort(self);
}

void samples_free(struct samples *self) {
    free(self->all);
    free(self->stacks);
    free(self->frames);
    free(self->functions);
    free(self->threads);
    map_free(&self->sources);
    map_free(&self->by_function);
    map_free(&self->by_frame);
    map_free(&self->by_stack);
    map_free(&self->by_thread);
    *self = (struct samples){0};
}
