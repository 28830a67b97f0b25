/* The chain of frames in what was read of a thread: from the running one to the outermost, each the caller of the one
 * before. */
#ifndef MAREY_STACK_CHAIN_H
#define MAREY_STACK_CHAIN_H

#include "stack/unwind.h"

enum walk { WALK_GOOD, WALK_TORN, WALK_NOT_LIVE, WALK_MISS, WALK_STALE, WALK_NO_MEMORY };

struct chain {
    uint64_t top;
    uint64_t miss; /* WALK_MISS: the frame that was not read */
    uint64_t hash; /* of code objects and of callers' instructions */
    /* the frame nearest to the top that was called from C: the interpreter's loop began there */
    uint64_t entry;
    int depth;
    bool cut;
    bool native; /* the running function is in code that is not Python */
};

/* Of what was read twice: both have to be the same, or one of them is believed. */
enum copies { COPIES_BOTH, COPIES_FIRST, COPIES_SECOND };

static inline uint64_t chain_mix(uint64_t hash, uint64_t value) {
    return (hash ^ value) * 0x9e3779b97f4a7c15u + (hash >> 29);
}

/* Follows the chain from chain->top into reader->frames. demand_live: each frame has the marks of one that is on the
 * stack. */
enum walk chain_walk(struct thread_reader *reader, const struct layout *layout, struct chain *chain,
                     enum copies copies, bool demand_live);

/* The frame that was on top when the frames were copied. The thread went on since it said that `top` is. */
uint64_t chain_top(struct unwinder *unwinder, struct thread_reader *reader, uint64_t top);

/* The same, by the marks alone, from a frame that was on top lately or that is on the stack; 0: they do not tell. */
uint64_t chain_running(struct unwinder *unwinder, struct thread_reader *reader, uint64_t near);

/* The caller of a frame that was read; 0: none. */
uint64_t chain_caller(struct thread_reader *reader, const struct layout *layout, uint64_t frame,
                      enum copies copies);

/* Looks where the frames from `frame` on are, for the next read. */
void chain_learn(struct unwinder *unwinder, struct thread_reader *reader, uint64_t frame);

#endif
