/* What the tests of significance claim: how often they see a difference where there is none, and whether they see one that
 * is there. By simulation, always with the same numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "model/chance.h"

static uint64_t random_state;

/* xorshift64*: from 0 to 1. */
static double chance(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (double)((random_state * 2685821657736338717ull) >> 11) / 9007199254740992.0;
}

/* A program in one of two functions, sampled: it stays in the one it is in for `stay` samples on the average, and is in the
 * first for that share of the time. */
static void sample_program(struct chance_share *share, struct chance_whole *whole, uint32_t count,
                           double part, double stay) {
    int inside = chance() < part;
    double out = 1 / stay / (2 * (1 - part)), in = 1 / stay / (2 * part);
    *share = (struct chance_share){0};
    *whole = (struct chance_whole){count, count};
    for (uint32_t i = 0; i < count; i++) {
        if (stay <= 1)
            inside = chance() < part;
        else if (chance() < (inside ? in : out))
            inside = !inside;
        if (inside)
            chance_share_add(share, whole, i, 1);
    }
}

static double found_shares(int rounds, uint32_t count, double before, double after, double stay,
                           double level) {
    int found = 0;
    for (int round = 0; round < rounds; round++) {
        struct chance_share a, b;
        struct chance_whole a_whole, b_whole;
        sample_program(&a, &a_whole, count, before, stay);
        sample_program(&b, &b_whole, count, after, stay);
        found += chance_of_shares(&a, &a_whole, &b, &b_whole) < level;
    }
    return (double)found / rounds;
}

static void equal_programs_are_equal(void **state) {
    static const double shares[] = {0.01, 0.1, 0.5}, stays[] = {1, 10, 50};
    (void)state;
    random_state = 1;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double found = found_shares(1500, 10000, shares[i], shares[i], stays[j], 0.01);
            print_message("share %.2f, stays %2.0f: %.4f below 0.01\n", shares[i], stays[j], found);
            assert_true(found < 0.02);
        }
}

/* Without batches, samples that follow each other would be taken for independent ones. */
static void a_shift_of_five_points_is_found(void **state) {
    (void)state;
    random_state = 2;
    assert_true(found_shares(200, 10000, 0.10, 0.15, 1, 0.01) > 0.99);
    assert_true(found_shares(200, 10000, 0.50, 0.55, 1, 0.01) > 0.99);
    assert_true(found_shares(200, 100000, 0.20, 0.25, 10, 0.01) > 0.99);
}

/* A program that first does something else, then this: at which sample it begins is the same in each run, within one or two. */
static double chance_of_phases(uint32_t count, double before, double after) {
    struct chance_share share[2] = {{.sum = 0}, {.sum = 0}};
    struct chance_whole whole = {count, count};
    for (int side = 0; side < 2; side++) {
        double begin = (1 - (side ? after : before)) * count + 4 * chance() - 2;
        for (uint32_t i = 0; i < count; i++)
            if (i >= begin)
                chance_share_add(&share[side], &whole, i, 1);
    }
    return chance_of_shares(&share[0], &whole, &share[1], &whole);
}

static void a_longer_phase_is_found(void **state) {
    (void)state;
    random_state = 5;
    for (int round = 0; round < 100; round++) {
        assert_true(chance_of_phases(500, 0.10, 0.35) < 0.01);
        assert_true(chance_of_phases(500, 0.30, 0.30) > 0.5);
    }
}

static void too_little_says_nothing(void **state) {
    struct chance_share a = {.sum = 5, .in_batch = 5}, none = {0};
    struct chance_whole whole = {1000, 1000}, nothing = {0, 0};
    (void)state;
    assert_true(chance_of_shares(&a, &whole, &none, &whole) == 1);
    assert_true(chance_of_shares(&a, &whole, &none, &nothing) == 1);
}

/* ---------------------------------------------------------------- durations */

enum { DURATIONS = 400 };

/* Around 1 ms, mostly shorter and now and then much longer, as durations are; each partly like the one before. */
static void run_program(int64_t *durations, double factor, double like_before) {
    double state = 0;
    for (int i = 0; i < DURATIONS; i++) {
        double normal = sqrt(-2 * log(1 - chance())) * cos(6.283185307179586 * chance());
        state = like_before * state + sqrt(1 - like_before * like_before) * normal;
        durations[i] = (int64_t)(1e6 * factor * exp(0.3 * state));
    }
}

static double found_durations(int rounds, double factor, double like_before, double level) {
    static int64_t a[DURATIONS], b[DURATIONS];
    int found = 0;
    for (int round = 0; round < rounds; round++) {
        run_program(a, 1, like_before);
        run_program(b, factor, like_before);
        found += chance_of_durations(a, DURATIONS, b, DURATIONS) < level;
    }
    return (double)found / rounds;
}

static void equal_durations_are_equal(void **state) {
    static const double likes[] = {0, 0.3, 0.6};
    (void)state;
    random_state = 3;
    for (int i = 0; i < 3; i++) {
        double found = found_durations(1500, 1, likes[i], 0.01);
        print_message("like before %.1f: %.4f below 0.01\n", likes[i], found);
        assert_true(found < 0.02);
    }
}

static void slower_durations_are_found(void **state) {
    (void)state;
    random_state = 4;
    assert_true(found_durations(200, 1.15, 0, 0.01) > 0.95);
    assert_true(found_durations(200, 1.20, 0.3, 0.01) > 0.95);
}

/* By hand: 1 2 3 4 5 against 6 7 8 9 10; the normal approximation gives z = 2.611. */
static void durations_by_hand(void **state) {
    static const int64_t a[] = {1, 2, 3, 4, 5}, b[] = {6, 7, 8, 9, 10}, equal[] = {7, 7, 7, 7, 7};
    (void)state;
    assert_true(fabs(chance_of_durations(a, 5, b, 5) - 0.00902) < 0.0001);
    assert_true(chance_of_durations(equal, 5, equal, 5) == 1);
    assert_true(chance_of_durations(a, 3, b, 5) == 1);
}

/* --------------------------------------------------------------- correction */

static void corrected_by_hand(void **state) {
    double values[] = {0.04, 0.01, 0.03, 0.005, 0.9};
    static const double expected[] = {0.05, 0.025, 0.05, 0.025, 0.9};
    (void)state;
    assert_int_equal(chance_correct(values, 5), 0);
    for (int i = 0; i < 5; i++)
        assert_true(fabs(values[i] - expected[i]) < 1e-9);
    assert_int_equal(chance_correct(values, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_programs_are_equal),
        cmocka_unit_test(a_shift_of_five_points_is_found),
        cmocka_unit_test(a_longer_phase_is_found),
        cmocka_unit_test(too_little_says_nothing),
        cmocka_unit_test(equal_durations_are_equal),
        cmocka_unit_test(slower_durations_are_found),
        cmocka_unit_test(durations_by_hand),
        cmocka_unit_test(corrected_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
