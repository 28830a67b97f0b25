/* See flows.h. */
#include "page/flows.h"

#include <stdlib.h>

#include "model/grow.h"
#include "page/index.h"

/* The steps that a detail has, each as `point` but for its id. */
static int add_steps(struct flows *flows, const struct trace *trace, uint32_t place,
                     struct flow_point point) {
    const struct arguments *arguments = &trace->reader.arguments;
    const struct detail *detail = place ? &arguments->details[place] : NULL;
    for (uint32_t i = 0; detail && i < detail->flows; i++) {
        const struct flow_step *step = &arguments->flows[detail->first_flow + i];
        if (GROW(flows->all, flows->count, flows->capacity))
            return -1;
        point.id = step->id;
        point.ends = step->ends;
        flows->all[flows->count++] = point;
    }
    return 0;
}

static int add_span(struct flows *flows, const struct trace *trace, uint32_t place) {
    const struct span *span = &trace->spans[place];
    struct flow_point point = {.time_ns = span->begin_ns, .track = span->track, .span = place};
    if (!span->detail)
        return 0;
    if (add_steps(flows, trace, span->detail, point))
        return -1;
    point.time_ns = span_end_ns(trace, span);
    return add_steps(flows, trace, trace->reader.arguments.details[span->detail].end, point);
}

static int add_instants(struct flows *flows, const struct index *index, const struct trace *trace,
                        uint32_t place) {
    const struct track *track = &trace->reader.tracks.all[place];
    for (uint32_t i = 0; i < track->count; i++) {
        const struct event *event = &track->events[i];
        struct flow_point point = {.time_ns = event->time_ns,
                                   .track = place,
                                   .span = MAP_NONE,
                                   .instant = index->tracks[place].first_instant + i};
        if (event->kind != EVENT_COUNTER && event->detail &&
            add_steps(flows, trace, event->detail, point))
            return -1;
    }
    return 0;
}

static int compare(const void *a, const void *b) {
    const struct flow_point *left = a, *right = b;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    if (left->ends != right->ends)
        return left->ends < right->ends ? -1 : 1;
    if (left->span != right->span)
        return left->span < right->span ? -1 : 1;
    return (left->instant > right->instant) - (left->instant < right->instant);
}

int flows_make(struct flows *flows, const struct index *index, const struct trace *trace) {
    *flows = (struct flows){0};
    if (!trace->reader.arguments.flow_count)
        return 0;
    for (uint32_t i = 0; i < trace->span_count; i++)
        if (add_span(flows, trace, i))
            return -1;
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++)
        if (add_instants(flows, index, trace, i))
            return -1;
    if (flows->count)
        qsort(flows->all, flows->count, sizeof *flows->all, compare);
    return 0;
}

void flows_free(struct flows *flows) {
    free(flows->all);
    *flows = (struct flows){0};
}

int flows_goes_on(const struct flows *flows, uint32_t place) {
    return place + 1 < flows->count && flows->all[place].id == flows->all[place + 1].id &&
           !flows->all[place].ends;
}

uint32_t flows_find(const struct flows *flows, uint64_t id, int64_t time_ns) {
    uint32_t low = 0, high = flows->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct flow_point *point = &flows->all[middle];
        if (point->id < id || (point->id == id && point->time_ns < time_ns))
            low = middle + 1;
        else
            high = middle;
    }
    return low < flows->count && flows->all[low].id == id ? low : flows->count;
}
