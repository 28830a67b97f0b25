/* See tracks.h. */
#include "model/tracks.h"

#include "format/perfetto.h"
#include "model/grow.h"
#include "model/matching.h"

uint32_t tracks_find(struct tracks *self, uint64_t uuid) {
    uint32_t place = map_get(&self->by_uuid, uuid);
    if (place != MAP_NONE)
        return place;
    if (self->count >= TRACKS_MAX || GROW(self->all, self->count, self->capacity))
        return MAP_NONE;
    if (map_put(&self->by_uuid, uuid, self->count))
        return MAP_NONE;
    self->all[self->count] = (struct track){.uuid = uuid, .process = MAP_NONE};
    return self->count++;
}

struct track *tracks_known(const struct tracks *self, uint64_t uuid) {
    uint32_t place = map_get(&self->by_uuid, uuid);
    return place == MAP_NONE ? NULL : &self->all[place];
}

int track_add(struct track *self, const struct event *event) {
    if (GROW(self->events, self->count, self->capacity))
        return -1;
    self->events[self->count++] = *event;
    return 0;
}

/* Which of a track's events tell all that its table says; MAP_NONE: there is none. */
struct corners {
    uint32_t first, last, least, most;
};

static void widen(struct corners *corners, const struct event *events, uint32_t at) {
    const struct event *event = &events[at];
    if (corners->first == MAP_NONE || event->time_ns < events[corners->first].time_ns)
        corners->first = at;
    if (corners->last == MAP_NONE || event->time_ns >= events[corners->last].time_ns)
        corners->last = at;
    if (event->kind != EVENT_COUNTER)
        return;
    if (corners->least == MAP_NONE || event->value < events[corners->least].value)
        corners->least = at;
    if (corners->most == MAP_NONE || event->value > events[corners->most].value)
        corners->most = at;
}

static int is_paired(const struct event *event) {
    return event->kind == EVENT_BEGIN || event->kind == EVENT_END;
}

void track_thin(struct track *self) {
    struct corners corners = {MAP_NONE, MAP_NONE, MAP_NONE, MAP_NONE};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->events[i].clock != self->clock)
            return; /* times of different clocks cannot be compared yet */
        if (!is_paired(&self->events[i]))
            widen(&corners, self->events, i);
    }
    for (uint32_t i = 0; i < self->count; i++)
        if (is_paired(&self->events[i]) || i == corners.first || i == corners.last ||
            i == corners.least || i == corners.most)
            self->events[kept++] = self->events[i];
    self->count = kept;
}

void tracks_free(struct tracks *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        matching_free(&self->all[i]);
        free(self->all[i].events);
    }
    free(self->all);
    map_free(&self->by_uuid);
    *self = (struct tracks){0};
}
