/* A trace file that is being written: its new packets, again and again.
 *
 * A file of ours is a run of items, packets and fillers, at every instant (docs/FORMAT.md). New packets appear where a
 * filler stood: at its beginning, one behind the other, up to where it ends; and behind the end, where the file grows. So
 * what has to be remembered are the fillers, and what has to be looked at again is the first bytes of each. The file of
 * another writer grows at its end alone.
 *
 * Read, not mapped, as source.h says. A packet that is seen may not be whole yet for another processor: how far packets
 * reach is read first, and then, anew, what they say. */
#ifndef MAREY_MODEL_FOLLOW_H
#define MAREY_MODEL_FOLLOW_H

#include "format/wire.h"

enum {
    FOLLOWED_PACKET_MAX = 64 << 20, /* bytes; a larger one is taken for damage */
    FOLLOWED_PLACES_MAX = 1 << 22,
};

/* Where packets may appear: a filler, or what is not whole yet. */
struct follow_place {
    uint64_t at, end;
    uint64_t head; /* its first eight bytes, as they were seen */
};

struct follower {
    int fd;
    struct follow_place *places, *next_places; /* in the order of the file */
    uint32_t count, capacity, next_count, next_capacity;
    uint64_t seen;    /* of the file: all before was looked at */
    uint64_t packets; /* taken so far */
    /* there is something that is neither packet nor filler; UINT64_MAX: nowhere */
    uint64_t damaged_at;
    uint8_t *window;
    size_t window_bytes;
};

/* A new packet; offset: in the file. */
typedef void follow_take(void *context, struct bytes packet, uint64_t offset);

/* fd stays the caller's. */
void follower_open(struct follower *follower, int fd);
/* Looks once at all places before `limit`, which is within the file. Returns 0 or an enum marey_error. */
int follower_poll(struct follower *follower, uint64_t limit, follow_take *take, void *context);
void follower_close(struct follower *follower);

#endif
