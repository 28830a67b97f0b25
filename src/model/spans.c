/* See spans.h.
 *
 * An end closes the innermost open span whose name and category are those that it gives; one that gives none closes the
 * innermost. A begin beyond the depth limit is dropped, but its end still closes another: writers must stop both. */
#include "model/spans.h"

#include "model/grow.h"

/* The open spans of a track, innermost last: places in the trace's spans. */
struct open {
    uint32_t places[SPAN_DEPTH_MAX];
    uint32_t depth;
};

static int begin(struct trace *trace, uint32_t track, const struct event *event,
                 struct open *open) {
    if (open->depth == SPAN_DEPTH_MAX) {
        damage_add(&trace->reader.damage, LOSS_DEPTH, 0);
        return 0;
    }
    if (GROW(trace->spans, trace->span_count, trace->span_capacity))
        return -1;
    trace->spans[trace->span_count] = (struct span){
        .begin_ns = event->time_ns,
        .duration_ns = -1,
        .name = event->name,
        .category = event->category,
        .track = track,
        .parent = open->depth ? open->places[open->depth - 1] : (uint32_t)MAP_NONE,
        .depth = (uint16_t)open->depth,
        .detail = event->detail,
    };
    open->places[open->depth++] = trace->span_count++;
    return 0;
}

static void end(struct trace *trace, const struct event *event, struct open *open) {
    uint32_t at = open->depth;
    struct span *span = NULL;
    while (at-- > 0) {
        span = &trace->spans[open->places[at]];
        if ((!event->name || event->name == span->name) &&
            (!event->category || event->category == span->category))
            break;
        span = NULL;
    }
    if (!span) {
        damage_add(&trace->reader.damage, open->depth ? LOSS_END : NOTE_END, 0);
        return;
    }
    span->duration_ns = event->time_ns - span->begin_ns;
    span->failed = event->flags & EVENT_FAILED; /* at a begin, "error" is a function's parameter */
    span->detail = arguments_join(&trace->reader.arguments, span->detail, event->detail);
    open->depth--;
    memmove(open->places + at, open->places + at + 1, (open->depth - at) * sizeof *open->places);
}

int spans_match(struct trace *trace, uint32_t place) {
    struct track *track = &trace->reader.tracks.all[place];
    struct open open = {.depth = 0};
    uint32_t before = trace->span_count;
    for (uint32_t i = 0; i < track->count; i++) {
        const struct event *event = &track->events[i];
        switch (event->kind) {
        case EVENT_BEGIN:
            if (begin(trace, place, event, &open))
                return -1;
            break;
        case EVENT_END: end(trace, event, &open); break;
        case EVENT_INSTANT: track->instants++; break;
        case EVENT_COUNTER: track->values++; break;
        case EVENT_STATE: trace->states++; break;
        default: break;
        }
    }
    track->spans = trace->span_count - before;
    track->open_spans = open.depth;
    trace->open_spans += open.depth;
    trace->instants += track->instants;
    trace->values += track->values;
    return 0;
}

static uint32_t run_end(const struct event *events, uint32_t from, uint32_t count) {
    uint32_t at = from + 1;
    while (at < count && events[at - 1].time_ns <= events[at].time_ns)
        at++;
    return at < count ? at : count;
}

static void merge(const struct event *a, const struct event *a_end, const struct event *b,
                  const struct event *b_end, struct event *out) {
    while (a < a_end && b < b_end)
        *out++ = b->time_ns < a->time_ns ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* Merges neighbouring runs. Returns how many runs there were. */
static uint32_t merge_runs(const struct event *from, struct event *to, uint32_t count) {
    uint32_t runs = 0;
    for (uint32_t first = 0; first < count;) {
        uint32_t middle = run_end(from, first, count);
        uint32_t last = middle < count ? run_end(from, middle, count) : count;
        merge(from + first, from + middle, from + middle, from + last, to + first);
        runs += 1 + (middle < count);
        first = last;
    }
    return runs;
}

/* Natural merge sort: a trace is made of long runs, one a chunk. */
int events_sort(struct event *events, uint32_t count) {
    if (count < 2 || run_end(events, 0, count) == count)
        return 0;
    struct event *other = malloc(count * sizeof *other);
    if (!other)
        return -1;
    struct event *from = events, *to = other;
    while (merge_runs(from, to, count) > 2) {
        struct event *swap = from;
        from = to;
        to = swap;
    }
    if (to != events)
        memcpy(events, to, count * sizeof *events);
    free(other);
    return 0;
}
