/* Varints, both ways: seven bits a byte, lowest first, the high bit says that more follow.
 * Source: protobuf.dev/programming-guides/encoding. */
#ifndef MAREY_FORMAT_VARINT_H
#define MAREY_FORMAT_VARINT_H

#include <stdint.h>
#include <string.h>

enum { VARINT_MAX = 10 };

static inline unsigned varint_size(uint64_t value) {
    unsigned bits = 64u - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* Writes 1 to VARINT_MAX bytes, returns the place behind them. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t value) {
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Reads one from [at, end). Returns the place behind it, or NULL where it is cut off or longer than VARINT_MAX. */
static inline const uint8_t *varint_get(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned shift = 0; at < end && shift < 70; shift += 7) {
        uint8_t byte = *at++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return at;
        }
    }
    return NULL;
}

/* The 28 low bits of a value, spread over the low seven bits of four bytes: what a varint of fixed width holds. */
static inline uint32_t varint_spread28(uint32_t value) {
    return (value & 0x7f) | (value & 0x3f80) << 1 | (value & 0x1fc000) << 2 |
           (value & 0xfe00000) << 3;
}

#endif
