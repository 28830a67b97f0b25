/* Keeps the sampling thread off the processors that what it samples runs on.
 *
 * Where it is woken on the processor of a thread that computes, it takes that thread's place: two changes of context and
 * a timer's interrupt, 8 us of the sampled thread's own time for each sample. The kernel avoids that by itself as long as
 * another processor is idle, and then this does nothing: a thread that moves would meet the sampler where that must stay.
 * Where all are busy the kernel does not, and what is disturbed had better be anybody else. So only who was woken where
 * what it samples runs steps aside, and asks now and then whether that is needed still.
 *
 * Used by the sampling thread alone. */
#ifndef MAREY_STACK_ASIDE_H
#define MAREY_STACK_ASIDE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    /* threads move: they are looked at again after so long, then after twice as long, ... */
    ASIDE_LOOK_NS = 10000000,
    ASIDE_LOOK_MAX_NS = 160000000,
    ASIDE_INTERVAL_NS = 2000000, /* who samples more seldom than that disturbs nobody */
    ASIDE_LATE_NS = 100000000, /* a tick so late has no time where it is: it may run anywhere ... */
    ASIDE_PAUSE_NS = 1000000000, /* ... for so long */
    ASIDE_THREADS_MAX = 8,       /* that run: where there are more, somebody is disturbed anyway */
};

struct aside {
    cpu_set_t allowed; /* where it may run */
    cpu_set_t chosen;  /* what it was limited to last */
    bool able;
    uint64_t look_ns;       /* when threads are to be looked at again, ... */
    uint64_t look_after_ns; /* ... and how long that is after the last time */
};

/* Before a run of the thread that calls, and after it: then it may run where it could before. */
void aside_begin(struct aside *aside);
void aside_end(struct aside *aside);

/* `here`: the processor that it runs on. If that is one of `busy`, it runs on none of them from now on, if that leaves
 * any; until ASIDE_LOOK_MAX_NS went by with nothing changed. */
void aside_from(struct aside *aside, const cpu_set_t *busy, int here, uint64_t now_ns);
/* From now on it runs where it could before, for ASIDE_PAUSE_NS. */
void aside_pause(struct aside *aside, uint64_t now_ns);

#endif
