/* The recording's clock: the processor's counter, told in nanoseconds of CLOCK_MONOTONIC.
 *
 * Reading the clock is most of what recording costs, so the time stamp counter (x86-64) or the generic timer (aarch64) is
 * read where the kernel itself keeps time by it, and clock_gettime elsewhere. Each writer has a struct clock of its
 * own and sets it anew now and then against CLOCK_MONOTONIC, over the whole time since the session began: what is
 * left of an error of the rate shrinks as the session goes on. */
#ifndef MAREY_TRACE_CLOCK_H
#define MAREY_TRACE_CLOCK_H

#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* The same instant on both clocks. */
struct clock_pair {
    uint64_t ticks;
    uint64_t ns; /* of CLOCK_MONOTONIC */
};

struct clock {
    uint64_t base_ticks;
    uint64_t base_ns; /* since the session's origin */
    uint64_t rate;    /* nanoseconds a tick, times 2^(64 - shift); 0: clock_gettime is used */
    uint64_t origin_ns;
    /* 0 for a counter of over 1 GHz, so that the product's high half is the result */
    unsigned shift;
    struct clock_pair slope_from; /* the rate is measured from here on */
};

/* 1 where this machine's counter is fit to tell the time; decided once. */
int clock_counter_usable(void);

/* Both clocks read as close together as can be had. */
struct clock_pair clock_pair_now(void);

/* Nanoseconds of CLOCK_MONOTONIC by the system call. */
uint64_t clock_monotonic_ns(void);

/* A clock of the session that began at `origin`. May spin up to a millisecond where `origin` is just now and the
 * process has not measured the counter's rate yet. */
void clock_init(struct clock *clock, struct clock_pair origin);

/* Set it anew; afterwards it does not read less than `at_least` (nanoseconds since the origin). */
void clock_correct(struct clock *clock, uint64_t at_least);

static inline uint64_t clock_ticks(void) {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#endif
}

static inline uint64_t clock_at(const struct clock *clock, uint64_t ticks) {
    uint64_t scaled = (ticks - clock->base_ticks) << clock->shift;
    return clock->base_ns + (uint64_t)(((unsigned __int128)scaled * clock->rate) >> 64);
}

/* A reading of the clock, to be told in several clocks' nanoseconds later: the counter where that is usable, else nanoseconds of
 * CLOCK_MONOTONIC. */
static inline uint64_t clock_stamp(void) {
    return clock_counter_usable() ? clock_ticks() : clock_monotonic_ns();
}

/* It may be older than the clock was last set, but then not by much. */
static inline uint64_t clock_stamped(const struct clock *clock, uint64_t stamp) {
    if (__builtin_expect(clock->rate == 0, 0))
        return (clock_counter_usable() ? clock_monotonic_ns() : stamp) - clock->origin_ns;
    return stamp > clock->base_ticks ? clock_at(clock, stamp) : clock->base_ns;
}

/* How long a clock is trusted. An error of its rate of a tenth of a thousandth, as after a millisecond's measuring, makes a
 * microsecond of that. */
enum { CLOCK_FRESH_NS = 10000000 };

static inline int clock_is_fresh(const struct clock *clock, uint64_t now) {
    return now - clock->base_ns < CLOCK_FRESH_NS;
}

/* Nanoseconds since the session's origin. */
static inline uint64_t clock_now(const struct clock *clock) {
    if (__builtin_expect(clock->rate == 0, 0))
        return clock_monotonic_ns() - clock->origin_ns;
    return clock_at(clock, clock_ticks());
}

#endif
