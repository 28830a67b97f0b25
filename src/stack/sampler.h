/* Samples processes at a steady rate: their Python threads' stacks, each with what the thread was doing meanwhile.
 *
 * Deadlines are absolute (no drift), each moved by a random part of the interval so that a program's own period does not
 * beat with it; a deadline that is over before its turn is missed and counted, never made up for. Samples of one thread
 * that are alike in a row are handed over as one (SAMPLER_RUN_NS at the longest). Threads, interpreters and children
 * that come and go are found as it runs.
 *
 * A sampler is used by one thread; sampler_stop, sampler_set_interval and sampler_counts by any, sampler_stop also by a
 * signal handler. It never samples the thread that runs it, so it may sample its own process, without the GIL. */
#ifndef MAREY_STACK_SAMPLER_H
#define MAREY_STACK_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sample.h"

enum {
    SAMPLER_PROCESSES_MAX = 1024, /* of one sampler; more are counted, not sampled */
    SAMPLER_RUN_NS = 100000000    /* a run of samples that are alike is handed over after so long */
};

/* Which threads a tick takes. */
enum sampler_mode {
    SAMPLER_WALL, /* those that do not sleep; with `idle` all */
    SAMPLER_CPU,  /* those that run on a CPU */
    SAMPLER_GIL   /* those that hold the GIL; a process without one is refused, until it has one */
};

/* A process that is sampled from now on, or cannot be; told again when it has exec'd. What it points to stands for the
 * call. */
struct sampled_process {
    pid_t pid, parent;
    uint32_t version;         /* of Python: 0x030d */
    const char *name;         /* /proc/PID/comm */
    const char *command_line; /* arguments, each NUL-terminated */
    size_t command_line_bytes;
    int error; /* 0, or why it cannot be sampled: MAREY_EPTRACE, MAREY_EVERSION or MAREY_ENOGIL */
};

struct sampler_sink {
    void *context;
    void (*take)(void *context, const struct sample *sample);
    void (*process)(void *context, const struct sampled_process *process); /* NULL: not wanted */
    /* The name that the program gave to the thread (threading), else the system's; given when it appears or changes. */
    void (*thread)(void *context, pid_t pid, pid_t tid, const char *name);
    void (*task)(void *context, pid_t pid, uint64_t task, const char *name);
    void (*process_ended)(void *context, pid_t pid);
};

struct sampler_options {
    uint64_t interval_ns; /* 10,000 (100 kHz) to 10^10; 0: as fast as it can */
    enum sampler_mode mode;
    bool idle;      /* also threads that sleep */
    bool children;  /* also processes that are started, from then on and those that run already */
    bool functions; /* lines are 0: samples differ by function only */
    /* a frame "<native>" where a thread is in a C function, "<GC>" while garbage is collected */
    bool native_marker;
    /* stops the threads that run for the moment of each sample (stops.h): hardly ever torn */
    bool blocking;
    bool tasks; /* also waiting asyncio tasks, each with its await chain */
};

struct sampler_counts {
    uint64_t ticks;  /* deadlines that were kept */
    uint64_t missed; /* and that were not */
    /* What became of each thread that there was at each tick; of asyncio tasks that wait, too. */
    uint64_t samples; /* stacks taken; the last of each thread may not be handed over yet */
    uint64_t idle;    /* passed over: it slept, was none that the mode takes, or ran no Python */
    uint64_t torn;    /* given up: it changed each time that it was read */
    uint64_t unread;  /* it could not be read */
    uint64_t late_ns; /* sum over ticks: how long after its deadline it began */
    uint64_t late_max_ns;
    /* how far apart ticks were, the first from the begin of its run: the sum, and that of the squares */
    uint64_t gaps_us, gaps_us2;
    uint64_t cpu_ns;             /* of the sampling thread */
    uint64_t wall_ns;            /* since the first tick */
    uint32_t processes, threads; /* sampled now */
    uint32_t refused;            /* children that could not be sampled */
};

struct sampler;

/* Returns 0, MAREY_EINVAL or MAREY_ENOMEM. */
int sampler_open(struct sampler **sampler, const struct sampler_options *options,
                 const struct sampler_sink *sink);
void sampler_close(struct sampler *sampler);

/* Returns 0, what process_open returns, or MAREY_ENOGIL. `wait`: one that has not started Python yet, or has none, or
 * none with a GIL, is tried again as long as it lives (a child of ours that is about to exec): then 0. */
int sampler_add(struct sampler *sampler, pid_t pid, bool wait);

/* Samples until `until_ns` (CLOCK_MONOTONIC, 0: no end), sampler_stop, or all processes have ended. Runs are handed over
 * before it returns. It may be called again, and goes on as if it had not returned: deadlines of the time between are
 * missed, and the tick that they leave due is taken even if a stop stands. Returns 0, or MAREY_ENOPROCESS where nothing
 * is left to sample. */
int sampler_run(struct sampler *sampler, uint64_t until_ns);
void sampler_stop(struct sampler *sampler);
/* A stop stands, also for runs to come, until this. Not while it runs. */
void sampler_again(struct sampler *sampler);
/* What was since the last run is not to be sampled: the next one begins anew. Not while it runs. */
void sampler_leave_out(struct sampler *sampler);
/* From the next tick on; what is no interval is ignored. */
void sampler_set_interval(struct sampler *sampler, uint64_t interval_ns);

void sampler_counts(const struct sampler *sampler, struct sampler_counts *counts);

#endif
