/* See loose_flows.h. */
#include "model/loose_flows.h"

#include <stdlib.h>

#include "model/trace.h"

/* A step, and the place of its span. */
struct bound {
    uint32_t span;
    uint32_t flow;
};

/* The spans of a track: [first, end) of the trace's. */
struct range {
    uint32_t first, end;
};

/* How many spans of the range begin at that time or before. */
static uint32_t count_begun(const struct trace *trace, struct range range, int64_t time_ns) {
    uint32_t low = range.first, high = range.end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (trace->spans[middle].begin_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low - range.first;
}

/* MAP_NONE: it is in none. */
static uint32_t find_span(const struct trace *trace, struct range range,
                          const struct loose_flow *flow) {
    uint32_t begun = count_begun(trace, range, flow->time_ns);
    if (flow->place == FLOW_IN_NEXT && range.first + begun < range.end)
        return range.first + begun;
    uint32_t at = begun ? range.first + begun - 1 : (uint32_t)MAP_NONE;
    while (at != MAP_NONE && trace->spans[at].duration_ns >= 0 &&
           trace->spans[at].duration_ns < flow->time_ns - trace->spans[at].begin_ns)
        at = trace->spans[at].parent;
    return at;
}

static int compare(const void *a, const void *b) {
    const struct bound *left = a, *right = b;
    if (left->span != right->span)
        return left->span < right->span ? -1 : 1;
    return (left->flow > right->flow) - (left->flow < right->flow);
}

/* What a span says itself of flows, once more: all of its steps stand in one row. Returns 0, or -1 where memory is short. */
static int repeat_own(struct arguments *arguments, uint32_t detail) {
    const struct detail own = detail ? arguments->details[detail] : (struct detail){0};
    for (uint32_t i = 0; i < own.flows; i++) {
        const struct flow_step step = arguments->flows[own.first_flow + i];
        if (arguments_flow(arguments, step.id, (int)step.ends))
            return -1;
    }
    return 0;
}

/* The steps of one span, which stand in a row. Returns how many, or 0 where memory is short. */
static uint32_t give(struct trace *trace, const struct bound *bound, uint32_t left) {
    struct arguments *arguments = &trace->reader.arguments;
    struct span *span = &trace->spans[bound->span];
    struct arguments_mark before = arguments_mark(arguments);
    uint32_t count = 0;
    if (repeat_own(arguments, span->detail))
        return 0;
    for (; count < left && bound[count].span == bound->span; count++) {
        const struct loose_flow *flow = &trace->reader.loose_flows.all[bound[count].flow];
        if (arguments_flow(arguments, flow->id, flow->ends))
            return 0;
    }
    if (!span->detail)
        span->detail = arguments_detail(arguments, before, 0);
    if (!span->detail)
        return 0;
    arguments->details[span->detail].first_flow = before.flow;
    arguments->details[span->detail].flows = arguments->flow_count - before.flow;
    return count;
}

static int bind_all(struct trace *trace, struct bound *bound, struct range *ranges) {
    const struct loose_flows *flows = &trace->reader.loose_flows;
    uint32_t first = 0, found = 0, step;
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        ranges[i] = (struct range){first, first + trace->reader.tracks.all[i].spans};
        first = ranges[i].end;
    }
    for (uint32_t i = 0; i < flows->count; i++) {
        bound[found] =
            (struct bound){find_span(trace, ranges[flows->all[i].track], &flows->all[i]), i};
        found += bound[found].span != MAP_NONE;
    }
    qsort(bound, found, sizeof *bound, compare);
    for (uint32_t i = 0; i < found; i += step) {
        step = give(trace, &bound[i], found - i);
        if (!step)
            return -1;
    }
    return 0;
}

int loose_flows_settle(struct trace *trace) {
    const struct loose_flows *flows = &trace->reader.loose_flows;
    if (!flows->count)
        return 0;
    struct bound *bound = malloc(flows->count * sizeof *bound);
    struct range *ranges = calloc((size_t)trace->reader.tracks.count + 1, sizeof *ranges);
    int error = bound && ranges ? bind_all(trace, bound, ranges) : -1;
    free(bound);
    free(ranges);
    return error;
}
