/* See follow.h. */
#include "model/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "model/grow.h"

enum { HEAD_BYTES = 8, WINDOW_BYTES = 1 << 18 };

void follower_open(struct follower *self, int fd) {
    *self = (struct follower){.fd = fd, .damaged_at = UINT64_MAX};
}

void follower_close(struct follower *self) {
    free(self->places);
    free(self->next_places);
    free(self->window);
    *self = (struct follower){.fd = -1};
}

/* Bytes of the file into the window. Returns how many there are, or an enum marey_error. */
static ssize_t look(struct follower *self, uint64_t offset, size_t want) {
    if (want > self->window_bytes) {
        size_t size = want > WINDOW_BYTES ? want : WINDOW_BYTES;
        uint8_t *larger = realloc(self->window, size);
        if (!larger)
            return MAREY_ENOMEM;
        self->window = larger;
        self->window_bytes = size;
    }
    ssize_t got;
    do {
        got = pread(self->fd, self->window, want, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? error_from_errno(errno) : got;
}

static uint64_t head_of(const uint8_t *at, size_t size) {
    uint64_t head = 0;
    memcpy(&head, at, size < HEAD_BYTES ? size : HEAD_BYTES);
    return head;
}

static int remember(struct follower *self, uint64_t at, uint64_t end, uint64_t head) {
    if (self->next_count >= FOLLOWED_PLACES_MAX ||
        GROW(self->next_places, self->next_count, self->next_capacity))
        return MAREY_ENOMEM;
    self->next_places[self->next_count++] = (struct follow_place){at, end, head};
    return 0;
}

/* An item of the root, as far as its head tells. */
struct item {
    uint64_t head_bytes, bytes; /* in all */
    int is_packet, is_damage;
};

/* Returns 1, or 0 where not all of its head is there yet (zeros are room for one). */
static int item_read(const uint8_t *at, const uint8_t *end, struct item *item) {
    uint64_t tag, length;
    const uint8_t *next = at < end && *at ? wire_number(at, end, &tag) : NULL;
    *item = (struct item){0};
    if (!next)
        return 0;
    item->is_damage =
        tag != TAG(TRACE__packet, WIRE_BYTES) && tag != TAG(TRACE__filler, WIRE_BYTES);
    next = item->is_damage ? next : wire_number(next, end, &length);
    if (item->is_damage || !next)
        return item->is_damage;
    item->head_bytes = (uint64_t)(next - at);
    item->is_packet = tag == TAG(TRACE__packet, WIRE_BYTES);
    item->is_damage = length > (item->is_packet ? (uint64_t)FOLLOWED_PACKET_MAX : INT64_MAX / 2);
    item->bytes = item->head_bytes + (item->is_damage ? 0 : length);
    return 1;
}

static int whole_packet(const uint8_t *at, const uint8_t *end, struct item *item) {
    return item_read(at, end, item) && item->is_packet && !item->is_damage &&
           item->bytes <= (uint64_t)(end - at);
}

/* What stands at a place. */
enum found { FOUND_NOTHING, FOUND_PACKETS, FOUND_FILLER, FOUND_LARGE, FOUND_DAMAGE };

/* How far packets reach from the window's beginning. *size: what they take, or the item that is found there instead. */
static enum found measure(const uint8_t *window, size_t have, uint64_t *size) {
    const uint8_t *at = window, *end = window + have;
    struct item item;
    while (whole_packet(at, end, &item))
        at += item.bytes;
    *size = (uint64_t)(at - window);
    if (*size)
        return FOUND_PACKETS;
    if (!item.bytes && !item.is_damage)
        return FOUND_NOTHING;
    *size = item.bytes;
    return item.is_damage ? FOUND_DAMAGE : item.is_packet ? FOUND_LARGE : FOUND_FILLER;
}

static void take_packets(struct follower *self, size_t size, uint64_t offset, follow_take *take,
                         void *context) {
    const uint8_t *at = self->window, *end = at + size;
    struct item item;
    while (whole_packet(at, end, &item)) {
        struct bytes packet = {at + item.head_bytes, (size_t)(item.bytes - item.head_bytes)};
        self->packets++;
        take(context, packet, offset + (uint64_t)(at - self->window));
        at += item.bytes;
    }
}

/* Takes what stands from *at on, up to the first filler, which is remembered, or to what is not whole. Sets *at behind
 * it. Returns 0 or an enum marey_error. */
static int walk(struct follower *self, uint64_t *at, uint64_t limit, follow_take *take,
                void *context) {
    size_t want = WINDOW_BYTES;
    while (*at < limit) {
        uint64_t left = limit - *at, size;
        size_t wanted = left < want ? (size_t)left : want;
        ssize_t have = look(self, *at, wanted);
        if (have < 0)
            return (int)have;
        enum found found = measure(self->window, (size_t)have, &size);
        if (found == FOUND_PACKETS) {
            have = look(self, *at, (size_t)size);
            if (have < 0)
                return (int)have;
            take_packets(self, (size_t)have, *at, take, context);
            *at += size;
            want = WINDOW_BYTES;
        } else if (found == FOUND_LARGE && size <= left && (size_t)have == wanted) {
            want = (size_t)size; /* a file that has become shorter meanwhile has no more */
        } else {
            uint64_t end = found == FOUND_FILLER ? *at + size : limit;
            if (found == FOUND_DAMAGE)
                self->damaged_at = *at;
            int error = remember(self, *at, end, head_of(self->window, (size_t)have));
            *at = end;
            return error;
        }
    }
    return 0;
}

/* Whether a place is as it was: then nothing has appeared there. What is not whole may become so further behind. */
static int unchanged(struct follower *self, const struct follow_place *place, uint64_t limit,
                     int *error) {
    struct item item;
    ssize_t have = place->end <= limit ? look(self, place->at, HEAD_BYTES) : 0;
    if (have < 0)
        *error = (int)have;
    return have == HEAD_BYTES && head_of(self->window, HEAD_BYTES) == place->head &&
           item_read(self->window, self->window + HEAD_BYTES, &item) && !item.is_packet &&
           !item.is_damage;
}

/* Looks at one place again, and sets *at behind it. Returns 0 or an enum marey_error. */
static int revisit(struct follower *self, const struct follow_place *place, uint64_t *at,
                   uint64_t limit, follow_take *take, void *context) {
    int error = 0;
    if (unchanged(self, place, limit, &error)) {
        *at = place->end;
        return error ? error : remember(self, place->at, place->end, place->head);
    }
    *at = place->at;
    do {
        error = walk(self, at, limit, take, context);
    } while (!error && *at < place->end && *at < limit);
    return error;
}

int follower_poll(struct follower *self, uint64_t limit, follow_take *take, void *context) {
    uint64_t at = 0;
    int error = 0;
    self->next_count = 0;
    /* Between the places are packets that were taken before; a place that a larger filler now covers is gone. */
    for (uint32_t i = 0; !error && i < self->count && self->places[i].at < limit; i++)
        if (self->places[i].at >= at)
            error = revisit(self, &self->places[i], &at, limit, take, context);
    at = at > self->seen ? at : self->seen;
    while (!error && at < limit)
        error = walk(self, &at, limit, take, context);
    self->seen = limit;
    struct follow_place *places = self->places;
    uint32_t capacity = self->capacity;
    self->places = self->next_places;
    self->capacity = self->next_capacity;
    self->count = self->next_count;
    self->next_places = places;
    self->next_capacity = capacity;
    return error;
}
