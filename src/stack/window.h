/* Which parts of a process's memory hold the frames of one thread: learned from its last stacks, so that the next
 * stack is read by one call.
 *
 * A part is read once or twice in that call. What lies in one part is copied within some tens of nanoseconds: so much
 * is nearly one moment. Frames that lie in several parts are of one moment where those outside the main part are the
 * same before and after it was copied; so all parts but the main one are read twice, around it:
 *
 *     head of the thread | others (first copy) | main | others (second copy) | shims
 *
 * Shims are the few words that a call from C leaves on the C stack; they are read once. Mostly there is one, below all
 * Python frames, which stays as it is as long as the frame that it called is at its place: then it is read only now and
 * then. */
#ifndef MAREY_STACK_WINDOW_H
#define MAREY_STACK_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/memory.h"

enum {
    WINDOW_SPANS_MAX = 240,     /* two copies of each and the head fit into one read */
    WINDOW_BYTES_MAX = 4 << 20, /* of all spans */
    WINDOW_HEAD_PIECES_MAX = 8,
    /* spans nearer than this are one: less than a page, so nothing unmapped between */
    WINDOW_GAP = 4095,
    WINDOW_SLACK = 1024,     /* read beyond the top frame, for the calls to come */
    WINDOW_PERIOD = 1024,    /* after so many reads what was not used is left out */
    WINDOW_SHIM_PERIOD = 32, /* after so many reads the shim below all frames is read again */
};

struct window_span {
    uint64_t start, end;
    uint64_t used_start, used_end; /* since the period began; used_start > used_end: not at all */
    uint32_t first,
        second; /* where its copies are in the buffer; the same for a span that is read once */
    bool shim;
};

struct window {
    struct window_span spans[WINDOW_SPANS_MAX]; /* by address, none overlaps another */
    int count;
    int main; /* index of the span that is read once; -1: none */
    uint64_t main_address;
    bool no_main;   /* all are read twice */
    uint64_t watch; /* a word that is read after the first copies and after the second; 0: none */
    uint64_t watched[2];
    bool planned;
    uint32_t reads; /* in this period */
    uint8_t *buffer;
    uint32_t room;
    /* the head ends where the plan begins; before it there is room for one more */
    struct piece pieces[1 + WINDOW_HEAD_PIECES_MAX + 2 * WINDOW_SPANS_MAX + 2];
    int pieces_count;     /* of the plan */
    int shims_count;      /* the last of the pieces */
    bool shims_wanted;    /* by the next read */
    bool shims_always;    /* some of them are not below all frames */
    bool shims_read;      /* by the last read */
    uint64_t shim_callee; /* the frame that was called by the one below all, when that was read */
};

/* no_main: each part is read twice, also the one where the running frame is. */
void window_init(struct window *window, bool no_main, uint64_t watch);
void window_fini(struct window *window);
/* Everything learned is forgotten. */
void window_forget(struct window *window);

/* From the next read on, `bytes` at `address` are part of it. Returns 0, or MAREY_ELIMIT (too many parts: all are
 * forgotten). */
int window_learn(struct window *window, uint64_t address, uint32_t bytes, bool shim);

/* The span that holds `address` becomes the one that is read once. */
void window_set_main(struct window *window, uint64_t address);

/* Reads all, with the pieces of the head (at most WINDOW_HEAD_PIECES_MAX). `cold`: nothing of it has been read lately, so
 * copying the main part may take a while in which it changes: it is read once more, before all the rest, for the caches'
 * sake alone. Returns as memory_read_pieces does, or MAREY_ENOMEM. */
int window_read(struct window *window, struct memory *memory, const struct piece *head,
                int head_count, bool cold);

/* The span that holds all of `bytes` at `address`, NULL: none. `hint`: the span of a frame nearby, or NULL. */
struct window_span *window_find(struct window *window, struct window_span *hint, uint64_t address,
                                uint32_t bytes);

static inline bool window_holds(const struct window_span *span, uint64_t address, uint32_t bytes) {
    return address >= span->start && address < span->end && span->end - address >= bytes;
}

/* What was read at `address`: as it was before and after the main span was copied. */
static inline const uint8_t *window_first(const struct window *window,
                                          const struct window_span *span, uint64_t address) {
    return window->buffer + span->first + (address - span->start);
}
static inline const uint8_t *window_second(const struct window *window,
                                           const struct window_span *span, uint64_t address) {
    return window->buffer + span->second + (address - span->start);
}

/* May the shim that was found be believed? `previous`: of the shim; `callee`: the frame that it called. If not, it is
 * read again by the next read. */
static inline bool window_trusts(struct window *window, const struct window_span *span,
                                 uint64_t previous, uint64_t callee) {
    if (window->shims_read && !previous)
        window->shim_callee = callee;
    window->shims_always |= previous != 0;
    if (!span->shim || window->shims_read || (!previous && callee == window->shim_callee))
        return true;
    window->shims_wanted = true;
    return false;
}

static inline void window_use(struct window_span *span, uint64_t address, uint32_t bytes) {
    if (address < span->used_start)
        span->used_start = address;
    if (address + bytes > span->used_end)
        span->used_end = address + bytes;
}

#endif
