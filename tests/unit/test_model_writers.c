/* The reader: what other writers make use of: counters of several kinds, clocks of their own, state by number. */
#include "reading.h"

/* The last value of the only counter with that many values. */
static double last_value(const struct trace *trace, uint64_t uuid, uint32_t values) {
    const struct track *track = tracks_known(&trace->reader.tracks, uuid);
    struct counter_range range;
    assert_non_null(track);
    assert_int_equal(track->values, values);
    trace_counter_range(track, &range);
    return range.last;
}

static void put_counter_track(uint64_t uuid, int incremental, uint64_t multiplier) {
    size_t packet = packet_begin(&file), descriptor = file.size;
    put_number(&file, TRACK_DESCRIPTOR__uuid, uuid);
    size_t counter = file.size;
    put_number(&file, COUNTER__is_incremental, (uint64_t)incremental);
    put_number(&file, COUNTER__unit_multiplier, multiplier);
    put_within(&file, TRACK_DESCRIPTOR__counter, counter);
    put_within(&file, PACKET__track_descriptor, descriptor);
    packet_end(&file, packet);
}

static void put_value(uint64_t uuid, int64_t value) {
    size_t packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, 1);
    size_t event = file.size;
    put_number(&file, EVENT__type, EVENT_COUNTER);
    put_number(&file, EVENT__track_uuid, uuid);
    put_number(&file, EVENT__counter_value, (uint64_t)value);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
}

static void counters_of_differences(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_counter_track(50, 1, 10);
    put_value(50, 5);
    put_value(50, -2);
    read_file(&trace);
    assert_true(last_value(&trace, 50, 2) == 30);
    trace_free(&trace);
    put_chunk_start(&file); /* begins anew */
    put_value(50, 7);
    read_file(&trace);
    const struct track *track = tracks_known(&trace.reader.tracks, 50);
    assert_int_equal(track->values, 3);
    assert_true(track->events[1].value == 70); /* at the time of the first one */
    trace_free(&trace);
}

static void counters_that_ride_on_events(void **state) {
    (void)state;
    struct trace trace;
    double half = 0.5;
    uint64_t bits;
    memcpy(&bits, &half, sizeof bits);
    put_chunk_start(&file);
    put_counter_track(50, 0, 0);
    put_counter_track(51, 0, 0);
    size_t packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, 1);
    size_t event = file.size;
    put_number(&file, EVENT__type, EVENT_BEGIN);
    put_number(&file, EVENT__extra_counter_track_uuids, 50);
    put_number(&file, EVENT__extra_counter_values, 42);
    put_number(&file, EVENT__extra_double_counter_track_uuids, 51);
    put_varint(&file, TAG(EVENT__extra_double_counter_values, WIRE_FIXED64));
    put_raw(&file, &bits, sizeof bits);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
    read_file(&trace);
    assert_true(last_value(&trace, 50, 1) == 42);
    assert_true(last_value(&trace, 51, 1) == 0.5);
    assert_int_equal(trace.span_count, 1);
    trace_free(&trace);
}

/* A clock of the sequence's own, in microseconds, that does not count in differences. */
static void clocks_of_a_sequence(void **state) {
    (void)state;
    struct trace trace;
    size_t packet = packet_begin(&file), snapshot = file.size;
    put_clock(&file, CLOCK_ID_BOOTTIME, 5000000, 0);
    size_t clock = file.size;
    put_number(&file, CLOCK__id, CLOCK_ID_SEQUENCE + 1);
    put_number(&file, CLOCK__timestamp, 100);
    put_number(&file, CLOCK__unit_multiplier_ns, 1000);
    put_within(&file, CLOCK_SNAPSHOT__clocks, clock);
    put_within(&file, PACKET__clock_snapshot, snapshot);
    packet_end(&file, packet);
    for (uint64_t time = 107; time < 110; time++) {
        packet = packet_begin(&file);
        put_number(&file, PACKET__timestamp, time);
        put_number(&file, PACKET__timestamp_clock_id, CLOCK_ID_SEQUENCE + 1);
        size_t event = file.size;
        put_number(&file, EVENT__type, EVENT_INSTANT);
        put_within(&file, PACKET__track_event, event);
        packet_end(&file, packet);
    }
    read_file(&trace);
    assert_int_equal(damaged(&trace), 0);
    assert_int_equal(trace.first_ns, 5007000);
    assert_int_equal(trace.last_ns, 5009000);
    trace_free(&trace);
}

static void events_without_what_they_need(void **state) {
    (void)state;
    struct trace trace;
    size_t event;
    put_number(&file, PACKET__timestamp, 5); /* no sequence */
    event = file.size;
    put_number(&file, EVENT__type, EVENT_INSTANT);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, 0);
    size_t packet = packet_begin(&file); /* state that was never there */
    put_number(&file, PACKET__timestamp, 5);
    put_number(&file, PACKET__sequence_flags, SEQUENCE_NEEDS_STATE);
    event = file.size;
    put_number(&file, EVENT__type, EVENT_INSTANT);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
    put_chunk_start(&file); /* a name that was never given */
    packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, 5);
    event = file.size;
    put_number(&file, EVENT__type, EVENT_INSTANT);
    put_number(&file, EVENT__name_iid, 9);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
    read_file(&trace);
    assert_int_equal(trace.reader.damage.count[DAMAGE_SEQUENCE], 1);
    assert_int_equal(trace.reader.damage.count[DAMAGE_STATE], 1);
    assert_int_equal(trace.reader.damage.count[DAMAGE_NAME], 1);
    assert_int_equal(damaged(&trace), 3);
    assert_int_equal(trace.instants, 1);
    trace_free(&trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counters_of_differences, set_up),
        cmocka_unit_test_setup(counters_that_ride_on_events, set_up),
        cmocka_unit_test_setup(clocks_of_a_sequence, set_up),
        cmocka_unit_test_setup(events_without_what_they_need, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
