/* A profile: weighted stacks, merged into one tree of functions. From the samples of a trace, or taken in as they come, or
 * from its spans and calls; what flame graphs, folded stacks, tables of functions and merged trees are made of.
 *
 * What is counted are samples, or calls; what weighs are the times that samples stand for, or, as SAMPLE_WALL, a call's
 * own time.
 *
 * Memory is bounded: past the limit of nodes new ones go to "(other)" below their parent, and are counted. */
#ifndef MAREY_MODEL_PROFILE_H
#define MAREY_MODEL_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/sample.h"

/* What of a node is asked for: an enum sample_weight, or what is counted. */
enum { PROFILE_COUNT = SAMPLE_WEIGHTS, PROFILE_WEIGHTS };

enum {
    PROFILE_NODES_MAX = 1 << 22, /* whatever limit is asked for */
    PROFILE_DEPTH_MAX = 4096,    /* frames of a stack; the innermost of a deeper one are left out */
    PROFILE_NODES_USUAL = 1 << 18 /* a limit that makes 30 MiB at most */
};

struct profile_function {
    const char *name, *file; /* the profile's own */
    int32_t first_line;
    uint8_t kind; /* enum sample_kind */
};

struct profile_node {
    uint32_t function;                  /* place in the functions */
    int32_t line;                       /* 0: lines are merged, or it is not known */
    uint32_t parent;                    /* place in the nodes; the root's is its own */
    uint32_t first_child, next_sibling; /* 0: none (the root is nobody's child) */
    uint32_t depth;                     /* the root's is 0; PROFILE_DEPTH_MAX + 2 at most */
    uint64_t self_count, total_count;
    uint64_t self_ns[SAMPLE_WEIGHTS], total_ns[SAMPLE_WEIGHTS];
};

static inline uint64_t profile_self(const struct profile_node *node, unsigned weight) {
    return weight < SAMPLE_WEIGHTS ? node->self_ns[weight] : node->self_count;
}

static inline uint64_t profile_total(const struct profile_node *node, unsigned weight) {
    return weight < SAMPLE_WEIGHTS ? node->total_ns[weight] : node->total_count;
}

struct profile; /* nodes by place, 0 is the root; functions by place */

/* `lines`: calls from different lines of a function are different nodes. NULL: no memory. */
struct profile *profile_open(uint32_t nodes_limit, int lines);
void profile_close(struct profile *profile);
/* Forgets all samples; the memory serves again. */
void profile_clear(struct profile *profile);

/* Functions are told apart by name, file, first line and kind; sample_frame.function is a hint alone, so samples of several
 * givers may be added. Sums stop at UINT64_MAX. Never fails: what there is no memory for is counted. Returns the node that
 * has it as its own. */
uint32_t profile_add(struct profile *profile, const struct sample *sample);

/* The same for givers who have trees themselves, and meet each node and function often. */
/* The place of a function, new or known; MAP_NONE where there is no room. */
uint32_t profile_function(struct profile *profile, const struct profile_function *function);
/* The place of a node's child, new or known; where there is no room for it (function may be MAP_NONE), that of the "(other)"
 * which takes its weight. */
uint32_t profile_child(struct profile *profile, uint32_t parent, uint32_t function, int32_t line);
/* Adds to what a node weighs itself. Totals are right again after profile_sum. */
void profile_weigh(struct profile *profile, uint32_t node, uint64_t count,
                   const uint64_t weights_ns[SAMPLE_WEIGHTS]);
void profile_sum(struct profile *profile);

/* Both stand until the next sample is added. A node's place is greater than its parent's. Node 0 is the root (function 0,
 * without a name), node 1 the root's "(other)" (function 1). */
const struct profile_node *profile_nodes(const struct profile *profile, uint32_t *count);
const struct profile_function *profile_functions(const struct profile *profile, uint32_t *count);
/* Samples that are not in the tree as they were, for the limit's or for memory's sake. */
uint64_t profile_lost(const struct profile *profile);

#endif
