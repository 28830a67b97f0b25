/* Which part of spans and samples lies within a time. */
#include "reading.h"

#include "model/filter.h"

static const struct trace_filter within = {.from_ns = 1000, .to_ns = 2000};

static void expect_part(int64_t begin_ns, int64_t end_ns, int64_t part_begin_ns,
                        int64_t part_end_ns) {
    assert_true(filter_clip(&within, &begin_ns, &end_ns));
    assert_int_equal(begin_ns, part_begin_ns);
    assert_int_equal(end_ns, part_end_ns);
}

static void expect_none(int64_t begin_ns, int64_t end_ns) {
    int64_t begin = begin_ns, end = end_ns;
    assert_false(filter_clip(&within, &begin, &end));
    assert_int_equal(begin, begin_ns);
    assert_int_equal(end, end_ns);
}

static void parts_of_spans(void **state) {
    (void)state;
    expect_part(1200, 1300, 1200, 1300);
    expect_part(500, 1300, 1000, 1300);
    expect_part(1200, 9000, 1200, 2000);
    expect_part(0, INT64_MAX, 1000, 2000);
    expect_none(500, 1000);
    expect_none(2000, 3000);
    /* what has no length is where it is */
    expect_part(1000, 1000, 1000, 1000);
    expect_none(2000, 2000);
    expect_none(999, 999);
}

/* `count` samples, 100 ns each, from a time on. */
static struct taken_sample run_of(uint32_t count, int64_t time_ns) {
    struct taken_sample run = {.time_ns = time_ns, .count = count};
    run.weights_ns[SAMPLE_WALL] = 100 * (uint64_t)count;
    run.weights_ns[SAMPLE_CPU] = 50 * (uint64_t)count;
    return run;
}

static void expect_samples(uint32_t count, int64_t time_ns, uint32_t part) {
    struct taken_sample run = run_of(count, time_ns);
    assert_int_equal(filter_clip_sample(&within, &run), part > 0);
    assert_int_equal(run.count, part);
    assert_int_equal(run.weights_ns[SAMPLE_WALL], 100 * part);
    assert_int_equal(run.weights_ns[SAMPLE_CPU], 50 * part);
}

static void parts_of_samples(void **state) {
    (void)state;
    expect_samples(1, 1000, 1);
    expect_samples(1, 1950, 1);
    expect_samples(1, 999, 0);
    expect_samples(1, 2000, 0);
    expect_samples(4, 1000, 4);
    expect_samples(4, 800, 2);  /* at 800, 900; 1000, 1100 */
    expect_samples(4, 799, 1);  /* ... 999; 1099 */
    expect_samples(4, 1800, 2); /* 1800, 1900; 2000, 2100 */
    expect_samples(4, 1801, 2);
    expect_samples(40, 500, 10);
    expect_samples(UINT32_MAX, 0, 10);
}

/* Samples of writers that weigh nothing are all at their time. */
static void samples_without_weights(void **state) {
    (void)state;
    struct taken_sample inside = {.time_ns = 1500, .count = 7},
                        before = {.time_ns = 900, .count = 7};
    assert_true(filter_clip_sample(&within, &inside));
    assert_int_equal(inside.count, 7);
    assert_false(filter_clip_sample(&within, &before));
}

/* Two periods that meet share everything out between them, and lose nothing. */
static void periods_add_up(void **state) {
    (void)state;
    for (int64_t at = 900; at < 2200; at += 7) {
        const struct trace_filter first = {.to_ns = at}, second = {.from_ns = at};
        struct taken_sample a = run_of(9, 1050), b = a;
        filter_clip_sample(&first, &a);
        filter_clip_sample(&second, &b);
        assert_int_equal(a.count + b.count, 9);
        assert_int_equal(a.weights_ns[SAMPLE_WALL] + b.weights_ns[SAMPLE_WALL], 900);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_spans),
        cmocka_unit_test(parts_of_samples),
        cmocka_unit_test(samples_without_weights),
        cmocka_unit_test(periods_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
