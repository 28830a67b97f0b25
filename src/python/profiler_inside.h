/* What the two halves of a profiler share: profiler_thread.c samples, profiler.c is what others ask of it.
 *
 * `lock` guards all but what the thread alone has. The thread is either in sampler_run, where it takes the lock for each
 * sample that it adds to the profile, or at rest: then nobody uses the sampler, and whoever has the lock may. */
#ifndef MAREY_PROFILER_INSIDE_H
#define MAREY_PROFILER_INSIDE_H

#include <pthread.h>

#include "model/recent.h"
#include "profiler.h"
#include "trace/sample.h"

struct profiler {
    struct profiler *next; /* of all that are open */
    struct profiler_options options;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum profiler_state state, before_fork;
    bool alive;  /* there is a thread, not joined yet */
    bool ending; /* somebody is about to join it */
    bool rests;
    bool its_turn;  /* it was held, and has not run since */
    unsigned holds; /* so many want it to rest */
    pthread_t thread;
    struct sampler *sampler; /* while alive */
    struct profile *profile;
    struct recent *recent; /* of it */
    uint64_t on_since_ns;  /* 0: it is off or paused */
    struct profiler_stats
        past; /* of threads before, and running_ns of this one until on_since_ns */
    struct profiler_stats forgotten; /* by clear */

    struct samples_log *log; /* the thread's; NULL before its first sample that is recorded */
    uint64_t counts_ns;      /* when its counters are to be written next */
};

/* CLOCK_MONOTONIC. */
uint64_t profiler_now_ns(void);

/* With the lock held, while there is no thread: makes the sampler and the thread, which is on when the lock is free.
 * Returns what profiler_start does. */
int profiler_thread_start(struct profiler *profiler);

/* With the lock held: until the thread rests. */
void profiler_wait_for_rest(struct profiler *profiler);

/* Takes the lock while the thread rests: what it saw so far is in the profile, and it goes on when the lock is free. Who
 * does so again and again leaves the thread a turn each time. */
void profiler_hold(struct profiler *profiler);

#endif
