/* See index.h. */
#include "page/index.h"

#include <stdlib.h>

#include "marey.h"

/* ------------------------------------------------------------------ seeking */

/* The first place in [from, count) whose time is not before time_ns: steps that double, then halving. */
#define SEEK(TIME_OF)                                                                              \
    uint32_t low = from, step = 1, high = from;                                                    \
    while (high < count && (TIME_OF(high)) < time_ns) {                                            \
        low = high + 1;                                                                            \
        high = count - high > step ? high + step : count;                                          \
        step = step < UINT32_MAX / 2 ? step * 2 : step;                                            \
    }                                                                                              \
    while (low < high) {                                                                           \
        uint32_t middle = low + (high - low) / 2;                                                  \
        if ((TIME_OF(middle)) < time_ns)                                                           \
            low = middle + 1;                                                                      \
        else                                                                                       \
            high = middle;                                                                         \
    }                                                                                              \
    return low

uint32_t index_seek(const struct trace *trace, const uint32_t *places, uint32_t count,
                    uint32_t from, int64_t time_ns) {
#define SPAN_TIME(i) trace->spans[places[i]].begin_ns
    SEEK(SPAN_TIME);
}

uint32_t index_seek_event(const struct event *events, uint32_t count, uint32_t from,
                          int64_t time_ns) {
#define EVENT_TIME(i) events[i].time_ns
    SEEK(EVENT_TIME);
}

uint32_t index_seek_sample(const struct trace *trace, const uint32_t *places, uint32_t count,
                           uint32_t from, int64_t time_ns) {
#define SAMPLE_TIME(i) trace->reader.samples.all[places[i]].time_ns
    SEEK(SAMPLE_TIME);
}

/* -------------------------------------------------------------------- lanes */

/* Puts each span of a track into its lane. Returns how many lanes there are. */
static uint32_t choose_lanes(struct index *index, const struct trace *trace,
                             const struct index_track *own, uint32_t count) {
    int64_t free_from[LANES_MAX];
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < LANES_MAX; i++)
        free_from[i] = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        const struct span *span = &trace->spans[own->first_span + i];
        uint32_t lane = span->depth;
        while (lane + 1 < LANES_MAX && free_from[lane] > span->begin_ns)
            lane++;
        free_from[lane] = span_end_ns(trace, span);
        index->lane_of[own->first_span + i] = (uint16_t)lane;
        lanes = lane + 1 > lanes ? lane + 1 : lanes;
    }
    return lanes;
}

static int add_lanes(struct index *index, struct index_track *own, uint32_t count) {
    struct lane *larger =
        realloc(index->lanes, ((size_t)index->lane_count + count + 1) * sizeof *larger);
    if (!larger)
        return -1;
    memset(larger + index->lane_count, 0, count * sizeof *larger);
    index->lanes = larger;
    own->first_lane = index->lane_count;
    own->lane_count = count;
    index->lane_count += count;
    return 0;
}

/* Lists a track's spans lane by lane; *failed counts on over all tracks. */
static void fill_lanes(struct index *index, const struct trace *trace,
                       const struct index_track *own, uint32_t count, uint32_t *failed) {
    const struct span *spans = &trace->spans[own->first_span];
    const uint16_t *lane_of = &index->lane_of[own->first_span];
    struct lane *lanes = &index->lanes[own->first_lane];
    uint32_t next = own->first_span;
    for (uint32_t i = 0; i < count; i++) {
        lanes[lane_of[i]].count++;
        lanes[lane_of[i]].failed_count += spans[i].failed;
    }
    for (uint32_t i = 0; i < own->lane_count; i++) {
        lanes[i].first = next;
        lanes[i].first_failed = *failed;
        next += lanes[i].count;
        *failed += lanes[i].failed_count;
        lanes[i].count = lanes[i].failed_count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct lane *lane = &lanes[lane_of[i]];
        index->places[lane->first + lane->count++] = own->first_span + i;
        if (spans[i].failed)
            index->failed[lane->first_failed + lane->failed_count++] = own->first_span + i;
    }
}

static int make_lanes(struct index *index, const struct trace *trace) {
    const struct tracks *tracks = &trace->reader.tracks;
    uint32_t first = 0, instants = 0, failed = 0;
    uint64_t failures = 0;
    for (uint32_t i = 0; i < trace->span_count; i++)
        failures += trace->spans[i].failed;
    index->lane_of = malloc((trace->span_count + 1ull) * sizeof *index->lane_of);
    index->places = malloc((trace->span_count + 1ull) * sizeof *index->places);
    index->failed = malloc((failures + 1) * sizeof *index->failed);
    if (!index->lane_of || !index->places || !index->failed)
        return -1;
    for (uint32_t i = 0; i < tracks->count; i++) {
        struct index_track *own = &index->tracks[i];
        own->first_span = first;
        own->first_instant = instants;
        if (add_lanes(index, own, choose_lanes(index, trace, own, tracks->all[i].spans)))
            return -1;
        fill_lanes(index, trace, own, tracks->all[i].spans, &failed);
        first += tracks->all[i].spans;
        instants += tracks->all[i].count;
    }
    return 0;
}

/* ------------------------------------------------------------------- values */

static struct value_range range_of(const struct event *events, uint32_t from, uint32_t to) {
    struct value_range range = {events[from].value, events[from].value};
    for (uint32_t i = from + 1; i < to; i++) {
        range.least = events[i].value < range.least ? events[i].value : range.least;
        range.most = events[i].value > range.most ? events[i].value : range.most;
    }
    return range;
}

/* Whether a track's events are the values of a counter, and nothing else. */
static int is_counter(const struct track *track) {
    return track->kind == TRACK_COUNTER && track->values == track->count;
}

static int make_ranges(struct index *index, const struct trace *trace) {
    const struct tracks *tracks = &trace->reader.tracks;
    uint64_t count = 0;
    for (uint32_t i = 0; i < tracks->count; i++)
        count += is_counter(&tracks->all[i]) ? tracks->all[i].count / VALUES_BLOCK : 0;
    index->ranges = malloc((count + 1) * sizeof *index->ranges);
    if (!index->ranges)
        return -1;
    uint32_t made = 0;
    for (uint32_t i = 0; i < tracks->count; i++) {
        const struct track *track = &tracks->all[i];
        index->tracks[i].first_range = made;
        for (uint32_t at = 0; is_counter(track) && at + VALUES_BLOCK <= track->count;
             at += VALUES_BLOCK)
            index->ranges[made++] = range_of(track->events, at, at + VALUES_BLOCK);
    }
    return 0;
}

static void widen(struct value_range *range, struct value_range by) {
    range->least = by.least < range->least ? by.least : range->least;
    range->most = by.most > range->most ? by.most : range->most;
}

struct value_range index_range(const struct index *index, const struct trace *trace, uint32_t track,
                               uint32_t from, uint32_t to) {
    const struct event *events = trace->reader.tracks.all[track].events;
    const struct value_range *ranges = &index->ranges[index->tracks[track].first_range];
    struct value_range range = {events[from].value, events[from].value};
    while (from < to) {
        if (from % VALUES_BLOCK == 0 && to - from >= VALUES_BLOCK) {
            widen(&range, ranges[from / VALUES_BLOCK]);
            from += VALUES_BLOCK;
        } else {
            widen(&range, range_of(events, from, from + 1));
            from++;
        }
    }
    return range;
}

/* ------------------------------------------------------------------ samples */

static int make_samples(struct index *index, const struct trace *trace) {
    const struct samples *samples = &trace->reader.samples;
    uint32_t next = 0;
    index->threads = calloc((size_t)trace->thread_count + 1, sizeof *index->threads);
    index->samples = malloc((samples->count + 1ull) * sizeof *index->samples);
    if (!index->threads || !index->samples)
        return -1;
    for (uint32_t i = 0; i < samples->count; i++)
        index->threads[samples->threads[samples->all[i].thread].thread].count++;
    for (uint32_t i = 0; i < trace->thread_count; i++) {
        index->threads[i].first = next;
        next += index->threads[i].count;
        index->threads[i].count = 0;
    }
    for (uint32_t i = 0; i < samples->count; i++) {
        struct index_thread *thread =
            &index->threads[samples->threads[samples->all[i].thread].thread];
        index->samples[thread->first + thread->count++] = i;
    }
    return 0;
}

static void add_sample(struct sample_times *sum, const struct taken_sample *sample) {
    sum->count += sample->count;
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        sum->ns[weight] += sample->weights_ns[weight];
}

static int make_sums(struct index *index, const struct trace *trace) {
    const struct taken_sample *all = trace->reader.samples.all;
    uint32_t made = 0;
    index->sums =
        malloc((trace->reader.samples.count / SAMPLES_BLOCK + 1ull) * sizeof *index->sums);
    if (!index->sums)
        return -1;
    for (uint32_t i = 0; i < trace->thread_count; i++) {
        struct index_thread *thread = &index->threads[i];
        struct sample_times sum = {0};
        thread->first_sum = made;
        for (uint32_t at = 0; at < thread->count; at++) {
            add_sample(&sum, &all[index->samples[thread->first + at]]);
            if (at % SAMPLES_BLOCK == SAMPLES_BLOCK - 1)
                index->sums[made++] = sum;
        }
    }
    return 0;
}

/* Of a thread's first `count` samples. */
static struct sample_times sum_until(const struct index *index, const struct trace *trace,
                                     const struct index_thread *thread, uint32_t count) {
    const struct taken_sample *all = trace->reader.samples.all;
    uint32_t blocks = count / SAMPLES_BLOCK;
    struct sample_times sum = {0};
    if (blocks)
        sum = index->sums[thread->first_sum + blocks - 1];
    for (uint32_t at = blocks * SAMPLES_BLOCK; at < count; at++)
        add_sample(&sum, &all[index->samples[thread->first + at]]);
    return sum;
}

struct sample_times index_sum(const struct index *index, const struct trace *trace, uint32_t thread,
                              uint32_t from, uint32_t to) {
    struct sample_times before = sum_until(index, trace, &index->threads[thread], from);
    struct sample_times sum = sum_until(index, trace, &index->threads[thread], to);
    sum.count -= before.count;
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        sum.ns[weight] -= before.ns[weight];
    return sum;
}

static int count_names(struct index *index, const struct trace *trace) {
    index->named_count = trace->reader.strings.count;
    index->named = calloc((size_t)index->named_count + 1, sizeof *index->named);
    if (!index->named)
        return -1;
    for (uint32_t i = 0; i < trace->span_count; i++)
        index->named[trace->spans[i].name]++;
    return 0;
}

static void find_threads(struct index *index, const struct trace *trace) {
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++)
        index->tracks[i].thread = MAP_NONE;
    for (uint32_t i = 0; i < trace->thread_count; i++)
        if (trace->threads[i].track != MAP_NONE)
            index->tracks[trace->threads[i].track].thread = i;
}

int index_make(struct index *index, const struct trace *trace) {
    *index = (struct index){0};
    index->tracks = calloc((size_t)trace->reader.tracks.count + 1, sizeof *index->tracks);
    if (!index->tracks || make_lanes(index, trace) || make_ranges(index, trace) ||
        make_samples(index, trace) || make_sums(index, trace) || count_names(index, trace))
        return MAREY_ENOMEM;
    find_threads(index, trace);
    return flows_make(&index->flows, index, trace) ? MAREY_ENOMEM : 0;
}

void index_free(struct index *index) {
    free(index->tracks);
    free(index->lanes);
    free(index->lane_of);
    free(index->places);
    free(index->failed);
    free(index->ranges);
    free(index->threads);
    free(index->samples);
    free(index->sums);
    free(index->named);
    flows_free(&index->flows);
    *index = (struct index){0};
}
