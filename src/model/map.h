/* A map from numbers to small numbers, for ids that come from a file. No entry is ever taken out. */
#ifndef MAREY_MODEL_MAP_H
#define MAREY_MODEL_MAP_H

#include <stdint.h>

enum { MAP_NONE = UINT32_MAX };

struct map_entry {
    uint64_t key;
    uint32_t value; /* MAP_NONE: free */
};

/* All zero is an empty map. */
struct map {
    struct map_entry *entries;
    uint32_t count;
    uint32_t mask; /* capacity - 1, a power of two */
};

/* MAP_NONE where the key is not there. */
uint32_t map_get(const struct map *map, uint64_t key);
/* Sets or replaces; value != MAP_NONE. Returns 0, or -1 where memory is short. */
int map_put(struct map *map, uint64_t key, uint32_t value);
void map_free(struct map *map);
/* A number well mixed, differently in each process: nobody can prepare keys that collide. */
uint64_t map_mix(uint64_t key);
/* A key of another space: as good as different from all others. */
static inline uint64_t map_spread(uint64_t key, uint32_t space) {
    return map_mix(key ^ map_mix(space));
}

#endif
