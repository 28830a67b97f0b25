/* Builds a protobuf message in a buffer, fields in the order of the calls, nested messages by open and close.
 * What does not fit sets `full` and writes nothing more; the caller looks once, at the end. */
#ifndef MAREY_TRACE_PACK_H
#define MAREY_TRACE_PACK_H

#include <stdint.h>
#include <string.h>

#include "format/perfetto.h"
#include "format/varint.h"
#include "text.h"

struct pack {
    uint8_t *at;
    uint8_t *end;
    int full;
};

enum { PACK_HEAD_MAX = 2 * VARINT_MAX };

static inline struct pack pack_into(uint8_t *buffer, size_t bytes) {
    return (struct pack){buffer, buffer + bytes, 0};
}

static inline int pack_room(struct pack *pack, size_t bytes) {
    if (__builtin_expect((size_t)(pack->end - pack->at) < bytes, 0))
        pack->full = 1;
    return !pack->full;
}

static inline void pack_varint(struct pack *pack, unsigned field, uint64_t value) {
    if (!pack_room(pack, PACK_HEAD_MAX))
        return;
    pack->at = varint_put(pack->at, TAG(field, WIRE_VARINT));
    pack->at = varint_put(pack->at, value);
}

static inline void pack_fixed64(struct pack *pack, unsigned field, uint64_t value) {
    if (!pack_room(pack, PACK_HEAD_MAX))
        return;
    pack->at = varint_put(pack->at, TAG(field, WIRE_FIXED64));
    memcpy(pack->at, &value, 8);
    pack->at += 8;
}

static inline void pack_double(struct pack *pack, unsigned field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    pack_fixed64(pack, field, bits);
}

static inline void pack_bytes(struct pack *pack, unsigned field, const void *bytes, size_t count) {
    if (!pack_room(pack, PACK_HEAD_MAX + count))
        return;
    pack->at = varint_put(pack->at, TAG(field, WIRE_BYTES));
    pack->at = varint_put(pack->at, count);
    memcpy(pack->at, bytes, count);
    pack->at += count;
}

/* A message within the message: what is packed until pack_close is its body. Returns what pack_close wants. */
static inline uint8_t *pack_open(struct pack *pack, unsigned field) {
    if (!pack_room(pack, PACK_HEAD_MAX))
        return pack->at;
    pack->at = varint_put(pack->at, TAG(field, WIRE_BYTES));
    *pack->at++ = 0; /* the length; moved up if it needs more than a byte */
    return pack->at;
}

static inline void pack_close(struct pack *pack, uint8_t *body) {
    if (pack->full)
        return;
    size_t bytes = (size_t)(pack->at - body);
    unsigned more = varint_size(bytes) - 1;
    if (__builtin_expect(more, 0)) {
        if (!pack_room(pack, more))
            return;
        memmove(body + more, body, bytes);
        pack->at += more;
    }
    varint_put(body - 1, bytes);
}

/* Text of the user's, made fit and cut to `max` (>= 3) bytes. */
static inline void pack_text(struct pack *pack, unsigned field, const char *text, size_t bytes,
                             size_t max) {
    enum { GROWTH = 3 }; /* one bad byte becomes a character of three */
    size_t longest = bytes < max / GROWTH ? GROWTH * bytes + GROWTH : max;
    if (!pack_room(pack, PACK_HEAD_MAX + longest))
        return;
    uint8_t *body = pack_open(pack, field);
    pack->at += text_fit((char *)pack->at, longest, text, bytes);
    pack_close(pack, body);
}

#endif
