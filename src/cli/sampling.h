/* Sampling into the recording that is open: what `marey attach` and `marey run` have in common. */
#ifndef MAREY_CLI_SAMPLING_H
#define MAREY_CLI_SAMPLING_H

#include <getopt.h>
#include <stdbool.h>

#include "output/display.h"
#include "stack/sampler.h"

enum {
    SAMPLING_HZ = 1000,
    SAMPLING_HZ_BLOCKING = 100, /* a stop costs a program some ten microseconds a thread */
    SAMPLING_HZ_MAX = 100000,
};

/* ---- what the command line asks for */

struct sampling_request {
    double hz; /* 0: not said; negative: as fast as it can */
    struct sampler_options options;
    int old_viewers;
    int by_thread; /* the report at the end */
};

/* The letters of the long options, beyond those that a command has itself. */
enum sampling_option {
    SAMPLING_OPTION_FIRST = 2000,
    OPTION_HZ = SAMPLING_OPTION_FIRST,
    OPTION_MODE,
    OPTION_IDLE,
    OPTION_TASKS,
    OPTION_FUNCTION,
    OPTION_NATIVE_MARKER,
    OPTION_BLOCKING,
    OPTION_NO_CHILDREN,
    OPTION_OLD_VIEWERS,
    OPTION_THREADS,
    SAMPLING_OPTION_END
};
#define SAMPLING_OPTIONS                                                                           \
    {"hz", required_argument, NULL, OPTION_HZ}, {"mode", required_argument, NULL, OPTION_MODE},    \
        {"idle", no_argument, NULL, OPTION_IDLE}, {"tasks", no_argument, NULL, OPTION_TASKS},      \
        {"function", no_argument, NULL, OPTION_FUNCTION},                                          \
        {"native-marker", no_argument, NULL, OPTION_NATIVE_MARKER},                                \
        {"blocking", no_argument, NULL, OPTION_BLOCKING},                                          \
        {"no-children", no_argument, NULL, OPTION_NO_CHILDREN},                                    \
        {"threads", no_argument, NULL, OPTION_THREADS}, {                                          \
        "old-viewers", no_argument, NULL, OPTION_OLD_VIEWERS                                       \
    }
/* Their part of a help page. */
#define SAMPLING_HELP                                                                              \
    "      --hz N            so many samples a second (1000; with --blocking 100); 'max': as "     \
    "fast as it goes\n"                                                                            \
    "      --mode MODE       wall: threads that do not sleep (as without it); cpu: those that "    \
    "run on a processor; gil:\n"                                                                   \
    "                        those that hold the GIL\n"                                            \
    "      --idle            threads that sleep or wait, too\n"                                    \
    "      --tasks           asyncio tasks that wait, too, each with what it awaits\n"             \
    "      --function        tell functions apart, not their lines: a smaller file\n"              \
    "      --native-marker   a frame <native> where a function is in C code, <GC> where garbage "  \
    "is collected\n"                                                                               \
    "      --blocking        stop the process for each sample: no stack is ever torn, but the "    \
    "process is slower\n"                                                                          \
    "      --no-children     not the processes that it starts\n"                                   \
    "      --threads         report by thread instead of by function\n"                            \
    "      --old-viewers     write samples as viewers before the middle of 2026 know them\n"

void sampling_request_init(struct sampling_request *request);
/* One of them, its value in `optarg`. Returns -1, or an exit status after it has said what is wrong. */
int sampling_take_option(const char *command, struct sampling_request *to, int option);

/* 0: as fast as it can. */
uint64_t sampling_interval_ns(const struct sampling_request *request);

/* ---- sampling */

struct sampling;

/* Into the recording of this process. Returns 0, MAREY_EINVAL or MAREY_ENOMEM. */
int sampling_open(struct sampling **sampling, const struct sampling_request *request);
/* Only when the thread has ended. */
void sampling_close(struct sampling *sampling);

/* To be called before it runs; one that cannot be sampled is found in the result. `wait`: as sampler_add. Returns 0 or
 * MAREY_ENOMEM. */
int sampling_add(struct sampling *sampling, pid_t pid, bool wait);
/* Samples in this thread until `until_ns` (0: no end), sampling_stop, or all processes have ended. */
void sampling_run(struct sampling *sampling, uint64_t until_ns);
/* The same in a thread of its own, which takes no signals. Returns 0 or MAREY_ENOMEM. */
int sampling_start(struct sampling *sampling);
void sampling_end(struct sampling *sampling); /* stops it, and waits for it */
/* Also from a signal handler. */
void sampling_stop(struct sampling *sampling);

/* Processes that could not be sampled. It stands as long as the sampling; to be looked at when that has ended. */
struct sampling_result {
    uint32_t refused;
    struct text refused_why; /* of the first: "4711 (python3): ..." */
};
const struct sampling_result *sampling_result(const struct sampling *sampling);

#endif
