/* Inside the reader: what a sequence has said of stacks, threads and weights, by numbers of its own. Kept as it was said,
 * because a message may name what stands behind it, and made sense of at its first use. */
#ifndef MAREY_MODEL_SAMPLE_STATE_H
#define MAREY_MODEL_SAMPLE_STATE_H

#include "base/sample.h"
#include "model/packet.h"

enum { WEIGHTS_MAX = 8 }; /* followers of a sample that are read */

/* What a number that comes with a sample means. */
enum weight_role {
    ROLE_WALL = SAMPLE_WALL,
    ROLE_CPU = SAMPLE_CPU,
    ROLE_GIL = SAMPLE_GIL,
    ROLE_GIL_WAIT = SAMPLE_GIL_WAIT,
    ROLE_COUNT,
    ROLE_OTHER,
};

struct weight {
    uint8_t role;
    uint64_t multiplier;
};

struct weights {
    struct weight primary, followers[WEIGHTS_MAX];
    uint32_t follower_count;
};

struct said_frame {
    uint64_t name, path, mapping; /* interned ids; 0: none */
    int32_t line, first_line;
    uint32_t kind;  /* enum frame_kind */
    uint32_t frame; /* place in the samples' frames; MAP_NONE: not yet looked up */
};

struct said_callstack {
    uint32_t first, count; /* in the frame ids */
    uint32_t stack;        /* place in the samples' stacks; MAP_NONE: not yet looked up */
};

struct said_context {
    uint32_t pid, tid;
    uint64_t task; /* interned id */
};

struct sample_state {
    struct interned functions, paths, mapping_paths, mappings, frames, callstacks, contexts, tasks,
        descriptors;
    struct said_frame *said_frames;
    uint32_t frame_count, frame_capacity;
    struct said_callstack *said_callstacks;
    uint32_t callstack_count, callstack_capacity;
    uint32_t *frame_ids;
    uint32_t frame_id_count, frame_id_capacity;
    struct said_context *said_contexts;
    uint32_t context_count, context_capacity;
    struct weight *said_weights;
    uint32_t weight_count, weight_capacity;
    struct weights weights; /* by the defaults */
    uint8_t has_source;     /* StackSamples say who took them */
    uint8_t is_wall;        /* PerfSamples: their count is of nanoseconds */
};

/* The weight that a counter descriptor describes. Returns 0, or -1 where a field is broken. */
int weight_read(struct weight *weight, uint64_t *id, struct bytes bytes);
/* A task context. Returns 0, or -1 where a field is broken. */
int context_read(struct said_context *context, uint64_t *id, struct bytes bytes);

#endif
