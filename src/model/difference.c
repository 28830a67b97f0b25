/* See difference.h: what both sides come to. */
#define _GNU_SOURCE
#include "model/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"

static const double surely = 0.01, likely = 0.05;

const char *difference_text(const struct difference *self, uint32_t string) {
    const char *text = strings_text(&self->strings, string);
    return text ? text : "";
}

/* ------------------------------------------------------------------- shares */

double difference_self(const struct difference *self, const struct changed_share *row, int side) {
    double whole = self->whole[side].sum;
    return whole > 0 ? row->side[side].self.sum / whole : 0;
}

double difference_total(const struct difference *self, const struct changed_share *row, int side) {
    double whole = self->whole[side].sum;
    return whole > 0 ? row->side[side].total / whole : 0;
}

static double share_change(const struct difference *self, const struct changed_share *row) {
    return difference_self(self, row, AFTER) - difference_self(self, row, BEFORE);
}

int difference_share_grew(const struct difference *self, const struct changed_share *row,
                          double part) {
    return row->certainty == CERTAINTY_SURE && share_change(self, row) > part;
}

static int compare_shares(const void *a, const void *b, void *context) {
    const struct changed_share *left = a, *right = b;
    const struct difference *self = context;
    double mine = fabs(share_change(self, left)), other = fabs(share_change(self, right));
    if (mine != other)
        return mine < other ? 1 : -1;
    int names = strcmp(difference_text(self, left->name), difference_text(self, right->name));
    return names ? names : (left->line > right->line) - (left->line < right->line);
}

/* -------------------------------------------------------------------- spans */

double difference_growth(const struct changed_span *row) {
    int64_t before = row->side[BEFORE].mean_ns, after = row->side[AFTER].mean_ns;
    if (!row->side[BEFORE].ended || !row->side[AFTER].ended)
        return 0;
    return before > 0 ? (double)after / (double)before - 1 : after > 0;
}

int64_t difference_cost(const struct changed_span *row) {
    int64_t more;
    if (__builtin_sub_overflow(row->side[AFTER].total_ns, row->side[BEFORE].total_ns, &more))
        return row->side[AFTER].total_ns > 0 ? INT64_MAX : INT64_MIN;
    return more;
}

int difference_span_grew(const struct difference *self, const struct changed_span *row,
                         double part) {
    enum { WORTH = 100 }; /* one part in so many of the trace's length */
    const struct changed_times *before = &row->side[BEFORE], *after = &row->side[AFTER];
    double cost = ((double)after->mean_ns - (double)before->mean_ns) * (double)after->ended;
    return row->certainty == CERTAINTY_SURE && difference_growth(row) > part &&
           cost >= (double)self->length_ns[AFTER] / WORTH;
}

static double magnitude(int64_t ns) {
    return fabs((double)ns);
}

static int compare_spans(const void *a, const void *b, void *context) {
    const struct changed_span *left = a, *right = b;
    const struct difference *self = context;
    double mine = magnitude(difference_cost(left)), other = magnitude(difference_cost(right));
    if (mine != other)
        return mine < other ? 1 : -1;
    int names = strcmp(difference_text(self, left->name), difference_text(self, right->name));
    return names ? names
                 : strcmp(difference_text(self, left->category),
                          difference_text(self, right->category));
}

/* ---------------------------------------------------------------- certainty */

static enum certainty certainty_of(double chance) {
    return chance < surely ? CERTAINTY_SURE : chance < likely ? CERTAINTY_LIKELY : CERTAINTY_NOISE;
}

static void free_durations(struct changed_span *row) {
    for (int side = 0; side < SIDES; side++) {
        free(row->side[side].durations);
        row->side[side].durations = NULL;
    }
}

static void choose_rows(struct difference *self, const struct patterns *names) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->share_count; i++)
        if (patterns_choose_name(names, difference_text(self, self->shares[i].name), NULL))
            self->shares[kept++] = self->shares[i];
    self->share_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < self->span_count; i++) {
        struct changed_span *row = &self->spans[i];
        const char *module = row->is_call ? difference_text(self, row->category) : NULL;
        if (!patterns_choose_name(names, difference_text(self, row->name), module))
            continue;
        struct changed_span wanted = *row;
        *row = self->spans[kept];
        self->spans[kept++] = wanted;
    }
    for (uint32_t i = kept; i < self->span_count; i++)
        free_durations(&self->spans[i]);
    self->span_count = kept;
}

/* Samples and durations are different questions: each has a correction of its own. */
static int find_certainties(struct difference *self, double *chances) {
    for (uint32_t i = 0; i < self->share_count; i++)
        chances[i] = chance_of_shares(&self->shares[i].side[BEFORE].self, &self->whole[BEFORE],
                                      &self->shares[i].side[AFTER].self, &self->whole[AFTER]);
    if (chance_correct(chances, self->share_count))
        return -1;
    for (uint32_t i = 0; i < self->share_count; i++) {
        self->shares[i].chance = chances[i];
        self->shares[i].certainty = certainty_of(chances[i]);
    }
    for (uint32_t i = 0; i < self->span_count; i++) {
        const struct changed_times *a = &self->spans[i].side[BEFORE],
                                   *b = &self->spans[i].side[AFTER];
        chances[i] =
            chance_of_durations(a->durations, a->duration_count, b->durations, b->duration_count);
        if (chances[i] < 0)
            return -1;
    }
    if (chance_correct(chances, self->span_count))
        return -1;
    for (uint32_t i = 0; i < self->span_count; i++) {
        self->spans[i].chance = chances[i];
        self->spans[i].certainty = certainty_of(chances[i]);
    }
    return 0;
}

int difference_settle(struct difference *self, const struct patterns *names) {
    choose_rows(self, names);
    size_t most = self->share_count > self->span_count ? self->share_count : self->span_count;
    double *chances = malloc((most + 1) * sizeof *chances);
    int failed = !chances || find_certainties(self, chances);
    free(chances);
    if (self->share_count)
        qsort_r(self->shares, self->share_count, sizeof *self->shares, compare_shares, self);
    if (self->span_count)
        qsort_r(self->spans, self->span_count, sizeof *self->spans, compare_spans, self);
    return failed ? MAREY_ENOMEM : 0;
}

void difference_free(struct difference *self) {
    for (uint32_t i = 0; i < self->span_count; i++)
        free_durations(&self->spans[i]);
    free(self->spans);
    free(self->shares);
    map_free(&self->share_places);
    map_free(&self->span_places);
    strings_free(&self->strings);
    *self = (struct difference){0};
}
