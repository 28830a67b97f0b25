/* The reader: what packets come to, and what becomes of damage. */
#include <stdlib.h>
#include <zlib.h>

#include "reading.h"

#include "marey.h"

static const struct span *find_span(const struct trace *trace, const char *name) {
    for (uint32_t i = 0; i < trace->span_count; i++)
        if (!strcmp(trace_text(trace, trace->spans[i].name), name))
            return &trace->spans[i];
    return NULL;
}

static void put_span(const char *name, uint64_t delta_ns) {
    put_event(&file, delta_ns, EVENT_BEGIN, name);
    put_event(&file, delta_ns, EVENT_END, NULL);
}

static void deltas_add_up(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
    put_event(&file, 5, EVENT_BEGIN, "outer");
    put_event(&file, 10, EVENT_BEGIN, "inner");
    put_filler(&file, 100);
    put_event(&file, 20, EVENT_END, NULL);
    put_event(&file, 30, EVENT_END, NULL);
    read_file(&trace);
    assert_int_equal(damaged(&trace), 0);
    assert_int_equal(trace.span_count, 2);
    const struct span *outer = find_span(&trace, "outer"), *inner = find_span(&trace, "inner");
    assert_int_equal(outer->begin_ns, TEST_START_NS + 5);
    assert_int_equal(outer->duration_ns, 60);
    assert_int_equal(inner->begin_ns, TEST_START_NS + 15);
    assert_int_equal(inner->duration_ns, 20);
    assert_int_equal(inner->depth, 1);
    assert_ptr_equal(&trace.spans[inner->parent], outer);
    assert_int_equal(trace.process_count, 1);
    assert_int_equal(trace.processes[0].pid, TEST_PID);
    assert_int_equal(trace.thread_count, 1);
    assert_int_equal(trace.threads[0].spans, 2);
    assert_int_equal(trace.reader.filler_bytes, 102);
    trace_free(&trace);
}

static void chunks_in_any_order_of_time(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_event(&file, 500, EVENT_BEGIN, "later");
    put_event(&file, 10, EVENT_END, NULL);
    put_chunk_start(&file);
    put_event(&file, 100, EVENT_BEGIN, "earlier");
    put_event(&file, 10, EVENT_END, NULL);
    read_file(&trace);
    assert_int_equal(damaged(&trace), 0);
    assert_int_equal(trace.span_count, 2);
    assert_string_equal(trace_text(&trace, trace.spans[0].name), "earlier");
    assert_int_equal(trace.spans[0].duration_ns, 10);
    assert_int_equal(find_span(&trace, "later")->begin_ns, TEST_START_NS + 500);
    trace_free(&trace);
}

static void cut_anywhere_keeps_what_is_before(void **state) {
    (void)state;
    struct trace trace;
    size_t starts[64], count = 0;
    put_chunk_start(&file);
    for (int i = 0; i < 20; i++) {
        starts[count++] = file.size;
        put_event(&file, 10, EVENT_BEGIN, "span");
    }
    size_t whole = file.size;
    for (size_t cut = starts[0]; cut <= whole; cut++) {
        size_t complete = 0;
        int at_boundary = cut == whole;
        for (size_t i = 0; i < count; i++) {
            complete += (i + 1 < count ? starts[i + 1] : whole) <= cut;
            at_boundary |= starts[i] == cut;
        }
        assert_int_equal(trace_read_memory(&trace, file.bytes, cut, 0), 0);
        assert_int_equal(trace.span_count, complete);
        assert_int_equal(trace.reader.damage.count[DAMAGE_CUT], !at_boundary);
        assert_int_equal(damaged(&trace), !at_boundary);
        trace_free(&trace);
    }
}

/* Of a damaged chunk what comes behind the damage has no time; of the next one everything is right. */
static void damage_costs_the_rest_of_its_chunk(void **state) {
    (void)state;
    struct trace trace;
    uint8_t noise[37];
    memset(noise, 0xff, sizeof noise);
    put_chunk_start(&file);
    put_span("before", 10);
    size_t offset = file.size;
    put_raw(&file, noise, sizeof noise);
    for (int i = 0; i < 5; i++)
        put_span("behind", 10);
    put_chunk_start(&file);
    put_event(&file, 700, EVENT_BEGIN, "next chunk");
    put_event(&file, 10, EVENT_END, NULL);
    read_file(&trace);
    assert_int_equal(trace.reader.damage.count[DAMAGE_BYTES], 1);
    assert_int_equal(trace.reader.damage.place[DAMAGE_BYTES][0], offset);
    assert_int_equal(trace.reader.damage.skipped_bytes, sizeof noise);
    assert_int_equal(trace.reader.damage.count[DAMAGE_TIME], 10);
    assert_int_equal(trace.span_count, 2);
    assert_int_equal(find_span(&trace, "before")->duration_ns, 10);
    assert_int_equal(find_span(&trace, "next chunk")->begin_ns, TEST_START_NS + 700);
    trace_free(&trace);
}

/* One byte set to any value, anywhere: never more spans than there were, and it always comes to the end. */
static void no_byte_breaks_the_reader(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
    for (int i = 0; i < 4; i++)
        put_span("span", 10);
    for (size_t i = 0; i < file.size; i++) {
        uint8_t keep = file.bytes[i];
        for (int value = 0; value < 256; value++) {
            file.bytes[i] = (uint8_t)value;
            int error = trace_read_memory(&trace, file.bytes, file.size, 0);
            assert_true(error == 0 || error == MAREY_ENOTRACE);
            assert_true(trace.span_count <= 8);
            assert_int_equal(trace.reader.file_bytes, file.size);
            trace_free(&trace);
        }
        file.bytes[i] = keep;
    }
}

static void zeros_at_the_end_are_no_damage(void **state) {
    (void)state;
    struct trace trace;
    static const uint8_t zeros[5000];
    put_chunk_start(&file);
    put_span("span", 10);
    size_t end = file.size;
    put_raw(&file, zeros, sizeof zeros);
    read_file(&trace);
    assert_int_equal(damaged(&trace), 0);
    assert_int_equal(trace.reader.damage.place[NOTE_TAIL][0], end);
    trace_free(&trace);
    put_chunk_start(&file);
    put_span("behind", 10);
    read_file(&trace);
    assert_int_equal(trace.reader.damage.count[DAMAGE_ZEROS], 1);
    assert_int_equal(trace.reader.damage.skipped_bytes, sizeof zeros);
    assert_non_null(find_span(&trace, "behind"));
    trace_free(&trace);
}

static void too_deep_as_trace_processor_has_it(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    for (int i = 0; i < SPAN_DEPTH_MAX + 3; i++)
        put_event(&file, 1, EVENT_BEGIN, "deep");
    for (int i = 0; i < SPAN_DEPTH_MAX + 3; i++)
        put_event(&file, 1, EVENT_END, NULL);
    read_file(&trace);
    assert_int_equal(trace.span_count, SPAN_DEPTH_MAX);
    assert_int_equal(trace.reader.damage.count[LOSS_DEPTH], 3);
    assert_int_equal(trace.reader.damage.count[NOTE_END], 3);
    assert_int_equal(trace.open_spans, 0);
    assert_int_equal(damaged(&trace), 0);
    trace_free(&trace);
}

static void ends_match_by_name(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_event(&file, 1, EVENT_END, NULL);
    put_event(&file, 1, EVENT_BEGIN, "a");
    put_event(&file, 1, EVENT_BEGIN, "b");
    put_event(&file, 1, EVENT_END, "a");
    put_event(&file, 1, EVENT_END, "other");
    read_file(&trace);
    assert_int_equal(find_span(&trace, "a")->duration_ns, 2);
    assert_int_equal(find_span(&trace, "b")->duration_ns, -1);
    assert_int_equal(trace.reader.damage.count[LOSS_END], 1);
    assert_int_equal(trace.reader.damage.count[NOTE_END], 1);
    assert_int_equal(trace.open_spans, 1);
    trace_free(&trace);
}

static void one_id_for_two_threads(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
    put_thread(&file, TEST_TRACK, TEST_TID + 1);
    read_file(&trace);
    assert_int_equal(trace.reader.damage.count[LOSS_IDENTITY], 1);
    assert_int_equal(trace.thread_count, 1);
    assert_int_equal(trace.reader.tracks.all[trace.threads[0].track].tid, TEST_TID);
    trace_free(&trace);
}

static void compressed_packets_within_reason(void **state) {
    (void)state;
    struct trace trace;
    static struct message outer;
    static uint8_t packed[MESSAGE_ROOM];
    uLongf size = sizeof packed;
    put_chunk_start(&file);
    put_span("span", 10);
    assert_int_equal(compress(packed, &size, file.bytes, file.size), Z_OK);
    outer.size = 0;
    put_bytes(&outer, PACKET__compressed_packets, packed, size);
    put_within(&outer, TRACE__packet, 0);
    assert_int_equal(trace_read_memory(&trace, outer.bytes, outer.size, 0), 0);
    assert_int_equal(damaged(&trace), 0);
    assert_non_null(find_span(&trace, "span"));
    trace_free(&trace);

    size = sizeof packed;
    assert_int_equal(compress(packed, &size, outer.bytes, outer.size), Z_OK);
    outer.size = 0;
    put_bytes(&outer, PACKET__compressed_packets, packed, size);
    put_within(&outer, TRACE__packet, 0);
    assert_int_equal(trace_read_memory(&trace, outer.bytes, outer.size, 0), 0);
    assert_int_equal(trace.reader.damage.count[LOSS_NESTED], 1);
    trace_free(&trace);

    outer.bytes[outer.size - 6] ^= 0xff;
    assert_int_equal(trace_read_memory(&trace, outer.bytes, outer.size, 0), 0);
    assert_int_equal(trace.reader.damage.count[DAMAGE_INFLATE], 1);
    trace_free(&trace);
}

static void a_clock_without_relation(void **state) {
    (void)state;
    struct trace trace;
    size_t packet = packet_begin(&file), snapshot = file.size;
    put_clock(&file, CLOCK_ID_REALTIME, 5, 0);
    put_clock(&file, CLOCK_ID_BOOTTIME, 5, 0);
    put_within(&file, PACKET__clock_snapshot, snapshot);
    packet_end(&file, packet);
    packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, 5);
    put_number(&file, PACKET__timestamp_clock_id, CLOCK_ID_MONOTONIC);
    size_t event = file.size;
    put_number(&file, EVENT__type, EVENT_INSTANT);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
    read_file(&trace);
    assert_int_equal(trace.reader.damage.count[DAMAGE_NO_CLOCK], 1);
    assert_int_equal(trace.instants, 0);
    trace_free(&trace);
}

static void assert_no_trace(const void *bytes, size_t size, const char *kind) {
    struct trace trace;
    assert_int_equal(trace_read_memory(&trace, bytes, size, 0), MAREY_ENOTRACE);
    assert_string_equal(trace.reader.looks_like, kind);
    trace_free(&trace);
}

static void what_is_no_trace_is_named(void **state) {
    (void)state;
    static const uint8_t zeros[10000];
    static const char shell[] = "#!/bin/sh\necho this is no trace\n",
                      zip[] = "PK\x03\x04 and so on",
                      elf[] = "\x7f"
                              "ELF\x02\x01\x01",
                      json[] = "{\"a\": [1, 2], \"b\": {}}", noise[] = "\xff\x00\x13\x92";
    assert_no_trace("", 0, "an empty file");
    assert_no_trace(zeros, sizeof zeros, "zeros, as a file has them that was never written");
    assert_no_trace(shell, sizeof shell - 1, "text");
    assert_no_trace(zip, sizeof zip - 1, "a zip archive: unpack it first");
    assert_no_trace(elf, sizeof elf - 1, "an ELF file (a program or a library)");
    assert_no_trace(json, sizeof json - 1, "JSON without trace events");
    assert_no_trace(noise, sizeof noise - 1, "data of another kind");
}

static void a_missing_file_is_an_error(void **state) {
    (void)state;
    struct trace trace;
    assert_int_equal(trace_read(&trace, "/does/not/exist", 0), MAREY_ENOENT);
    trace_free(&trace);
    assert_int_equal(trace_read(&trace, "/", 0), MAREY_ENOTFILE);
    trace_free(&trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(deltas_add_up, set_up),
        cmocka_unit_test_setup(chunks_in_any_order_of_time, set_up),
        cmocka_unit_test_setup(cut_anywhere_keeps_what_is_before, set_up),
        cmocka_unit_test_setup(damage_costs_the_rest_of_its_chunk, set_up),
        cmocka_unit_test_setup(no_byte_breaks_the_reader, set_up),
        cmocka_unit_test_setup(zeros_at_the_end_are_no_damage, set_up),
        cmocka_unit_test_setup(too_deep_as_trace_processor_has_it, set_up),
        cmocka_unit_test_setup(ends_match_by_name, set_up),
        cmocka_unit_test_setup(one_id_for_two_threads, set_up),
        cmocka_unit_test_setup(compressed_packets_within_reason, set_up),
        cmocka_unit_test_setup(a_clock_without_relation, set_up),
        cmocka_unit_test_setup(what_is_no_trace_is_named, set_up),
        cmocka_unit_test_setup(a_missing_file_is_an_error, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
