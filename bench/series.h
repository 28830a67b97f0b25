/* How the C programs of the bench measure and report.
 *
 * A contestant is a function that does the thing 256 times, once at each of 256 call sites. Rounds are interleaved (all
 * contestants, then all again), so that what else the machine does hits them alike. Three clocks are read around each
 * turn: CPU time of the thread, CPU time of the process (it shows work moved to a helper thread) and wall time.
 * Each contestant ends up as one line of JSON on standard output:
 *   {"group": "...", "who": "...", "count": 51200, "thread_ns": [...], "process_ns": [...], "wall_ns": [...]}
 * with nanoseconds for one time of the thing, one entry a round. */
#ifndef MAREY_BENCH_SERIES_H
#define MAREY_BENCH_SERIES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { SITES = 256, ROUNDS_MAX = 200 };

typedef struct {
    uint64_t thread_ns, process_ns, wall_ns;
} moment;

typedef struct {
    const char *who;
    void (*run)(void); /* SITES times */
    moment spent[ROUNDS_MAX];
} contestant;

static inline uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* F("name 00") ... F("name ff"): 256 call sites, as a program with 256 spans has them. */
#define EACH_16(F, p)                                                                              \
    F(p "0")                                                                                       \
    F(p "1")                                                                                       \
    F(p "2")                                                                                       \
    F(p "3")                                                                                       \
    F(p "4")                                                                                       \
    F(p "5")                                                                                       \
    F(p "6") F(p "7") F(p "8") F(p "9") F(p "a") F(p "b") F(p "c") F(p "d") F(p "e") F(p "f")
/* clang-format off */
#define EACH_256(F) \
    EACH_16(F, "name 0") EACH_16(F, "name 1") EACH_16(F, "name 2") EACH_16(F, "name 3") \
    EACH_16(F, "name 4") EACH_16(F, "name 5") EACH_16(F, "name 6") EACH_16(F, "name 7") \
    EACH_16(F, "name 8") EACH_16(F, "name 9") EACH_16(F, "name a") EACH_16(F, "name b") \
    EACH_16(F, "name c") EACH_16(F, "name d") EACH_16(F, "name e") EACH_16(F, "name f")
/* clang-format on */

/* The cheapest read of the time there is: the processor's counter. */
static inline uint64_t counter_ticks(void) {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
#error "the bench knows x86-64 and aarch64"
#endif
}

/* Whether the kernel itself keeps time by it. Where not, a recorder cannot either, and the floor is the system's clock. */
static inline int counter_keeps_time(void) {
    char name[32] = "";
    FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
    if (f && !fgets(name, sizeof name, f))
        name[0] = 0;
    if (f)
        fclose(f);
    return !strncmp(name, "tsc", 3) || !strncmp(name, "arch_sys_counter", 16);
}

#define COUNTER_TWICE(name)                                                                        \
    __asm__ volatile("" ::"r"(counter_ticks()));                                                   \
    __asm__ volatile("" ::"r"(counter_ticks()));
#define SYSTEM_TWICE(name)                                                                         \
    __asm__ volatile("" ::"r"(clock_ns(CLOCK_MONOTONIC)));                                         \
    __asm__ volatile("" ::"r"(clock_ns(CLOCK_MONOTONIC)));

static inline void counter_pairs(void) {
    EACH_256(COUNTER_TWICE)
}

static inline void system_pairs(void) {
    EACH_256(SYSTEM_TWICE)
}

/* What no recorder can beat: two reads of the clock, 256 times. */
static inline contestant floor_contestant(void) {
    return (contestant){.who = "floor", .run = counter_keeps_time() ? counter_pairs : system_pairs};
}

static inline moment moment_now(void) {
    return (moment){clock_ns(CLOCK_THREAD_CPUTIME_ID), clock_ns(CLOCK_PROCESS_CPUTIME_ID),
                    clock_ns(CLOCK_MONOTONIC)};
}

static inline moment moment_since(moment start) {
    moment now = moment_now();
    return (moment){now.thread_ns - start.thread_ns, now.process_ns - start.process_ns,
                    now.wall_ns - start.wall_ns};
}

static inline void turn(contestant *c, int round, unsigned loops) {
    moment start = moment_now();
    for (unsigned i = 0; i < loops; i++)
        c->run();
    c->spent[round] = moment_since(start);
}

static inline void print_clock(const contestant *c, const char *clock, size_t offset, int rounds,
                               double count) {
    printf(", \"%s\": [", clock);
    for (int i = 0; i < rounds; i++) {
        uint64_t spent_ns = *(const uint64_t *)((const char *)&c->spent[i] + offset);
        printf("%s%.3f", i ? ", " : "", (double)spent_ns / count);
    }
    printf("]");
}

static inline void print_series(const char *group, const contestant *c, int rounds,
                                unsigned long count) {
    printf("{\"group\": \"%s\", \"who\": \"%s\", \"count\": %lu", group, c->who, count);
    print_clock(c, "thread_ns", offsetof(moment, thread_ns), rounds, (double)count);
    print_clock(c, "process_ns", offsetof(moment, process_ns), rounds, (double)count);
    print_clock(c, "wall_ns", offsetof(moment, wall_ns), rounds, (double)count);
    printf("}\n");
}

/* Let them all run `rounds` times, loops * SITES things a turn, and print their series. */
static inline void race(const char *group, contestant *all, size_t n, int rounds, unsigned loops) {
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < n; i++)
            turn(&all[i], round, loops);
    for (size_t i = 0; i < n; i++)
        print_series(group, &all[i], rounds, (unsigned long)loops * SITES);
}

static inline void fail(const char *what, const char *why) {
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

#endif
