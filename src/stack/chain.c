#include "stack/chain.h"

#include <stdlib.h>

#include "marey.h"
#include "stack/raw_frame.h"

static bool make_room(struct thread_reader *reader, int depth) {
    if (depth < reader->room)
        return true;
    int room = reader->room ? 2 * reader->room : 64;
    struct frame *frames = realloc(reader->frames, (size_t)room * sizeof *frames);
    if (frames)
        reader->frames = frames;
    struct frame *before = realloc(reader->before, (size_t)room * sizeof *before);
    if (before)
        reader->before = before;
    if (!frames || !before)
        return false;
    reader->room = room;
    return true;
}

static const uint8_t *copy_of(const struct window *window, const struct window_span *span,
                              uint64_t address, enum copies copies) {
    return copies == COPIES_FIRST ? window_first(window, span, address)
                                  : window_second(window, span, address);
}

/* Takes one Python frame into the chain. */
static enum walk take_frame(struct thread_reader *reader, const struct layout *layout,
                            struct chain *chain, uint64_t address, struct window_span *span,
                            enum doing doing, enum copies copies, bool demand_live) {
    const uint8_t *bytes = copy_of(&reader->window, span, address, copies);
    bool top = chain->depth == 0;
    if (copies == COPIES_BOTH && span->first != span->second &&
        !same_frame(layout, window_first(&reader->window, span, address), bytes, top)) {
        window_set_main(&reader->window, address); /* what moves is read once, between the others */
        return WALK_TORN;
    }
    if (!is_live(layout, bytes, doing) && demand_live)
        return WALK_NOT_LIVE;
    if (!make_room(reader, chain->depth))
        return WALK_NO_MEMORY;
    if (top)
        chain->native = layout->live == LIVE_POINTER && get64(bytes + layout->frame_live) != 0;
    struct frame *frame = &reader->frames[chain->depth++];
    *frame = (struct frame){.address = address,
                            .code_address = frame_code(layout, bytes),
                            .instr = frame_instr(layout, bytes),
                            .copy = frame_copy(layout, bytes)};
    chain->hash = chain_mix(chain_mix(chain->hash, frame->code_address), top ? 0 : frame->instr);
    frame->apart = !top && !window_holds(span, frame[-1].address, 1);
    return frame->code_address ? WALK_GOOD : WALK_TORN;
}

/* ---- which frame is on top, at the moment when the frames were copied */

/* The frame that `frame` calls on the interpreter's own stack; 0: none that is known. */
static uint64_t callee_of(struct unwinder *unwinder, struct window *window,
                          struct window_span *span, uint64_t frame) {
    const struct layout *layout = &unwinder->process->layout;
    const uint8_t *bytes = window_second(window, span, frame);
    const struct code *code = codes_find(&unwinder->codes, frame_code(layout, bytes));
    if (!code || !code->frame_bytes)
        return 0;
    uint64_t callee = frame + code->frame_bytes;
    if (!window_holds(span, callee, layout->frame_bytes))
        return 0;
    bytes = window_second(window, span, callee);
    bool runs = is_live(layout, bytes, DOING_RUN) || is_live(layout, bytes, DOING_CALL);
    return runs && get64(bytes + layout->frame_previous) == frame && frame_code(layout, bytes)
               ? callee
               : 0;
}

/* Up to the last frame that was called, and down to the one that runs: what stands above that has returned. */
uint64_t chain_running(struct unwinder *unwinder, struct thread_reader *reader, uint64_t near) {
    const struct layout *layout = &unwinder->process->layout;
    enum { OWNED_BY_THREAD = 0, STEPS_MAX = 64 };
    struct window_span *span = window_find(&reader->window, NULL, near, layout->frame_bytes);
    if (!span || span->shim || near % 8 ||
        window_second(&reader->window, span, near)[layout->frame_owner] != OWNED_BY_THREAD)
        return 0;
    uint64_t frame = near;
    int steps = 0;
    for (uint64_t callee; steps < STEPS_MAX; steps++) {
        callee = callee_of(unwinder, &reader->window, span, frame);
        if (!callee)
            break;
        frame = callee;
    }
    for (; frame && frame % 8 == 0 && steps < STEPS_MAX; steps++) {
        if (!window_holds(span, frame, layout->frame_bytes))
            return 0;
        const uint8_t *bytes = window_second(&reader->window, span, frame);
        if (is_shim(layout, bytes) || is_live(layout, bytes, DOING_RUN))
            return frame;
        frame = get64(bytes + layout->frame_previous); /* it has returned */
    }
    return 0;
}

/* The thread went on between saying which frame is its top and the copying of the frames: what was the top may have
 * returned or called another. The marks tell the true one. */
uint64_t chain_top(struct unwinder *unwinder, struct thread_reader *reader, uint64_t top) {
    if (unwinder->process->layout.live < LIVE_STACKTOP)
        return top;
    uint64_t running = chain_running(unwinder, reader, top);
    return running ? running : top;
}

/* ---- the chain */

/* Shims stand on the C stack, where something else is as soon as the call from C has returned; what was left of them may
 * look as if it were the one below all frames. What they have in the place of a code object is the same for all of a
 * thread (None; in 3.12 one object of the interpreter; Python/ceval.c, entry_frame). Should the first one that was seen
 * have been none, true ones in a row tell. */
static bool is_true_shim(struct thread_reader *reader, uint64_t code) {
    enum { OTHERS_MAX = 8 };
    if (reader->shim_code && code != reader->shim_code && ++reader->shim_others < OTHERS_MAX) {
        reader->window.shims_wanted = true;
        return false;
    }
    reader->shim_code = code;
    reader->shim_others = 0;
    return true;
}

/* From the top frame down to where chains end. A circle is found as Brent does it: the frame is compared with one that
 * is moved on at every power of two. */
enum walk chain_walk(struct thread_reader *reader, const struct layout *layout, struct chain *chain,
                     enum copies copies, bool demand_live) {
    struct window *window = &reader->window;
    struct window_span *span = NULL;
    uint64_t frame = chain->top, mark = 0, callee = 0;
    uint32_t steps = 0, power = 1;
    bool may_stop = true;
    enum doing doing = DOING_RUN;
    chain->depth = 0;
    chain->entry = 0;
    chain->hash = 1;
    while (frame) {
        if (frame % 8 || frame == mark)
            return WALK_TORN;
        if (++steps == power) {
            mark = frame;
            power *= 2;
        }
        if (chain->depth == STACK_FRAMES_MAX || steps > 4 * STACK_FRAMES_MAX) {
            chain->cut = true;
            return WALK_GOOD;
        }
        span = window_find(window, span, frame, layout->frame_bytes);
        if (!span) {
            chain->miss = frame;
            return WALK_MISS;
        }
        const uint8_t *bytes = copy_of(window, span, frame, copies);
        if (!owner_valid(layout, bytes))
            return WALK_TORN;
        window_use(span, frame, layout->frame_bytes);
        may_stop = is_shim(layout, bytes);
        if (may_stop && !is_true_shim(reader, frame_code(layout, bytes)))
            return WALK_TORN;
        uint64_t previous = get64(bytes + layout->frame_previous);
        if (may_stop && !window_trusts(window, span, previous, callee))
            return WALK_STALE;
        if (!may_stop) {
            enum walk found =
                take_frame(reader, layout, chain, frame, span, doing, copies, demand_live);
            if (found != WALK_GOOD)
                return found;
            may_stop = may_end(layout, bytes);
            bool entry = called_from_c(layout, bytes);
            doing = entry ? DOING_CALL_C : DOING_CALL;
            if (entry && !chain->entry)
                chain->entry = frame;
        } else if (chain->depth) {
            doing = DOING_CALL_C;
            if (!chain->entry)
                chain->entry = callee;
        }
        callee = frame;
        frame = previous;
    }
    return may_stop ? WALK_GOOD : WALK_TORN;
}

uint64_t chain_caller(struct thread_reader *reader, const struct layout *layout, uint64_t frame,
                      enum copies copies) {
    const struct window_span *span = window_find(&reader->window, NULL, frame, layout->frame_bytes);
    return span ? get64(copy_of(&reader->window, span, frame, copies) + layout->frame_previous) : 0;
}

/* Looks where the frames from `frame` on are, without caring whether they move: by pages, since callers stand before
 * what they call, up to a frame that is known. */
void chain_learn(struct unwinder *unwinder, struct thread_reader *reader, uint64_t frame) {
    const struct layout *layout = &unwinder->process->layout;
    uint8_t block[4096 + 256];
    uint64_t start = 1, end = 0; /* what of the process is in the block */
    for (int i = 0; i < STACK_FRAMES_MAX && frame && frame % 8 == 0; i++) {
        if (window_find(&reader->window, NULL, frame, layout->frame_bytes))
            return;
        if (frame < start || frame + layout->frame_bytes > end) {
            start = frame & ~(uint64_t)4095;
            end = frame + layout->frame_bytes;
            if (end < start || end - start > sizeof block ||
                memory_read(&unwinder->process->memory, start, block, (size_t)(end - start)))
                return;
        }
        const uint8_t *bytes = block + (frame - start);
        if (!owner_valid(layout, bytes) ||
            window_learn(&reader->window, frame, layout->frame_bytes, is_shim(layout, bytes)))
            return;
        frame = get64(bytes + layout->frame_previous);
    }
}
