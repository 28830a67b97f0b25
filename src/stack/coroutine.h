/* The chain of coroutines and generators that one awaits: each waits in the next, the innermost for something that is
 * none. */
#ifndef MAREY_STACK_COROUTINE_H
#define MAREY_STACK_COROUTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/frames.h"
#include "stack/object.h"

enum { COROUTINE_FRAME_BYTES = 256 };

/* What it does. */
enum coroutine_doing {
    COROUTINE_CREATED, /* nothing yet */
    COROUTINE_WAITS,   /* in another one, or for what is none */
    COROUTINE_YIELDS,  /* it has given a value, and awaits nothing */
    COROUTINE_RUNS,
    COROUTINE_DONE
};

/* One of a chain, as it was read. */
struct coroutine {
    uint64_t frame; /* address */
    enum coroutine_doing doing;
    uint64_t next; /* the object that it waits in; 0: none */
    /* What its frame, its state and the top of its stack of values were, to be compared with what they are. */
    uint64_t state_at, top_at;
    uint64_t state, top[2];
    uint8_t bytes[COROUTINE_FRAME_BYTES];
};

/* Reads one. Returns 0, MAREY_ETORN (it is none) or what reading returns. */
int coroutine_read(struct objects *objects, uint64_t object, struct coroutine *coroutine);

/* Reads a chain from its outermost on, at most `max`. Returns how many, or MAREY_ETORN, ...; `cut`: it is longer. One
 * that runs ends it. */
int coroutine_chain(struct objects *objects, uint64_t object, struct coroutine *chain, int max,
                    bool *cut);

/* Who refers to the outermost: where, and what stood there. */
struct coroutine_owner {
    uint64_t at; /* 0: not known */
    uint64_t coroutine;
};

/* Are they all as they were, now, at one moment? Returns 0 or MAREY_ETORN. */
int coroutine_check(struct memory *memory, const struct layout *layout,
                    const struct coroutine_owner *owner, const struct coroutine *chain, int count);

/* The frame of one; its code object is not known yet. */
struct frame coroutine_frame(const struct layout *layout, const struct coroutine *coroutine);

#endif
