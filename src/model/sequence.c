/* See sequence.h. */
#include "model/sequence.h"

#include <string.h>

#include "model/grow.h"

enum { SMALL_FIRST = 64, SMALL_DENSITY = 4 };

/* Makes the array reach to the id, where that wastes little: a few wild ids must not cost memory. Returns 1 if so. */
static int make_small(struct interned *self, uint64_t id) {
    if (id < self->small_capacity)
        return 1;
    if (id >= SMALL_FIRST && id >= (uint64_t)SMALL_DENSITY * self->small_count)
        return 0;
    uint32_t capacity = SMALL_FIRST;
    while (capacity <= id)
        capacity *= 2;
    struct interned_slot *larger = realloc(self->small, capacity * sizeof *larger);
    if (!larger)
        return 0;
    memset(larger + self->small_capacity, 0, (capacity - self->small_capacity) * sizeof *larger);
    self->small = larger;
    self->small_capacity = capacity;
    return 1;
}

uint32_t interned_large(const struct interned *self, uint32_t generation, uint64_t id) {
    uint32_t place = map_get(&self->places, id);
    if (place == MAP_NONE || self->large[place].generation != generation)
        return MAP_NONE;
    return self->large[place].value;
}

static int put_large(struct interned *self, uint32_t generation, uint64_t id, uint32_t value) {
    uint32_t place = map_get(&self->places, id);
    if (place == MAP_NONE) {
        if (GROW(self->large, self->large_count, self->large_capacity))
            return -1;
        place = self->large_count;
        if (map_put(&self->places, id, place))
            return -1;
        self->large_count++;
    }
    self->large[place] = (struct interned_slot){generation, value};
    return 0;
}

int interned_put(struct interned *self, uint32_t generation, uint64_t id, uint32_t value) {
    if (interned_get(self, generation, id) != MAP_NONE)
        return 1;
    if (!make_small(self, id))
        return put_large(self, generation, id, value);
    self->small[id] = (struct interned_slot){generation, value};
    self->small_count += self->small_count < UINT32_MAX;
    return 0;
}

void interned_free(struct interned *self) {
    free(self->small);
    free(self->large);
    map_free(&self->places);
}

void sequence_clear(struct sequence *self, uint32_t track) {
    self->generation++;
    self->valid = 1;
    self->clock_id = 0;
    self->track = track;
    self->counters.count = self->double_counters.count = 0;
    sample_state_clear(self->samples);
}

void sequence_free(struct sequence *self) {
    interned_free(&self->names);
    interned_free(&self->categories);
    interned_free(&self->keys);
    interned_free(&self->texts);
    interned_free(&self->sources);
    sample_state_free(self->samples);
}

struct sequence_clock *sequence_clock(struct sequence *self, uint32_t id) {
    for (int i = 0; i < SEQUENCE_CLOCKS_MAX; i++) {
        struct sequence_clock *clock = &self->clocks[i];
        if (clock->id == id)
            return clock;
        if (!clock->id) {
            clock->id = id;
            return clock;
        }
    }
    return NULL;
}
