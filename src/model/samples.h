/* The samples of a trace: which thread was where, and what that stands for.
 *
 * Stacks are a tree: each names the one that it goes on from and one more frame, so equal stacks are one number, whichever
 * sequence and chunk they come from. */
#ifndef MAREY_MODEL_SAMPLES_H
#define MAREY_MODEL_SAMPLES_H

#include "base/sample.h"
#include "model/map.h"

enum {
    SAMPLES_MAX = 1 << 28,
    STACKS_MAX = 1 << 23,
    STACK_DEPTH_MAX = 4096, /* frames; the innermost of a deeper one are left out */
};

struct stack_function {
    uint32_t name, file; /* strings */
    int32_t first_line;  /* 0: not known */
    uint8_t kind;        /* enum sample_kind */
};

struct stack_frame {
    uint32_t function; /* place in the functions */
    int32_t line;      /* 0: not known */
};

struct stack {
    uint32_t parent, frame; /* places; [0] is the empty stack */
};

/* Who was sampled. */
struct sampled_thread {
    uint32_t machine;
    int64_t pid, tid;
    uint64_t samples;
    uint32_t thread; /* place in the trace's threads, once it is settled */
};

struct taken_sample {
    int64_t time_ns; /* as written, until the trace is settled; then in the trace's clock */
    uint32_t thread; /* place in the sampled threads */
    uint32_t task;   /* strings: the asyncio task's name; 0: none */
    uint32_t stack;
    uint32_t count; /* samples that were alike, from this time on */
    uint64_t weights_ns[SAMPLE_WEIGHTS];
    uint8_t clock; /* of timebase */
};

/* All zero is empty. */
struct samples {
    struct taken_sample *all; /* once the trace is settled: by time */
    uint32_t count, capacity;
    struct stack *stacks;
    uint32_t stack_count, stack_capacity;
    struct stack_frame *frames;
    uint32_t frame_count, frame_capacity;
    struct stack_function *functions;
    uint32_t function_count, function_capacity;
    struct sampled_thread *threads;
    uint32_t thread_count, thread_capacity;
    struct map sources, by_function, by_frame, by_stack, by_thread;
    uint32_t source_count; /* different pairs of name and file */
    int weighted;          /* some have a weight of wall time */
};

/* Each returns a place, new or known; MAP_NONE where memory is short, or there are too many. */
uint32_t samples_function(struct samples *samples, const struct stack_function *function);
uint32_t samples_frame(struct samples *samples, uint32_t function, int32_t line);
uint32_t samples_stack(struct samples *samples, uint32_t parent, uint32_t frame);
uint32_t samples_thread(struct samples *samples, uint32_t machine, uint32_t pid, uint32_t tid);
/* Returns 0, or -1 where memory is short. */
int samples_add(struct samples *samples, const struct taken_sample *sample);
/* By time; equal ones stay in their order. Returns 0, or -1 where memory is short. */
int samples_sort(struct samples *samples);
void samples_free(struct samples *samples);

#endif
