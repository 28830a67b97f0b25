/* api/timeline: what some tracks look like in some time, on so many pixels. */
#include <stdlib.h>

#include "marey.h"
#include "model/grow.h"
#include "page/look.h"
#include "page/parts.h"

enum { THINGS_WANTED = LOOK_THINGS_MAX / 2 }; /* of all tracks; with more, pixels get wider */

struct timeline {
    struct asked *asked;
    struct view view;
    struct look look;
    struct map names; /* string to its place in the list */
    uint32_t *list;
    uint32_t list_count, list_capacity;
    int error;
};

/* The place of a text in the answer's "names". */
static uint32_t name_place(struct timeline *timeline, uint32_t string) {
    uint32_t place = map_get(&timeline->names, string);
    if (place != MAP_NONE)
        return place;
    place = timeline->list_count;
    if (GROW(timeline->list, place, timeline->list_capacity) ||
        map_put(&timeline->names, string, place)) {
        timeline->error = MAREY_ENOMEM;
        return 0;
    }
    timeline->list[timeline->list_count++] = string;
    return place;
}

/* --------------------------------------------------------------- parts of it */

static uint32_t span_name(struct timeline *timeline, const struct seen_span *seen) {
    return name_place(timeline, timeline->asked->trace->spans[seen->place].name);
}

static void write_spans(struct timeline *timeline) {
    struct asked *asked = timeline->asked;
    struct json *json = asked->json;
    const struct seen_span *spans = timeline->look.spans;
    uint32_t count = timeline->look.span_count;
    json_object(json, "spans");
    COLUMN(json_integer, json, "begin", count, asked_since(asked, spans[i].begin_ns));
    COLUMN(json_integer, json, "end", count, asked_since(asked, spans[i].end_ns));
    COLUMN(json_integer, json, "depth", count, spans[i].depth);
    COLUMN(json_integer, json, "name", count, span_name(timeline, &spans[i]));
    COLUMN(json_integer, json, "id", count, spans[i].count > 1 ? -1 : (int64_t)spans[i].place);
    COLUMN(json_integer, json, "count", count, spans[i].count);
    COLUMN(json_integer, json, "failed", count, spans[i].failed);
    json_end(json);
}

static void write_instants(struct timeline *timeline, uint32_t place) {
    struct asked *asked = timeline->asked;
    struct json *json = asked->json;
    const struct seen_instant *instants = timeline->look.instants;
    const struct event *events = asked->trace->reader.tracks.all[place].events;
    uint32_t count = timeline->look.instant_count,
             first = asked->index->tracks[place].first_instant;
    json_object(json, "instants");
    COLUMN(json_integer, json, "time", count, asked_since(asked, instants[i].time_ns));
    COLUMN(json_integer, json, "name", count, name_place(timeline, events[instants[i].place].name));
    COLUMN(json_integer, json, "count", count, instants[i].count);
    COLUMN(json_integer, json, "id", count, (int64_t)first + instants[i].place);
    json_end(json);
}

static void write_values(struct timeline *timeline) {
    struct asked *asked = timeline->asked;
    struct json *json = asked->json;
    const struct seen_value *values = timeline->look.values;
    uint32_t count = timeline->look.value_count;
    json_object(json, "values");
    COLUMN(json_integer, json, "time", count, asked_since(asked, values[i].time_ns));
    COLUMN(json_double, json, "least", count, values[i].range.least);
    COLUMN(json_double, json, "most", count, values[i].range.most);
    COLUMN(json_double, json, "last", count, values[i].last);
    json_end(json);
}

/* A share in so many digits as can be seen. */
static double rounded(double share) {
    return (double)(int)(share * 1000 + 0.5) / 1000;
}

static void write_samples(struct timeline *timeline) {
    struct asked *asked = timeline->asked;
    struct json *json = asked->json;
    const struct seen_sample *samples = timeline->look.samples;
    uint32_t count = timeline->look.sample_count;
    json_object(json, "samples");
    COLUMN(json_integer, json, "time", count, asked_since(asked, samples[i].begin_ns));
    COLUMN(json_integer, json, "end", count, asked_since(asked, samples[i].end_ns));
    COLUMN(json_double, json, "running", count, rounded(samples[i].running));
    COLUMN(json_double, json, "gil_wait", count, rounded(samples[i].gil_wait));
    COLUMN(json_count, json, "count", count, samples[i].count);
    json_end(json);
}

/* ----------------------------------------------------------------- a track */

static int full(struct timeline *timeline) {
    return asked_refuse(timeline->asked, 400, "tracks: too many things on these tracks");
}

static int write_thread(struct timeline *timeline, uint32_t thread) {
    const struct asked *asked = timeline->asked;
    if (thread == MAP_NONE || !asked->index->threads[thread].count)
        return 0;
    if (look_at_samples(&timeline->look, asked->index, asked->trace, thread, &timeline->view))
        return full(timeline);
    write_samples(timeline);
    return 0;
}

/* What there is nothing of is left out. */
static int write_own(struct timeline *timeline, uint32_t place) {
    const struct asked *asked = timeline->asked;
    if (look_at_track(&timeline->look, asked->index, asked->trace, place, &timeline->view))
        return full(timeline);
    if (timeline->look.span_count && !asked->without_spans)
        write_spans(timeline);
    if (timeline->look.instant_count)
        write_instants(timeline, place);
    if (timeline->look.value_count)
        write_values(timeline);
    return write_thread(timeline, asked->index->tracks[place].thread);
}

static int write_track(struct timeline *timeline, uint32_t id) {
    struct json *json = timeline->asked->json;
    uint32_t tracks = timeline->asked->trace->reader.tracks.count;
    json_object(json, NULL);
    json_integer(json, "id", id);
    int error = id < tracks ? write_own(timeline, id) : write_thread(timeline, id - tracks);
    json_end(json);
    return error;
}

/* -------------------------------------------------------------------- pixels */

/* How many spans of a lane there are in the view. */
static uint32_t in_view(const struct asked *asked, const struct lane *lane,
                        const struct view *view) {
    const uint32_t *places = &asked->index->places[lane->first];
    uint32_t from = index_seek(asked->trace, places, lane->count, 0, view->from_ns);
    return index_seek(asked->trace, places, lane->count, from, view->to_ns) - from;
}

/* At least how many things there are on a track, with so many pixels. */
static uint64_t things_of(const struct asked *asked, uint32_t track, const struct view *view,
                          uint64_t width) {
    const struct index_track *own = &asked->index->tracks[track];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < own->lane_count; i++) {
        uint64_t count = in_view(asked, &asked->index->lanes[own->first_lane + i], view);
        sum += count < width ? count : width;
    }
    return sum;
}

/* Pixels as wide as asked for, or, where that makes too many things of it, wider. */
static void find_pixel(struct timeline *timeline) {
    const struct asked *asked = timeline->asked;
    struct view *view = &timeline->view;
    uint64_t length_ns = (uint64_t)view->to_ns - (uint64_t)view->from_ns;
    for (uint64_t width = asked->query->width;; width /= 2) {
        uint64_t things = 0;
        for (uint32_t i = 0; i < asked->query->track_count; i++)
            if (asked->query->tracks[i] < asked->trace->reader.tracks.count &&
                !asked->without_spans)
                things += things_of(asked, asked->query->tracks[i], view, width);
        view->pixel_ns = (int64_t)((length_ns - 1) / width + 1);
        if (things <= THINGS_WANTED || width == 1)
            return;
    }
}

/* --------------------------------------------------------------------- all */

static int write_all(struct timeline *timeline) {
    struct json *json = timeline->asked->json;
    const struct query *query = timeline->asked->query;
    int error = 0;
    json_count(json, "pixel_ns", (uint64_t)timeline->view.pixel_ns);
    json_array(json, "tracks");
    for (uint32_t i = 0; !error && i < query->track_count; i++)
        error = write_track(timeline, query->tracks[i]);
    json_end(json);
    COLUMN(json_text, json, "names", timeline->list_count,
           trace_text(timeline->asked->trace, timeline->list[i]));
    return error ? error : timeline->error;
}

int answer_timeline(struct asked *asked) {
    struct timeline timeline = {.asked = asked};
    const struct trace_filter *filter = &asked->query->filter;
    timeline.view.from_ns =
        asked->query->given & QUERY_FROM ? filter->from_ns : asked->trace->first_ns;
    int64_t last_ns = asked->trace->last_ns;
    timeline.view.to_ns =
        asked->query->given & QUERY_TO ? filter->to_ns : last_ns + (last_ns < INT64_MAX);
    if (timeline.view.to_ns <= timeline.view.from_ns)
        return asked_refuse(asked, 400, "from: behind the end of the trace");
    find_pixel(&timeline);
    int error = write_all(&timeline);
    look_free(&timeline.look);
    map_free(&timeline.names);
    free(timeline.list);
    return error;
}
