/* See tracks.h. */
#include "model/tracks.h"

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
    self->all[self->count] =
        (struct track){.uuid = uuid, .paired_ns = INT64_MIN, .process = MAP_NONE};
    return self->count++;
}

struct track *tracks_known(const struct tracks *self, uint64_t uuid) {
    uint32_t place = map_get(&self->by_uuid, uuid);
    return place == MAP_NONE ? NULL : &self->all[place];
}

int track_note(struct track *self, const struct event *event) {
    int in_order = 1;
    if (!self->total) {
        self->first_ns = self->last_ns = event->time_ns;
        self->clock = event->clock;
    }
    if (event->time_ns < self->first_ns)
        self->first_ns = event->time_ns;
    if (event->time_ns > self->last_ns)
        self->last_ns = event->time_ns;
    if (event_is_paired(event)) {
        in_order = event->time_ns >= self->paired_ns;
        self->paired_ns = event->time_ns;
    }
    self->total++;
    self->instants += event->kind == EVENT_INSTANT;
    self->values += event->kind == EVENT_COUNTER;
    self->states += event->kind == EVENT_STATE;
    return in_order && event->clock == self->clock;
}

int track_add(struct track *self, const struct event *event) {
    if (GROW(self->events, self->count, self->capacity))
        return -1;
    self->events[self->count++] = *event;
    return 0;
}

/* Which events of a kind tell all that a track's table says; MAP_NONE: there is none. */
struct corners {
    uint32_t first, last, least, most;
};

/* least, most: of values alone. */
static void widen(struct corners *corners, const struct event *events, uint32_t at, int has_value) {
    const struct event *event = &events[at];
    if (corners->first == MAP_NONE || event->time_ns < events[corners->first].time_ns)
        corners->first = at;
    if (corners->last == MAP_NONE || event->time_ns >= events[corners->last].time_ns)
        corners->last = at;
    if (!has_value)
        return;
    if (corners->least == MAP_NONE || event->value < events[corners->least].value)
        corners->least = at;
    if (corners->most == MAP_NONE || event->value > events[corners->most].value)
        corners->most = at;
}

static int is_corner(const struct corners *corners, uint32_t at) {
    return at == corners->first || at == corners->last || at == corners->least ||
           at == corners->most;
}

void track_thin(struct track *self) {
    struct corners values = {MAP_NONE, MAP_NONE, MAP_NONE, MAP_NONE}, others = values;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const struct event *event = &self->events[i];
        int has_value = event->kind == EVENT_COUNTER;
        if (event->clock != self->clock)
            return; /* times of different clocks cannot be compared yet */
        if (!event_is_paired(event))
            widen(has_value ? &values : &others, self->events, i, has_value);
    }
    for (uint32_t i = 0; i < self->count; i++)
        if (event_is_paired(&self->events[i]) || is_corner(&values, i) || is_corner(&others, i))
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
