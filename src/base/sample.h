/* A sample: what one thread was doing at one moment, or at several in a row that were alike.
 *
 * stack/sampler.c takes them, trace/sample.c writes them into a trace, model/profile.c adds them up. What it points to
 * is the giver's and stands for the call that hands it over. */
#ifndef MAREY_BASE_SAMPLE_H
#define MAREY_BASE_SAMPLE_H

#include <stdint.h>

/* What a sample stands for, in nanoseconds since the one before of the same thread. */
enum sample_weight {
    SAMPLE_WALL,     /* time that passed */
    SAMPLE_CPU,      /* of it: the thread ran on a CPU */
    SAMPLE_GIL,      /* of it: it held the GIL */
    SAMPLE_GIL_WAIT, /* of it: it waited for the GIL */
    SAMPLE_WEIGHTS
};

enum sample_kind {
    SAMPLE_PYTHON,
    SAMPLE_NATIVE, /* a marker: the Python function above it is in code that is not Python */
    SAMPLE_GC,     /* a marker: garbage is collected */
    SAMPLE_TASK    /* a marker: the asyncio task whose await chain follows */
};

struct sample_frame {
    /* the same function has the same number, and no other has it, as long as its giver lives */
    uint64_t function;
    const char *name;   /* UTF-8; qualified from 3.11 on */
    const char *file;   /* UTF-8; "" for markers */
    int32_t line;       /* that runs, or that the call is in; 0: not known or not wanted */
    int32_t first_line; /* of the function; 0: not known */
    uint8_t kind;       /* enum sample_kind */
};

struct sample {
    uint64_t time_ns; /* of CLOCK_MONOTONIC, of the first of those that were alike */
    int32_t pid, tid; /* as the sampler sees them */
    uint64_t task;    /* an asyncio task of that process; 0: the thread itself */
    uint32_t count;   /* how many were alike, >= 1 */
    uint32_t depth;
    const struct sample_frame *frames; /* outermost first */
    uint64_t weights_ns[SAMPLE_WEIGHTS];
};

/* Counter tracks of a trace in which a sampler says how it does. */
#define SAMPLES_TAKEN "marey samples"
#define SAMPLES_TORN                                                                               \
    "marey samples torn" /* stacks given up because they moved while they were read */
#define SAMPLES_MISSED "marey samples missed" /* ticks that came too late to be taken */
#define SAMPLING_COST "marey sampling CPU time"
#define SAMPLING_INTERVAL "marey sampling interval"

#endif
