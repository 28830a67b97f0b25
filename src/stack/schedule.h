/* When a sampler samples: deadlines that do not drift, each moved by a random part of the interval, and sleep that
 * another thread or a signal handler may end.
 *
 * Time is cut into strata of one interval. Each has one deadline, anywhere in it with equal chance, and what is seen
 * then stands for the whole stratum: so a program with a period, even the interval's, is seen as it is. A deadline that
 * is over already when the one before it is kept is missed; what it would stand for goes to the next. */
#ifndef MAREY_STACK_SCHEDULE_H
#define MAREY_STACK_SCHEDULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SCHEDULE_SPIN_NS = 60000, /* a sleep that is not longer than this would be over too late */
};

struct schedule {
    uint64_t interval_ns; /* in use; 0: no deadlines */
    uint64_t start_ns;    /* of stratum 0 */
    uint64_t stratum;     /* of the deadline */
    uint64_t owed;        /* the first that nothing stands for yet */
    uint64_t deadline_ns; /* the next; without interval: when the last tick was */
    uint64_t random;
    _Atomic uint64_t wanted_ns; /* interval from the next tick on */
    _Atomic uint32_t wake;      /* changes to end a sleep: a futex */
    atomic_bool stopped;
};

/* A deadline that is kept. */
struct schedule_tick {
    uint64_t now_ns;
    uint64_t stands_for_ns; /* that time, until now, which has not been sampled yet */
    uint64_t late_ns;       /* since the deadline */
    uint64_t missed;        /* deadlines before it */
};

void schedule_init(struct schedule *schedule, uint64_t interval_ns);
/* The first stratum begins now. */
void schedule_begin(struct schedule *schedule, uint64_t now_ns);

/* Is there a deadline to keep? Then it is taken. */
bool schedule_due(struct schedule *schedule, uint64_t now_ns, struct schedule_tick *tick);
/* Sleeps until the next deadline, `until_ns`, or schedule_wake; less exactly said: it may come back early. */
void schedule_sleep(struct schedule *schedule, uint64_t now_ns, uint64_t until_ns);

/* By any thread, or a signal handler. */
void schedule_stop(struct schedule *schedule);
void schedule_set_interval(struct schedule *schedule, uint64_t interval_ns);

/* CLOCK_MONOTONIC. */
uint64_t schedule_now_ns(void);
/* What the calling thread was on a CPU. What is done the less often the more it costs is measured by this: that somebody
 * else had the CPU meanwhile costs nothing. */
uint64_t schedule_cpu_ns(void);

#endif
