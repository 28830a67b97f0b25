/* A message's fields, one after the other, from bytes that nobody vouches for.
 * Source: protobuf.dev/programming-guides/encoding. */
#ifndef MAREY_FORMAT_WIRE_H
#define MAREY_FORMAT_WIRE_H

#include <stddef.h>

#include "format/perfetto.h"
#include "format/varint.h"

struct bytes {
    const uint8_t *at; /* NULL: not there */
    size_t size;
};

struct field {
    uint32_t number;
    uint32_t wire;      /* enum wire_type */
    uint64_t value;     /* of a number, fixed ones included */
    struct bytes bytes; /* of WIRE_BYTES: within the message */
};

enum { FIELD_NUMBER_MAX = (1 << 29) - 1 };

static inline const uint8_t *wire_number(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    if (at < end && *at < 0x80) {
        *value = *at;
        return at + 1;
    }
    return varint_get(at, end, value);
}

static inline const uint8_t *wire_fixed(const uint8_t *at, const uint8_t *end, unsigned size,
                                        uint64_t *value) {
    if ((size_t)(end - at) < size)
        return NULL;
    *value = 0;
    memcpy(value, at, size); /* little endian, as the machines that we run on */
    return at + size;
}

/* Reads the field at `*at` and steps behind it. Returns 1, 0 at the end, -1 where the message is damaged (then `*at` is
 * where it stood). */
static inline int wire_next(const uint8_t **at, const uint8_t *end, struct field *field) {
    const uint8_t *next = *at;
    uint64_t tag;
    if (next >= end)
        return 0;
    next = wire_number(next, end, &tag);
    if (!next || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
        return -1;
    field->number = (uint32_t)(tag >> 3);
    field->wire = tag & 7;
    field->value = 0;
    field->bytes = (struct bytes){NULL, 0};
    switch (field->wire) {
    case WIRE_VARINT: next = wire_number(next, end, &field->value); break;
    case WIRE_FIXED64: next = wire_fixed(next, end, 8, &field->value); break;
    case WIRE_FIXED32: next = wire_fixed(next, end, 4, &field->value); break;
    case WIRE_BYTES:
        next = wire_number(next, end, &field->value);
        if (!next || field->value > (uint64_t)(end - next))
            return -1;
        field->bytes = (struct bytes){next, (size_t)field->value};
        next += field->value;
        break;
    default: return -1;
    }
    if (!next)
        return -1;
    *at = next;
    return 1;
}

#endif
