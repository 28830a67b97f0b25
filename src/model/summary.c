/* See summary.h. */
#define _GNU_SOURCE
#include "model/summary.h"

#include <string.h>

#include "marey.h"
#include "model/grow.h"
#include "model/rank.h"
#include "model/sums.h"

/* Which row each span belongs to, and the durations of each row together. */
struct grouping {
    const struct trace_filter *filter;
    uint8_t *tracks;     /* those that are wanted */
    struct map rows;     /* name and category to row */
    int64_t *durations;  /* row by row */
    uint64_t *row_start; /* in durations */
};

static uint64_t key_of(const struct span *span) {
    return (uint64_t)span->name << 32 | span->category;
}

static uint32_t find_row(struct summary *summary, struct map *rows, const struct span *span) {
    uint64_t key = key_of(span);
    uint32_t row = map_get(rows, key);
    if (row != MAP_NONE)
        return row;
    row = summary->count;
    if (GROW(summary->rows, row, summary->capacity) || map_put(rows, key, row))
        return MAP_NONE;
    summary->rows[row] = (struct summary_row){.name = span->name, .category = span->category};
    summary->count++;
    return row;
}

/* Whether a span is wanted, and how long it was, within the time that is; -1: it has no end. */
static int is_wanted(const struct grouping *by, const struct trace *trace, const struct span *span,
                     int64_t *duration_ns) {
    int64_t begin_ns, end_ns;
    if (!by->tracks[span->track] || !filter_clip_span(by->filter, trace, span, &begin_ns, &end_ns))
        return 0;
    *duration_ns = span->duration_ns < 0 ? -1 : end_ns - begin_ns;
    return 1;
}

static void count_span(struct summary_row *row, const struct span *span, int64_t duration_ns) {
    row->count++;
    row->errors += span->failed;
    if (duration_ns < 0) {
        row->open++;
        return;
    }
    sum_add_ns(&row->total_ns, duration_ns);
    if (duration_ns > row->max_ns)
        row->max_ns = duration_ns;
}

/* Counts the spans of each row. Returns 0, or -1 where memory is short. */
static int count_spans(struct summary *summary, const struct trace *trace, struct grouping *by) {
    for (uint32_t i = 0; i < trace->span_count; i++) {
        int64_t duration_ns;
        if (!is_wanted(by, trace, &trace->spans[i], &duration_ns))
            continue;
        uint32_t row = find_row(summary, &by->rows, &trace->spans[i]);
        if (row == MAP_NONE)
            return -1;
        count_span(&summary->rows[row], &trace->spans[i], duration_ns);
    }
    return 0;
}

/* The durations of all that ended, row by row. Returns 0, or -1 where memory is short. */
static int list_durations(const struct summary *summary, const struct trace *trace,
                          struct grouping *by) {
    uint64_t ended = 0;
    int64_t duration_ns;
    by->row_start = malloc((summary->count + 1) * sizeof *by->row_start);
    for (uint32_t row = 0; by->row_start && row < summary->count; row++) {
        by->row_start[row] = ended;
        ended += summary->rows[row].count - summary->rows[row].open;
    }
    by->durations = malloc((ended + 1) * sizeof *by->durations);
    if (!by->row_start || !by->durations)
        return -1;
    for (uint32_t i = 0; i < trace->span_count; i++)
        if (is_wanted(by, trace, &trace->spans[i], &duration_ns) && duration_ns >= 0)
            by->durations[by->row_start[map_get(&by->rows, key_of(&trace->spans[i]))]++] =
                duration_ns;
    return 0;
}

static void fill_times(struct summary_row *row, int64_t *durations) {
    uint64_t ended = row->count - row->open;
    if (!ended)
        return;
    row->mean_ns = row->total_ns / (int64_t)ended;
    row->p50_ns = rank_percentile(durations, ended, 50);
    row->p99_ns = rank_percentile(durations, ended, 99);
}

static int compare_rows(const void *a, const void *b) {
    const struct summary_row *left = a, *right = b;
    if (left->total_ns != right->total_ns)
        return left->total_ns < right->total_ns ? 1 : -1;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return (left->name > right->name) - (left->name < right->name);
}

int summary_make(struct summary *summary, const struct trace *trace) {
    const struct trace_filter all = {0};
    return summary_make_part(summary, trace, &all);
}

int summary_make_part(struct summary *summary, const struct trace *trace,
                      const struct trace_filter *filter) {
    struct grouping by = {.filter = filter, .tracks = filter_tracks(filter, trace)};
    *summary = (struct summary){0};
    int failed =
        !by.tracks || count_spans(summary, trace, &by) || list_durations(summary, trace, &by);
    if (!failed) {
        int64_t *next = by.durations;
        for (uint32_t row = 0; row < summary->count; row++) {
            fill_times(&summary->rows[row], next);
            next += summary->rows[row].count - summary->rows[row].open;
        }
        if (summary->count)
            qsort(summary->rows, summary->count, sizeof *summary->rows, compare_rows);
    }
    map_free(&by.rows);
    free(by.tracks);
    free(by.durations);
    free(by.row_start);
    return failed ? MAREY_ENOMEM : 0;
}

struct sorting {
    const struct trace *trace;
    enum order order;
};

static int64_t key_for(const struct summary_row *row, enum order order) {
    switch (order) {
    case ORDER_COUNT: return (int64_t)row->count;
    case ORDER_MEAN: return row->mean_ns;
    case ORDER_MAX: return row->max_ns;
    default: return row->total_ns;
    }
}

static int compare_by(const void *a, const void *b, void *context) {
    const struct summary_row *left = a, *right = b;
    const struct sorting *sorting = context;
    int64_t mine = key_for(left, sorting->order), other = key_for(right, sorting->order);
    int names = sorting->order == ORDER_NAME ? strcmp(trace_text(sorting->trace, left->name),
                                                      trace_text(sorting->trace, right->name))
                                             : 0;
    if (names)
        return names;
    return mine != other ? (mine < other ? 1 : -1) : compare_rows(a, b);
}

void summary_sort(struct summary *summary, const struct trace *trace, enum order order) {
    struct sorting sorting = {trace, order};
    if (summary->count)
        qsort_r(summary->rows, summary->count, sizeof *summary->rows, compare_by, &sorting);
}

void summary_choose(struct summary *summary, const struct trace *trace,
                    const struct patterns *names) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < summary->count; i++)
        if (patterns_choose_name(names, trace_text(trace, summary->rows[i].name), NULL))
            summary->rows[kept++] = summary->rows[i];
    summary->count = kept;
}

void summary_free(struct summary *summary) {
    free(summary->rows);
    *summary = (struct summary){0};
}
