#include "stack/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/raw_frame.h"

void unwinder_init(struct unwinder *unwinder, struct process *process) {
    *unwinder = (struct unwinder){.process = process};
    codes_init(&unwinder->codes, &process->layout, &process->memory);
}

void unwinder_fini(struct unwinder *unwinder) {
    codes_fini(&unwinder->codes);
}

void unwinder_tick(struct unwinder *unwinder) {
    codes_tick(&unwinder->codes);
}

void thread_reader_init(struct thread_reader *reader, const struct thread *thread) {
    window_init(&reader->window);
    reader->thread = thread->address;
    reader->interpreter = thread->interpreter;
    reader->cframe = 0;
    reader->frames = reader->before = NULL;
    reader->before_depth = -1;
    reader->room = 0;
}

void thread_reader_fini(struct thread_reader *reader) {
    window_fini(&reader->window);
    free(reader->frames);
    free(reader->before);
    reader->frames = reader->before = NULL;
}

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

/* ---- the frames of one read */

enum walk { WALK_GOOD, WALK_TORN, WALK_NOT_LIVE, WALK_MISS, WALK_NO_MEMORY };

struct chain {
    uint64_t top;
    uint64_t miss; /* WALK_MISS: the frame that was not read */
    uint64_t hash; /* of all that was read of it */
    int depth;
    bool cut;
};

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

static uint64_t mix(uint64_t hash, uint64_t value) {
    return (hash ^ value) * 0x9e3779b97f4a7c15u + (hash >> 29);
}

/* Takes one Python frame into the chain. */
static enum walk take_frame(struct thread_reader *reader, const struct layout *layout,
                            struct chain *chain, uint64_t address, struct window_span *span,
                            bool demand_live) {
    const uint8_t *bytes = window_second(&reader->window, span, address);
    bool top = chain->depth == 0;
    if (span->first != span->second &&
        !same_frame(layout, window_first(&reader->window, span, address), bytes, top)) {
        window_set_main(&reader->window, address); /* what moves is read once, between the others */
        return WALK_TORN;
    }
    if (!is_live(layout, bytes, top) && demand_live)
        return WALK_NOT_LIVE;
    if (!make_room(reader, chain->depth))
        return WALK_NO_MEMORY;
    struct frame *frame = &reader->frames[chain->depth++];
    *frame = (struct frame){.address = address,
                            .code_address = frame_code(layout, bytes),
                            .instr = frame_instr(layout, bytes),
                            .copy = frame_copy(layout, bytes)};
    chain->hash = mix(mix(mix(chain->hash, address), frame->code_address), frame->instr);
    return frame->code_address ? WALK_GOOD : WALK_TORN;
}

/* From the top frame down to where chains end. A circle is found as Brent does it: the frame is compared with one that
 * is moved on at every power of two. */
static enum walk walk(struct thread_reader *reader, const struct layout *layout,
                      struct chain *chain, bool demand_live) {
    struct window *window = &reader->window;
    struct window_span *span = NULL;
    uint64_t frame = chain->top, mark = 0;
    uint32_t steps = 0, power = 1;
    bool may_stop = true;
    chain->depth = 0;
    chain->hash = 0;
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
        const uint8_t *bytes = window_second(window, span, frame);
        if (!owner_valid(layout, bytes))
            return WALK_TORN;
        window_use(span, frame, layout->frame_bytes);
        may_stop = is_shim(layout, bytes);
        if (!may_stop) {
            enum walk found = take_frame(reader, layout, chain, frame, span, demand_live);
            if (found != WALK_GOOD)
                return found;
            may_stop = may_end(layout, bytes);
        }
        frame = get64(bytes + layout->frame_previous);
    }
    return may_stop ? WALK_GOOD : WALK_TORN;
}

/* Looks where the frames from `frame` on are, without caring whether they move: by pages, since callers stand before
 * what they call, up to a frame that is known. */
static void learn(struct unwinder *unwinder, struct thread_reader *reader, uint64_t frame) {
    const struct layout *layout = &unwinder->process->layout;
    uint8_t block[4096 + 256];
    uint64_t start = 1, end = 0; /* what of the process is in the block */
    for (int i = 0; i < STACK_FRAMES_MAX && frame && frame % 8 == 0; i++) {
        if (window_find(&reader->window, NULL, frame, layout->frame_bytes))
            return;
        if (frame < start || frame + layout->frame_bytes > end) {
            start = frame & ~(uint64_t)4095;
            end = frame + layout->frame_bytes;
            if (end < start ||
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

/* ---- names for them */

/* The frames' code objects are known, compared since the last tick, and each frame is within its own. False: some are
 * not known or not compared yet, or (`torn`) it cannot be. */
static bool name_frames(struct codes *codes, struct frame *frames, int depth, bool *torn) {
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

static bool same_stack(const struct thread_reader *reader, int depth) {
    if (reader->before_depth != depth)
        return false;
    for (int i = 0; i < depth; i++) {
        const struct frame *a = &reader->frames[i], *b = &reader->before[i];
        if (a->address != b->address || a->code_id != b->code_id || a->index != b->index)
            return false;
    }
    return true;
}

static int finish(struct unwinder *unwinder, struct thread_reader *reader,
                  const struct chain *chain, struct stack *stack) {
    bool torn = false;
    if (!name_frames(&unwinder->codes, reader->frames, chain->depth, &torn)) {
        int error = torn ? MAREY_ETORN : load_codes(&unwinder->codes, reader->frames, chain->depth);
        if (!error && !name_frames(&unwinder->codes, reader->frames, chain->depth, &torn))
            error = MAREY_ETORN;
        if (error)
            return error;
    }
    for (int i = 0; i < chain->depth; i++)
        reader->frames[i].code_id = reader->frames[i].code->id;
    stack->repeated = same_stack(reader, chain->depth);
    struct frame *frames = reader->frames;
    reader->frames = reader->before;
    reader->before = frames;
    reader->before_depth = chain->depth;
    stack->frames = frames;
    stack->depth = chain->depth;
    stack->cut = chain->cut;
    unwinder->counts.stacks++;
    return 0;
}

/* ---- one thread */

enum { HEAD_BYTES = 512 };

/* Reads the thread and its frames. Returns 0 with the top frame, MAREY_ETORN: what was expected was not there, and is
 * expected elsewhere now; or an error. */
static int read_all(struct unwinder *unwinder, struct thread_reader *reader, uint64_t *top) {
    const struct layout *l = &unwinder->process->layout;
    uint8_t head[HEAD_BYTES];
    uint32_t from = l->thread_interp < l->thread_frame ? l->thread_interp : l->thread_frame;
    uint32_t to = (l->thread_interp > l->thread_frame ? l->thread_interp : l->thread_frame) + 8;
    struct piece pieces[2] = {{reader->thread + from, head, to - from},
                              {reader->cframe + l->cframe_frame, top, sizeof *top}};
    bool has_cframe = l->cframe_frame != LAYOUT_NONE;
    int count = has_cframe && reader->cframe ? 2 : 1;
    int error = window_read(&reader->window, &unwinder->process->memory, pieces, count);
    if (error == MAREY_EADDRESS && (reader->window.count || reader->cframe)) {
        window_forget(&reader->window);
        reader->cframe = 0;
        return MAREY_ETORN;
    }
    if (error)
        return error;
    if (get64(head + (l->thread_interp - from)) != reader->interpreter)
        return MAREY_EADDRESS;
    uint64_t frame = get64(head + (l->thread_frame - from));
    if (!has_cframe) {
        *top = frame;
    } else if (frame != reader->cframe) {
        reader->cframe = frame;
        return MAREY_ETORN;
    } else if (!frame) {
        *top = 0;
    }
    return 0;
}

/* A stack that is torn by its marks alone, but the same again and again, does not move: its marks are unusual, as in a
 * trace function written in C. */
struct still {
    uint64_t hash;
    int times;
};

static bool stands_still(struct still *still, struct thread_reader *reader,
                         const struct layout *layout, struct chain *chain) {
    if (walk(reader, layout, chain, false) != WALK_GOOD)
        return false;
    still->times = chain->hash == still->hash ? still->times + 1 : 1;
    still->hash = chain->hash;
    return layout->live == LIVE_STACKTOP && still->times >= UNWIND_STILL;
}

static int try_once(struct unwinder *unwinder, struct thread_reader *reader, struct stack *stack,
                    struct still *still, int *misses) {
    const struct layout *layout = &unwinder->process->layout;
    struct chain chain = {0};
    int error = read_all(unwinder, reader, &chain.top);
    if (error == MAREY_ETORN)
        ++*misses;
    if (error)
        return error;
    switch (walk(reader, layout, &chain, true)) {
    case WALK_GOOD: return finish(unwinder, reader, &chain, stack);
    case WALK_MISS:
        ++*misses;
        learn(unwinder, reader, chain.miss);
        if (chain.miss == chain.top)
            window_set_main(&reader->window, chain.top);
        return MAREY_ETORN;
    case WALK_NOT_LIVE:
        return stands_still(still, reader, layout, &chain) ? finish(unwinder, reader, &chain, stack)
                                                           : MAREY_ETORN;
    case WALK_NO_MEMORY: return MAREY_ENOMEM;
    default: return MAREY_ETORN;
    }
}

int unwind_thread(struct unwinder *unwinder, struct thread_reader *reader, struct stack *stack) {
    struct still still = {0, 0};
    int misses = 0;
    for (int tries = 0; tries < UNWIND_TRIES_MAX && misses < UNWIND_MISSES_MAX;) {
        int misses_before = misses;
        int error = try_once(unwinder, reader, stack, &still, &misses);
        if (error != MAREY_ETORN)
            return error;
        if (misses > misses_before) {
            unwinder->counts.misses++;
        } else {
            unwinder->counts.retries++;
            tries++;
        }
    }
    unwinder->counts.torn++;
    return MAREY_ETORN;
}
