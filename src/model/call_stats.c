/* See call_stats.h. */
#define _GNU_SOURCE
#include "model/call_stats.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/call_parts.h"
#include "model/rank.h"
#include "model/sums.h"

static void count_call(struct call_stats_row *row, const struct call *call) {
    row->calls++;
    row->open += (call->flags & CALL_IS_OPEN) != 0;
    row->exceptions += (call->flags & CALL_HAS_FAILED) != 0;
    sum_add_ns(&row->self_ns, call->self_ns);
    sum_add_ns(&row->waiting_ns, call->waiting_ns);
}

/* Totals, from the outermost calls of each function: `running` says how many of a function are around. Every node is
 * entered and left once, by the links between them. */
static void add_totals(struct call_stats_row *rows, const struct calls *calls, uint32_t *running) {
    for (uint32_t i = 0; i < calls->root_count; i++) {
        uint32_t at = calls->roots[i];
        while (at != CALL_NONE) {
            const struct call *call = &calls->all[at];
            if (!running[call->function]++)
                sum_add_ns(&rows[call->function].total_ns, call->elapsed_ns);
            if (call->first_child != CALL_NONE) {
                at = call->first_child;
                continue;
            }
            running[call->function]--;
            while (at != CALL_NONE && calls->all[at].next == CALL_NONE) {
                at = calls->all[at].parent;
                if (at != CALL_NONE)
                    running[calls->all[at].function]--;
            }
            at = at == CALL_NONE ? at : calls->all[at].next;
        }
    }
}

void call_stats_describe(struct call_stats_row *row, int64_t *times) {
    __int128 sum = 0;
    if (!row->calls)
        return;
    row->min_ns = row->max_ns = times[0];
    for (uint64_t i = 0; i < row->calls; i++) {
        sum += times[i];
        row->min_ns = times[i] < row->min_ns ? times[i] : row->min_ns;
        row->max_ns = times[i] > row->max_ns ? times[i] : row->max_ns;
    }
    row->mean_ns = (int64_t)(sum / (__int128)row->calls);
    row->p50_ns = rank_percentile(times, row->calls, 50);
    row->p99_ns = rank_percentile(times, row->calls, 99);
}

/* The times of all calls, function by function. */
static void add_times(struct call_stats_row *rows, const struct calls *calls, int64_t *times,
                      uint32_t *used) {
    uint32_t start = 0;
    for (uint32_t f = 0; f < calls->function_count; f++) {
        used[f] = start;
        start += (uint32_t)rows[f].calls;
    }
    for (uint32_t i = 0; i < calls->count; i++)
        times[used[calls->all[i].function]++] = calls->all[i].elapsed_ns;
    for (uint32_t f = 0; f < calls->function_count; f++)
        if (rows[f].calls)
            call_stats_describe(&rows[f], times + used[f] - rows[f].calls);
}

static int compare_rows(const void *a, const void *b) {
    const struct call_stats_row *left = a, *right = b;
    if (left->total_ns != right->total_ns)
        return left->total_ns < right->total_ns ? 1 : -1;
    if (left->calls != right->calls)
        return left->calls < right->calls ? 1 : -1;
    return (left->function > right->function) - (left->function < right->function);
}

void call_stats_settle(struct call_stats *stats) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stats->count; i++)
        if (stats->rows[i].calls)
            stats->rows[kept++] = stats->rows[i];
    stats->count = kept;
    if (kept)
        qsort(stats->rows, kept, sizeof *stats->rows, compare_rows);
}

int call_stats_make(struct call_stats *stats, const struct calls *calls) {
    *stats = (struct call_stats){.count = calls->function_count};
    stats->rows = calloc(calls->function_count + 1, sizeof *stats->rows);
    uint32_t *per_function = calloc(calls->function_count + 1, sizeof *per_function);
    int64_t *times = malloc((calls->count + 1) * sizeof *times);
    int failed = !stats->rows || !per_function || !times;
    if (!failed) {
        for (uint32_t f = 0; f < calls->function_count; f++)
            stats->rows[f].function = f;
        for (uint32_t i = 0; i < calls->count; i++)
            count_call(&stats->rows[calls->all[i].function], &calls->all[i]);
        add_totals(stats->rows, calls, per_function);
        add_times(stats->rows, calls, times, per_function);
        call_stats_settle(stats);
    }
    free(per_function);
    free(times);
    return failed ? MAREY_ENOMEM : 0;
}

struct sorting {
    const struct calls *calls;
    enum order order;
};

static int64_t key_for(const struct call_stats_row *row, enum order order) {
    switch (order) {
    case ORDER_SELF: return row->self_ns;
    case ORDER_COUNT: return (int64_t)row->calls;
    case ORDER_MEAN: return row->mean_ns;
    case ORDER_MAX: return row->max_ns;
    default: return row->total_ns;
    }
}

static const char *name_of(const struct calls *calls, const struct call_stats_row *row) {
    return trace_text(calls->trace, calls->functions[row->function].name);
}

static int compare_by(const void *a, const void *b, void *context) {
    const struct call_stats_row *left = a, *right = b;
    const struct sorting *sorting = context;
    int64_t mine = key_for(left, sorting->order), other = key_for(right, sorting->order);
    int names = sorting->order == ORDER_NAME
                    ? strcmp(name_of(sorting->calls, left), name_of(sorting->calls, right))
                    : 0;
    if (names)
        return names;
    return mine != other ? (mine < other ? 1 : -1) : compare_rows(a, b);
}

void call_stats_sort(struct call_stats *stats, const struct calls *calls, enum order order) {
    struct sorting sorting = {calls, order};
    if (stats->count)
        qsort_r(stats->rows, stats->count, sizeof *stats->rows, compare_by, &sorting);
}

void call_stats_choose(struct call_stats *stats, const struct calls *calls,
                       const struct patterns *names) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stats->count; i++)
        if (patterns_choose_name(
                names, name_of(calls, &stats->rows[i]),
                trace_text(calls->trace, calls->functions[stats->rows[i].function].module)))
            stats->rows[kept++] = stats->rows[i];
    stats->count = kept;
}

void call_stats_free(struct call_stats *stats) {
    free(stats->rows);
    *stats = (struct call_stats){0};
}
