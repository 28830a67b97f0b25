/* The short packets of a busy thread, drawn at the head of event.c and in call.c: constants of the chunk but for a time and
 * a number, committed by a few stores. The caller has found that there is room (at_limit) and that the time since the
 * packet before is less than SHORT_DELTA. */
#ifndef MAREY_TRACE_FAST_H
#define MAREY_TRACE_FAST_H

#include "writer.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

enum {
    IID_NONE = 1 << 15, /* a varint of two bytes is less */
};

static inline int at_limit(const struct writer *writer) {
    return writer->at >= __atomic_load_n(&writer->limit, __ATOMIC_RELAXED);
}

/* In the first eight bytes, as a varint of always two. */
static inline uint64_t short_time(uint64_t delta) {
    return (delta & 0x7f) << 24 | (delta & 0x3f80) << 25;
}

/* What stands from the ninth byte on is stored already. */
static inline void short_commit(struct writer *writer, uint64_t head, uint32_t bytes) {
    uint8_t *at = writer->at;
    uint32_t spare = (writer->spare - bytes) &
                     0x7f7f7f7f; /* a subtraction digit by digit: borrows run through */
    store_u64(at + bytes, TAG(TRACE__filler, WIRE_BYTES) | (uint64_t)(spare | 0x00808080) << 8);
    store_publish(at, head);
    writer->at = at + bytes;
    writer->spare = spare;
}

static inline void put_short_end(struct writer *writer, uint64_t delta) {
    store_u64(writer->at + 8, writer->end_tail);
    short_commit(writer, writer->end_head | short_time(delta), writer->end_bytes);
}

#endif
