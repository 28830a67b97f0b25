/* What the programs of this folder share. Each says what it did on standard output, "key value" a line; the Python
 * test beside it holds that against the trace. */
#ifndef MAREY_TESTS_CRASH_COMMON_H
#define MAREY_TESTS_CRASH_COMMON_H

#include <errno.h>
#include <marey.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The program cannot do what it is for. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));  \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)

static inline void say(const char *key, long long value) {
    printf("%s %lld\n", key, value);
    fflush(stdout);
}

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void sleep_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0)
        continue;
}

static inline uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static inline marey_losses losses_now(void) {
    marey_status_info info;
    MUST(marey_status(&info) == 0);
    return info.losses;
}

static inline void say_losses(void) {
    marey_losses lost = losses_now();
    say("disk", (long long)lost.disk);
    say("limit", (long long)lost.limit);
    say("depth", (long long)lost.depth);
    say("reentry", (long long)lost.reentry);
    say("ring", (long long)lost.ring);
    say("arguments", (long long)lost.arguments);
}

static inline pthread_t start_thread(void *(*run)(void *), void *argument) {
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, run, argument) == 0);
    return thread;
}

static inline void run_in_thread(void *(*run)(void *), void *argument) {
    MUST(pthread_join(start_thread(run, argument), NULL) == 0);
}

struct command {
    const char *name;
    void (*run)(char **arguments);
};

/* Runs the one of `commands` (the last has no name) that the first argument names, with those behind it. */
static inline int run_command(const struct command *commands, int argc, char **argv) {
    for (; argc > 1 && commands->name; commands++)
        if (strcmp(commands->name, argv[1]) == 0) {
            commands->run(argv + 2);
            return 0;
        }
    fprintf(stderr, "%s: no such command\n", argv[0]);
    return 98;
}

#endif
