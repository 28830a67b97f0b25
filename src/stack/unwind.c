#include "stack/unwind.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

void thread_reader_init(struct thread_reader *reader, const struct unwinder *unwinder,
                        const struct thread *thread) {
    /* 3.9 and 3.10: frames are anywhere, none is near its caller. */
    window_init(&reader->window, unwinder->process->layout.live < LIVE_STACKTOP);
    reader->known = NULL;
    reader->reads = reader->last = reader->last_changed = 0;
    memset(reader->candidates, 0, sizeof reader->candidates);
    reader->thread = thread->address;
    reader->interpreter = thread->interpreter;
    reader->cframe = 0;
    reader->usual_ns = UINT64_MAX / 4;
    reader->slow = false;
    reader->frames = reader->before = NULL;
    reader->before_depth = -1;
    reader->room = 0;
}

void thread_reader_fini(struct thread_reader *reader) {
    window_fini(&reader->window);
    free(reader->frames);
    free(reader->before);
    free(reader->known);
    reader->frames = reader->before = NULL;
    reader->known = NULL;
}

/* ---- the frames of one read */

enum walk { WALK_GOOD, WALK_TORN, WALK_NOT_LIVE, WALK_MISS, WALK_STALE, WALK_NO_MEMORY };

struct chain {
    uint64_t top;
    uint64_t miss; /* WALK_MISS: the frame that was not read */
    uint64_t hash; /* of code objects and of callers' instructions */
    int depth;
    bool cut;
    bool native; /* the running function is in code that is not Python */
    bool spread; /* its frames lie in several parts of memory */
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
                            enum doing doing, bool demand_live) {
    const uint8_t *bytes = window_second(&reader->window, span, address);
    bool top = chain->depth == 0;
    if (span->first != span->second &&
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
    chain->hash = mix(mix(chain->hash, frame->code_address), top ? 0 : frame->instr);
    chain->spread |= !top && !window_holds(span, frame[-1].address, 1);
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

/* The thread went on between saying which frame is its top and the copying of the frames: what was the top may have
 * returned or called another. The marks tell the true one. */
static uint64_t top_of(struct unwinder *unwinder, struct thread_reader *reader, uint64_t top) {
    const struct layout *layout = &unwinder->process->layout;
    struct window_span *span = window_find(&reader->window, NULL, top, layout->frame_bytes);
    if (!span || span->shim || layout->live < LIVE_STACKTOP || top % 8)
        return top;
    const uint8_t *bytes = window_second(&reader->window, span, top);
    enum { OWNED_BY_THREAD = 0, STEPS_MAX = 64 };
    if (bytes[layout->frame_owner] != OWNED_BY_THREAD)
        return top;
    uint64_t frame = top;
    int steps = 0;
    for (uint64_t callee; steps < STEPS_MAX; steps++) {
        callee = callee_of(unwinder, &reader->window, span, frame);
        if (!callee)
            break;
        frame = callee;
    }
    for (; frame && steps < STEPS_MAX; steps++) {
        if (!window_holds(span, frame, layout->frame_bytes))
            return top;
        bytes = window_second(&reader->window, span, frame);
        if (is_shim(layout, bytes) || is_live(layout, bytes, DOING_RUN))
            return frame;
        frame = get64(bytes + layout->frame_previous); /* it has returned */
    }
    return top;
}

/* ---- the chain */

/* From the top frame down to where chains end. A circle is found as Brent does it: the frame is compared with one that
 * is moved on at every power of two. */
static enum walk walk(struct thread_reader *reader, const struct layout *layout,
                      struct chain *chain, bool demand_live) {
    struct window *window = &reader->window;
    struct window_span *span = NULL;
    uint64_t frame = chain->top, mark = 0, callee = 0;
    uint32_t steps = 0, power = 1;
    bool may_stop = true;
    enum doing doing = DOING_RUN;
    chain->depth = 0;
    chain->hash = 1;
    chain->spread = false;
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
        uint64_t previous = get64(bytes + layout->frame_previous);
        if (may_stop && !window_trusts(window, span, previous, callee))
            return WALK_STALE;
        if (!may_stop) {
            enum walk found = take_frame(reader, layout, chain, frame, span, doing, demand_live);
            if (found != WALK_GOOD)
                return found;
            may_stop = may_end(layout, bytes);
            doing = called_from_c(layout, bytes) ? DOING_CALL_C : DOING_CALL;
        } else if (chain->depth) {
            doing = DOING_CALL_C;
        }
        callee = frame;
        frame = previous;
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
    int error = frames_name(&unwinder->codes, reader->frames, chain->depth);
    if (error)
        return error;
    stack->repeated = same_stack(reader, chain->depth);
    struct frame *frames = reader->frames;
    reader->frames = reader->before;
    reader->before = frames;
    reader->before_depth = chain->depth;
    stack->frames = frames;
    stack->depth = chain->depth;
    stack->cut = chain->cut;
    stack->native = chain->native;
    unwinder->counts.stacks++;
    return 0;
}

/* ---- one thread */

enum { HEAD_BYTES = 512 };

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A read that took much longer than others was interrupted, and its parts are of different moments. */
static bool was_slow(struct thread_reader *reader, uint64_t ns) {
    uint64_t usual = reader->usual_ns;
    reader->usual_ns = ns < usual ? ns : usual + usual / 256 + 1;
    return ns > 2 * usual;
}

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
    if (!reader->window.planned)
        reader->usual_ns = UINT64_MAX / 4;
    uint64_t start = now_ns();
    int error = window_read(&reader->window, &unwinder->process->memory, pieces, count);
    reader->slow = was_slow(reader, now_ns() - start);
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

/* How often in a row the same was read. */
struct still {
    uint64_t hash;
    int times;
};

/* A call from an instruction of one code object to another one; the first frame is called from nowhere. */
static uint64_t call_hash(const struct unwinder *unwinder, const struct thread_reader *reader,
                          const struct chain *chain, int callee) {
    uint64_t hash = mix(unwinder->codes.changed + 1, reader->frames[callee].code_address);
    if (callee + 1 < chain->depth)
        hash = mix(mix(hash, reader->frames[callee + 1].code_address),
                   reader->frames[callee + 1].instr);
    return hash;
}

static uint64_t *known_place(const struct thread_reader *reader, uint64_t hash) {
    return &reader->known[(hash >> 40) % UNWIND_KNOWN];
}

static bool all_known(const struct unwinder *unwinder, const struct thread_reader *reader,
                      const struct chain *chain) {
    for (int i = 0; i < chain->depth; i++) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        if (*known_place(reader, hash) != hash)
            return false;
    }
    return true;
}

/* Was each call that is not known seen a few times lately? They are remembered for the next time. */
static bool seen_lately(const struct unwinder *unwinder, struct thread_reader *reader,
                        const struct chain *chain) {
    bool all = true;
    for (int i = 0; i < chain->depth; i++) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        if (*known_place(reader, hash) == hash)
            continue;
        struct candidate *candidate = &reader->candidates[(hash >> 32) % UNWIND_CANDIDATES];
        bool again = candidate->hash == hash && reader->reads - candidate->read <= UNWIND_SOON;
        uint64_t times = again ? candidate->times + 1 : 1;
        *candidate = (struct candidate){hash, reader->reads, times};
        all &= times >= UNWIND_SEEN;
    }
    return all;
}

/* Is this stack true? `odd`: there is a reason to doubt it. */
static bool believe(struct unwinder *unwinder, struct thread_reader *reader,
                    const struct chain *chain, struct still *still, bool odd) {
    uint64_t changed = unwinder->codes.changed;
    if (!odd && chain->hash == reader->last && changed == reader->last_changed)
        return true;
    if (!reader->known)
        reader->known = calloc(UNWIND_KNOWN, sizeof *reader->known);
    if (!reader->known)
        return false;
    reader->last = chain->hash;
    reader->last_changed = changed;
    if (!odd && all_known(unwinder, reader, chain))
        return true;
    reader->last = 0;
    still->times = chain->hash == still->hash ? still->times + 1 : 1;
    still->hash = chain->hash;
    odd |= chain->spread || unwinder->process->layout.live < LIVE_STACKTOP;
    if (still->times < UNWIND_STILL && (odd || !seen_lately(unwinder, reader, chain)))
        return false; /* many new calls at once take each other's places among the candidates */
    for (int i = 0; i < chain->depth; i++) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        *known_place(reader, hash) = hash;
    }
    reader->last = chain->hash;
    return true;
}

static int try_once(struct unwinder *unwinder, struct thread_reader *reader, struct stack *stack,
                    struct still *still, int *misses) {
    const struct layout *layout = &unwinder->process->layout;
    struct chain chain = {0};
    reader->reads++;
    int error = read_all(unwinder, reader, &chain.top);
    if (error == MAREY_ETORN)
        ++*misses;
    if (error)
        return error;
    chain.top = top_of(unwinder, reader, chain.top);
    enum walk found = walk(reader, layout, &chain, true);
    /* Marks are unusual where a trace function written in C is called, for example. */
    bool odd = found == WALK_NOT_LIVE;
    if (odd)
        found = walk(reader, layout, &chain, false);
    switch (found) {
    case WALK_GOOD:
        if ((odd && layout->live < LIVE_STACKTOP) ||
            (chain.depth && !believe(unwinder, reader, &chain, still, odd || reader->slow)))
            return MAREY_ETORN;
        return finish(unwinder, reader, &chain, stack);
    case WALK_MISS:
        ++*misses;
        learn(unwinder, reader, chain.miss);
        if (chain.miss == chain.top)
            window_set_main(&reader->window, chain.top);
        return MAREY_ETORN;
    case WALK_STALE: ++*misses; return MAREY_ETORN;
    case WALK_NO_MEMORY: return MAREY_ENOMEM;
    default: still->times = 0; return MAREY_ETORN;
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
