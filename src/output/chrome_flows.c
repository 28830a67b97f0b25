/* See chrome_flows.h. */
#include "output/chrome_flows.h"

#include <stdlib.h>

#include "marey.h"
#include "model/grow.h"

struct chrome_flow *chrome_flow(struct chrome_flows *flows, uint64_t id) {
    uint32_t place = map_get(&flows->places, id);
    return place == MAP_NONE ? NULL : &flows->all[place];
}

static struct chrome_flow *find(struct chrome_flows *flows, uint64_t id, int64_t time_ns) {
    struct chrome_flow *known = chrome_flow(flows, id);
    if (known)
        return known;
    if (GROW(flows->all, flows->count, flows->capacity) ||
        map_put(&flows->places, id, flows->count))
        return NULL;
    flows->all[flows->count] =
        (struct chrome_flow){.id = id, .first_ns = time_ns, .last_ns = time_ns};
    return &flows->all[flows->count++];
}

/* Returns 0, or -1 where memory is short. */
static int add_steps(struct chrome_flows *flows, const struct part *part, uint32_t detail,
                     uint32_t track, int64_t time_ns) {
    const struct arguments *arguments = &part->trace->reader.arguments;
    for (; detail; detail = arguments->details[detail].end)
        for (uint32_t i = 0; i < arguments->details[detail].flows; i++) {
            uint32_t place = arguments->details[detail].first_flow + i;
            struct chrome_flow *flow = find(flows, arguments->flows[place].id, time_ns);
            if (!flow)
                return -1;
            flow->first_ns = time_ns < flow->first_ns ? time_ns : flow->first_ns;
            flow->last_ns = time_ns > flow->last_ns ? time_ns : flow->last_ns;
            flow->is_new |= part->trace->reader.tracks.all[track].kind != TRACK_THREAD;
        }
    return 0;
}

static int add_events(struct chrome_flows *flows, const struct part *part, uint32_t place) {
    const struct track *track = &part->trace->reader.tracks.all[place];
    int error = 0;
    for (uint32_t i = 0; !error && i < track->count; i++)
        if (track->events[i].kind != EVENT_COUNTER && part_has_time(part, track->events[i].time_ns))
            error = add_steps(flows, part, track->events[i].detail, place,
                              part_since(part, track->events[i].time_ns));
    return error;
}

int chrome_flows_make(struct chrome_flows *flows, const struct part *part) {
    const struct trace *trace = part->trace;
    struct part_span cut;
    int error = 0, any = trace->reader.arguments.flow_count > 0;
    *flows = (struct chrome_flows){0};
    for (uint32_t i = 0; !error && any && i < trace->span_count; i++)
        if (part_has_span(part, &trace->spans[i], &cut))
            error =
                add_steps(flows, part, trace->spans[i].detail, trace->spans[i].track, cut.begin_ns);
    for (uint32_t i = 0; !error && any && i < trace->reader.tracks.count; i++)
        if (part->tracks[i])
            error = add_events(flows, part, i);
    return error ? MAREY_ENOMEM : 0;
}

void chrome_flows_free(struct chrome_flows *flows) {
    free(flows->all);
    map_free(&flows->places);
    *flows = (struct chrome_flows){0};
}

char chrome_flow_phase(struct chrome_flow *flow, int64_t time_ns) {
    if (!flow->has_begun && time_ns == flow->first_ns) {
        flow->has_begun = 1;
        return 's';
    }
    if (!flow->has_ended && time_ns == flow->last_ns) {
        flow->has_ended = 1;
        return 'f';
    }
    return 't';
}
