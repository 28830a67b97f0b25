/* The tracks of api/trace, in the order in which the timeline shows them: process by process, its own track first, then
 * counters, then threads and what else there is, each with what is below it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "page/parts.h"

enum { TRACKS_SHOWN_MAX = 20000 };

/* The tracks as trees: children below their parents, but those of processes stand beside the process's own. */
struct order {
    const struct asked *asked;
    uint32_t *first_child, *next; /* by track; MAP_NONE: none */
    uint8_t *is_shown;            /* it, or one below it, has something */
    uint32_t *roots;
    uint32_t root_count;
    uint32_t written, left_out; /* tracks; beyond the limit */
};

static uint32_t parent_of(const struct trace *trace, uint32_t place) {
    const struct track *track = &trace->reader.tracks.all[place];
    const struct track *parent = trace_parent(trace, track);
    if (!parent || parent == track || parent->kind == TRACK_PROCESS || track->kind == TRACK_THREAD)
        return MAP_NONE;
    return (uint32_t)(parent - trace->reader.tracks.all);
}

static int has_something(const struct asked *asked, uint32_t place) {
    const struct track *track = &asked->trace->reader.tracks.all[place];
    if (track->kind == TRACK_COUNTER)
        return track->values && !trace_is_loss(asked->trace, track);
    uint32_t thread = asked->index->tracks[place].thread;
    return track->total || (thread != MAP_NONE && asked->index->threads[thread].count);
}

/* Marks a track and those above it. A trace may say that tracks stand in a circle: then this ends as well. */
static void mark(struct order *order, uint32_t place) {
    while (place != MAP_NONE && !order->is_shown[place]) {
        order->is_shown[place] = 1;
        place = parent_of(order->asked->trace, place);
    }
}

static int rank(const struct track *track) {
    return track->kind == TRACK_PROCESS   ? 0
           : track->kind == TRACK_COUNTER ? 1
           : track->kind == TRACK_THREAD  ? 2
                                          : 3;
}

static int compare_roots(const void *a, const void *b, void *context) {
    const struct trace *trace = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct track *one = &trace->reader.tracks.all[left];
    const struct track *other = &trace->reader.tracks.all[right];
    if (one->process != other->process)
        return one->process < other->process ? -1 : 1; /* MAP_NONE: last */
    if (rank(one) != rank(other))
        return rank(one) - rank(other);
    return left < right ? -1 : 1;
}

static int order_make(struct order *order) {
    const struct trace *trace = order->asked->trace;
    size_t count = (size_t)trace->reader.tracks.count + 1;
    order->first_child = malloc(count * sizeof *order->first_child);
    order->next = malloc(count * sizeof *order->next);
    order->roots = malloc(count * sizeof *order->roots);
    order->is_shown = calloc(count, 1);
    if (!order->first_child || !order->next || !order->roots || !order->is_shown)
        return MAREY_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        order->first_child[i] = order->next[i] = MAP_NONE;
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++)
        if (has_something(order->asked, i))
            mark(order, i);
    for (uint32_t i = trace->reader.tracks.count; i-- > 0;) {
        uint32_t parent = order->is_shown[i] ? parent_of(trace, i) : (uint32_t)MAP_NONE;
        if (parent != MAP_NONE) {
            order->next[i] = order->first_child[parent];
            order->first_child[parent] = i;
        } else if (order->is_shown[i]) {
            order->roots[order->root_count++] = i;
        }
    }
    qsort_r(order->roots, order->root_count, sizeof *order->roots, compare_roots, (void *)trace);
    return 0;
}

static void order_free(struct order *order) {
    free(order->first_child);
    free(order->next);
    free(order->roots);
    free(order->is_shown);
}

static const char *kind_of(const struct trace *trace, const struct track *track) {
    static const char asyncio[] = "asyncio";
    const struct track *parent = trace_parent(trace, track);
    switch (track->kind) {
    case TRACK_PROCESS: return "process";
    case TRACK_THREAD: return "thread";
    case TRACK_COUNTER: return "counter";
    default:
        return parent && parent->kind == TRACK_CUSTOM &&
                       !strcmp(trace_text(trace, parent->name), asyncio)
                   ? "task"
                   : "custom";
    }
}

static void write_id(struct json *json, const char *key, uint32_t id) {
    if (id == MAP_NONE)
        json_null(json, key);
    else
        json_integer(json, key, id);
}

static void write_range(struct asked *asked, uint32_t place) {
    const struct track *track = &asked->trace->reader.tracks.all[place];
    struct value_range range = {0};
    if (track->kind == TRACK_COUNTER && track->values && track->values == track->count)
        range = index_range(asked->index, asked->trace, place, 0, track->count);
    if (track->unit)
        json_text(asked->json, "unit", trace_text(asked->trace, track->unit));
    else
        json_null(asked->json, "unit");
    json_double(asked->json, "least", range.least);
    json_double(asked->json, "most", range.most);
}

static void write_track(struct asked *asked, uint32_t place) {
    const struct trace *trace = asked->trace;
    const struct track *track = &trace->reader.tracks.all[place];
    struct json *json = asked->json;
    json_object(json, NULL);
    json_integer(json, "id", place);
    json_text(json, "name", trace_text(trace, track->name));
    json_text(json, "kind", kind_of(trace, track));
    write_id(json, "process", track->process);
    write_id(json, "thread", asked->index->tracks[place].thread);
    write_id(json, "parent", parent_of(trace, place));
    json_integer(json, "depth", asked->index->tracks[place].lane_count);
    json_integer(json, "spans", track->spans);
    json_integer(json, "instants", track->instants);
    write_range(asked, place);
    json_end(json);
}

/* A thread that was watched from outside has samples and no track of its own. */
static void write_sampled(struct asked *asked, uint32_t place) {
    const struct thread *thread = &asked->trace->threads[place];
    struct json *json = asked->json;
    json_object(json, NULL);
    json_integer(json, "id", (int64_t)asked->trace->reader.tracks.count + place);
    json_text(json, "name", trace_text(asked->trace, thread->name));
    json_text(json, "kind", "thread");
    json_integer(json, "process", thread->process);
    json_integer(json, "thread", place);
    json_null(json, "parent");
    json_integer(json, "depth", 0);
    json_integer(json, "spans", 0);
    json_integer(json, "instants", 0);
    json_null(json, "unit");
    json_integer(json, "least", 0);
    json_integer(json, "most", 0);
    json_end(json);
}

static int has_room(struct order *order) {
    int room = order->written < TRACKS_SHOWN_MAX;
    order->written += room;
    order->left_out += !room;
    return room;
}

/* A root and all below it, parents first. */
static void write_tree(struct asked *asked, struct order *order, uint32_t root) {
    uint32_t at = root;
    while (at != MAP_NONE) {
        if (has_room(order))
            write_track(asked, at);
        uint32_t down = order->first_child[at];
        while (down == MAP_NONE && at != root && order->next[at] == MAP_NONE)
            at = parent_of(asked->trace, at);
        at = down != MAP_NONE ? down : at == root ? (uint32_t)MAP_NONE : order->next[at];
    }
}

/* The threads without a track of their own, of a process. */
static void write_watched(struct asked *asked, struct order *order, const struct process *process) {
    for (uint32_t i = 0; i < process->threads; i++) {
        uint32_t place = process->first_thread + i;
        if (asked->trace->threads[place].track == MAP_NONE && asked->index->threads[place].count &&
            has_room(order))
            write_sampled(asked, place);
    }
}

int write_track_list(struct asked *asked) {
    const struct trace *trace = asked->trace;
    struct order order = {.asked = asked};
    int error = order_make(&order);
    uint32_t at = 0;
    json_array(asked->json, "tracks");
    for (uint32_t process = 0; !error && process < trace->process_count; process++) {
        for (; at < order.root_count; at++) {
            if (trace->reader.tracks.all[order.roots[at]].process != process)
                break;
            write_tree(asked, &order, order.roots[at]);
        }
        write_watched(asked, &order, &trace->processes[process]);
    }
    for (; !error && at < order.root_count; at++)
        write_tree(asked, &order, order.roots[at]);
    json_end(asked->json);
    json_count(asked->json, "tracks_left_out", order.left_out);
    order_free(&order);
    return error;
}
