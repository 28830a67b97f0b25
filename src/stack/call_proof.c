#include "stack/call_proof.h"

#include <stdlib.h>

#include "marey.h"
#include "stack/raw_frame.h"
#include "stack/stack_depth.h"

enum opcode {
    YIELD_FROM = 72,
    FOR_ITER = 93,
    CALL_FUNCTION = 131,
    CALL_FUNCTION_KW = 141,
    CALL_FUNCTION_EX = 142,
    CALL_METHOD = 161
};

/* Which value from the top is called: 1 is the topmost; 0: none that is known. */
static uint32_t place_of(const struct call_site *site) {
    switch (site->opcode) {
    case YIELD_FROM: return 2;
    case FOR_ITER: return 1;
    case CALL_FUNCTION: return site->operand + 1;
    case CALL_FUNCTION_KW: return site->operand + 2;
    case CALL_FUNCTION_EX: return 2 + (site->operand & 1);
    case CALL_METHOD:
        return site->operand + 2; /* a function and its self; or NULL, and what is called */
    default: return 0;
    }
}

static bool read_site(struct objects *objects, uint64_t code, uint64_t instr,
                      struct call_site *site) {
    const struct layout *layout = objects->layout;
    bool units = layout->instr == INSTR_UNIT_INDEX;
    uint64_t bytes_object = memory_pointer(objects->memory, code + layout->code_instr);
    uint64_t length =
        bytes_object ? memory_pointer(objects->memory, bytes_object + layout->bytes_length) : 0;
    if (length == 0 || length > STACK_DEPTH_CODE_MAX || instr > STACK_DEPTH_CODE_MAX)
        return false;
    uint8_t *bytes = malloc((size_t)length);
    bool found =
        bytes &&
        memory_read(objects->memory, bytes_object + layout->bytes_data, bytes, (size_t)length) ==
            0 &&
        stack_depth_find(bytes, (uint32_t)length, (uint32_t)instr * (units ? 2 : 1), units, site);
    free(bytes);
    return found;
}

/* The code that a called object runs, itself and not by way of C; 0: none. */
static uint64_t code_of(struct objects *objects, uint64_t called) {
    const struct layout *layout = objects->layout;
    enum object_kind kind = object_kind(objects, called);
    if (kind == OBJECT_METHOD) {
        called = object_first(objects, called);
        kind = object_kind(objects, called);
    }
    if (kind == OBJECT_FUNCTION)
        return memory_pointer(objects->memory, called + layout->function_code);
    if (kind == OBJECT_GENERATOR || kind == OBJECT_COROUTINE) {
        uint64_t frame = memory_pointer(objects->memory, called + layout->gen_frame);
        return frame ? memory_pointer(objects->memory, frame + layout->frame_code) : 0;
    }
    return 0;
}

enum { FRAME_READ_MAX = 4096 };

/* What the frame calls now, if it is at that instruction: 1 or 2 values of its stack. One piece, and again its beginning:
 * it did not move meanwhile. */
static bool read_called(struct objects *objects, uint64_t frame, uint64_t code, uint64_t instr,
                        uint64_t values, uint32_t from, uint64_t called[2]) {
    const struct layout *layout = objects->layout;
    uint8_t bytes[FRAME_READ_MAX], again[256];
    uint64_t at = values + 8 * (uint64_t)from, end = at + 16;
    if (values < frame || end - frame > FRAME_READ_MAX || layout->frame_bytes > sizeof again)
        return false;
    struct piece pieces[] = {{frame, bytes, (size_t)(end - frame)},
                             {frame, again, layout->frame_bytes}};
    if (memory_read_pieces(objects->memory, pieces, 2) || frame_code(layout, bytes) != code ||
        frame_instr(layout, bytes) != instr || frame_code(layout, again) != code ||
        frame_instr(layout, again) != instr || !is_live(layout, bytes, DOING_CALL))
        return false;
    called[0] = get64(bytes + (at - frame));
    called[1] = get64(bytes + (at - frame) + 8);
    return true;
}

static enum call_proof prove_once(struct objects *objects, uint64_t frame, uint64_t code,
                                  uint64_t instr, const struct call_site *site,
                                  uint64_t callee_code) {
    uint64_t called[2];
    uint64_t values = memory_pointer(objects->memory, frame + objects->layout->frame_values);
    uint32_t place = place_of(site);
    if (!place || place > (uint32_t)site->depth)
        return CALL_UNKNOWN;
    if (!read_called(objects, frame, code, instr, values, (uint32_t)site->depth - place, called))
        return CALL_MOVED;
    bool second = site->opcode == CALL_METHOD && !called[0];
    uint64_t runs = code_of(objects, called[second]);
    if (runs == callee_code)
        return CALL_PROVEN;
    return runs ? CALL_MOVED : CALL_UNKNOWN;
}

enum call_proof call_prove(struct objects *objects, uint64_t frame, uint64_t code, uint64_t instr,
                           uint64_t callee_code) {
    enum { TRIES = 8, TIMES = 2 };
    struct call_site site;
    int proven = 0;
    enum call_proof last = CALL_MOVED;
    if (!read_site(objects, code, instr, &site))
        return CALL_UNKNOWN;
    for (int i = 0; i < TRIES && proven < TIMES && last != CALL_UNKNOWN; i++) {
        last = prove_once(objects, frame, code, instr, &site, callee_code);
        proven += last == CALL_PROVEN;
    }
    return proven == TIMES ? CALL_PROVEN : last == CALL_UNKNOWN ? CALL_UNKNOWN : CALL_MOVED;
}
