/* See difference.h: the spans and calls of a side. */
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/call_parts.h"
#include "model/difference_parts.h"
#include "model/grow.h"
#include "model/summary.h"
#include "model/sums.h"

/* The row of that name, new or known. MAP_NONE where memory is short. */
static uint32_t find_row(struct difference *self, const char *name, const char *category,
                         int is_call) {
    struct changed_span row = {.name = strings_add_text(&self->strings, name),
                               .category = strings_add_text(&self->strings, category),
                               .is_call = is_call};
    uint64_t key = map_mix((uint64_t)row.name << 32 | row.category) + (uint64_t)is_call;
    uint32_t place = map_get(&self->span_places, key);
    if (place != MAP_NONE)
        return place;
    if (GROW(self->spans, self->span_count, self->span_capacity) ||
        map_put(&self->span_places, key, self->span_count))
        return MAP_NONE;
    self->spans[self->span_count] = row;
    return self->span_count++;
}

/* --------------------------------------------------------------------- sums */

/* Of two rows of a trace with one name (functions of one name in one module) times are added, percentiles are the larger. */
static void add_times(struct changed_times *to, const struct changed_times *more) {
    double ended = (double)(to->ended + more->ended);
    double mean = ended > 0 ? ((double)to->mean_ns * (double)to->ended +
                               (double)more->mean_ns * (double)more->ended) /
                                  ended
                            : 0;
    to->count += more->count;
    to->ended += more->ended;
    sum_add_ns(&to->total_ns, more->total_ns);
    to->mean_ns = (int64_t)mean;
    to->p50_ns = more->p50_ns > to->p50_ns ? more->p50_ns : to->p50_ns;
    to->p99_ns = more->p99_ns > to->p99_ns ? more->p99_ns : to->p99_ns;
    to->max_ns = more->max_ns > to->max_ns ? more->max_ns : to->max_ns;
}

/* *has_calls: whether there are some, too. */
static int add_spans(struct difference *self, int side, const struct trace *trace,
                     const struct trace_filter *filter, int *has_calls) {
    struct summary summary;
    int failed = summary_make_part(&summary, trace, filter) != 0;
    for (uint32_t i = 0; !failed && i < summary.count; i++) {
        const struct summary_row *from = &summary.rows[i];
        if (calls_is_call(trace, from->category)) {
            *has_calls = 1;
            continue;
        }
        uint32_t row =
            find_row(self, trace_text(trace, from->name), trace_text(trace, from->category), 0);
        failed = row == MAP_NONE;
        if (!failed)
            add_times(&self->spans[row].side[side],
                      &(struct changed_times){.count = from->count,
                                              .ended = from->count - from->open,
                                              .total_ns = from->total_ns,
                                              .mean_ns = from->mean_ns,
                                              .p50_ns = from->p50_ns,
                                              .p99_ns = from->p99_ns,
                                              .max_ns = from->max_ns});
    }
    summary_free(&summary);
    return failed ? -1 : 0;
}

static uint32_t row_of_function(struct difference *self, const struct trace *trace,
                                const struct call_function *function) {
    return find_row(self, trace_text(trace, function->name), trace_text(trace, function->module),
                    1);
}

/* The mean of calls is that of each call, their total that of the outermost of a recursion. */
static int add_calls(struct difference *self, int side, struct trace *trace,
                     const struct trace_filter *filter) {
    struct call_stats stats;
    struct calls functions;
    int failed = call_stats_of_spans(&stats, &functions, trace, filter) != 0;
    for (uint32_t i = 0; !failed && i < stats.count; i++) {
        const struct call_stats_row *from = &stats.rows[i];
        const struct call_function *function = &functions.functions[from->function];
        if (function->kind == FUNCTION_SPAN)
            continue;
        uint32_t row = row_of_function(self, trace, function);
        failed = row == MAP_NONE;
        if (failed)
            break;
        add_times(&self->spans[row].side[side], &(struct changed_times){.count = from->calls,
                                                                        .ended = from->calls,
                                                                        .total_ns = from->total_ns,
                                                                        .mean_ns = from->mean_ns,
                                                                        .p50_ns = from->p50_ns,
                                                                        .p99_ns = from->p99_ns,
                                                                        .max_ns = from->max_ns});
    }
    call_stats_free(&stats);
    calls_free(&functions);
    return failed ? -1 : 0;
}

/* ---------------------------------------------------------------- durations */

struct picking {
    struct difference *difference;
    int side;
    struct trace *trace;
    const struct trace_filter *filter;
    uint8_t *tracks;
    struct calls functions;
    struct call_functions finder;
    struct map rows;    /* of spans: name and category to row */
    uint32_t *seen;     /* of a row: durations so far */
    uint32_t *distance; /* of a row: one of so many durations is kept */
};

/* The row of a span, and how long it was. MAP_NONE: it is not wanted, or has no end. */
static uint32_t row_of_span(struct picking *self, const struct span *span, int64_t *duration_ns) {
    int64_t begin_ns, end_ns;
    if (span->duration_ns < 0 || !self->tracks[span->track] ||
        !filter_clip_span(self->filter, self->trace, span, &begin_ns, &end_ns))
        return MAP_NONE;
    *duration_ns = end_ns - begin_ns;
    int call = calls_is_call(self->trace, span->category);
    uint32_t function = call ? call_functions_find(&self->finder, span) : 0;
    uint64_t key = call ? function : (uint64_t)span->name << 32 | span->category;
    uint32_t row = map_get(&self->rows, map_mix(key) + (uint64_t)call);
    if (row != MAP_NONE || function == CALL_NONE)
        return row;
    row = call
              ? row_of_function(self->difference, self->trace, &self->functions.functions[function])
              : find_row(self->difference, trace_text(self->trace, span->name),
                         trace_text(self->trace, span->category), 0);
    if (row != MAP_NONE)
        map_put(&self->rows, map_mix(key) + (uint64_t)call, row);
    return row;
}

/* Room for the durations of each row, as many as it has or is allowed. */
static int make_room(struct picking *self) {
    struct difference *difference = self->difference;
    uint32_t most = difference->span_count ? DIFFERENCE_DURATIONS_ALL / difference->span_count : 1;
    most = most < DIFFERENCE_DURATIONS ? most : (uint32_t)DIFFERENCE_DURATIONS;
    self->seen = calloc(difference->span_count + 1, sizeof *self->seen);
    self->distance = calloc(difference->span_count + 1, sizeof *self->distance);
    for (uint32_t i = 0; self->seen && self->distance && i < difference->span_count; i++) {
        struct changed_times *times = &difference->spans[i].side[self->side];
        uint64_t kept = times->count < most ? times->count : most;
        self->distance[i] = (uint32_t)(kept ? (times->count + kept - 1) / kept : 1);
        times->durations = malloc((kept + 1) * sizeof *times->durations);
        if (!times->durations)
            return -1;
    }
    return self->seen && self->distance ? 0 : -1;
}

/* Pieces of generators and coroutines are durations of their own here, while their function's count is one of calls: there
 * may be more of them than there is room for. */
static void pick(struct picking *self) {
    uint32_t known =
        self->difference->span_count; /* each span has a row by now, if memory is not short */
    for (uint32_t i = 0; i < self->trace->span_count; i++) {
        int64_t duration_ns;
        uint32_t row = row_of_span(self, &self->trace->spans[i], &duration_ns);
        if (row >= known || self->seen[row]++ % self->distance[row])
            continue;
        struct changed_times *times = &self->difference->spans[row].side[self->side];
        if (times->duration_count < (times->count + self->distance[row] - 1) / self->distance[row])
            times->durations[times->duration_count++] = duration_ns;
    }
}

static int take_spans(struct difference *difference, int side, struct trace *trace,
                      const struct trace_filter *filter) {
    struct picking self = {.difference = difference,
                           .side = side,
                           .trace = trace,
                           .filter = filter,
                           .tracks = filter_tracks(filter, trace),
                           .functions = {.trace = trace}};
    int has_calls = 0;
    int failed = !self.tracks || add_spans(difference, side, trace, filter, &has_calls) ||
                 (has_calls && add_calls(difference, side, trace, filter)) || make_room(&self);
    if (!failed) {
        call_functions_init(&self.finder, &self.functions, trace);
        pick(&self);
    }
    call_functions_free(&self.finder);
    calls_free(&self.functions);
    map_free(&self.rows);
    free(self.tracks);
    free(self.seen);
    free(self.distance);
    return failed ? -1 : 0;
}

int difference_take(struct difference *difference, int side, struct trace *trace,
                    const struct trace_filter *filter, enum sample_grouping grouping) {
    int64_t begin_ns = trace->first_ns, end_ns = trace->last_ns;
    difference->length_ns[side] = filter_clip(filter, &begin_ns, &end_ns) ? end_ns - begin_ns : 0;
    return difference_take_samples(difference, side, trace, filter, grouping) ||
                   take_spans(difference, side, trace, filter)
               ? MAREY_ENOMEM
               : 0;
}
