#include "stack/frames.h"

#include "marey.h"
#include "stack/raw_frame.h"

/* Where in its code a frame is; false: nowhere in it. */
static bool index_of(struct codes *codes, struct code *code, uint64_t instr, int copy,
                     int32_t *index) {
    const struct layout *layout = codes->layout;
    int64_t at;
    if (layout->instr == INSTR_BYTE_INDEX) {
        at = (int32_t)instr;
    } else if (layout->instr == INSTR_UNIT_INDEX) {
        at = 2 * (int64_t)(int32_t)instr;
    } else if (layout->frame_tlbc == LAYOUT_NONE) {
        at = (int64_t)(instr - code->instr);
    } else {
        if ((copy < 0 || (uint32_t)copy >= code->copies_count || !code->copies[copy]) &&
            codes_read_copies(codes, code))
            return false;
        if (copy < 0 || (uint32_t)copy >= code->copies_count || !code->copies[copy])
            return false;
        at = (int64_t)(instr - code->copies[copy]);
    }
    if (at == -1) /* 3.9 */
        at = CODE_BEFORE;
    *index = (int32_t)at;
    return at >= CODE_BEFORE && at < (int64_t)code->identity.instr_bytes;
}

/* The frames' code objects are known, compared since the last tick, and each frame is within its own. False: some are
 * not known or not compared yet, or (`torn`) it cannot be. */
static bool find_codes(struct codes *codes, struct frame *frames, int depth, bool *torn) {
    for (int i = 0; i < depth; i++) {
        struct code *code = codes_find(codes, frames[i].code_address);
        if (!code || code->checked != codes->tick)
            return false;
        *torn = !index_of(codes, code, frames[i].instr, frames[i].copy, &frames[i].index) ||
                (i > 0 && frames[i].index < 0);
        if (*torn)
            return false;
        frames[i].code = code;
    }
    return true;
}

/* Reads the code objects that are not known, and compares the others. */
static int load_codes(struct codes *codes, const struct frame *frames, int depth) {
    struct code *stale[CODE_CHECKS_MAX], *code;
    int count = 0;
    for (int i = 0; i < depth; i++) {
        int error = codes_load(codes, frames[i].code_address, &code);
        if (error)
            return error == MAREY_EADDRESS ? MAREY_ETORN : error;
    }
    for (int i = 0; i < depth; i++) {
        code = codes_find(codes, frames[i].code_address);
        if (!code)
            return MAREY_ETORN;
        if (code->checked == codes->tick)
            continue;
        code->checked = codes->tick; /* not twice; what is another is forgotten below */
        stale[count++] = code;
        if (count == CODE_CHECKS_MAX || i == depth - 1) {
            if (codes_check(codes, stale, count))
                return MAREY_ETORN;
            count = 0;
        }
    }
    return count ? codes_check(codes, stale, count) : 0;
}

int frames_name(struct codes *codes, struct frame *frames, int depth) {
    bool torn = false;
    if (!find_codes(codes, frames, depth, &torn)) {
        int error = torn ? MAREY_ETORN : load_codes(codes, frames, depth);
        if (!error && !find_codes(codes, frames, depth, &torn))
            error = MAREY_ETORN;
        if (error)
            return error;
    }
    for (int i = 0; i < depth; i++)
        frames[i].code_id = frames[i].code->id;
    return 0;
}
