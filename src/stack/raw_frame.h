/* One frame of CPython, as its bytes were read: what each version keeps in it. */
#ifndef MAREY_STACK_RAW_FRAME_H
#define MAREY_STACK_RAW_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "stack/layout.h"

static inline uint64_t get64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline int32_t get32(const uint8_t *at) {
    int32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t frame_code(const struct layout *layout, const uint8_t *frame) {
    return get64(frame + layout->frame_code) & ~(uint64_t)7;
}

static inline bool is_shim(const struct layout *layout, const uint8_t *frame) {
    return layout->frame_owner != LAYOUT_NONE && frame[layout->frame_owner] >= layout->owner_shim &&
           frame[layout->frame_owner] <= layout->owner_last;
}

static inline bool owner_valid(const struct layout *layout, const uint8_t *frame) {
    return layout->frame_owner == LAYOUT_NONE || frame[layout->frame_owner] <= layout->owner_last;
}

/* What a frame does, as far as it has to be known of it. */
enum doing {
    DOING_RUN,   /* the top frame */
    DOING_CALL,  /* calls a Python function straight */
    DOING_CALL_C /* calls something in C, which calls a Python function */
};

/* Is it on the stack, and does that, by the marks that CPython leaves? */
static inline bool is_live(const struct layout *layout, const uint8_t *frame, enum doing doing) {
    const uint8_t *mark = frame + layout->frame_live;
    switch (layout->live) {
    case LIVE_FLAG: return *mark == 1;
    case LIVE_STATE: return *mark == 0;
    case LIVE_STACKTOP: return doing == DOING_CALL_C || (get32(mark) == -1) == (doing == DOING_RUN);
    default: return frame_code(layout, frame) != 0 && (doing == DOING_RUN || get64(mark) != 0);
    }
}

/* 3.11: was it called from C? Later versions have a shim there. */
static inline bool called_from_c(const struct layout *layout, const uint8_t *frame) {
    return layout->frame_entry != LAYOUT_NONE && frame[layout->frame_entry] != 0;
}

/* May a frame without a caller be the first of a thread? A generator's cannot: it is not running then. Since 3.12 the
 * first is always a shim. */
static inline bool may_end(const struct layout *layout, const uint8_t *frame) {
    enum { OWNED_BY_GENERATOR = 1 };
    if (layout->version >= 0x030c)
        return false;
    if (layout->frame_generator != LAYOUT_NONE)
        return get64(frame + layout->frame_generator) == 0;
    return frame[layout->frame_owner] != OWNED_BY_GENERATOR;
}

/* The same frame at two moments; a caller's instruction must not have moved either. */
static inline bool same_frame(const struct layout *layout, const uint8_t *a, const uint8_t *b,
                              bool top) {
    size_t instr = layout->instr <= INSTR_UNIT_INDEX ? 4 : 8;
    return get64(a + layout->frame_previous) == get64(b + layout->frame_previous) &&
           frame_code(layout, a) == frame_code(layout, b) &&
           (top || memcmp(a + layout->frame_instr, b + layout->frame_instr, instr) == 0);
}

/* The instruction as the frame has it: an address, or a number. */
static inline uint64_t frame_instr(const struct layout *layout, const uint8_t *frame) {
    if (layout->instr <= INSTR_UNIT_INDEX)
        return (uint32_t)get32(frame + layout->frame_instr);
    return get64(frame + layout->frame_instr);
}

/* Free-threaded: which copy of the bytecode it runs. */
static inline int32_t frame_copy(const struct layout *layout, const uint8_t *frame) {
    return layout->frame_tlbc == LAYOUT_NONE ? 0 : get32(frame + layout->frame_tlbc);
}

#endif
