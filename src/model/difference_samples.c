/* See difference.h: the samples of a side. */
#include <stdlib.h>
#include <string.h>

#include "model/difference_parts.h"
#include "model/grow.h"

struct taking {
    struct difference *difference;
    const struct trace *trace;
    const struct samples *samples;
    const struct trace_filter *filter;
    enum sample_grouping grouping;
    int side;
    uint8_t *wanted;   /* of a sampled thread */
    uint32_t *row_of;  /* of a frame; MAP_NONE: not looked up yet */
    double *weight_of; /* of a stack */
    uint32_t *counted; /* of a row: the stack whose weight was added last, and 1 */
};

/* --------------------------------------------------------------------- rows */

/* The last two parts of a path: "json/decoder.py". */
static const char *path_end(const char *file) {
    const char *at = file + strlen(file);
    for (int parts = 0; at > file; at--)
        if (at[-1] == '/' && ++parts == 2)
            break;
    return at;
}

/* The row of that name, new or known. MAP_NONE where memory is short. */
static uint32_t find_row(struct difference *self, const char *name, const char *file,
                         int32_t line) {
    struct changed_share row = {.name = strings_add_text(&self->strings, name),
                                .file = strings_add_text(&self->strings, path_end(file)),
                                .line = line};
    uint64_t key = map_mix((uint64_t)row.name << 32 | row.file) + (uint32_t)line;
    uint32_t place = map_get(&self->share_places, key);
    if (place != MAP_NONE)
        return place;
    if (GROW(self->shares, self->share_count, self->share_capacity) ||
        map_put(&self->share_places, key, self->share_count))
        return MAP_NONE;
    self->shares[self->share_count] = row;
    return self->share_count++;
}

static uint32_t row_of_frame(struct taking *self, uint32_t frame) {
    if (self->row_of[frame] != MAP_NONE)
        return self->row_of[frame];
    const struct stack_frame *at = &self->samples->frames[frame];
    const struct stack_function *function = &self->samples->functions[at->function];
    const char *name = trace_text(self->trace, function->name);
    const char *file = trace_text(self->trace, function->file);
    if ((self->grouping == GROUP_FILES || self->grouping == GROUP_MODULES) && *file)
        name = path_end(file);
    self->row_of[frame] =
        find_row(self->difference, name, file, self->grouping == GROUP_LINES ? at->line : 0);
    return self->row_of[frame];
}

/* Of the innermost frame. */
static uint32_t row_of_stack(struct taking *self, uint32_t stack) {
    return stack ? row_of_frame(self, self->samples->stacks[stack].frame)
                 : find_row(self->difference, "(no Python)", "", 0);
}

/* ------------------------------------------------------------------ samples */

static double weight_of(const struct taken_sample *sample, int timed) {
    return timed ? (double)sample->weights_ns[SAMPLE_WALL] : sample->count;
}

static int is_within(const struct taking *self, uint32_t place, struct taken_sample *part) {
    *part = self->samples->all[place];
    return self->wanted[part->thread] && filter_clip_sample(self->filter, part);
}

/* A sample that stands for several that were alike is as many of a part of its weight. */
static void find_whole(struct taking *self) {
    struct chance_whole *whole = &self->difference->whole[self->side];
    struct taken_sample part;
    for (uint32_t i = 0; i < self->samples->count; i++) {
        if (!is_within(self, i, &part))
            continue;
        double weight = weight_of(&part, self->difference->timed[self->side]);
        whole->sum += weight;
        whole->squares += weight * weight / part.count;
        self->difference->samples[self->side] += part.count;
    }
}

static int add_selves(struct taking *self) {
    const struct chance_whole *whole = &self->difference->whole[self->side];
    struct taken_sample part;
    double before = 0;
    for (uint32_t i = 0; i < self->samples->count; i++) {
        if (!is_within(self, i, &part))
            continue;
        double weight = weight_of(&part, self->difference->timed[self->side]);
        uint32_t row = row_of_stack(self, part.stack);
        if (row == MAP_NONE)
            return -1;
        chance_share_add(&self->difference->shares[row].side[self->side].self, whole, before,
                         weight);
        self->difference->shares[row].side[self->side].samples += part.count;
        self->weight_of[part.stack] += weight;
        before += weight;
    }
    return 0;
}

/* A recursive function counts once for each stack. */
static int add_totals(struct taking *self) {
    for (uint32_t i = 0; i < self->samples->frame_count; i++)
        if (row_of_frame(self, i) == MAP_NONE)
            return -1;
    self->counted = calloc(self->difference->share_count + 1, sizeof *self->counted);
    if (!self->counted)
        return -1;
    if (self->weight_of[0] > 0)
        self->difference->shares[row_of_stack(self, 0)].side[self->side].total +=
            self->weight_of[0];
    for (uint32_t stack = 1; stack < self->samples->stack_count; stack++)
        for (uint32_t at = stack; self->weight_of[stack] > 0 && at;
             at = self->samples->stacks[at].parent) {
            uint32_t row = self->row_of[self->samples->stacks[at].frame];
            if (self->counted[row] == stack)
                continue;
            self->counted[row] = stack;
            self->difference->shares[row].side[self->side].total += self->weight_of[stack];
        }
    return 0;
}

int difference_take_samples(struct difference *difference, int side, const struct trace *trace,
                            const struct trace_filter *filter, enum sample_grouping grouping) {
    const struct samples *samples = &trace->reader.samples;
    size_t frames = samples->frame_count, stacks = samples->stack_count;
    if (!samples->count)
        return 0;
    struct taking self = {.difference = difference,
                          .trace = trace,
                          .samples = samples,
                          .filter = filter,
                          .grouping = grouping,
                          .side = side,
                          .wanted = filter_sampled(filter, trace),
                          .row_of = malloc((frames + 1) * sizeof *self.row_of),
                          .weight_of = calloc(stacks + 1, sizeof *self.weight_of)};
    int failed = !self.wanted || !self.row_of || !self.weight_of;
    difference->timed[side] = samples->weighted;
    if (!failed) {
        memset(self.row_of, 0xff, (frames + 1) * sizeof *self.row_of);
        find_whole(&self);
        failed = difference->whole[side].sum > 0 && (add_selves(&self) || add_totals(&self));
    }
    free(self.wanted);
    free(self.row_of);
    free(self.weight_of);
    free(self.counted);
    return failed ? -1 : 0;
}
