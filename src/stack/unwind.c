#include "stack/unwind.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "marey.h"
#include "stack/belief.h"
#include "stack/chain.h"
#include "stack/raw_frame.h"

void unwinder_init(struct unwinder *unwinder, struct process *process) {
    *unwinder = (struct unwinder){.process = process};
    codes_init(&unwinder->codes, &process->layout, &process->memory);
    objects_init(&unwinder->objects, &process->layout, &process->memory);
}

void unwinder_fini(struct unwinder *unwinder) {
    codes_fini(&unwinder->codes);
}

void unwinder_tick(struct unwinder *unwinder) {
    codes_tick(&unwinder->codes);
    objects_tick(&unwinder->objects);
}

static void forget_times(struct thread_reader *reader) {
    reader->usual_ns[0] = reader->usual_ns[1] = UINT64_MAX / 8;
}

/* What is read of the thread itself: from where to where, as far as a layout has them. */
static void set_head_bounds(struct thread_reader *reader, const struct layout *l) {
    uint32_t last = l->thread_interp > l->thread_frame ? l->thread_interp : l->thread_frame;
    if (l->cframe_frame != LAYOUT_NONE && l->thread_datastack > last)
        last = l->thread_datastack;
    reader->head_from = l->thread_interp < l->thread_frame ? l->thread_interp : l->thread_frame;
    reader->head_to = last + 8;
}

void thread_reader_init(struct thread_reader *reader, const struct unwinder *unwinder,
                        const struct thread *thread) {
    /* 3.9 and 3.10: frames are anywhere, none is near its caller. */
    const struct layout *layout = &unwinder->process->layout;
    bool linked = layout->live < LIVE_STACKTOP;
    memset(reader, 0, sizeof *reader);
    window_init(&reader->window, linked, linked ? thread->address + layout->thread_frame : 0);
    reader->thread = thread->address;
    reader->interpreter = thread->interpreter;
    set_head_bounds(reader, layout);
    forget_times(reader);
    reader->before_depth = -1;
}

void thread_reader_fini(struct thread_reader *reader) {
    window_fini(&reader->window);
    free(reader->frames);
    free(reader->before);
    free(reader->known);
    reader->frames = reader->before = NULL;
    reader->known = NULL;
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

/* How many frames, from the outermost on, were read as those of the stack before. */
static int unmoved(const struct thread_reader *reader, int depth) {
    int same = 0, most = depth < reader->before_depth ? depth : reader->before_depth;
    for (; same < most; same++) {
        const struct frame *a = &reader->frames[depth - 1 - same];
        const struct frame *b = &reader->before[reader->before_depth - 1 - same];
        bool same_place =
            a->code_address == b->code_address && a->instr == b->instr && a->copy == b->copy;
        if (!same_place || b->index < 0) /* only one that runs may not have begun */
            break;
    }
    return same;
}

/* What is known of frames that did not move, and of their code objects, is known still. */
static int name_frames(struct codes *codes, struct thread_reader *reader, int depth) {
    uint64_t state = codes_state(codes);
    int known = state == reader->before_state ? unmoved(reader, depth) : 0;
    for (int i = 1; i <= known; i++) {
        struct frame *frame = &reader->frames[depth - i];
        const struct frame *before = &reader->before[reader->before_depth - i];
        frame->code = before->code;
        frame->code_id = before->code_id;
        frame->index = before->index;
    }
    int error = frames_name(codes, reader->frames, depth - known);
    if (!error && known && codes_state(codes) != state)
        error = frames_name(codes, reader->frames, depth);
    if (!error)
        reader->before_state = codes_state(codes);
    return error;
}

static int finish(struct unwinder *unwinder, struct thread_reader *reader,
                  const struct chain *chain, struct stack *stack) {
    int error = name_frames(&unwinder->codes, reader, chain->depth);
    if (error)
        return error;
    stack->repeated = same_stack(reader, chain->depth);
    struct frame *frames = reader->frames;
    reader->frames = reader->before;
    reader->before = frames;
    reader->before_depth = chain->depth;
    reader->whole = !chain->cut;
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

/* A read that took much longer than others was interrupted, and its parts are of different moments. How long one takes
 * that finds nothing in the caches differs more; what matters of it is the end. */
static bool was_slow(struct thread_reader *reader, uint64_t ns, bool cold) {
    uint64_t usual = reader->usual_ns[cold];
    reader->usual_ns[cold] = ns < usual ? ns : usual + usual / 256 + 1;
    return ns > (cold ? 4 : 2) * usual;
}

/* The words that say which frame is on top, at all places where they may be. Returns how many. */
static int add_cframes(const struct thread_reader *reader, const struct layout *layout,
                       struct piece *pieces, uint64_t *tops) {
    int count = 0, most = reader->turns ? UNWIND_CFRAMES : 1;
    for (; count < most && reader->cframes[count]; count++)
        pieces[count] = (struct piece){reader->cframes[count] + layout->cframe_frame, &tops[count],
                                       sizeof *tops};
    return count;
}

/* The thread's _PyCFrame is there now; `tops`, `count`: what was read. False: its word was not, but will be. */
static bool find_cframe(struct thread_reader *reader, uint64_t cframe, const uint64_t *tops,
                        int count, uint64_t *top) {
    int i = 0;
    if (reader->cframes[0] == cframe && (count || reader->by_marks)) {
        *top = count ? tops[0] : 0;
        return true;
    }
    reader->running = 0;
    if (!cframe) { /* it runs no Python */
        reader->by_marks = false;
        return true;
    }
    reader->turns = UNWIND_TURNS;
    while (i < UNWIND_CFRAMES - 1 && reader->cframes[i] != cframe)
        i++;
    bool found = i < count && reader->cframes[i] == cframe;
    if (found)
        *top = tops[i];
    memmove(reader->cframes + 1, reader->cframes, (size_t)i * sizeof *reader->cframes);
    reader->cframes[0] = cframe;
    return found;
}

/* A greenlet has its own frames, and takes its turn on the C stack: its _PyCFrame may stand where that of the one before
 * stood, whose frames are marked as ever. But they stand in other memory. */
static bool is_elsewhere(struct thread_reader *reader, uint64_t datastack) {
    bool moved = reader->by_marks && datastack != reader->datastack;
    reader->datastack = datastack;
    if (moved)
        reader->running = 0;
    return moved;
}

/* Reads the thread and its frames. Returns 0 with the top frame, MAREY_ETORN: what was expected was not there, and is
 * expected elsewhere now; or an error. */
static int read_all(struct unwinder *unwinder, struct thread_reader *reader, uint64_t *top) {
    const struct layout *l = &unwinder->process->layout;
    uint8_t head[HEAD_BYTES];
    uint32_t from = reader->head_from, to = reader->head_to;
    uint64_t tops[UNWIND_CFRAMES];
    struct piece pieces[WINDOW_HEAD_PIECES_MAX];
    pieces[0] = (struct piece){reader->thread + from, head, to - from};
    bool has_cframe = l->cframe_frame != LAYOUT_NONE;
    reader->by_marks = reader->running && !reader->unmarked;
    reader->unmarked -= reader->unmarked > 0;
    reader->turns -= reader->turns > 0;
    int tops_count = has_cframe && !reader->by_marks ? add_cframes(reader, l, pieces + 1, tops) : 0;
    if (!reader->window.planned)
        forget_times(reader);
    uint64_t start = now_ns();
    bool cold = reader->window.main >= 0 && start > reader->read_ns + UNWIND_PAUSE_NS;
    for (int i = 0; i < reader->along_count; i++)
        pieces[1 + tops_count + i] = reader->along[i];
    int error = window_read(&reader->window, &unwinder->process->memory, pieces,
                            1 + tops_count + reader->along_count, cold);
    reader->read_ns = now_ns();
    reader->slow = was_slow(reader, reader->read_ns - start, cold);
    if (error == MAREY_EADDRESS && (reader->window.count || reader->cframes[0])) {
        window_forget(&reader->window);
        memset(reader->cframes, 0, sizeof reader->cframes);
        reader->running = 0;
        return MAREY_ETORN;
    }
    if (error)
        return error;
    if (get64(head + (l->thread_interp - from)) != reader->interpreter)
        return MAREY_EADDRESS;
    uint64_t frame = get64(head + (l->thread_frame - from));
    reader->head[0] = (struct piece){reader->thread + l->thread_frame, NULL, sizeof frame};
    reader->head[1] = (struct piece){frame + l->cframe_frame, NULL, sizeof *top};
    reader->head_count = has_cframe && frame ? 2 : 1;
    reader->head_words[0] = frame;
    if (!has_cframe)
        *top = frame;
    else if (!find_cframe(reader, frame, tops, tops_count, top) ||
             is_elsewhere(reader, get64(head + (l->thread_datastack - from))))
        return MAREY_ETORN;
    reader->head_words[1] = *top;
    return 0;
}

/* What the tries to read one stack have in common. */
struct tries {
    struct still still;
    int misses, count;
};

static int miss(struct unwinder *unwinder, struct thread_reader *reader, const struct chain *chain,
                struct tries *tries) {
    tries->misses++;
    chain_learn(unwinder, reader, chain->miss);
    if (chain->miss == chain->top)
        window_set_main(&reader->window, chain->top);
    return MAREY_ETORN;
}

/* 3.11 and 3.12: as long as the thread's _PyCFrame and the memory for frames are the same, its frames are those of one
 * loop of the interpreter, from the one that was called from C to the one that runs, each at the end of its caller; what
 * runs is marked. So it need not be asked which frame is on top: that is a third part to be read, in a place that the
 * thread always writes to. */
static uint64_t top_of(struct unwinder *unwinder, struct thread_reader *reader, uint64_t top) {
    if (!reader->by_marks)
        return chain_top(unwinder, reader, top);
    uint64_t running = chain_running(unwinder, reader, reader->running);
    return running ? running : chain_running(unwinder, reader, reader->entry);
}

/* The chain that was found from where the marks say is one of this loop. */
static bool marks_tell(const struct thread_reader *reader, const struct chain *chain,
                       enum walk found) {
    switch (found) {
    case WALK_GOOD: return chain->entry == reader->entry;
    case WALK_TORN:
    case WALK_NOT_LIVE: return false;
    default: return true;
    }
}

/* The marks do not tell: the thread is asked which frame is on top. */
static int ask_for_top(struct thread_reader *reader, struct tries *tries) {
    reader->unmarked = UNWIND_UNMARKED;
    tries->misses++;
    return MAREY_ETORN;
}

static void remember_top(struct thread_reader *reader, const struct layout *layout,
                         const struct chain *chain, bool odd) {
    bool marked = layout->cframe_frame != LAYOUT_NONE && chain->entry && !chain->cut && !odd;
    reader->running = marked ? chain->top : 0;
    reader->entry = chain->entry;
    if (!marked)
        return;
    /* Which frame is on top cannot change while the frames do not, nor where they stand. */
    reader->head[1] =
        (struct piece){reader->thread + layout->thread_datastack, NULL, sizeof reader->datastack};
    reader->head_words[1] = reader->datastack;
}

/* 3.11 and later: frames of a thread stand next to each other. */
static int take_stacked(struct unwinder *unwinder, struct thread_reader *reader, uint64_t top,
                        struct stack *stack, struct tries *tries) {
    const struct layout *layout = &unwinder->process->layout;
    struct chain chain = {.top = top_of(unwinder, reader, top)};
    bool told = !reader->by_marks || chain.top;
    enum walk found = told ? chain_walk(reader, layout, &chain, COPIES_BOTH, true) : WALK_TORN;
    if (reader->by_marks && !marks_tell(reader, &chain, found))
        return ask_for_top(reader, tries);
    /* Marks are unusual where a trace function written in C is called, for example. */
    bool odd = found == WALK_NOT_LIVE;
    if (odd)
        found = chain_walk(reader, layout, &chain, COPIES_BOTH, false);
    switch (found) {
    case WALK_GOOD:
        if (chain.depth && !believe(unwinder, reader, &chain, &tries->still, odd || reader->slow))
            return MAREY_ETORN;
        remember_top(reader, layout, &chain, odd);
        return finish(unwinder, reader, &chain, stack);
    case WALK_MISS: return miss(unwinder, reader, &chain, tries);
    case WALK_STALE: tries->misses++; return MAREY_ETORN;
    case WALK_NO_MEMORY: return MAREY_ENOMEM;
    default: tries->still.times = 0; return MAREY_ETORN;
    }
}

/* 3.9, 3.10: frames are objects anywhere. They were copied twice, and the top frame was asked for before, between and
 * after: what goes together is tried; first what was the same twice. One that is just being entered or left does not run:
 * its caller does. Its calls are proven one by one (belief.h). */
static int take_linked(struct unwinder *unwinder, struct thread_reader *reader, uint64_t top,
                       struct stack *stack, struct tries *tries) {
    enum { WAYS = 7 };
    const struct layout *layout = &unwinder->process->layout;
    const uint64_t between = reader->window.watched[0], after = reader->window.watched[1];
    const struct {
        uint64_t top;
        enum copies copies;
    } ways[WAYS] = {{between, COPIES_BOTH},  {top, COPIES_BOTH},       {after, COPIES_BOTH},
                    {between, COPIES_FIRST}, {between, COPIES_SECOND}, {top, COPIES_FIRST},
                    {after, COPIES_SECOND}};
    struct chain chain, missed = {0};
    for (int i = 0; i < WAYS; i++) {
        chain = (struct chain){.top = ways[i].top};
        enum walk found = chain_walk(reader, layout, &chain, ways[i].copies, true);
        if (found == WALK_NOT_LIVE && chain.depth == 0) {
            chain =
                (struct chain){.top = chain_caller(reader, layout, ways[i].top, ways[i].copies)};
            if (chain.top)
                found = chain_walk(reader, layout, &chain, ways[i].copies, true);
        }
        if (found == WALK_NO_MEMORY)
            return MAREY_ENOMEM;
        if (found == WALK_MISS)
            missed = chain;
        if (found == WALK_GOOD &&
            (!chain.depth || believe(unwinder, reader, &chain, &tries->still, reader->slow))) {
            int error = finish(unwinder, reader, &chain, stack);
            reader->whole = reader->whole && ways[i].copies == COPIES_BOTH;
            return error;
        }
    }
    return missed.miss ? miss(unwinder, reader, &missed, tries) : MAREY_ETORN;
}

static int try_once(struct unwinder *unwinder, struct thread_reader *reader, struct stack *stack,
                    struct tries *tries) {
    uint64_t top = 0;
    int error = read_all(unwinder, reader, &top);
    if (error == MAREY_ETORN)
        tries->misses++;
    if (error)
        return error;
    return unwinder->process->layout.live < LIVE_STACKTOP
               ? take_linked(unwinder, reader, top, stack, tries)
               : take_stacked(unwinder, reader, top, stack, tries);
}

int unwind_thread(struct unwinder *unwinder, struct thread_reader *reader, struct stack *stack) {
    return unwind_thread_along(unwinder, reader, stack, NULL, 0);
}

int unwind_thread_along(struct unwinder *unwinder, struct thread_reader *reader,
                        struct stack *stack, const struct piece *along, int along_count) {
    struct tries tries = {0};
    if (along_count > UNWIND_ALONG_MAX)
        return MAREY_EINVAL;
    reader->along = along;
    reader->along_count = along_count;
    reader->whole = false;
    while (tries.count < UNWIND_TRIES_MAX && tries.misses < UNWIND_MISSES_MAX) {
        int misses_before = tries.misses;
        int error = try_once(unwinder, reader, stack, &tries);
        if (error != MAREY_ETORN)
            return error;
        if (tries.misses > misses_before) {
            unwinder->counts.misses++;
        } else {
            unwinder->counts.retries++;
            tries.count++;
        }
    }
    unwinder->counts.torn++;
    return MAREY_ETORN;
}

int thread_reader_pieces(const struct thread_reader *reader, struct piece *pieces, int max) {
    const struct window *window = &reader->window;
    int count = 0;
    if (!reader->whole || !window->planned || max < reader->head_count + window->count)
        return 0;
    for (; count < reader->head_count; count++) {
        pieces[count] = reader->head[count];
        pieces[count].into = (void *)&reader->head_words[count];
    }
    for (int i = 0; i < window->count; i++) {
        const struct window_span *span = &window->spans[i];
        uint64_t end = span->used_end < span->end ? span->used_end : span->end;
        if (span->used_start < end && (!span->shim || window->shims_always))
            pieces[count++] = (struct piece){
                span->used_start, window->buffer + span->second + (span->used_start - span->start),
                (size_t)(end - span->used_start)};
    }
    return count;
}
