/* Spans and calls as a profile: own times, parts of a trace, pieces of generators, and whose they are. */
#include "reading.h"

#include <stdio.h>

#include "model/span_profile.h"
#include "profile_find.h"

enum { OTHER_TRACK = 8, OTHER_TID = 12 };

/* `after_ns` since the event before. category: NULL: none. invocation: of a generator; 0: it is none. */
static void put_span_event(int type, uint64_t after_ns, uint64_t track, const char *name,
                           const char *category, uint64_t invocation) {
    size_t packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, after_ns);
    size_t event = file.size;
    put_number(&file, EVENT__type, (uint64_t)type);
    put_number(&file, EVENT__track_uuid, track);
    if (name)
        put_text(&file, EVENT__name, name);
    if (category)
        put_text(&file, EVENT__categories, category);
    size_t note = file.size;
    if (invocation) {
        put_text(&file, ANNOTATION__name, "(call)");
        put_number(&file, ANNOTATION__uint_value, invocation);
        put_within(&file, EVENT__debug_annotations, note);
    }
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
}

static void put_begin(uint64_t after_ns, const char *name) {
    put_span_event(EVENT_BEGIN, after_ns, TEST_TRACK, name, NULL, 0);
}

static void put_call(uint64_t after_ns, const char *name, uint64_t invocation) {
    put_span_event(EVENT_BEGIN, after_ns, TEST_TRACK, name, "call", invocation);
}

static void put_end(uint64_t after_ns) {
    put_span_event(EVENT_END, after_ns, TEST_TRACK, NULL, NULL, 0);
}

static struct trace trace;
static struct profile *profile;
static struct stack_owners owners;

static void start(void) {
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
}

static void make(const struct trace_filter *filter, struct stack_owners *told_apart) {
    assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, TRACE_CALLS), 0);
    assert_int_equal(span_profile(&profile, &trace, filter, told_apart), 0);
}

static void make_whole(void) {
    make(&(struct trace_filter){0}, NULL);
}

static int tear_down(void **state) {
    (void)state;
    profile_close(profile);
    stack_owners_free(&owners);
    trace_free(&trace);
    return 0;
}

static void expect(const char *path, uint64_t count, uint64_t self_ns, uint64_t total_ns) {
    const struct profile_node *node = profile_find(profile, path);
    assert_non_null(node);
    assert_int_equal(node->self_count, count);
    assert_int_equal(node->self_ns[SAMPLE_WALL], self_ns);
    assert_int_equal(node->total_ns[SAMPLE_WALL], total_ns);
}

/* outer [0, 100): inner [10, 30), inner [40, 90) with leaf [50, 60) */
static void put_nested(void) {
    start();
    put_begin(1000, "outer");
    put_begin(10, "inner");
    put_end(20);
    put_begin(10, "inner");
    put_begin(10, "leaf");
    put_end(10);
    put_end(30);
    put_end(10);
}

static void a_span_weighs_its_own_time(void **state) {
    (void)state;
    put_nested();
    make_whole();
    expect("", 0, 0, 100);
    expect("outer", 1, 30, 100);
    expect("outer;inner", 2, 60, 70);
    expect("outer;inner;leaf", 1, 10, 10);
    assert_int_equal(profile_find(profile, "")->total_count, 4);
}

static void a_part_of_the_time_is_clipped(void **state) {
    (void)state;
    put_nested();
    assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, 0), 0);
    int64_t begin_ns = trace.first_ns;
    trace_free(&trace);
    make(&(struct trace_filter){.from_ns = begin_ns + 20, .to_ns = begin_ns + 55}, NULL);
    expect("", 0, 0, 35);
    expect("outer", 1, 10, 35);
    expect("outer;inner", 2, 20, 25);
    expect("outer;inner;leaf", 1, 5, 5);
}

static void a_span_without_end_goes_on_to_the_end(void **state) {
    (void)state;
    start();
    put_begin(1000, "outer");
    put_begin(10, "inner");
    put_end(20);
    put_begin(5, "inner");
    put_span_event(EVENT_INSTANT, 100, TEST_TRACK, "last", NULL, 0);
    make_whole();
    expect("outer", 1, 15, 135);
    expect("outer;inner", 2, 120, 120);
}

/* A generator's pieces are one call, below who called it first. */
static void a_generator_is_one_call(void **state) {
    (void)state;
    start();
    put_call(1000, "reader", 0);
    put_call(10, "lines", 5);
    put_end(10);
    put_end(10);
    put_call(100, "writer", 0);
    put_call(10, "lines", 5);
    put_end(50);
    put_end(10);
    make_whole();
    expect("reader;lines", 1, 60, 60);
    assert_null(profile_find(profile, "writer;lines"));
    expect("writer", 1, 20, 20);
    expect("", 0, 0, profile_find(profile, "reader")->total_ns[SAMPLE_WALL] + 20);
}

static void a_scope_is_no_call(void **state) {
    (void)state;
    start();
    put_span_event(EVENT_BEGIN, 1000, TEST_TRACK, "calls: x", "calls", 0);
    put_call(10, "f", 0);
    put_end(20);
    put_end(10);
    make_whole();
    expect("f", 1, 20, 20);
    expect("", 0, 0, 20);
}

static void threads_are_chosen_and_told_apart(void **state) {
    (void)state;
    const char *const wanted[] = {"12"};
    start();
    put_thread(&file, OTHER_TRACK, OTHER_TID);
    put_begin(1000, "f");
    put_end(10);
    put_span_event(EVENT_BEGIN, 10, OTHER_TRACK, "f", NULL, 0);
    put_span_event(EVENT_END, 7, OTHER_TRACK, NULL, NULL, 0);
    make(&(struct trace_filter){0}, &owners);
    assert_int_equal(owners.count, 2);
    assert_int_equal(trace.threads[owners.all[1].thread].tid, OTHER_TID);
    expect("", 0, 0, 17);
    const struct profile_node *nodes = profile_nodes(profile, &(uint32_t){0});
    const struct profile_function *functions = profile_functions(profile, &(uint32_t){0});
    uint32_t named = 0;
    for (uint32_t at = nodes[0].first_child; at; at = nodes[at].next_sibling)
        named += stack_owners_of(&owners, &functions[nodes[at].function]) != NULL;
    assert_int_equal(named, 2);
    tear_down(NULL);
    make(&(struct trace_filter){.threads = wanted, .thread_count = 1}, NULL);
    expect("f", 1, 7, 7);
}

static void a_trace_without_spans_is_empty(void **state) {
    (void)state;
    start();
    make_whole();
    expect("", 0, 0, 0);
}

/* A span that is not within its parent's time takes no more from it than it has. */
static void own_times_are_not_negative(void **state) {
    (void)state;
    start();
    put_begin(1000, "outer");
    put_begin(10, "inner");
    put_span_event(EVENT_END, 10, TEST_TRACK, "outer", NULL, 0);
    put_span_event(EVENT_END, 1000, TEST_TRACK, "inner", NULL, 0);
    make_whole();
    expect("outer;inner", 1, 1010, 1010);
    expect("outer", 1, 0, 1010);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_span_weighs_its_own_time),
        TEST(a_part_of_the_time_is_clipped),
        TEST(a_span_without_end_goes_on_to_the_end),
        TEST(a_generator_is_one_call),
        TEST(a_scope_is_no_call),
        TEST(threads_are_chosen_and_told_apart),
        TEST(a_trace_without_spans_is_empty),
        TEST(own_times_are_not_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
