/* See look.h. */
#include "page/look.h"

#include "model/grow.h"

enum { ASKED_FOR_A_NAME = 8 }; /* spans of a pixel: the longest of the first ones gives the name */

/* Where the pixel ends that a time is in. */
static int64_t pixel_end(const struct view *view, int64_t time_ns) {
    int64_t end, begin = time_ns - time_ns % view->pixel_ns;
    return __builtin_add_overflow(begin, view->pixel_ns, &end) ? INT64_MAX : end;
}

/* -------------------------------------------------------------------- spans */

static int add_span(struct look *look, const struct seen_span *seen) {
    if (look->span_count >= LOOK_THINGS_MAX ||
        GROW(look->spans, look->span_count, look->span_capacity))
        return -1;
    look->spans[look->span_count++] = *seen;
    return 0;
}

/* Of [from, to) the longest, as far as is looked. */
static uint32_t longest(const struct trace *trace, const uint32_t *places, uint32_t from,
                        uint32_t to) {
    uint32_t best = from, end = to - from > ASKED_FOR_A_NAME ? from + ASKED_FOR_A_NAME : to;
    for (uint32_t i = from + 1; i < end; i++)
        if (trace->spans[places[i]].duration_ns > trace->spans[places[best]].duration_ns)
            best = i;
    return places[best];
}

/* Whether two that are merged, one behind the other, look like one. */
static int joins(const struct trace *trace, const struct seen_span *last,
                 const struct seen_span *next, const struct view *view) {
    return last->count > 1 && next->count > 1 && last->depth == next->depth &&
           next->begin_ns - last->end_ns < view->pixel_ns &&
           trace->spans[last->place].name == trace->spans[next->place].name;
}

/* Adds the spans [from, to), which are seen as one. */
static int add_seen(struct look *look, const struct trace *trace, const uint32_t *places,
                    uint32_t from, uint32_t to, struct seen_span *seen, const struct view *view) {
    struct seen_span *last = look->span_count ? &look->spans[look->span_count - 1] : NULL;
    seen->begin_ns = trace->spans[places[from]].begin_ns;
    seen->end_ns = span_end_ns(trace, &trace->spans[places[to - 1]]);
    seen->place = longest(trace, places, from, to);
    seen->count = to - from;
    if (!last || !joins(trace, last, seen, view))
        return add_span(look, seen);
    last->end_ns = seen->end_ns;
    last->count += seen->count;
    last->failed += seen->failed;
    return 0;
}

/* How many that failed begin in [from_ns, to_ns). *at goes on from one asking to the next. */
static uint32_t count_failed(const struct index *index, const struct trace *trace,
                             const struct lane *lane, uint32_t *at, int64_t from_ns,
                             int64_t to_ns) {
    const uint32_t *failed = &index->failed[lane->first_failed];
    uint32_t first = index_seek(trace, failed, lane->failed_count, *at, from_ns);
    *at = index_seek(trace, failed, lane->failed_count, first, to_ns);
    return *at - first;
}

/* Where those end that are seen together with the span at `at`. */
static uint32_t merged_until(const struct trace *trace, const uint32_t *places, uint32_t count,
                             uint32_t at, const struct view *view) {
    const struct span *span = &trace->spans[places[at]];
    if (span_end_ns(trace, span) - span->begin_ns >= view->pixel_ns)
        return at + 1;
    uint32_t next = index_seek(trace, places, count, at + 1, pixel_end(view, span->begin_ns));
    const struct span *last = &trace->spans[places[next - 1]];
    /* One that only begins in this pixel is seen on its own. */
    return next - at > 1 && span_end_ns(trace, last) - last->begin_ns >= view->pixel_ns ? next - 1
                                                                                        : next;
}

static int look_at_lane(struct look *look, const struct index *index, const struct trace *trace,
                        const struct lane *lane, uint32_t depth, const struct view *view) {
    const uint32_t *places = &index->places[lane->first];
    uint32_t failed_at = 0, next;
    uint32_t at = index_seek(trace, places, lane->count, 0, view->from_ns);
    if (at && span_end_ns(trace, &trace->spans[places[at - 1]]) > view->from_ns)
        at--;
    for (; at < lane->count; at = next) {
        const struct span *span = &trace->spans[places[at]];
        struct seen_span seen = {.depth = depth, .failed = span->failed};
        if (span->begin_ns >= view->to_ns)
            break;
        next = merged_until(trace, places, lane->count, at, view);
        if (next - at > 1)
            seen.failed = count_failed(index, trace, lane, &failed_at, span->begin_ns,
                                       trace->spans[places[next - 1]].begin_ns + 1);
        if (add_seen(look, trace, places, at, next, &seen, view))
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------- instants and values */

static int add_instant(struct look *look, const struct event *events, uint32_t from, uint32_t to) {
    if (look->instant_count >= LOOK_THINGS_MAX ||
        GROW(look->instants, look->instant_count, look->instant_capacity))
        return -1;
    look->instants[look->instant_count++] =
        (struct seen_instant){events[from].time_ns, from, to - from};
    return 0;
}

static int look_at_instants(struct look *look, const struct track *track, const struct view *view) {
    const struct event *events = track->events;
    uint32_t next, at = index_seek_event(events, track->count, 0, view->from_ns);
    for (; at < track->count && events[at].time_ns < view->to_ns; at = next) {
        next = index_seek_event(events, track->count, at + 1, pixel_end(view, events[at].time_ns));
        if (add_instant(look, events, at, next))
            return -1;
    }
    return 0;
}

/* From the value before the first that is seen on: the counter has it until then. */
static int look_at_values(struct look *look, const struct index *index, const struct trace *trace,
                          uint32_t place, const struct view *view) {
    const struct track *track = &trace->reader.tracks.all[place];
    const struct event *events = track->events;
    uint32_t next, at = index_seek_event(events, track->count, 0, view->from_ns);
    for (at -= at > 0; at < track->count && events[at].time_ns < view->to_ns; at = next) {
        next = index_seek_event(events, track->count, at + 1, pixel_end(view, events[at].time_ns));
        if (look->value_count >= LOOK_THINGS_MAX ||
            GROW(look->values, look->value_count, look->value_capacity))
            return -1;
        look->values[look->value_count++] =
            (struct seen_value){events[next - 1].time_ns,
                                index_range(index, trace, place, at, next), events[next - 1].value};
    }
    return 0;
}

int look_at_track(struct look *look, const struct index *index, const struct trace *trace,
                  uint32_t place, const struct view *view) {
    const struct track *track = &trace->reader.tracks.all[place];
    const struct index_track *own = &index->tracks[place];
    look_clear(look);
    for (uint32_t i = 0; i < own->lane_count; i++)
        if (look_at_lane(look, index, trace, &index->lanes[own->first_lane + i], i, view))
            return -1;
    if (track->kind != TRACK_COUNTER)
        return look_at_instants(look, track, view);
    return track->values == track->count ? look_at_values(look, index, trace, place, view) : 0;
}

/* ------------------------------------------------------------------ samples */

/* When a sample begins and ends: what is alike stands at equal distances from its time on. */
static void find_bounds(const struct taken_sample *sample, int64_t *begin_ns, int64_t *end_ns) {
    uint64_t wall_ns = sample->weights_ns[SAMPLE_WALL];
    *begin_ns = sample->time_ns;
    *end_ns = wall_ns < (uint64_t)(INT64_MAX - sample->time_ns) ? sample->time_ns + (int64_t)wall_ns
                                                                : INT64_MAX;
}

static double share(uint64_t part, uint64_t all) {
    return part >= all ? all > 0 : (double)part / (double)all;
}

static int add_samples(struct look *look, int64_t begin_ns, int64_t end_ns,
                       const struct sample_times *sum) {
    if (look->sample_count >= LOOK_THINGS_MAX ||
        GROW(look->samples, look->sample_count, look->sample_capacity))
        return -1;
    uint64_t wall_ns = sum->ns[SAMPLE_WALL];
    look->samples[look->sample_count++] =
        (struct seen_sample){begin_ns, end_ns, share(sum->ns[SAMPLE_CPU], wall_ns),
                             share(sum->ns[SAMPLE_GIL_WAIT], wall_ns), sum->count};
    return 0;
}

/* Where those end that are seen together with the one at `at`, which is narrow. */
static uint32_t narrow_until(const struct trace *trace, const uint32_t *places, uint32_t count,
                             uint32_t at, int64_t until_ns, const struct view *view) {
    int64_t begin_ns, end_ns;
    uint32_t next = index_seek_sample(trace, places, count, at + 1, until_ns);
    find_bounds(&trace->reader.samples.all[places[next - 1]], &begin_ns, &end_ns);
    return next - at > 1 && end_ns - begin_ns >= view->pixel_ns ? next - 1 : next;
}

int look_at_samples(struct look *look, const struct index *index, const struct trace *trace,
                    uint32_t thread, const struct view *view) {
    const struct taken_sample *all = trace->reader.samples.all;
    const uint32_t *places = &index->samples[index->threads[thread].first];
    uint32_t next, count = index->threads[thread].count;
    int64_t begin_ns, end_ns, unused_ns;
    look_clear(look);
    uint32_t at = index_seek_sample(trace, places, count, 0, view->from_ns);
    for (at -= at > 0; at < count; at = next) { /* the one before may reach into it */
        find_bounds(&all[places[at]], &begin_ns, &end_ns);
        if (begin_ns >= view->to_ns)
            break;
        next = at + 1;
        if (end_ns - begin_ns < view->pixel_ns)
            next = narrow_until(trace, places, count, at, pixel_end(view, all[places[at]].time_ns),
                                view);
        if (next - at > 1)
            find_bounds(&all[places[next - 1]], &unused_ns, &end_ns);
        struct sample_times sum = index_sum(index, trace, thread, at, next);
        if (end_ns > view->from_ns && add_samples(look, begin_ns, end_ns, &sum))
            return -1;
    }
    return 0;
}

void look_clear(struct look *look) {
    look->span_count = look->instant_count = look->value_count = look->sample_count = 0;
}

void look_free(struct look *look) {
    free(look->spans);
    free(look->instants);
    free(look->values);
    free(look->samples);
    *look = (struct look){0};
}
