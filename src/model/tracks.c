/* See tracks.h. */
#include "model/tracks.h"

#include "model/grow.h"

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

void tracks_free(struct tracks *self) {
    for (uint32_t i = 0; i < self->count; i++)
        free(self->all[i].events);
    free(self->all);
    map_free(&self->by_uuid);
    *self = (struct tracks){0};
}
