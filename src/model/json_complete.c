/* See json_event.h: spans that stand in one event each.
 *
 * They are sorted by begin, the longer first, and so nest as they did in the program. Where two overlap, and neither is
 * within the other (tasks that share a thread), the later one goes onto a further track of the same name below the first:
 * both keep their times. trace_processor does likewise from v57 on. Beyond OVERLAPS_MAX such tracks, an end is brought
 * forward to that of the span around it; so is one that is late by no more than rounding makes it. */
#include <stdlib.h>

#include "model/grow.h"
#include "model/json_event.h"

enum {
    OVERLAPS_MAX = 64,
    /* times and durations are rounded by themselves, often to whole microseconds */
    ROUNDING_NS = 1000,
};

void json_complete_add(struct json_reader *self, uint32_t track, const struct complete *complete) {
    while (self->complete_count <= track) {
        if (GROW(self->complete, self->complete_count, self->complete_capacity)) {
            reader_out_of_memory(self->reader);
            return;
        }
        self->complete[self->complete_count++] = (struct complete_list){0};
    }
    struct complete_list *list = &self->complete[track];
    if (GROW(list->all, list->count, list->capacity)) {
        reader_out_of_memory(self->reader);
        return;
    }
    list->all[list->count] = *complete;
    list->all[list->count].order = list->count;
    list->count++;
}

static int compare(const void *a, const void *b) {
    const struct complete *left = a, *right = b;
    if (left->begin_ns != right->begin_ns)
        return left->begin_ns < right->begin_ns ? -1 : 1;
    if (left->duration_ns != right->duration_ns)
        return left->duration_ns > right->duration_ns ? -1 : 1;
    /* Of two that look the same, the outer one ended, and so was written, later. */
    int is_later = (left->order > right->order) - (left->order < right->order);
    return left->duration_ns ? -is_later : is_later;
}

/* A span that is open while the others of its track are looked at. */
struct open_complete {
    int64_t end_ns;
    uint32_t name, category;
};

/* A track and what is open on it. */
struct lane {
    uint32_t track;
    struct open_complete *open; /* innermost last */
    uint32_t depth, capacity;
};

struct lanes {
    struct lane all[OVERLAPS_MAX];
    uint32_t count;
};

static void put(struct json_reader *self, const struct lane *lane, int kind, int64_t time_ns,
                const struct complete *complete) {
    const struct event event = {.time_ns = time_ns,
                                .name = complete->name,
                                .category = complete->category,
                                .kind = (uint8_t)kind,
                                .detail = complete->detail};
    event_append(self->reader, lane->track, &event);
}

/* Ends what is over at that time. */
static void end_until(struct json_reader *self, struct lane *lane, int64_t time_ns) {
    while (lane->depth && lane->open[lane->depth - 1].end_ns <= time_ns) {
        const struct open_complete *open = &lane->open[--lane->depth];
        const struct complete ended = {.name = open->name, .category = open->category};
        put(self, lane, EVENT_END, open->end_ns, &ended);
    }
}

/* A further track below the first. MAP_NONE where there is none. */
static uint32_t further_track(struct json_reader *self, uint32_t first) {
    struct tracks *tracks = &self->reader->tracks;
    uint32_t place = tracks_find(tracks, (uint64_t)tracks->count + 1);
    if (place == MAP_NONE)
        return place;
    const struct track *from = &tracks->all[first];
    tracks->all[place].kind = TRACK_CUSTOM;
    tracks->all[place].name = from->name;
    tracks->all[place].parent_uuid = from->uuid;
    return place;
}

/* Whether a span that ends then can be within what is open on a lane. */
static int has_room(const struct lane *lane, int64_t end_ns) {
    int64_t around_ns = lane->depth ? lane->open[lane->depth - 1].end_ns : INT64_MAX;
    return end_ns <= around_ns || (uint64_t)end_ns - (uint64_t)around_ns <= ROUNDING_NS;
}

/* The first lane in which a span is within what is open there, or the last one. NULL where memory is short. */
static struct lane *choose(struct json_reader *self, struct lanes *lanes,
                           const struct complete *complete) {
    int64_t end_ns = complete->begin_ns + complete->duration_ns;
    for (uint32_t i = 0; i < lanes->count; i++) {
        struct lane *lane = &lanes->all[i];
        end_until(self, lane, complete->begin_ns);
        if (has_room(lane, end_ns))
            return lane;
    }
    uint32_t track =
        lanes->count < OVERLAPS_MAX ? further_track(self, lanes->all[0].track) : (uint32_t)MAP_NONE;
    if (track == MAP_NONE)
        return &lanes->all[lanes->count - 1];
    lanes->all[lanes->count] = (struct lane){.track = track};
    return &lanes->all[lanes->count++];
}

static int begin(struct json_reader *self, struct lanes *lanes, const struct complete *complete) {
    struct lane *lane = choose(self, lanes, complete);
    int64_t end_ns = complete->begin_ns + complete->duration_ns;
    if (GROW(lane->open, lane->depth, lane->capacity))
        return -1;
    if (lane->depth && lane->open[lane->depth - 1].end_ns < end_ns)
        end_ns = lane->open[lane->depth - 1].end_ns;
    put(self, lane, EVENT_BEGIN, complete->begin_ns, complete);
    lane->open[lane->depth++] = (struct open_complete){end_ns, complete->name, complete->category};
    return 0;
}

static void settle_list(struct json_reader *self, struct complete_list *list, uint32_t track) {
    struct lanes lanes = {.count = 1};
    lanes.all[0].track = track;
    qsort(list->all, list->count, sizeof *list->all, compare);
    for (uint32_t i = 0; i < list->count && !self->reader->error; i++)
        if (begin(self, &lanes, &list->all[i]))
            reader_out_of_memory(self->reader);
    for (uint32_t i = 0; i < lanes.count; i++) {
        end_until(self, &lanes.all[i], INT64_MAX);
        free(lanes.all[i].open);
    }
}

void json_complete_settle(struct json_reader *self) {
    for (uint32_t i = 0; i < self->complete_count; i++) {
        struct complete_list *list = &self->complete[i];
        if (list->count)
            settle_list(self, list, i);
        free(list->all);
    }
    free(self->complete);
    self->complete = NULL;
    self->complete_count = self->complete_capacity = 0;
}
