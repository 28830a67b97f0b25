/* Where the sampling thread may run. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/aside.h"
#include "stack/proc.h"

static cpu_set_t everywhere; /* what the machine lets this program have */

static int may_run_everywhere(void **state) {
    (void)state;
    return sched_setaffinity(0, sizeof everywhere, &everywhere);
}

static cpu_set_t allowed(void) {
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return set;
}

static bool allows_exactly(const cpu_set_t *wanted) {
    cpu_set_t set = allowed();
    return CPU_EQUAL(&set, wanted);
}

static int first_of(const cpu_set_t *set) {
    int cpu = 0;
    while (!CPU_ISSET(cpu, set))
        cpu++;
    return cpu;
}

static cpu_set_t only(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return set;
}

static void need_two_processors(void) {
    if (CPU_COUNT(&everywhere) < 2)
        skip();
}

static void it_leaves_the_busy_ones_and_comes_back(void **state) {
    (void)state;
    need_two_processors();
    struct aside aside;
    cpu_set_t busy = only(first_of(&everywhere)), rest = everywhere;
    CPU_CLR(first_of(&everywhere), &rest);
    aside_begin(&aside);
    aside_from(&aside, &busy, first_of(&busy), 0);
    assert_true(allows_exactly(&rest));
    assert_int_not_equal(proc_thread_cpu(getpid(), gettid()), first_of(&everywhere));
    CPU_ZERO(&busy);
    aside_from(&aside, &busy, first_of(&rest), 0);
    assert_true(allows_exactly(&everywhere));
    busy = only(first_of(&rest));
    aside_from(&aside, &busy, first_of(&busy), 0);
    assert_false(CPU_ISSET(first_of(&rest), &aside.chosen));
    aside_end(&aside);
    assert_true(allows_exactly(&everywhere));
}

static void where_all_are_busy_it_stays(void **state) {
    (void)state;
    struct aside aside;
    aside_begin(&aside);
    aside_from(&aside, &everywhere, first_of(&everywhere), 0);
    assert_true(allows_exactly(&everywhere));
    aside_end(&aside);
}

static void who_disturbs_nobody_stays(void **state) {
    (void)state;
    need_two_processors();
    struct aside aside;
    cpu_set_t busy = only(first_of(&everywhere)), rest = everywhere;
    CPU_CLR(first_of(&everywhere), &rest);
    aside_begin(&aside);
    aside_from(&aside, &busy, first_of(&rest), 0);
    assert_true(allows_exactly(&everywhere));
    aside_from(&aside, &busy, -1, 0); /* it is not known where that is */
    assert_true(allows_exactly(&everywhere));
    aside_end(&aside);
}

static void it_looks_often_only_where_something_changes(void **state) {
    (void)state;
    need_two_processors();
    struct aside aside;
    cpu_set_t busy = only(first_of(&everywhere)), nothing;
    CPU_ZERO(&nothing);
    aside_begin(&aside);
    assert_int_equal(aside.look_ns, 0);
    for (uint64_t after_ns = ASIDE_LOOK_NS; after_ns <= ASIDE_LOOK_MAX_NS; after_ns *= 2) {
        aside_from(&aside, &busy, first_of(&busy), 1000);
        assert_false(allows_exactly(&everywhere));
        assert_int_equal(aside.look_ns, 1000 + after_ns);
    }
    aside_from(&aside, &busy, first_of(&busy), 1000); /* is it needed still? */
    assert_true(allows_exactly(&everywhere));
    assert_int_equal(aside.look_ns, 1000 + ASIDE_LOOK_NS);
    aside_from(&aside, &busy, first_of(&busy), 1000);
    assert_false(allows_exactly(&everywhere));
    aside_from(&aside, &nothing, first_of(&busy), 1000);
    assert_int_equal(aside.look_ns, 1000 + ASIDE_LOOK_NS);
    aside_from(&aside, &busy, first_of(&busy), 1000);
    aside_pause(&aside, 1000);
    assert_true(allows_exactly(&everywhere));
    assert_int_equal(aside.look_ns, 1000 + ASIDE_PAUSE_NS);
    aside_end(&aside);
}

static void what_others_say_counts(void **state) {
    (void)state;
    need_two_processors();
    struct aside aside;
    cpu_set_t busy = only(first_of(&everywhere)), nothing;
    CPU_ZERO(&nothing);
    aside_begin(&aside);
    aside_from(&aside, &busy, first_of(&busy), 0);
    sched_setaffinity(0, sizeof busy, &busy);
    aside_from(&aside, &nothing, first_of(&busy), 0);
    assert_true(allows_exactly(&busy));
    aside_end(&aside);
    assert_true(allows_exactly(&busy));
}

static void the_processor_of_a_thread(void **state) {
    (void)state;
    cpu_set_t one = only(first_of(&everywhere));
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(proc_thread_cpu(getpid(), gettid()), first_of(&everywhere));
    assert_int_equal(proc_thread_cpu(getpid(), INT32_MAX), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(it_leaves_the_busy_ones_and_comes_back, may_run_everywhere),
        cmocka_unit_test_teardown(where_all_are_busy_it_stays, may_run_everywhere),
        cmocka_unit_test_teardown(who_disturbs_nobody_stays, may_run_everywhere),
        cmocka_unit_test_teardown(it_looks_often_only_where_something_changes, may_run_everywhere),
        cmocka_unit_test_teardown(what_others_say_counts, may_run_everywhere),
        cmocka_unit_test_teardown(the_processor_of_a_thread, may_run_everywhere),
    };
    everywhere = allowed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
