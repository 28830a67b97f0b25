/* See summary.h. */
#include "model/summary.h"

#include "marey.h"
#include "model/grow.h"

/* Which row each span belongs to, and the durations of each row together. */
struct grouping {
    const uint8_t *tracks; /* those that are wanted; NULL: all */
    struct map rows;       /* name and category to row */
    uint32_t *row_of;      /* of a span */
    int64_t *durations;    /* row by row */
    uint64_t *row_start;   /* in durations */
};

static uint32_t find_row(struct summary *summary, struct map *rows, const struct span *span) {
    uint64_t key = (uint64_t)span->name << 32 | span->category;
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

static void count_span(struct summary_row *row, const struct span *span) {
    row->count++;
    row->errors += span->failed;
    if (span->duration_ns < 0) {
        row->open++;
        return;
    }
    if (__builtin_add_overflow(row->total_ns, span->duration_ns, &row->total_ns))
        row->total_ns = INT64_MAX;
    if (span->duration_ns > row->max_ns)
        row->max_ns = span->duration_ns;
}

static int group(struct summary *summary, const struct trace *trace, struct grouping *to) {
    for (uint32_t i = 0; i < trace->span_count; i++) {
        to->row_of[i] = MAP_NONE;
        if (to->tracks && !to->tracks[trace->spans[i].track])
            continue;
        uint32_t row = find_row(summary, &to->rows, &trace->spans[i]);
        if (row == MAP_NONE)
            return -1;
        to->row_of[i] = row;
        count_span(&summary->rows[row], &trace->spans[i]);
    }
    to->row_start = malloc((summary->count + 1) * sizeof *to->row_start);
    if (!to->row_start)
        return -1;
    uint64_t start = 0;
    for (uint32_t row = 0; row < summary->count; row++) {
        to->row_start[row] = start;
        start += summary->rows[row].count - summary->rows[row].open;
    }
    for (uint32_t i = 0; i < trace->span_count; i++)
        if (to->row_of[i] != MAP_NONE && trace->spans[i].duration_ns >= 0)
            to->durations[to->row_start[to->row_of[i]]++] = trace->spans[i].duration_ns;
    return 0;
}

static void swap(int64_t *a, int64_t *b) {
    int64_t keep = *a;
    *a = *b;
    *b = keep;
}

/* Puts the value of that rank (0: the smallest) at its place, smaller ones before, larger ones behind (Hoare's
 * quickselect). The pivot is the middle of three, one of them by chance: no file can be made to be slow; nor can equal
 * values, as both sides stop at them. */
static int64_t select_rank(int64_t *values, uint64_t count, uint64_t rank) {
    uint64_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t middle = low + map_mix(low ^ high << 32) % (high - low);
        if (values[middle] < values[low])
            swap(&values[middle], &values[low]);
        if (values[high] < values[low])
            swap(&values[high], &values[low]);
        if (values[high] < values[middle])
            swap(&values[high], &values[middle]);
        int64_t pivot = values[middle];
        uint64_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&values[i++], &values[j--]);
        }
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[rank];
}

/* Nearest rank: the smallest value that at least so many percent do not exceed. */
static int64_t percentile(int64_t *values, uint64_t count, unsigned percent) {
    uint64_t rank = (count * percent + 99) / 100;
    return select_rank(values, count, rank ? rank - 1 : 0);
}

static void fill_times(struct summary_row *row, int64_t *durations) {
    uint64_t ended = row->count - row->open;
    if (!ended)
        return;
    row->mean_ns = row->total_ns / (int64_t)ended;
    row->p50_ns = percentile(durations, ended, 50);
    row->p99_ns = percentile(durations, ended, 99);
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
    return summary_make_part(summary, trace, NULL);
}

int summary_make_part(struct summary *summary, const struct trace *trace, const uint8_t *tracks) {
    struct grouping to = {.tracks = tracks};
    *summary = (struct summary){0};
    to.row_of = malloc(((size_t)trace->span_count + 1) * sizeof *to.row_of);
    to.durations = calloc((size_t)trace->span_count + 1, sizeof *to.durations);
    int error = to.row_of && to.durations ? group(summary, trace, &to) : -1;
    if (!error) {
        int64_t *next = to.durations;
        for (uint32_t row = 0; row < summary->count; row++) {
            fill_times(&summary->rows[row], next);
            next += summary->rows[row].count - summary->rows[row].open;
        }
        if (summary->count)
            qsort(summary->rows, summary->count, sizeof *summary->rows, compare_rows);
    }
    map_free(&to.rows);
    free(to.row_of);
    free(to.durations);
    free(to.row_start);
    return error ? MAREY_ENOMEM : 0;
}

void summary_free(struct summary *summary) {
    free(summary->rows);
    *summary = (struct summary){0};
}
