/* See map.h. Open addressing, at most half full. */
#include "model/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum { FIRST_CAPACITY = 16 };

static uint64_t seed(void) {
    static uint64_t value;
    if (!value) {
        const void *random = (const void *)getauxval(AT_RANDOM);
        if (random)
            memcpy(&value, random, sizeof value);
        value |= 1;
    }
    return value;
}

/* The finalizer of MurmurHash3 (public domain). */
uint64_t map_mix(uint64_t key) {
    key ^= seed();
    key = (key ^ key >> 33) * 0xff51afd7ed558ccdu;
    key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53u;
    return key ^ key >> 33;
}

/* The key's entry, or the free one where it belongs. */
static struct map_entry *find(const struct map *map, uint64_t key) {
    uint32_t at = (uint32_t)map_mix(key) & map->mask;
    while (map->entries[at].value != MAP_NONE && map->entries[at].key != key)
        at = (at + 1) & map->mask;
    return &map->entries[at];
}

uint32_t map_get(const struct map *map, uint64_t key) {
    return map->count ? find(map, key)->value : (uint32_t)MAP_NONE;
}

static int rehash(struct map *map) {
    uint64_t capacity = map->entries ? ((uint64_t)map->mask + 1) * 2 : FIRST_CAPACITY;
    if (capacity > UINT32_MAX)
        return -1;
    struct map larger = {malloc(capacity * sizeof *larger.entries), map->count,
                         (uint32_t)capacity - 1};
    if (!larger.entries)
        return -1;
    memset(larger.entries, 0xff, capacity * sizeof *larger.entries); /* MAP_NONE everywhere */
    for (uint64_t i = 0; map->entries && i <= map->mask; i++)
        if (map->entries[i].value != MAP_NONE)
            *find(&larger, map->entries[i].key) = map->entries[i];
    free(map->entries);
    *map = larger;
    return 0;
}

int map_put(struct map *map, uint64_t key, uint32_t value) {
    if ((!map->entries || map->count > map->mask / 2) && rehash(map))
        return -1;
    struct map_entry *entry = find(map, key);
    map->count += entry->value == MAP_NONE;
    *entry = (struct map_entry){key, value};
    return 0;
}

void map_free(struct map *map) {
    free(map->entries);
    *map = (struct map){0};
}
