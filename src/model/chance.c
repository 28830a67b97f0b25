/* See chance.h. */
#include "model/chance.h"

#include <math.h>
#include <stdlib.h>

/* The probability to be as far from 0, on either side, of what varies around it with this variance, which was found from so
 * many batches (0: it is known). Student's t by the normal distribution: Abramowitz and Stegun, 26.7.8. */
static double two_sided(double difference, double variance, uint32_t batches) {
    if (difference == 0)
        return 1;
    if (variance <= 0)
        return 0;
    double t = fabs(difference) / sqrt(variance), freedom = batches > 2 ? batches - 2 : 0;
    if (freedom > 0)
        t *= (1 - 1 / (4 * freedom)) / sqrt(1 + t * t / (2 * freedom));
    return erfc(t / sqrt(2));
}

/* ------------------------------------------------------------------- shares */

/* What the current batch, which is over, adds to the squares of differences. */
static double step(const struct chance_share *share) {
    double difference = share->in_batch - share->last;
    return share->batch ? difference * difference : 0;
}

void chance_share_add(struct chance_share *share, const struct chance_whole *whole, double before,
                      double weight) {
    uint32_t batch = (uint32_t)(before / whole->sum * CHANCE_BATCHES);
    if (batch != share->batch) {
        int is_next = batch == share->batch + 1;
        share->squares += step(share) + (is_next ? 0 : share->in_batch * share->in_batch);
        share->last = is_next ? share->in_batch : 0;
        share->in_batch = 0;
        share->batch = batch;
    }
    share->in_batch += weight;
    share->sum += weight;
}

/* How many independent samples of equal weight would say as much (Kish). */
static double worth(const struct chance_whole *whole) {
    return whole->squares > 0 ? whole->sum * whole->sum / whole->squares : 0;
}

/* By how much the variance of a share is larger than that of independent samples. */
static double inflation(const struct chance_share *share, const struct chance_whole *whole) {
    double part = share->sum / whole->sum, independent = part * (1 - part) / worth(whole);
    int is_last = share->batch >= CHANCE_BATCHES - 1;
    double squares =
        share->squares + step(share) + (is_last ? 0 : share->in_batch * share->in_batch);
    double between = squares / (2 * (CHANCE_BATCHES - 1));
    double observed = CHANCE_BATCHES * between / (whole->sum * whole->sum);
    return independent > 0 && observed > independent ? observed / independent : 1;
}

double chance_of_shares(const struct chance_share *a, const struct chance_whole *a_whole,
                        const struct chance_share *b, const struct chance_whole *b_whole) {
    enum { LEAST = 10 };
    double a_worth = worth(a_whole), b_worth = worth(b_whole);
    if (a_worth < LEAST || b_worth < LEAST)
        return 1;
    double a_part = a->sum / a_whole->sum, b_part = b->sum / b_whole->sum;
    double pooled = (a_part * a_worth + b_part * b_worth) / (a_worth + b_worth);
    if (pooled * (a_worth + b_worth) < LEAST || (1 - pooled) * (a_worth + b_worth) < LEAST)
        return 1;
    double variance =
        pooled * (1 - pooled) * (inflation(a, a_whole) / a_worth + inflation(b, b_whole) / b_worth);
    /* Differences say two thirds of what as many independent batches would. */
    return two_sided(a_part - b_part, variance, 2 * CHANCE_BATCHES * 2 / 3);
}

/* ---------------------------------------------------------------- durations */

struct ranked {
    int64_t value;
    uint32_t place; /* a's values, then b's */
};

static int compare_values(const void *a, const void *b) {
    int64_t left = ((const struct ranked *)a)->value, right = ((const struct ranked *)b)->value;
    return (left > right) - (left < right);
}

/* Ranks from 1 on, by place; equal values have the mean of theirs. Returns the variance of a rank. */
static double find_ranks(struct ranked *all, uint32_t count, double *ranks) {
    double ties = 0, n = count;
    qsort(all, count, sizeof *all, compare_values);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && all[end].value == all[first].value;)
            end++;
        double equal = end - first;
        for (uint32_t i = first; i < end; i++)
            ranks[all[i].place] = (first + 1 + end) / 2.0;
        ties += equal * equal * equal - equal;
    }
    return n > 1 ? (n * (n + 1) - ties / (n - 1)) / 12 : 0;
}

static double mean_of(const double *values, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

/* As many as values are in each, which serves both: that batches are long, and that there are many. 0: there are too few. */
static uint32_t batches_of(uint32_t count) {
    uint32_t batches = (uint32_t)sqrt(count);
    if (batches < CHANCE_BATCHES_LEAST)
        return 0;
    return batches < CHANCE_BATCHES ? batches : (uint32_t)CHANCE_BATCHES;
}

/* The variance of the mean of ranks that stand in order of time; at least that of as many independent ones. */
static double variance_of_mean(const double *ranks, uint32_t count, double variance) {
    double independent = variance / count, between = 0;
    uint32_t batches = batches_of(count);
    if (!batches)
        return independent;
    double mean = mean_of(ranks, count);
    for (uint32_t i = 0; i < batches; i++) {
        uint32_t first = (uint32_t)((uint64_t)count * i / batches);
        uint32_t end = (uint32_t)((uint64_t)count * (i + 1) / batches);
        double away = mean_of(ranks + first, end - first) - mean;
        between += away * away;
    }
    double observed = between / (batches - 1) / batches;
    return observed > independent ? observed : independent;
}

double chance_of_durations(const int64_t *a, uint32_t a_count, const int64_t *b, uint32_t b_count) {
    uint32_t count = a_count + b_count;
    if (a_count < CHANCE_VALUES_LEAST || b_count < CHANCE_VALUES_LEAST)
        return 1;
    struct ranked *all = malloc(count * sizeof *all);
    double *ranks = malloc(count * sizeof *ranks), chance = -1;
    if (all && ranks) {
        for (uint32_t i = 0; i < count; i++)
            all[i] = (struct ranked){i < a_count ? a[i] : b[i - a_count], i};
        double variance = find_ranks(all, count, ranks);
        chance = two_sided(mean_of(ranks, a_count) - mean_of(ranks + a_count, b_count),
                           variance_of_mean(ranks, a_count, variance) +
                               variance_of_mean(ranks + a_count, b_count, variance),
                           batches_of(a_count) + batches_of(b_count));
    }
    free(all);
    free(ranks);
    return chance;
}

/* --------------------------------------------------------------- correction */

static int compare_places(const void *a, const void *b) {
    double left = **(double *const *)a, right = **(double *const *)b;
    return (left > right) - (left < right);
}

int chance_correct(double *probabilities, uint32_t count) {
    double **sorted = malloc(((size_t)count + 1) * sizeof *sorted), least = 1;
    if (!sorted)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &probabilities[i];
    qsort(sorted, count, sizeof *sorted, compare_places);
    for (uint32_t i = count; i--;) {
        double corrected = *sorted[i] * count / (i + 1);
        least = corrected < least ? corrected : least;
        *sorted[i] = least;
    }
    free(sorted);
    return 0;
}
