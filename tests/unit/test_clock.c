/* The clock tells CLOCK_MONOTONIC, and never goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/clock.h"

enum { CLOSE_NS = 1000000 }; /* a busy machine may take us off the processor between two readings */

static uint64_t apart(uint64_t a, uint64_t b) {
    return a > b ? a - b : b - a;
}

static void it_tells_monotonic_time(void **state) {
    (void)state;
    struct clock clock;
    struct clock_pair origin = clock_pair_now();
    clock_init(&clock, origin);
    for (int i = 0; i < 50; i++) {
        uint64_t told = clock_now(&clock), is = clock_monotonic_ns() - origin.ns;
        assert_true(apart(told, is) < CLOSE_NS);
        if (i % 10 == 0)
            clock_correct(&clock, told);
    }
}

static void it_does_not_go_back_when_corrected(void **state) {
    (void)state;
    struct clock clock;
    clock_init(&clock, clock_pair_now());
    uint64_t last = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t now = clock_now(&clock);
        assert_true(now >= last);
        last = now;
        if (i % 100 == 0)
            clock_correct(&clock, last);
    }
}

/* A clock that runs ahead waits for the time; it is not set back before what it has told. */
static void it_waits_rather_than_go_back(void **state) {
    (void)state;
    struct clock clock;
    clock_init(&clock, clock_pair_now());
    if (!clock.rate)
        skip();
    uint64_t ahead = clock_now(&clock) + 500000;
    clock_correct(&clock, ahead);
    assert_true(clock_now(&clock) >= ahead);
}

/* Counters that tick slower than nanoseconds pass (aarch64) are scaled up. */
static void slow_counters_are_scaled(void **state) {
    (void)state;
    struct clock clock = {.base_ticks = 1000,
                          .base_ns = 5,
                          .shift = 6,
                          .rate = (uint64_t)(40.0 / 64 * 18446744073709551616.0)};
    uint64_t ns = clock_at(&clock, 1000 + 25000000); /* a second of a counter of 25 MHz */
    assert_true(apart(ns, 1000000005) < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_monotonic_time),
        cmocka_unit_test(it_does_not_go_back_when_corrected),
        cmocka_unit_test(it_waits_rather_than_go_back),
        cmocka_unit_test(slow_counters_are_scaled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
