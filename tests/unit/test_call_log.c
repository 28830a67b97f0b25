/* Calls in memory: what a log holds is a whole trace at every moment, read here by Marey's own reader; the Python tests hold
 * the same against the official protos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/wire.h"
#include "trace/call.h"

enum { LIMIT = 64 << 20 };

/* What is in a log's bytes. */
struct found {
    uint64_t begins, ends, defaults, items;
};

static void count_packet(struct found *found, struct bytes packet) {
    struct field field, inner;
    int state;
    for (const uint8_t *at = packet.at;
         (state = wire_next(&at, packet.at + packet.size, &field)) != 0;) {
        assert_int_equal(state, 1);
        found->defaults += field.number == PACKET__trace_packet_defaults;
        if (field.number != PACKET__track_event)
            continue;
        for (const uint8_t *in = field.bytes.at;
             (state = wire_next(&in, field.bytes.at + field.bytes.size, &inner)) != 0;) {
            assert_int_equal(state, 1);
            found->begins += inner.number == EVENT__type && inner.value == EVENT_BEGIN;
            found->ends += inner.number == EVENT__type && inner.value == EVENT_END;
        }
    }
}

static struct found look(const struct call_log *log) {
    size_t size = marey__log_bytes(log);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    marey__log_copy(log, bytes);
    struct found found = {0};
    struct field field;
    int state;
    for (const uint8_t *at = bytes; (state = wire_next(&at, bytes + size, &field)) != 0;) {
        assert_int_equal(state, 1);
        assert_true(field.number == TRACE__packet || field.number == TRACE__filler);
        found.items++;
        if (field.number == TRACE__packet)
            count_packet(&found, field.bytes);
    }
    free(bytes);
    return found;
}

static struct call_event event_of(uint32_t function, const marey_arg *args, size_t count) {
    return (struct call_event){
        .function = function, .stamp = marey__stamp(), .args = args, .count = count};
}

static void call(struct call_log *log, struct call_lane *lane, uint32_t function,
                 const marey_arg *args, size_t count) {
    struct call_event event = event_of(function, args, count);
    assert_int_equal(marey__log_begin(log, lane, &event), 1);
    event = event_of(0, NULL, 0);
    marey__log_end(log, lane, &event);
}

static void test_functions_are_known_by_a_number(void **state) {
    (void)state;
    uint32_t one = marey__function_id("app", "User.save", "/app.py", 3);
    assert_int_not_equal(one, 0);
    assert_int_equal(marey__function_id("app", "User.save", "/app.py", 3), one);
    assert_int_not_equal(marey__function_id("app", "User.save", "/app.py", 4), one);
    assert_int_not_equal(marey__function_id("app.User", "save", "/app.py", 3), one);
    assert_int_not_equal(marey__function_id("app", "User.save", "/bpp.py", 3), one);
    assert_int_not_equal(marey__function_id("", "len", NULL, 0), 0);
}

/* The short packets and the long ones, over many chunks, and a look in between. */
static void test_every_call_is_there(void **state) {
    (void)state;
    enum { CALLS = 50000 };
    struct call_log *log = marey__call_log_open(LIMIT);
    assert_non_null(log);
    struct call_lane *lane = marey__call_lane(log, NULL, (int32_t)getpid(), "main");
    for (uint64_t i = 0; i < CALLS; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d", (int)(i % 300));
        uint32_t function = marey__function_id("m", name, "m.py", 1);
        marey_arg args[2] = {{.name = marey_name_id("n"), .kind = MAREY_KIND_I64, .i64 = -1},
                             {.name = marey_name_id("text"),
                              .kind = MAREY_KIND_TEXT,
                              .text = "a\xc3\xa9",
                              .count = 1 + 2 * (i & 1)}};
        call(log, lane, function, args, i % 3);
        if (i % 10000 == 0)
            assert_int_equal(look(log).begins, i + 1);
    }
    struct found found = look(log);
    assert_int_equal(found.begins, CALLS);
    assert_int_equal(found.ends, CALLS);
    marey__call_log_close(log);
}

static void test_lanes_take_turns(void **state) {
    (void)state;
    struct call_log *log = marey__call_log_open(LIMIT);
    struct call_lane *thread = marey__call_lane(log, NULL, 7, "main");
    struct call_lane *group = marey__call_lane(log, thread, 0, "asyncio");
    struct call_lane *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = marey__call_lane(log, group, 0, "a task with a name");
    uint32_t function = marey__function_id("m", "f", "m.py", 1);
    for (int i = 0; i < 3000; i++)
        call(log, tasks[i % 3], function, NULL, 0);
    for (int i = 0; i < 3000; i++)
        call(log, thread, function, NULL, 0);
    struct found found = look(log);
    assert_int_equal(found.begins, 6000);
    assert_true(found.defaults >= 3001 && found.defaults < 3020);
    marey__call_log_close(log);
}

/* Everything that was begun ends, also where there is no room for more. */
static void test_a_full_log_takes_ends_alone(void **state) {
    (void)state;
    enum { DEEP = 500, SMALL = 64 << 10 };
    struct call_log *log = marey__call_log_open(SMALL);
    struct call_lane *lane = marey__call_lane(log, NULL, 7, "main");
    uint32_t function = marey__function_id("m", "deep", "m.py", 1);
    char text[1000];
    memset(text, 'x', sizeof text);
    marey_arg arg = {
        .name = marey_name_id("text"), .kind = MAREY_KIND_TEXT, .text = text, .count = sizeof text};
    uint64_t depth = 0, refused = 0;
    for (int i = 0; i < DEEP; i++) {
        struct call_event event = event_of(function, &arg, 1);
        if (marey__log_begin(log, lane, &event))
            depth++;
        else
            refused++;
    }
    assert_true(depth > 10 && refused > 10);
    for (uint64_t i = 0; i < depth; i++) {
        struct call_event event = event_of(0, &arg, 1);
        marey__log_end(log, lane, &event);
    }
    struct found found = look(log);
    assert_int_equal(found.begins, depth);
    assert_int_equal(found.ends, depth);
    assert_true(marey__log_bytes(log) < SMALL + (512 << 10));
    marey__call_log_close(log);
}

static void test_whole_calls_in_any_order(void **state) {
    (void)state;
    struct call_log *log = marey__call_log_open(LIMIT);
    struct call_lane *lane = marey__call_lane(log, NULL, 7, "main");
    uint32_t function = marey__function_id("m", "f", "m.py", 1);
    struct call_event outer = event_of(function, NULL, 0), inner = event_of(function, NULL, 0);
    struct call_event inner_end = event_of(0, NULL, 0), outer_end = event_of(0, NULL, 0);
    assert_int_equal(marey__log_whole(log, lane, &inner, &inner_end), 1);
    assert_int_equal(marey__log_whole(log, lane, &outer, &outer_end), 1);
    struct found found = look(log);
    assert_true(found.begins == 2 && found.ends == 2);
    marey__call_log_close(log);
}

static void test_stamps_are_nanoseconds(void **state) {
    (void)state;
    uint64_t from = marey__stamp();
    uint64_t to = marey__stamp_after(from, 1000000);
    uint64_t ns = marey__stamp_ns(from, to);
    assert_true(ns > 990000 && ns < 1010000);
    assert_int_equal(marey__stamp_ns(to, from), 0);
    assert_true(call_stamp() >= from);
}

/* As scopes of a server: many, short, one after another and at a time. */
/* However large the chunk that it has begun. */
static void test_what_is_handed_out_ends_with_its_calls(void **state) {
    (void)state;
    enum { STEP = 20000, STEPS = 10, CALL_BYTES = 32, OTHER_BYTES = 16 << 10 };
    struct call_log *log = marey__call_log_open(LIMIT);
    assert_non_null(log);
    struct call_lane *lane = marey__call_lane(log, NULL, 7, "main");
    uint32_t function = marey__function_id("m", "f", "m.py", 1);
    for (uint64_t step = 1; step <= STEPS; step++) {
        for (int i = 0; i < STEP; i++) {
            assert_int_equal(marey__log_begin_bare(log, lane, function, marey__stamp()), 1);
            marey__log_end_bare(log, lane, marey__stamp());
        }
        struct found found = look(log);
        assert_int_equal(found.begins, step * STEP);
        assert_int_equal(found.ends, step * STEP);
        assert_true(marey__log_bytes(log) < step * STEP * CALL_BYTES + OTHER_BYTES);
    }
    marey__call_log_close(log);
}

static void test_many_logs(void **state) {
    (void)state;
    enum { LOGS = 100 };
    static struct call_log *logs[LOGS];
    uint32_t function = marey__function_id("m", "f", "m.py", 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LOGS; i++) {
            logs[i] = marey__call_log_open(LIMIT);
            assert_non_null(logs[i]);
            struct call_lane *lane = marey__call_lane(logs[i], NULL, 7, "main");
            for (int n = 0; n < i; n++)
                call(logs[i], lane, function, NULL, 0);
        }
        for (uint64_t i = 0; i < LOGS; i++) {
            assert_int_equal(look(logs[i]).begins, i);
            marey__call_log_close(logs[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_known_by_a_number),
        cmocka_unit_test(test_every_call_is_there),
        cmocka_unit_test(test_lanes_take_turns),
        cmocka_unit_test(test_a_full_log_takes_ends_alone),
        cmocka_unit_test(test_whole_calls_in_any_order),
        cmocka_unit_test(test_stamps_are_nanoseconds),
        cmocka_unit_test(test_what_is_handed_out_ends_with_its_calls),
        cmocka_unit_test(test_many_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
