/* The calls of a trace as a forest: pieces, times, filters, functions, and traces that nobody would write. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "reading.h"

#include "model/call_stats.h"

/* What an event says beside its name: numbers, and texts where `text` is set. */
struct note {
    const char *key;
    uint64_t number;
    const char *text;
};

static void put_note(const struct note *note) {
    size_t start = file.size;
    put_text(&file, ANNOTATION__name, note->key);
    if (note->text)
        put_text(&file, ANNOTATION__string_value, note->text);
    else
        put_number(&file, ANNOTATION__uint_value, note->number);
    put_within(&file, EVENT__debug_annotations, start);
}

static void put_noted(int type, const char *name, const char *category, const struct note *note) {
    size_t packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, 10);
    size_t event = file.size;
    put_number(&file, EVENT__type, (uint64_t)type);
    if (name)
        put_text(&file, EVENT__name, name);
    if (category)
        put_text(&file, EVENT__categories, category);
    if (note)
        put_note(note);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
}

static void put_begin(const char *name) {
    put_noted(EVENT_BEGIN, name, "call", NULL);
}

static void put_piece(const char *name, uint64_t invocation) {
    put_noted(EVENT_BEGIN, name, "call", &(struct note){"(call)", invocation, NULL});
}

static void put_end(const struct note *note) {
    put_noted(EVENT_END, NULL, NULL, note);
}

static struct trace trace;
static struct calls calls;

static void start(void) {
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
}

static void read_calls(void) {
    assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, TRACE_ARGUMENTS), 0);
    assert_int_equal(calls_make(&calls, &trace), 0);
}

static int tear_down(void **state) {
    (void)state;
    calls_free(&calls);
    trace_free(&trace);
    return 0;
}

static const char *name_of(uint32_t call) {
    return trace_text(&trace, calls.functions[calls.all[call].function].name);
}

static void times_of_nested_calls(void **state) {
    (void)state;
    start();
    put_begin("outer");
    put_begin("inner");
    put_end(NULL);
    put_begin("inner");
    put_end(&(struct note){"exception", 0, "ValueError: no"});
    put_end(NULL);
    read_calls();
    assert_int_equal(calls.count, 3);
    assert_int_equal(calls.root_count, 1);
    const struct call *outer = &calls.all[calls.roots[0]], *second = &calls.all[2];
    assert_int_equal(outer->elapsed_ns, 50);
    assert_int_equal(outer->self_ns, 30);
    assert_int_equal(outer->waiting_ns, 0);
    assert_int_equal(outer->first_child, 1);
    assert_int_equal(calls.all[1].next, 2);
    assert_true(second->flags & CALL_HAS_FAILED);
    assert_string_equal(calls_exception(&calls, second), "ValueError: no");
    assert_int_equal(calls_inside(&calls, 0), 2);
}

static void pieces_are_one_call(void **state) {
    (void)state;
    const struct note yields = {"(suspended)", 0, "yield"};
    start();
    put_piece("numbers", 7); /* 10 */
    put_end(&yields);        /* 20 */
    put_begin("use");        /* 30 */
    put_piece("numbers", 7); /* 40 */
    put_begin("inside");     /* 50 */
    put_end(NULL);           /* 60 */
    put_end(NULL);           /* 70 */
    put_end(NULL);           /* 80 */
    put_piece("numbers", 8);
    put_end(&yields);
    read_calls();
    assert_int_equal(calls.count, 4);
    const struct call *first = &calls.all[0], *use = &calls.all[1], *last = &calls.all[3];
    assert_int_equal(first->pieces, 2);
    assert_int_equal(first->elapsed_ns, 60);
    assert_int_equal(first->waiting_ns, 20);
    assert_int_equal(first->self_ns, 30);
    assert_string_equal(name_of(first->first_child), "inside");
    assert_int_equal(use->first_child, CALL_NONE); /* it resumed a call that is another's */
    assert_int_equal(use->self_ns, 20);
    assert_false(first->flags & CALL_IS_SUSPENDED);
    assert_true(last->flags & CALL_IS_SUSPENDED);
    assert_true(last->flags & CALL_HAS_YIELDED);
}

static void calls_without_an_end(void **state) {
    (void)state;
    start();
    put_begin("main");
    put_begin("done");
    put_end(NULL);
    put_begin("cut");
    put_end(&(struct note){"(open)", 1, NULL});
    read_calls();
    assert_true(calls.all[0].flags & CALL_IS_OPEN);
    assert_int_equal(calls.all[0].elapsed_ns, 40);
    assert_int_equal(calls.all[0].self_ns, 20);
    assert_false(calls.all[1].flags & CALL_IS_OPEN);
    assert_true(calls.all[2].flags & CALL_IS_OPEN);
}

static void a_scope_is_no_call(void **state) {
    (void)state;
    start();
    put_begin("around");
    put_noted(EVENT_BEGIN, "calls: label", "calls", NULL);
    put_begin("inside");
    put_end(NULL);
    put_end(&(struct note){"limit", 0, "max_calls"});
    put_end(NULL);
    read_calls();
    assert_int_equal(calls.count, 2);
    assert_int_equal(calls.all[1].parent, 0);
    assert_int_equal(calls.scope_count, 1);
    assert_string_equal(trace_text(&trace, calls.scopes[0].label), "label");
    assert_string_equal(trace_text(&trace, calls.scopes[0].limit), "max_calls");
    assert_int_equal(calls.all[0].self_ns, 40); /* the scope's own time is that of who is around */
}

static void recursion_counts_once(void **state) {
    (void)state;
    struct call_stats stats;
    start();
    for (int i = 0; i < 3; i++)
        put_begin(i == 1 ? "other" : "down");
    for (int i = 0; i < 3; i++)
        put_end(NULL);
    put_begin("down");
    put_end(NULL);
    read_calls();
    assert_int_equal(call_stats_make(&stats, &calls), 0);
    assert_int_equal(stats.count, 2);
    const struct call_stats_row *down = &stats.rows[0];
    assert_string_equal(trace_text(&trace, calls.functions[down->function].name), "down");
    assert_int_equal(down->calls, 3);
    assert_int_equal(down->total_ns, 60);
    assert_int_equal(down->self_ns, 40);
    assert_int_equal(down->min_ns, 10);
    assert_int_equal(down->p50_ns, 10);
    assert_int_equal(down->max_ns, 50);
    call_stats_free(&stats);
}

static void filters_promote_children(void **state) {
    (void)state;
    struct calls wanted;
    const char *const names[] = {"!middle"};
    const struct call_filter filter = {.names = names, .name_count = 1};
    start();
    put_begin("outer");
    put_begin("middle");
    put_begin("inner");
    for (int i = 0; i < 3; i++)
        put_end(NULL);
    read_calls();
    assert_int_equal(calls_filter(&wanted, &calls, &filter), 0);
    assert_int_equal(wanted.count, 2);
    assert_int_equal(wanted.all[1].parent, 0);
    assert_int_equal(wanted.all[0].self_ns + wanted.all[1].self_ns, 50);
    calls_free(&wanted);
}

/* Pieces that are inside each other, of invocations that each hold the other: it is a forest all the same. */
static void pieces_in_a_circle(void **state) {
    (void)state;
    start();
    put_piece("a", 1);
    put_piece("b", 2);
    put_end(NULL);
    put_end(NULL);
    put_piece("b", 2);
    put_piece("a", 1);
    put_piece("a", 1);
    for (int i = 0; i < 3; i++)
        put_end(NULL);
    read_calls();
    assert_int_equal(calls.count, 2);
    assert_int_equal(calls.root_count, 1);
    assert_int_equal(calls.all[1].parent, 0);
    for (uint32_t i = 0; i < calls.count; i++) {
        assert_true(calls.all[i].self_ns >= 0);
        assert_true(calls.all[i].waiting_ns >= 0);
    }
}

/* A chain of generators, each begun in a later piece of the one before: deeper than any stack of spans. */
static void depth_beyond_that_of_spans(void **state) {
    enum { DEPTH = 3000 };
    (void)state;
    start();
    put_piece("link", 1);
    put_end(NULL);
    for (uint64_t i = 1; i < DEPTH; i++) {
        put_piece("link", i);
        put_piece("link", i + 1);
        put_end(NULL);
        put_end(NULL);
    }
    read_calls();
    assert_int_equal(calls.count, DEPTH);
    assert_int_equal(calls_inside(&calls, 0), DEPTH - 1);
    struct call_stats stats;
    assert_int_equal(call_stats_make(&stats, &calls), 0);
    assert_int_equal(stats.rows[0].calls, DEPTH);
    assert_int_equal(stats.rows[0].total_ns, calls.all[0].elapsed_ns);
    call_stats_free(&stats);
}

/* Whatever calls there are, the table is the same with and without a forest. */
static void put_random_calls(unsigned *seed) {
    static const char *const names[] = {"a", "b", "c", "d"};
    uint32_t depth = 0;
    for (int i = 0; i < 300; i++) {
        int goes_down = depth == 0 || (depth < 40 && rand_r(seed) % 2);
        uint64_t piece = (uint64_t)rand_r(seed) % 8;
        if (!goes_down)
            put_end(NULL);
        else if (piece < 2 &&
                 depth == 0) /* generators are outermost: what is around all pieces is the same */
            put_piece(names[piece], 1 + piece);
        else
            put_begin(names[rand_r(seed) % 4]);
        depth += goes_down ? 1 : -1u;
    }
}

static void expect_same_row(const struct call_stats_row *a, const struct call_stats_row *b) {
    assert_int_equal(a->calls, b->calls);
    assert_int_equal(a->open, b->open);
    assert_int_equal(a->total_ns, b->total_ns);
    assert_int_equal(a->self_ns, b->self_ns);
    assert_int_equal(a->waiting_ns, b->waiting_ns);
    assert_int_equal(a->min_ns, b->min_ns);
    assert_int_equal(a->mean_ns, b->mean_ns);
    assert_int_equal(a->p50_ns, b->p50_ns);
    assert_int_equal(a->p99_ns, b->p99_ns);
    assert_int_equal(a->max_ns, b->max_ns);
}

static void expect_same_tables(const struct trace_filter *filter) {
    struct calls forest, functions;
    struct call_stats with, without;
    assert_int_equal(calls_make_part(&forest, &trace, filter), 0);
    assert_int_equal(call_stats_make(&with, &forest), 0);
    assert_int_equal(call_stats_of_spans(&without, &functions, &trace, filter), 0);
    assert_int_equal(forest.call_count, functions.call_count);
    assert_int_equal(with.count, without.count);
    for (uint32_t i = 0; i < with.count; i++)
        expect_same_row(&with.rows[i], &without.rows[i]);
    call_stats_free(&with);
    call_stats_free(&without);
    calls_free(&forest);
    calls_free(&functions);
}

static void same_table_without_a_forest(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 50; seed++) {
        unsigned chance = seed;
        file.size = 0;
        start();
        put_random_calls(&chance);
        read_calls();
        struct trace_filter filter = {0};
        expect_same_tables(&filter);
        filter.from_ns = trace.first_ns + 700;
        filter.to_ns = trace.last_ns - 800;
        expect_same_tables(&filter);
        tear_down(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(times_of_nested_calls),       TEST(pieces_are_one_call),
        TEST(calls_without_an_end),        TEST(a_scope_is_no_call),
        TEST(recursion_counts_once),       TEST(filters_promote_children),
        TEST(pieces_in_a_circle),          TEST(depth_beyond_that_of_spans),
        TEST(same_table_without_a_forest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
