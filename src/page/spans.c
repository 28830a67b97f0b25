/* api/span and api/instant: all that is known of one. */
#include <string.h>

#include "output/value_text.h"
#include "page/parts.h"

/* ------------------------------------------------------------------ arguments */

static const struct value *values_of(const struct asked *asked, uint32_t detail, uint32_t *count) {
    const struct arguments *arguments = &asked->trace->reader.arguments;
    *count = detail ? arguments->details[detail].size : 0;
    return *count ? arguments->values + arguments->details[detail].first : NULL;
}

static const struct value *find_value(const struct asked *asked, uint32_t detail, const char *key) {
    uint32_t count;
    const struct value *values = values_of(asked, detail, &count);
    for (uint32_t i = 0; i < count; i += 1 + values[i].inside)
        if (!strcmp(trace_text(asked->trace, values[i].key), key))
            return &values[i];
    return NULL;
}

/* What stands apart from the arguments where it stands at the end. */
static int is_outcome(const char *key) {
    return !strcmp(key, "result") || !strcmp(key, "exception") || !strcmp(key, "error");
}

/* Members of the object of arguments: those of a begin, or of an end. */
static void write_values(const struct asked *asked, uint32_t detail, int at_end) {
    uint32_t count;
    const struct value *values = values_of(asked, detail, &count);
    for (uint32_t i = 0; i < count; i += 1 + values[i].inside) {
        const char *key = trace_text(asked->trace, values[i].key);
        if (!calls_is_mark(key) && (!at_end || !is_outcome(key)))
            value_json(asked->json, asked->trace, key, &values[i]);
    }
}

static uint32_t end_of(const struct asked *asked, uint32_t detail) {
    return detail ? asked->trace->reader.arguments.details[detail].end : 0;
}

static void write_arguments(const struct asked *asked, uint32_t detail) {
    uint32_t count, end = end_of(asked, detail), end_count;
    values_of(asked, detail, &count);
    values_of(asked, end, &end_count);
    if (!count && !end_count) {
        json_null(asked->json, "arguments");
        return;
    }
    json_object(asked->json, "arguments");
    write_values(asked, detail, 0);
    write_values(asked, end, 1);
    json_end(asked->json);
}

static void write_outcome(const struct asked *asked, uint32_t detail, int failed) {
    uint32_t end = end_of(asked, detail);
    const struct value *result = find_value(asked, end, "result");
    const struct value *exception = find_value(asked, end, "exception");
    if (!exception)
        exception = find_value(asked, end, "error");
    if (result)
        value_json(asked->json, asked->trace, "result", result);
    else
        json_null(asked->json, "result");
    if (failed && exception && exception->kind == VALUE_TEXT)
        json_text(asked->json, "exception", trace_text(asked->trace, exception->text));
    else
        json_null(asked->json, "exception");
}

static void write_source(const struct asked *asked, uint32_t detail) {
    const struct arguments *arguments = &asked->trace->reader.arguments;
    uint32_t source = detail ? arguments->details[detail].source : 0;
    if (!source) {
        json_null(asked->json, "source");
        return;
    }
    const struct source_place *place = &arguments->sources[source];
    json_object(asked->json, "source");
    json_text(asked->json, "file", trace_text(asked->trace, place->file));
    json_integer(asked->json, "line", place->line);
    json_text(asked->json, "function", trace_text(asked->trace, place->function));
    json_end(asked->json);
}

/* --------------------------------------------------------------------- a span */

/* How many spans lie directly inside: in the lane below, and within its time. */
static uint32_t count_children(const struct asked *asked, uint64_t place) {
    const struct span *span = &asked->trace->spans[place];
    const struct index_track *own = &asked->index->tracks[span->track];
    uint32_t below = asked->index->lane_of[place] + 1u;
    if (below >= own->lane_count)
        return 0;
    const struct lane *lane = &asked->index->lanes[own->first_lane + below];
    const uint32_t *places = &asked->index->places[lane->first];
    int64_t end_ns = span_end_ns(asked->trace, span);
    uint32_t first = index_seek(asked->trace, places, lane->count, 0, span->begin_ns);
    return index_seek(asked->trace, places, lane->count, first, end_ns) - first;
}

static void write_parent(struct json *json, const struct span *span) {
    if (span->parent == MAP_NONE)
        json_null(json, "parent");
    else
        json_integer(json, "parent", span->parent);
}

int answer_span(struct asked *asked) {
    struct json *json = asked->json;
    if (asked->query->id >= asked->trace->span_count)
        return asked_refuse(asked, 404, "id: there is no such span");
    const struct span *span = &asked->trace->spans[asked->query->id];
    json_count(json, "id", asked->query->id);
    json_text(json, "name", trace_text(asked->trace, span->name));
    json_text(json, "category", trace_text(asked->trace, span->category));
    json_integer(json, "track", span->track);
    json_integer(json, "begin", asked_since(asked, span->begin_ns));
    if (span->duration_ns < 0)
        json_null(json, "duration");
    else
        json_integer(json, "duration", span->duration_ns);
    json_integer(json, "depth", asked->index->lane_of[asked->query->id]);
    json_bool(json, "failed", span->failed);
    write_arguments(asked, span->detail);
    write_outcome(asked, span->detail, span->failed);
    write_source(asked, span->detail);
    write_parent(json, span);
    json_integer(json, "children", count_children(asked, asked->query->id));
    struct flow_point point = {.time_ns = span->begin_ns, .span = (uint32_t)asked->query->id};
    write_flows_of(asked, span->detail, &point, span_end_ns(asked->trace, span));
    return 0;
}

/* ----------------------------------------------------------------- an instant */

/* The track that an instant's id is of: the last that begins at or before it, and has it. MAP_NONE: none. */
static uint32_t track_of_instant(const struct asked *asked, uint64_t id) {
    const struct tracks *tracks = &asked->trace->reader.tracks;
    uint32_t low = 0, high = tracks->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (asked->index->tracks[middle].first_instant + (uint64_t)tracks->all[middle].count <= id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tracks->count ? low : (uint32_t)MAP_NONE;
}

int answer_instant(struct asked *asked) {
    struct json *json = asked->json;
    uint32_t track = track_of_instant(asked, asked->query->id);
    if (track == MAP_NONE)
        return asked_refuse(asked, 404, "id: there is no such instant");
    uint64_t place = asked->query->id - asked->index->tracks[track].first_instant;
    const struct event *event = &asked->trace->reader.tracks.all[track].events[place];
    if (event->kind == EVENT_COUNTER)
        return asked_refuse(asked, 404, "id: there is no such instant");
    json_count(json, "id", asked->query->id);
    json_text(json, "name", trace_text(asked->trace, event->name));
    json_text(json, "category", trace_text(asked->trace, event->category));
    json_integer(json, "track", track);
    json_integer(json, "begin", asked_since(asked, event->time_ns));
    json_null(json, "duration");
    json_integer(json, "depth", 0);
    json_bool(json, "failed", event->flags & EVENT_FAILED);
    write_arguments(asked, event->detail);
    json_null(json, "result");
    json_null(json, "exception");
    write_source(asked, event->detail);
    json_null(json, "parent");
    json_integer(json, "children", 0);
    struct flow_point point = {
        .time_ns = event->time_ns, .span = MAP_NONE, .instant = (uint32_t)asked->query->id};
    write_flows_of(asked, event->detail, &point, event->time_ns);
    return 0;
}
