/* Windows of a profile: what was added in the last minute and hour, held against every sample that was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/recent.h"

enum { SAMPLES_MAX = 20000, FUNCTIONS = 40, ENTRIES = 100000 };
#define SECOND UINT64_C(1000000000)

struct added {
    uint64_t time_ns;
    uint32_t function, count;
};

static struct profile *whole;
static struct recent *recent;
static struct added samples[SAMPLES_MAX];
static uint32_t sample_count;

static int begin(void **state) {
    (void)state;
    whole = profile_open(10000, 1);
    recent = recent_open(ENTRIES);
    sample_count = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    profile_close(whole);
    recent_close(recent);
    return 0;
}

/* A sample of main; f<number>; leaf, whose weights follow from what it is. */
static void add(uint64_t time_ns, uint32_t function, uint32_t count) {
    char name[16];
    snprintf(name, sizeof name, "f%u", function);
    struct sample_frame frames[] = {
        {.function = 1, .name = "main", .file = "m.py", .line = 3},
        {.function = 2 + function, .name = name, .file = "f.py", .line = (int)function},
        {.function = 1000 + function, .name = "leaf", .file = "f.py", .line = 9},
    };
    struct sample sample = {.time_ns = time_ns, .count = count, .depth = 3, .frames = frames};
    sample.weights_ns[SAMPLE_WALL] = (uint64_t)count * 1000 + function;
    sample.weights_ns[SAMPLE_GIL_WAIT] = count;
    recent_add(recent, profile_add(whole, &sample), &sample);
    assert_true(sample_count < SAMPLES_MAX);
    samples[sample_count++] = (struct added){time_ns, function, count};
}

/* As recent.h has it: sixty kept steps of the window's length / 60 or 12, and the one that goes on. */
static int is_within(uint64_t time_ns, uint64_t now_ns, enum recent_window window) {
    uint64_t step_ns = window == RECENT_MINUTE ? 5 * SECOND : 60 * SECOND;
    uint64_t kept = window == RECENT_MINUTE ? 12 : 60;
    return time_ns / step_ns + kept >= now_ns / step_ns;
}

/* Everything in the window, by function; nodes that nothing is in are not there. */
static void expect(enum recent_window window, uint64_t now_ns) {
    uint64_t counts[FUNCTIONS] = {0}, wall_ns[FUNCTIONS] = {0}, total = 0, seen = 0;
    for (uint32_t i = 0; i < sample_count; i++)
        if (is_within(samples[i].time_ns, now_ns, window)) {
            counts[samples[i].function] += samples[i].count;
            wall_ns[samples[i].function] += (uint64_t)samples[i].count * 1000 + samples[i].function;
            total += samples[i].count;
        }
    struct profile *profile = recent_profile(recent, window, whole, now_ns);
    assert_non_null(profile);
    uint32_t nodes_count, functions_count;
    const struct profile_node *nodes = profile_nodes(profile, &nodes_count);
    const struct profile_function *functions = profile_functions(profile, &functions_count);
    assert_int_equal(nodes[0].total_count, total);
    assert_int_equal(nodes[0].total_ns[SAMPLE_GIL_WAIT], total);
    for (uint32_t i = 2; i < nodes_count; i++) {
        assert_true(nodes[i].total_count > 0);
        if (strcmp(functions[nodes[i].function].name, "leaf") != 0)
            continue;
        uint32_t function = (uint32_t)nodes[nodes[i].parent].line;
        assert_int_equal(nodes[i].self_count, counts[function]);
        assert_int_equal(nodes[i].self_ns[SAMPLE_WALL], wall_ns[function]);
        seen += nodes[i].self_count;
    }
    assert_int_equal(seen, total);
    profile_close(profile);
}

static void expect_both(uint64_t now_ns) {
    expect(RECENT_MINUTE, now_ns);
    expect(RECENT_HOUR, now_ns);
}

static void nothing_is_in_an_empty_one(void **state) {
    (void)state;
    expect_both(0);
    expect_both(7000 * SECOND);
}

static void a_sample_leaves_the_minute_and_then_the_hour(void **state) {
    (void)state;
    const uint64_t begin_ns = 1000000 * SECOND;
    add(begin_ns, 1, 3);
    for (uint64_t s = 0; s < 3700; s++) {
        struct profile *minute =
            recent_profile(recent, RECENT_MINUTE, whole, begin_ns + s * SECOND);
        struct profile *hour = recent_profile(recent, RECENT_HOUR, whole, begin_ns + s * SECOND);
        uint32_t count;
        uint64_t in_minute = profile_nodes(minute, &count)->total_count;
        uint64_t in_hour = profile_nodes(hour, &count)->total_count;
        assert_true(s > 60 || in_minute == 3);
        assert_true(s < 65 || in_minute == 0);
        assert_true(s > 3600 || in_hour == 3);
        assert_true(s < 3660 || in_hour == 0);
        profile_close(minute);
        profile_close(hour);
    }
}

/* Work, with rests of any length, asked at any time: each answer is what a list of all samples says. */
static void windows_are_what_the_samples_say(void **state) {
    (void)state;
    uint64_t now_ns = 123456789 * SECOND;
    srandom(6);
    for (int turn = 0; turn < 2000; turn++) {
        static const uint64_t rests_ns[] = {SECOND / 100, SECOND / 10, 2 * SECOND, 20 * SECOND};
        now_ns += rests_ns[random() % 4] * (uint64_t)(random() % 10);
        if (random() % 200 == 0)
            now_ns += (uint64_t)(random() % 8000) * SECOND;
        add(now_ns, (uint32_t)random() % FUNCTIONS, 1 + (uint32_t)random() % 9);
        if (turn % 10 == 0)
            expect_both(now_ns);
    }
}

static void clear_forgets(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        add(i * SECOND, i % FUNCTIONS, 1);
    profile_clear(whole);
    recent_clear(recent);
    sample_count = 0;
    expect_both(1000 * SECOND);
    add(1001 * SECOND, 5, 1);
    expect_both(1002 * SECOND);
}

/* With too little memory for an hour the newest is kept, and the minute is whole as long as it can be. */
static void the_limit_takes_the_oldest(void **state) {
    (void)state;
    recent_close(recent);
    /* 14 steps' and minutes' are needed for the minute alone */
    recent = recent_open(20 * FUNCTIONS);
    uint64_t now_ns = 0;
    for (uint32_t i = 0; i < 15000; i++)
        add(now_ns = 1000 * SECOND + i * SECOND / 10, i % FUNCTIONS, 1);
    expect(RECENT_MINUTE, now_ns);
    struct profile *hour = recent_profile(recent, RECENT_HOUR, whole, now_ns);
    uint32_t count;
    uint64_t kept = profile_nodes(hour, &count)->total_count;
    assert_true(kept >= 600 && kept < 6000);
    profile_close(hour);
}

/* What found no place in the tree is "(other)" in a window, too. */
static void what_is_left_out_of_the_profile_stays_so(void **state) {
    (void)state;
    profile_close(whole);
    whole = profile_open(16, 1);
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        add(SECOND, i, 1);
    struct profile *minute = recent_profile(recent, RECENT_MINUTE, whole, SECOND);
    uint32_t count, of_whole;
    const struct profile_node *nodes = profile_nodes(minute, &count);
    const struct profile_node *others = profile_nodes(whole, &of_whole);
    assert_int_equal(count, of_whole);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(nodes[i].function == 1, others[i].function == 1);
        assert_int_equal(nodes[i].total_count, others[i].total_count);
    }
    assert_int_equal(profile_lost(minute), profile_lost(whole));
    profile_close(minute);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_in_an_empty_one, begin, end),
        cmocka_unit_test_setup_teardown(a_sample_leaves_the_minute_and_then_the_hour, begin, end),
        cmocka_unit_test_setup_teardown(windows_are_what_the_samples_say, begin, end),
        cmocka_unit_test_setup_teardown(clear_forgets, begin, end),
        cmocka_unit_test_setup_teardown(the_limit_takes_the_oldest, begin, end),
        cmocka_unit_test_setup_teardown(what_is_left_out_of_the_profile_stays_so, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
