/* See slowest.h: a heap of the longest so far, the shortest of them on top. */
#define _GNU_SOURCE
#include "model/slowest.h"

#include <stdlib.h>

#include "marey.h"
#include "model/calls.h"

/* Whether `a` is shown behind `b`. */
static int is_behind(const struct trace *trace, uint32_t a, uint32_t b) {
    int64_t left = trace->spans[a].duration_ns, right = trace->spans[b].duration_ns;
    return left != right ? left < right : a > b;
}

static void sink(struct slowest *self, const struct trace *trace, uint32_t at) {
    for (uint32_t child; (child = 2 * at + 1) < self->count; at = child) {
        if (child + 1 < self->count && is_behind(trace, self->spans[child + 1], self->spans[child]))
            child++;
        if (!is_behind(trace, self->spans[child], self->spans[at]))
            return;
        uint32_t keep = self->spans[at];
        self->spans[at] = self->spans[child];
        self->spans[child] = keep;
    }
}

static void offer(struct slowest *self, const struct trace *trace, uint32_t span, uint32_t most) {
    if (self->count < most) {
        self->spans[self->count++] = span;
        for (uint32_t at = self->count == most ? most / 2 + 1 : 0; at--;)
            sink(self, trace, at); /* full: from now on it is a heap */
    } else if (is_behind(trace, self->spans[0], span)) {
        self->spans[0] = span;
        sink(self, trace, 0);
    }
}

static int compare(const void *a, const void *b, void *trace) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left == right ? 0 : is_behind(trace, left, right) ? 1 : -1;
}

/* What has tables of its own, or trees. */
static int is_left_out(const struct trace *trace, uint32_t category) {
    return calls_is_call_or_scope(trace, category) || !strcmp(trace_text(trace, category), "gc");
}

int slowest_find(struct slowest *self, const struct trace *trace, const struct trace_filter *filter,
                 const struct patterns *names, uint32_t count) {
    uint32_t most = count < SLOWEST_MAX ? count : (uint32_t)SLOWEST_MAX;
    uint8_t *tracks = filter_tracks(filter, trace);
    *self = (struct slowest){.spans = malloc((most + 1) * sizeof *self->spans)};
    int failed = !tracks || !self->spans;
    for (uint32_t i = 0; !failed && most && i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        int64_t begin_ns, end_ns;
        if (!tracks[span->track] || span->duration_ns < 0 ||
            (self->count == most && !is_behind(trace, self->spans[0], i)) ||
            !filter_clip_span(filter, trace, span, &begin_ns, &end_ns) ||
            is_left_out(trace, span->category) ||
            !patterns_choose_name(names, trace_text(trace, span->name), NULL))
            continue;
        offer(self, trace, i, most);
    }
    if (!failed && self->count)
        qsort_r(self->spans, self->count, sizeof *self->spans, compare, (void *)trace);
    free(tracks);
    return failed ? MAREY_ENOMEM : 0;
}

void slowest_free(struct slowest *self) {
    free(self->spans);
    *self = (struct slowest){0};
}
