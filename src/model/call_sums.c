/* See call_stats.h: the table of functions from spans, as they stand in a trace.
 *
 * What is open around a span is the chain of its parents; spans stand in the order in which they began, so that is kept as
 * a stack. Pieces of generators and coroutines are put together by the number of their invocation. */
#include <stdlib.h>

#include "marey.h"
#include "model/call_parts.h"
#include "model/grow.h"
#include "model/sums.h"

/* A span that is around the next one, if that has it for a parent. */
struct around {
    uint32_t span, function; /* CALL_NONE: it is a scope, or not wanted */
};

/* A generator's or coroutine's call. */
struct invocation {
    uint32_t function;
    int is_inner, open, failed; /* is_inner: the same function was around its first piece */
    int64_t begin_ns, end_ns, running_ns;
};

/* What is known of a function beside its row. */
struct function_sum {
    uint32_t running;    /* how many of its calls are around */
    uint64_t next_place; /* in the times */
};

struct summing {
    struct trace *trace;
    const struct trace_filter *filter;
    uint8_t *tracks;
    uint32_t scope_category;
    struct call_functions functions;
    struct call_stats_row *rows;
    struct function_sum *sums;
    uint32_t row_count, row_capacity, sum_count, sum_capacity;
    struct around *stack;
    uint32_t depth, stack_capacity;
    struct invocation *invocations;
    uint32_t invocation_count, invocation_capacity;
    struct map by_key;
};

/* The function of a span, with a row. CALL_NONE where memory is short. */
static uint32_t find_function(struct summing *self, const struct span *span) {
    uint32_t function = call_functions_find(&self->functions, span);
    if (function == CALL_NONE || function < self->row_count)
        return function;
    if (GROW(self->rows, self->row_count, self->row_capacity) ||
        GROW(self->sums, self->sum_count, self->sum_capacity))
        return CALL_NONE;
    self->rows[self->row_count++] = (struct call_stats_row){.function = function};
    self->sums[self->sum_count++] = (struct function_sum){0};
    return function;
}

/* ------------------------------------------------------------ what is around */

/* Until the span's parent stands on top, or nothing. */
static void leave(struct summing *self, const struct span *span) {
    while (self->depth && self->stack[self->depth - 1].span != span->parent)
        if (self->stack[--self->depth].function != CALL_NONE)
            self->sums[self->stack[self->depth].function].running--;
}

static int enter(struct summing *self, uint32_t span, uint32_t function) {
    if (GROW(self->stack, self->depth, self->stack_capacity))
        return -1;
    self->stack[self->depth++] = (struct around){span, function};
    if (function != CALL_NONE)
        self->sums[function].running++;
    return 0;
}

static uint32_t caller(const struct summing *self) {
    for (uint32_t i = self->depth; i--;)
        if (self->stack[i].function != CALL_NONE)
            return self->stack[i].function;
    return CALL_NONE;
}

/* -------------------------------------------------------------------- calls */

static int has_open_end(const struct summing *self, const struct span *span) {
    const struct trace *trace = self->trace;
    uint32_t end = span->detail ? trace->reader.arguments.details[span->detail].end : 0;
    const struct value *mark = calls_value(self->functions.calls, end, "(open)");
    return span->duration_ns < 0 || (mark && mark->number);
}

static void count_call(struct summing *self, const struct invocation *call) {
    struct call_stats_row *row = &self->rows[call->function];
    int64_t waited_ns = call->end_ns - call->begin_ns - call->running_ns;
    row->calls++;
    row->open += call->open != 0;
    row->exceptions += call->failed != 0;
    if (!call->is_inner)
        sum_add_ns(&row->total_ns, call->end_ns - call->begin_ns);
    if (waited_ns > 0)
        sum_add_ns(&row->waiting_ns, waited_ns);
}

/* A piece that may be the first of its call. */
static int add_piece(struct summing *self, uint64_t key, const struct invocation *piece) {
    uint32_t place = map_get(&self->by_key, key);
    if (place == MAP_NONE) {
        if (GROW(self->invocations, self->invocation_count, self->invocation_capacity) ||
            map_put(&self->by_key, key, self->invocation_count))
            return -1;
        self->invocations[self->invocation_count++] = *piece;
        return 0;
    }
    struct invocation *call = &self->invocations[place];
    sum_add_ns(&call->running_ns, piece->running_ns);
    if (piece->begin_ns < call->begin_ns)
        call->begin_ns = piece->begin_ns;
    if (piece->end_ns >= call->end_ns) {
        call->end_ns = piece->end_ns;
        call->open = piece->open;
        call->failed = piece->failed;
    }
    return 0;
}

static int is_listed(const struct summing *self, uint32_t function) {
    return self->functions.calls->functions[function].kind != FUNCTION_SPAN;
}

static int add_span(struct summing *self, uint32_t place) {
    const struct span *span = &self->trace->spans[place];
    int64_t begin_ns, end_ns;
    leave(self, span);
    if (!self->tracks[span->track] ||
        !filter_clip_span(self->filter, self->trace, span, &begin_ns, &end_ns) ||
        (span->category && span->category == self->scope_category))
        return enter(self, place, CALL_NONE);
    uint32_t function = find_function(self, span), by = caller(self);
    if (function == CALL_NONE)
        return -1;
    sum_add_ns(&self->rows[function].self_ns, end_ns - begin_ns);
    if (by != CALL_NONE)
        sum_add_ns(&self->rows[by].self_ns, begin_ns - end_ns);
    struct invocation call = {.function = function,
                              .is_inner = self->sums[function].running > 0,
                              .open = has_open_end(self, span),
                              .failed = span->failed,
                              .begin_ns = begin_ns,
                              .end_ns = end_ns,
                              .running_ns = end_ns - begin_ns};
    uint64_t key = calls_invocation(self->functions.calls, span);
    if (!key)
        count_call(self, &call);
    else if (add_piece(self, key, &call))
        return -1;
    return enter(self, place, function);
}

static int add_spans(struct summing *self) {
    for (uint32_t i = 0; i < self->trace->span_count; i++)
        if (add_span(self, i))
            return -1;
    for (uint32_t i = 0; i < self->invocation_count; i++)
        count_call(self, &self->invocations[i]);
    return 0;
}

/* -------------------------------------------------------------------- times */

/* Puts the time of each call that is in the table at its function's next place. */
static void list_times(struct summing *self, int64_t *times) {
    for (uint32_t i = 0; i < self->trace->span_count; i++) {
        const struct span *span = &self->trace->spans[i];
        int64_t begin_ns, end_ns;
        if (!self->tracks[span->track] ||
            !filter_clip_span(self->filter, self->trace, span, &begin_ns, &end_ns) ||
            (span->category && span->category == self->scope_category))
            continue;
        uint32_t function = call_functions_find(&self->functions, span);
        if (function < self->row_count && is_listed(self, function) &&
            !calls_invocation(self->functions.calls, span))
            times[self->sums[function].next_place++] = end_ns - begin_ns;
    }
    for (uint32_t i = 0; i < self->invocation_count; i++) {
        const struct invocation *call = &self->invocations[i];
        if (is_listed(self, call->function))
            times[self->sums[call->function].next_place++] = call->end_ns - call->begin_ns;
    }
}

/* Returns 0, or -1 where memory is short. */
static int describe(struct summing *self) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < self->row_count; i++) {
        self->sums[i].next_place = count;
        count += is_listed(self, i) ? self->rows[i].calls : 0;
        if (self->rows[i].self_ns < 0)
            self->rows[i].self_ns = 0;
    }
    int64_t *times = calloc(count + 1, sizeof *times), *next = times;
    if (!times)
        return -1;
    list_times(self, times);
    for (uint32_t i = 0; i < self->row_count; i++)
        if (is_listed(self, i) && self->rows[i].calls) {
            call_stats_describe(&self->rows[i], next);
            next += self->rows[i].calls;
        }
    self->functions.calls->call_count = count;
    free(times);
    return 0;
}

int call_stats_of_spans(struct call_stats *stats, struct calls *calls, struct trace *trace,
                        const struct trace_filter *filter) {
    struct summing self = {
        .trace = trace, .filter = filter, .tracks = filter_tracks(filter, trace)};
    *calls = (struct calls){.trace = trace};
    call_functions_init(&self.functions, calls, trace);
    self.scope_category = strings_add_text(&trace->reader.strings, CALL_SCOPE_CATEGORY);
    int failed = !self.tracks || add_spans(&self) || describe(&self);
    *stats = (struct call_stats){.rows = self.rows, .count = failed ? 0 : self.row_count};
    if (!failed)
        call_stats_settle(stats);
    call_functions_free(&self.functions);
    map_free(&self.by_key);
    free(self.invocations);
    free(self.stack);
    free(self.sums);
    free(self.tracks);
    return failed ? MAREY_ENOMEM : 0;
}
