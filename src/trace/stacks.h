/* The stacks that a chunk knows: function names, paths, frames and callstacks, each interned when it is first needed.
 *
 * A stack is found as a path in a tree of calls, from its outermost frame inwards: one look a frame, and none for the
 * frames that it has in common with the stack before. The tables have fixed sizes. Those of functions, paths and frames are
 * caches: what fell out is interned again, by a new number. The tree is forgotten as a whole when it is full. */
#ifndef MAREY_TRACE_STACKS_H
#define MAREY_TRACE_STACKS_H

#include "base/sample.h"
#include "pack.h"

enum {
    STACK_CALLS = 1 << 16,
    STACK_SLOTS = 2 * STACK_CALLS,
    STACK_PROBES = 32, /* slots looked at; a tree that needs more is forgotten */
    STACK_FRAMES = 1 << 14,
    STACK_FUNCTIONS = 1 << 13,
    STACK_PATHS = 1 << 9,
    STACK_PATH_BYTES = 240, /* longer ones are not remembered */
    STACK_STEPS = 256,      /* of the stack before */
    STACK_DEPTH = 4096,     /* of a stack; the innermost frames of a deeper one are left out */
    STACK_TEXT = 512        /* bytes of a name or path; more is cut */
};

/* A frame by the frame that calls it. */
struct stack_call {
    uint64_t function;
    int32_t line;
    uint32_t parent;
    uint32_t frame;     /* its number in this chunk */
    uint32_t callstack; /* of the stack that ends here; 0: has none yet */
};

/* What stands in a table is valid where the generation is the tables'. */
struct stack_slot {
    uint32_t generation, call;
};

struct stack_frame {
    uint64_t function;
    int32_t line;
    uint32_t generation, iid;
};

struct stack_function {
    uint64_t function;
    uint32_t generation, name, path;
};

struct stack_path {
    uint32_t generation, iid, bytes;
    char text[STACK_PATH_BYTES];
};

struct stack_step {
    uint64_t function;
    int32_t line;
    uint32_t call;
};

struct stacks {
    uint32_t generation;
    uint32_t call_count;
    uint32_t step_count;
    uint32_t names_used, paths_used, frames_used, callstacks_used; /* iids of this chunk */
    int mappings; /* frames name a mapping and a place in it: older viewers want that */
    struct stack_step steps[STACK_STEPS];
    struct stack_slot slots[STACK_SLOTS];
    struct stack_call calls[STACK_CALLS]; /* 0: none */
    struct stack_frame frames[STACK_FRAMES];
    struct stack_function functions[STACK_FUNCTIONS];
    struct stack_path paths[STACK_PATHS];
};

/* A new chunk: nothing is known there. */
void stacks_restart(struct stacks *stacks);
/* What was interned last is not in the chunk: interns all again, by new numbers. */
void stacks_forget(struct stacks *stacks);
/* What a chunk has to say beforehand, into its InternedData. */
void stacks_open(struct stacks *stacks, struct pack *pack);

/* The call that a sample's stack ends in; 0 where not all of it is known. */
uint32_t stacks_find(struct stacks *stacks, const struct sample *sample);
/* The same for any stack; what the chunk does not know yet is packed, as fields of InternedData. */
uint32_t stacks_intern(struct stacks *stacks, struct pack *pack, const struct sample *sample);

#endif
