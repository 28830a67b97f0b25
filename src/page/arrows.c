/* api/flows: the arrows from one event to the next of its flow that are seen in some time; and those of one event. */
#include <inttypes.h>
#include <stdlib.h>

#include "marey.h"
#include "page/parts.h"

enum { ARROWS_OF_EVENT_MAX = 200 }; /* each way */

static uint32_t depth_of(const struct asked *asked, const struct flow_point *point) {
    return point->span == MAP_NONE ? 0 : asked->index->lane_of[point->span];
}

static void write_flow_id(struct json *json, const char *key, uint64_t id) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIx64, id);
    json_text(json, key, text);
}

/* ---------------------------------------------------------------- in a view */

/* Which tracks are looked at, by place; all of them where none are named. NULL: memory is short. */
static uint8_t *choose_tracks(const struct asked *asked) {
    uint32_t count = asked->trace->reader.tracks.count;
    const struct query *query = asked->query;
    uint8_t *chosen = malloc((size_t)count + 1);
    if (!chosen)
        return NULL;
    memset(chosen, !(query->given & QUERY_TRACKS), (size_t)count + 1);
    for (uint32_t i = 0; i < query->track_count; i++)
        if (query->tracks[i] < count)
            chosen[query->tracks[i]] = 1;
    return chosen;
}

/* Whether an arrow is seen: both its ends are on tracks that are, and its time is within the view's. */
static int is_seen(const struct asked *asked, const uint8_t *chosen,
                   const struct flow_point *from) {
    const struct trace_filter *filter = &asked->query->filter;
    const struct flow_point *to = from + 1;
    return chosen[from->track] && chosen[to->track] && to->time_ns >= filter->from_ns &&
           (!(asked->query->given & QUERY_TO) || from->time_ns < filter->to_ns);
}

static void write_arrows(struct asked *asked, const uint32_t *seen, uint32_t count) {
    const struct flow_point *all = asked->index->flows.all;
    struct json *json = asked->json;
    json_object(json, "flows");
    COLUMN(write_flow_id, json, "id", count, all[seen[i]].id);
    COLUMN(json_integer, json, "from_track", count, all[seen[i]].track);
    COLUMN(json_integer, json, "from_time", count, asked_since(asked, all[seen[i]].time_ns));
    COLUMN(json_integer, json, "from_depth", count, depth_of(asked, &all[seen[i]]));
    COLUMN(json_integer, json, "to_track", count, all[seen[i] + 1].track);
    COLUMN(json_integer, json, "to_time", count, asked_since(asked, all[seen[i] + 1].time_ns));
    COLUMN(json_integer, json, "to_depth", count, depth_of(asked, &all[seen[i] + 1]));
    json_end(json);
}

int answer_flows(struct asked *asked) {
    const struct flows *flows = &asked->index->flows;
    uint8_t *chosen = choose_tracks(asked);
    uint32_t *seen = malloc((asked->query->limit + 1) * sizeof *seen);
    uint32_t count = 0;
    uint64_t left_out = 0;
    int error = chosen && seen ? 0 : MAREY_ENOMEM;
    for (uint32_t i = 0; !error && i < flows->count; i++) {
        if (!flows_goes_on(flows, i) || !is_seen(asked, chosen, &flows->all[i]))
            continue;
        if (count < asked->query->limit)
            seen[count++] = i;
        else
            left_out++;
    }
    if (!error) {
        write_arrows(asked, seen, count);
        json_count(asked->json, "left_out", left_out);
    }
    free(chosen);
    free(seen);
    return error;
}

/* -------------------------------------------------------------- of one event */

static void write_point(struct asked *asked, const struct flow_point *point) {
    struct json *json = asked->json;
    json_object(json, NULL);
    write_flow_id(json, "id", point->id);
    if (point->span == MAP_NONE) {
        json_null(json, "span");
        json_integer(json, "instant", point->instant);
    } else {
        json_integer(json, "span", point->span);
    }
    json_integer(json, "track", point->track);
    json_integer(json, "time", asked_since(asked, point->time_ns));
    json_end(json);
}

/* Whether a step is one of the event that is asked about. */
static int is_of(const struct flow_point *point, const struct flow_point *event) {
    return point->span == event->span && point->instant == event->instant;
}

/* The steps before, or behind, those of the event; `detail` and its time say which these are. */
static void write_side(struct asked *asked, uint32_t place, const struct flow_point *event,
                       int out) {
    const struct flows *flows = &asked->index->flows;
    const struct arguments *arguments = &asked->trace->reader.arguments;
    const struct detail *detail = place ? &arguments->details[place] : NULL;
    for (uint32_t i = 0; detail && i < detail->flows && i < ARROWS_OF_EVENT_MAX; i++) {
        uint64_t id = arguments->flows[detail->first_flow + i].id;
        uint32_t at = flows_find(flows, id, event->time_ns), tried = 0;
        while (at < flows->count && flows->all[at].id == id &&
               flows->all[at].time_ns == event->time_ns && !is_of(&flows->all[at], event) &&
               tried++ < ARROWS_OF_EVENT_MAX)
            at++;
        if (at >= flows->count || flows->all[at].id != id || !is_of(&flows->all[at], event))
            continue;
        if (out && flows_goes_on(flows, at))
            write_point(asked, &flows->all[at + 1]);
        if (!out && at && flows_goes_on(flows, at - 1))
            write_point(asked, &flows->all[at - 1]);
    }
}

void write_flows_of(struct asked *asked, uint32_t detail, const struct flow_point *event,
                    int64_t end_ns) {
    struct flow_point end = *event;
    uint32_t end_detail = detail ? asked->trace->reader.arguments.details[detail].end : 0;
    end.time_ns = end_ns;
    for (int out = 0; out < 2; out++) {
        json_array(asked->json, out ? "flows_out" : "flows_in");
        write_side(asked, detail, event, out);
        write_side(asked, end_detail, &end, out);
        json_end(asked->json);
    }
}
