/* Inside `marey top`: a thread samples processes and adds up what it finds; once in a while there is a new look at it. */
#ifndef MAREY_CLI_TOP_GATHER_H
#define MAREY_CLI_TOP_GATHER_H

#include <stdbool.h>

#include "cli/pids.h"
#include "stack/sampler.h"

/* Shares are of one thread's time: two threads that compute all the time make 2.0. */
struct top_function {
    size_t name, file; /* top_text */
    int32_t line;
    double self, total;         /* shares, since the look before */
    uint64_t self_ns, total_ns; /* since the beginning */
};

struct top_thread {
    pid_t pid, tid;
    size_t name, at;              /* top_text; at: the function that it was in last */
    double share[SAMPLE_WEIGHTS]; /* since the look before */
    uint64_t total_ns[SAMPLE_WEIGHTS];
};

/* What the screen shows, taken at one moment. */
struct top_look {
    uint64_t number;     /* 1 for the first; 0: there is none yet */
    uint64_t elapsed_ns; /* since the beginning */
    struct sampler_counts counts;
    struct top_function *functions, *lines;
    uint32_t functions_count, lines_count;
    struct top_thread *threads;
    uint32_t threads_count;
    double share[SAMPLE_WEIGHTS]; /* of all threads together */
    bool ended;                   /* nothing is left to sample */
    struct text texts;
};
const char *top_text(const struct top_look *look, size_t text);
void top_look_free(struct top_look *look);

struct top_gather;

/* options: interval and mode; period_ns: from look to look. Returns 0, MAREY_ENOMEM or MAREY_EINVAL. */
int top_gather_open(struct top_gather **gather, const struct sampler_options *options,
                    uint64_t period_ns);
/* Returns as sampler_add. Before it is started. */
int top_gather_add(struct top_gather *gather, pid_t pid);
/* Returns 0 or MAREY_ENOMEM. The thread takes no signals. */
int top_gather_start(struct top_gather *gather);
/* Ends the thread, waits for it, and frees. */
void top_gather_close(struct top_gather *gather);

/* Puts the newest look into `look`, which holds an older one or is all zero. Returns whether there was a newer one. */
bool top_gather_take(struct top_gather *gather, struct top_look *look);
/* From the next look on everything begins again. */
void top_gather_reset(struct top_gather *gather);

#endif
