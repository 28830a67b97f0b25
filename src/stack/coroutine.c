#include "stack/coroutine.h"

#include <string.h>

#include "marey.h"
#include "stack/raw_frame.h"

enum { FRAME_CODE_UNIT = 2, OPCODE_YIELD_FROM = 72 /* 3.9, 3.10 */, OPARG_YIELD_FROM = 2 };

/* A byte of the bytecode; -1: it cannot be read. */
static int code_byte(struct objects *objects, uint64_t address) {
    uint8_t byte;
    return memory_read(objects->memory, address, &byte, 1) ? -1 : byte;
}

/* Has one of 3.12 or before that is suspended stopped at a `yield from` or `await`? A coroutine always has. */
static bool waits_in_another(struct objects *objects, const uint8_t *frame, bool coroutine) {
    const struct layout *layout = objects->layout;
    if (coroutine)
        return true;
    uint64_t instr = frame_instr(layout, frame);
    if (layout->instr == INSTR_LAST_POINTER) /* a RESUME follows, which says after what */
        return code_byte(objects, instr + FRAME_CODE_UNIT + 1) >= OPARG_YIELD_FROM;
    uint64_t code = memory_pointer(objects->memory, frame_code(layout, frame) + layout->code_instr);
    int64_t index = (int32_t)instr;
    index =
        layout->instr == INSTR_BYTE_INDEX ? index + FRAME_CODE_UNIT : (index + 1) * FRAME_CODE_UNIT;
    return code && index > 0 && index < CODE_INSTR_MAX &&
           code_byte(objects, code + layout->bytes_data + (uint64_t)index) == OPCODE_YIELD_FROM;
}

/* ---- 3.11 and later: the frame is part of the object; internal/pycore_frame.h, enum _framestate */

static enum coroutine_doing doing_of(struct objects *objects, int8_t state, const uint8_t *frame,
                                     bool coroutine) {
    const struct layout *layout = objects->layout;
    if (layout->version >= 0x030f) {
        static const enum coroutine_doing states[] = {
            COROUTINE_CREATED, COROUTINE_YIELDS, COROUTINE_WAITS, COROUTINE_WAITS, COROUTINE_RUNS};
        return state >= 0 && state < 5 ? states[state] : COROUTINE_DONE;
    }
    if (state == 0)
        return COROUTINE_RUNS;
    if (layout->version >= 0x030d)
        return state == -3   ? COROUTINE_CREATED
               : state == -2 ? COROUTINE_YIELDS
               : state == -1 ? COROUTINE_WAITS
                             : COROUTINE_DONE;
    if (state == -1)
        return waits_in_another(objects, frame, coroutine) ? COROUTINE_WAITS : COROUTINE_YIELDS;
    return state == -2 ? COROUTINE_CREATED : COROUTINE_DONE;
}

/* Where the values of its expressions end. */
static uint64_t stack_end(const struct layout *layout, uint64_t address, const uint8_t *frame) {
    enum { VALUES_MAX = 1 << 16 };
    if (layout->live == LIVE_POINTER)
        return get64(frame + layout->frame_live);
    int32_t top = get32(frame + layout->frame_live);
    if (layout->live != LIVE_STACKTOP || top <= 0 || top > VALUES_MAX)
        return 0;
    return address + layout->frame_locals + 8 * (uint64_t)top;
}

static int read_embedded(struct objects *objects, uint64_t object, bool coroutine,
                         struct coroutine *out) {
    const struct layout *layout = objects->layout;
    out->frame = object + layout->gen_frame;
    out->state_at = object + (layout->gen_state & ~7u);
    struct piece pieces[] = {{out->state_at, &out->state, sizeof out->state},
                             {out->frame, out->bytes, layout->frame_bytes}};
    int error = memory_read_pieces(objects->memory, pieces, 2);
    if (error)
        return error;
    int8_t state;
    memcpy(&state, (uint8_t *)&out->state + layout->gen_state % 8, 1);
    out->doing = doing_of(objects, state, out->bytes, coroutine);
    if (out->doing == COROUTINE_WAITS)
        out->top_at = stack_end(layout, out->frame, out->bytes);
    return 0;
}

/* ---- 3.9, 3.10: the frame is an object; Include/cpython/frameobject.h */

static int read_object(struct objects *objects, uint64_t object, bool coroutine,
                       struct coroutine *out) {
    enum { NO_INSTRUCTION = -1, STACK_MAX = 1 << 16 };
    const struct layout *layout = objects->layout;
    out->state_at = object + layout->gen_frame;
    int error = memory_read(objects->memory, out->state_at, &out->state, sizeof out->state);
    if (error)
        return error;
    out->frame = out->state;
    out->doing = COROUTINE_DONE;
    if (!out->frame)
        return 0;
    if (out->frame % 8)
        return MAREY_ETORN;
    error = memory_read(objects->memory, out->frame, out->bytes, layout->frame_bytes);
    if (error)
        return error;
    uint64_t values = get64(out->bytes + layout->frame_stack);
    int32_t depth = 0;
    if (layout->frame_stack_depth != LAYOUT_NONE)
        depth = get32(out->bytes + layout->frame_stack_depth);
    if (is_live(layout, out->bytes, DOING_RUN))
        out->doing = COROUTINE_RUNS;
    else if (get32(out->bytes + layout->frame_instr) == NO_INSTRUCTION)
        out->doing = COROUTINE_CREATED;
    else if (values && depth >= 0 && depth <= STACK_MAX)
        out->doing =
            waits_in_another(objects, out->bytes, coroutine) ? COROUTINE_WAITS : COROUTINE_YIELDS;
    if (out->doing == COROUTINE_WAITS)
        out->top_at = values + 8 * (uint64_t)depth;
    return 0;
}

/* ---- what it waits in */

/* What it waits in is on top of its stack; since 3.15 a NULL or a number may be above. */
static int read_top(struct objects *objects, struct coroutine *out) {
    out->next = 0;
    if (!out->top_at)
        return 0;
    if (out->top_at % 8 || out->top_at < sizeof out->top)
        return MAREY_ETORN;
    out->top_at -= sizeof out->top;
    int error = memory_read(objects->memory, out->top_at, out->top, sizeof out->top);
    out->next = object_untagged(objects->layout, out->top[1]);
    if (!out->next && objects->layout->version >= 0x030f)
        out->next = object_untagged(objects->layout, out->top[0]);
    return error;
}

static bool is_chained(enum object_kind kind) {
    return kind == OBJECT_COROUTINE || kind == OBJECT_GENERATOR || kind == OBJECT_ASYNC_GENERATOR;
}

int coroutine_read(struct objects *objects, uint64_t object, struct coroutine *out) {
    memset(out, 0, sizeof *out);
    enum object_kind kind = object_kind(objects, object);
    if (!is_chained(kind) || objects->layout->frame_bytes > sizeof out->bytes)
        return MAREY_ETORN;
    bool coroutine = kind == OBJECT_COROUTINE;
    int error = objects->layout->gen_state == LAYOUT_NONE
                    ? read_object(objects, object, coroutine, out)
                    : read_embedded(objects, object, coroutine, out);
    return error ? error : read_top(objects, out);
}

int coroutine_chain(struct objects *objects, uint64_t object, struct coroutine *chain, int max,
                    bool *cut) {
    enum { WRAPPERS_MAX = 4 };
    int count = 0;
    *cut = false;
    for (;;) {
        enum object_kind kind = object_kind(objects, object);
        for (int i = 0; kind == OBJECT_WRAPPER && i < WRAPPERS_MAX; i++) {
            object = object_first(objects, object);
            kind = object_kind(objects, object);
        }
        *cut = is_chained(kind) && count == max;
        if (!is_chained(kind) || count == max)
            return count;
        int error = coroutine_read(objects, object, &chain[count]);
        if (error)
            return error;
        enum coroutine_doing doing = chain[count].doing;
        if (doing == COROUTINE_DONE)
            return MAREY_ETORN;
        count++;
        if (doing != COROUTINE_WAITS)
            return count;
        object = chain[count - 1].next;
    }
}

/* ---- is it still so? */

static bool same(const struct layout *layout, const struct coroutine *a,
                 const struct coroutine *b) {
    return a->state == b->state && a->top[0] == b->top[0] && a->top[1] == b->top[1] &&
           frame_code(layout, a->bytes) == frame_code(layout, b->bytes) &&
           frame_instr(layout, a->bytes) == frame_instr(layout, b->bytes);
}

/* At most so many by one read. */
enum { CHECK_AT_ONCE = 32, CHECK_PIECES = 3 };

static bool check_some(struct memory *memory, const struct layout *layout,
                       const struct coroutine_owner *owner, const struct coroutine *chain,
                       int count) {
    struct coroutine again[CHECK_AT_ONCE];
    struct piece pieces[CHECK_AT_ONCE * CHECK_PIECES + 1];
    uint64_t owned = owner->coroutine;
    int used = 0;
    if (owner->at)
        pieces[used++] = (struct piece){owner->at, &owned, sizeof owned};
    for (int i = 0; i < count; i++) {
        again[i].top[0] = again[i].top[1] = 0;
        pieces[used++] = (struct piece){chain[i].state_at, &again[i].state, 8};
        pieces[used++] = (struct piece){chain[i].frame, again[i].bytes, layout->frame_bytes};
        if (chain[i].top_at)
            pieces[used++] = (struct piece){chain[i].top_at, again[i].top, sizeof again[i].top};
    }
    if (used && memory_read_pieces(memory, pieces, used))
        return false;
    for (int i = 0; i < count; i++)
        if (!same(layout, &chain[i], &again[i]))
            return false;
    return owned == owner->coroutine;
}

int coroutine_check(struct memory *memory, const struct layout *layout,
                    const struct coroutine_owner *owner, const struct coroutine *chain, int count) {
    for (int from = 0; from == 0 || from < count; from += CHECK_AT_ONCE) {
        int n = count - from < CHECK_AT_ONCE ? count - from : CHECK_AT_ONCE;
        if (!check_some(memory, layout, owner, chain + from, n))
            return MAREY_ETORN;
    }
    return 0;
}

struct frame coroutine_frame(const struct layout *layout, const struct coroutine *coroutine) {
    return (struct frame){.address = coroutine->frame,
                          .code_address = frame_code(layout, coroutine->bytes),
                          .instr = frame_instr(layout, coroutine->bytes),
                          .copy = frame_copy(layout, coroutine->bytes)};
}
