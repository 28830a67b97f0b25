#include "stack/window.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"

enum { PAGE = 4096, PLAN = 1 + WINDOW_HEAD_PIECES_MAX /* where its pieces begin */ };

void window_init(struct window *window, bool no_main, uint64_t watch) {
    memset(window, 0, offsetof(struct window, pieces));
    window->no_main = no_main;
    window->watch = watch;
    window->main = -1;
}

void window_fini(struct window *window) {
    free(window->buffer);
    window->buffer = NULL;
    window->room = 0;
}

void window_forget(struct window *window) {
    window->count = 0;
    window->main = -1;
    window->planned = false;
    window->reads = 0;
}

static void unused(struct window_span *span) {
    span->used_start = UINT64_MAX;
    span->used_end = 0;
}

static void take_out(struct window *window, int i) {
    memmove(&window->spans[i], &window->spans[i + 1],
            (size_t)(window->count - i - 1) * sizeof *window->spans);
    window->count--;
}

/* A span and the next are one where they are near each other and of one kind. */
static bool join_next(struct window *window, int i) {
    if (i < 0 || i + 1 >= window->count)
        return false;
    struct window_span *a = &window->spans[i], *b = a + 1;
    bool overlap = b->start < a->end;
    if (!overlap && (a->shim != b->shim || b->start - a->end > WINDOW_GAP))
        return false;
    a->end = a->end > b->end ? a->end : b->end;
    a->shim = a->shim && b->shim;
    a->used_start = a->used_start < b->used_start ? a->used_start : b->used_start;
    a->used_end = a->used_end > b->used_end ? a->used_end : b->used_end;
    take_out(window, i + 1);
    return true;
}

static uint64_t total_bytes(const struct window *window) {
    uint64_t bytes = 0;
    for (int i = 0; i < window->count; i++)
        bytes += window->spans[i].end - window->spans[i].start;
    return bytes;
}

int window_learn(struct window *window, uint64_t address, uint32_t bytes, bool shim) {
    uint64_t end = address + bytes;
    if (end < address || bytes > PAGE)
        return MAREY_EINVAL;
    uint64_t page_end = ((end - 1) | (PAGE - 1)) + 1;
    uint64_t wanted = shim ? end : end + WINDOW_SLACK;
    struct window_span span = {.start = address, .end = wanted < page_end ? wanted : page_end};
    span.shim = shim;
    span.used_start = address;
    span.used_end = end;
    int i = window->count;
    while (i > 0 && window->spans[i - 1].start > address)
        i--;
    if (window->count == WINDOW_SPANS_MAX || total_bytes(window) > WINDOW_BYTES_MAX) {
        window_forget(window);
        return MAREY_ELIMIT;
    }
    memmove(&window->spans[i + 1], &window->spans[i],
            (size_t)(window->count - i) * sizeof *window->spans);
    window->spans[i] = span;
    window->count++;
    while (join_next(window, i))
        continue;
    while (join_next(window, i - 1))
        i--;
    window->planned = false;
    return 0;
}

void window_set_main(struct window *window, uint64_t address) {
    window->main_address = address;
    if (window->main >= 0 && window_holds(&window->spans[window->main], address, 1))
        return;
    window->planned = false;
}

static bool is_main(const struct window *window, int i) {
    return i == window->main;
}

static bool is_shim(const struct window *window, int i) {
    return window->spans[i].shim;
}

static bool is_other(const struct window *window, int i) {
    return !is_main(window, i) && !is_shim(window, i);
}

static void add_piece(struct window *window, uint64_t address, void *into, size_t bytes) {
    window->pieces[PLAN + window->pieces_count++] = (struct piece){address, into, bytes};
}

static void add_pieces(struct window *window, bool (*which)(const struct window *, int),
                       bool second) {
    for (int i = 0; i < window->count; i++) {
        struct window_span *span = &window->spans[i];
        if (which(window, i))
            add_piece(window, span->start, window->buffer + (second ? span->second : span->first),
                      (size_t)(span->end - span->start));
    }
}

static void add_watch(struct window *window, uint64_t *into) {
    if (window->watch)
        add_piece(window, window->watch, into, sizeof *into);
}

static bool make_room(struct window *window) {
    uint64_t wanted = 2 * total_bytes(window) + 64;
    if (wanted <= window->room)
        return true;
    if (wanted > 4 * (uint64_t)WINDOW_BYTES_MAX)
        return false;
    uint8_t *buffer = realloc(window->buffer, wanted * 2);
    if (!buffer)
        return false;
    window->buffer = buffer;
    window->room = (uint32_t)(wanted * 2);
    return true;
}

static void find_main(struct window *window) {
    window->main = -1;
    if (window->no_main)
        return;
    for (int i = 0; i < window->count; i++)
        if (!window->spans[i].shim && window_holds(&window->spans[i], window->main_address, 1))
            window->main = i;
    for (int i = 0; i < window->count && window->main < 0; i++)
        if (!window->spans[i].shim)
            window->main = i;
}

/* Which pieces are read, in which order, to which place. */
static bool plan(struct window *window) {
    uint32_t at = 0;
    if (!make_room(window))
        return false;
    find_main(window);
    for (int i = 0; i < window->count; i++) {
        struct window_span *span = &window->spans[i];
        uint32_t bytes = (uint32_t)(span->end - span->start);
        span->first = span->second = at;
        at += bytes;
        if (is_other(window, i)) {
            span->second = at;
            at += bytes;
        }
    }
    window->pieces_count = 0;
    add_pieces(window, is_other, false);
    add_watch(window, &window->watched[0]);
    add_pieces(window, is_main, false);
    add_pieces(window, is_other, true);
    add_watch(window, &window->watched[1]);
    int count = window->pieces_count;
    add_pieces(window, is_shim, false);
    window->shims_count = window->pieces_count - count;
    window->planned = window->shims_wanted = true;
    return true;
}

/* What the last period did not use is not read any more. */
static void tidy(struct window *window) {
    window->reads = 0;
    for (int i = window->count - 1; i >= 0; i--) {
        struct window_span *span = &window->spans[i];
        if (span->used_start >= span->used_end) {
            take_out(window, i);
            continue;
        }
        span->start = span->used_start;
        span->end = span->used_end < span->end ? span->used_end : span->end;
        unused(span);
    }
    window->planned = window->shims_always = false;
}

int window_read(struct window *window, struct memory *memory, const struct piece *head,
                int head_count, bool cold) {
    if (++window->reads > WINDOW_PERIOD)
        tidy(window);
    if (!window->planned && !plan(window))
        return MAREY_ENOMEM;
    struct piece *pieces = window->pieces + (PLAN - head_count);
    memcpy(pieces, head, (size_t)head_count * sizeof *head);
    window->shims_read =
        window->shims_wanted || window->shims_always || window->reads % WINDOW_SHIM_PERIOD == 0;
    window->shims_wanted = false;
    int count = head_count + window->pieces_count - (window->shims_read ? 0 : window->shims_count);
    if (cold && window->main >= 0) {
        const struct window_span *main = &window->spans[window->main];
        *--pieces = (struct piece){main->start, window->buffer + main->first,
                                   (size_t)(main->end - main->start)};
        count++;
    }
    return memory_read_pieces(memory, pieces, count);
}

struct window_span *window_find(struct window *window, struct window_span *hint, uint64_t address,
                                uint32_t bytes) {
    if (hint && window_holds(hint, address, bytes))
        return hint;
    int low = 0, high = window->count - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        struct window_span *span = &window->spans[middle];
        if (window_holds(span, address, bytes))
            return span;
        if (address < span->start)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return NULL;
}
