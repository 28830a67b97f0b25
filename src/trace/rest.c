/* What threads that ended left of their chunks: others go on in it. See session_inside.h. */
#include "session_inside.h"

enum {
    REST_MIN = 2048, /* bytes that are worth handing on: what opens a chunk anew, and some events */
    RESTS_MAX = 64,
};

static struct rest rests[RESTS_MAX];
static unsigned count;

/* A ring has few chunks, and those that wait for a thread hold up its turning. */
static unsigned rests_max(const struct store *store) {
    return store_is_ring(store) ? RESTS_MAX / 8 : RESTS_MAX;
}

static size_t rest_bytes(const struct rest *rest) {
    return rest->chunk.size - rest->used;
}

/* In place of the smallest, where there are enough. */
void rests_put(struct rest *rest, const struct store *store) {
    if (rest_bytes(rest) < REST_MIN)
        return;
    if (count < rests_max(store)) {
        rests[count++] = *rest;
        *rest = (struct rest){0};
        return;
    }
    struct rest *smallest = &rests[0];
    for (unsigned i = 1; i < count; i++)
        if (rest_bytes(&rests[i]) < rest_bytes(smallest))
            smallest = &rests[i];
    if (rest_bytes(smallest) < rest_bytes(rest)) {
        struct rest smaller = *smallest;
        *smallest = *rest;
        *rest = smaller;
    }
}

int rests_take(struct rest *rest, size_t bytes) {
    for (unsigned i = count; i--;) {
        if (rest_bytes(&rests[i]) < bytes + REST_MIN - EVENT_ROOM)
            continue;
        *rest = rests[i];
        rests[i] = rests[--count];
        return 1;
    }
    return 0;
}

struct rest rests_ending_at(uint64_t end) {
    for (unsigned i = 0; i < count; i++)
        if (rests[i].chunk.offset + rests[i].chunk.size == end)
            return rests[i];
    return (struct rest){0};
}

void rests_release(struct store *store) {
    while (count)
        store_release(store, &rests[--count].chunk);
}

void rests_forget(void) {
    count = 0;
}

void rests_unmap(void) {
    while (count)
        store_unmap(&rests[--count].chunk);
}
