/* This process, sampled by a thread of its own, and what was seen so far. No Python in here: the thread never takes the
 * GIL, and is none of Python's; it reads the process as it would another one.
 *
 *   off -> start -> on <-> paused -> stop -> off
 *
 * All calls may be made by any thread, at any time. A fork finds the thread between two samples: in the child there is
 * none, it is off, and nothing was seen yet. */
#ifndef MAREY_PROFILER_H
#define MAREY_PROFILER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/profile.h"
#include "stack/sampler.h"

struct profiler_options {
    uint64_t interval_ns; /* 10,000 to 10^10 */
    enum sampler_mode mode;
    bool idle, lines, native, tasks; /* as sampler_options have them; lines: also in the profile */
    bool record;                     /* while this process records, samples go there, too */
    uint32_t nodes_limit;            /* of the profile */
};

enum profiler_state { PROFILER_OFF, PROFILER_ON, PROFILER_PAUSED };

/* Since the start or the last clear, whichever was later. */
struct profiler_stats {
    uint64_t interval_ns;                                /* that is asked for */
    uint64_t running_ns;                                 /* on and not paused */
    uint64_t ticks, missed, samples, idle, torn, unread; /* as sampler_counts have them */
    uint64_t late_ns;           /* sum over ticks: how long after its deadline it began */
    uint64_t late_max_ns;       /* since the start */
    uint64_t gaps_us, gaps_us2; /* between ticks: the sum, and that of the squares */
    uint64_t cpu_ns;            /* of the sampling thread */
    uint64_t lost;              /* samples that are not in the profile as they were */
    uint32_t threads;           /* sampled now */
    uint32_t nodes, functions;
};

struct profiler;

/* NULL: no memory. */
struct profiler *profiler_open(const struct profiler_options *options);
/* Stops it, if it is on. */
void profiler_close(struct profiler *profiler);

/* Returns 0, MAREY_EBUSY (it is not off), MAREY_ENOMEM (also: no more threads), or why this process cannot be read, as
 * process_open has it. Begins with the profile as it is. */
int profiler_start(struct profiler *profiler);
/* Waits for the sample that is being taken, no longer. Nothing where it is off. */
void profiler_stop(struct profiler *profiler);
/* Return false where it is off. */
bool profiler_pause(struct profiler *profiler);
bool profiler_resume(struct profiler *profiler);
/* Nanoseconds between two samples. */
void profiler_set_interval(struct profiler *profiler, uint64_t interval_ns);

enum profiler_state profiler_state(struct profiler *profiler);
/* In a forked child: what it was in the parent, asked once; from then on off. */
enum profiler_state profiler_before_fork(struct profiler *profiler);

void profiler_clear(struct profiler *profiler);
void profiler_stats(struct profiler *profiler, struct profiler_stats *stats);

/* What all profilers of this process that record have seen so far stands in the recording when this returns. */
void profiler_hand_over(void);

enum profiler_window { PROFILER_ALL, PROFILER_MINUTE, PROFILER_HOUR, PROFILER_WINDOWS };

/* What was seen so far, or in the last minute or hour (model/recent.h). It stands still until profiler_give; all of it
 * while no sample is taken. NULL: no memory. */
const struct profile *profiler_take(struct profiler *profiler, enum profiler_window window);
void profiler_give(struct profiler *profiler, const struct profile *profile);

#endif
