/* The reader's parts: fields, maps, strings, interned ids, clocks, sorting, the table of spans, the window. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "packets.h"

#include "marey.h"
#include "model/sequence.h"
#include "model/source.h"
#include "model/spans.h"
#include "model/strings.h"
#include "model/summary.h"
#include "model/timebase.h"

static int next_field(const char *bytes, size_t size, struct field *field) {
    const uint8_t *at = (const uint8_t *)bytes;
    return wire_next(&at, at + size, field);
}

static void fields_of_each_type(void **state) {
    (void)state;
    struct field field;
    assert_int_equal(next_field("", 0, &field), 0);
    assert_int_equal(next_field("\x08\x96\x01", 3, &field), 1);
    assert_int_equal(field.number, 1);
    assert_int_equal(field.value, 150);
    assert_int_equal(next_field("\x11\x01\x00\x00\x00\x00\x00\x00\x80", 9, &field), 1);
    assert_true(field.value == 0x8000000000000001u);
    assert_int_equal(next_field("\x15\x02\x00\x00\x00", 5, &field), 1);
    assert_int_equal(field.value, 2);
    assert_int_equal(next_field("\x12\x83\x80\x00"
                                "abc",
                                7, &field),
                     1); /* an over-long length is fine */
    assert_int_equal(field.bytes.size, 3);
    assert_memory_equal(field.bytes.at, "abc", 3);
    assert_int_equal(next_field("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &field), 1);
    assert_true(field.value == UINT64_MAX);
}

static void broken_fields(void **state) {
    (void)state;
    struct field field;
    assert_int_equal(next_field("\x08", 1, &field), -1);     /* no value */
    assert_int_equal(next_field("\x08\x80", 2, &field), -1); /* cut off */
    assert_int_equal(next_field("\x00\x00", 2, &field), -1); /* field 0 */
    assert_int_equal(next_field("\x0b", 1, &field), -1);     /* a group */
    assert_int_equal(next_field("\x0f", 1, &field), -1);     /* no wire type */
    assert_int_equal(next_field("\x12\x04"
                                "abc",
                                5, &field),
                     -1);                                        /* longer than there is */
    assert_int_equal(next_field("\x11\x01\x02", 3, &field), -1); /* short fixed */
    assert_int_equal(next_field("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &field), -1);
    assert_int_equal(next_field("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, &field),
                     -1);
}

static void maps_find_what_was_put(void **state) {
    (void)state;
    struct map map = {0};
    assert_int_equal(map_get(&map, 5), MAP_NONE);
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(map_put(&map, (uint64_t)i << 40, i), 0);
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(map_get(&map, (uint64_t)i << 40), i);
    assert_int_equal(map_put(&map, 0, 77), 0);
    assert_int_equal(map_get(&map, 0), 77);
    assert_int_equal(map.count, 10000);
    assert_int_equal(map_get(&map, 1), MAP_NONE);
    map_free(&map);
}

static void strings_are_kept_once(void **state) {
    (void)state;
    struct strings strings = {0};
    static char large[STRING_BYTES_MAX + 10];
    char text[32];
    memset(large, 'x', sizeof large - 1);
    assert_int_equal(strings_add_text(&strings, ""), 0);
    assert_null(strings_text(&strings, 0));
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "name %u", i);
            assert_int_equal(strings_add_text(&strings, text), i + 1);
        }
    assert_string_equal(strings_text(&strings, 4321), "name 4320");
    struct bytes with_nul = {(const uint8_t *)"name 7\0tail", 11};
    assert_int_equal(strings_add(&strings, with_nul), 8);
    uint32_t cut = strings_add_text(&strings, large);
    assert_int_equal(strlen(strings_text(&strings, cut)), STRING_BYTES_MAX);
    assert_null(strings_text(&strings, 999999));
    strings_free(&strings);
}

static void interned_ids_of_a_generation(void **state) {
    (void)state;
    struct interned table = {0};
    assert_int_equal(interned_get(&table, 1, 5), MAP_NONE);
    assert_int_equal(interned_put(&table, 1, 5, 50), 0);
    assert_int_equal(interned_put(&table, 1, 5, 51), 1); /* the first wins */
    assert_int_equal(interned_get(&table, 1, 5), 50);
    assert_int_equal(interned_get(&table, 2, 5), MAP_NONE);
    assert_int_equal(interned_put(&table, 2, 5, 52), 0);
    assert_int_equal(interned_get(&table, 2, 5), 52);
    assert_int_equal(interned_put(&table, 2, UINT64_MAX, 9), 0);
    assert_int_equal(interned_get(&table, 2, UINT64_MAX), 9);
    assert_int_equal(interned_get(&table, 3, UINT64_MAX), MAP_NONE);
    free(table.small);
    free(table.large);
    map_free(&table.places);
}

static void wild_ids_cost_no_memory(void **state) {
    (void)state;
    struct interned table = {0};
    for (int bit = 0; bit < 64; bit++)
        assert_int_equal(interned_put(&table, 1, 1ull << bit, (uint32_t)bit), 0);
    for (int bit = 0; bit < 64; bit++)
        assert_int_equal(interned_get(&table, 1, 1ull << bit), bit);
    assert_true(table.small_capacity <= 1024);
    free(table.small);
    free(table.large);
    map_free(&table.places);
}

static void clocks_through_others(void **state) {
    (void)state;
    struct timebase timebase;
    timebase_init(&timebase);
    uint32_t real = timebase_clock(&timebase, CLOCK_ID_REALTIME);
    uint32_t mono = timebase_clock(&timebase, CLOCK_ID_MONOTONIC);
    uint32_t boot = timebase_clock(&timebase, CLOCK_ID_BOOTTIME);
    uint32_t lone = timebase_clock(&timebase, 200);
    struct clock_reading real_mono[] = {{real, 1000000}, {mono, 500}};
    struct clock_reading mono_boot[] = {{mono, 500}, {boot, 700}};
    struct clock_reading later[] = {{mono, 900}, {boot, 1200}};
    timebase_add(&timebase, later, 2);
    timebase_add(&timebase, real_mono, 2);
    timebase_add(&timebase, mono_boot, 2);
    assert_int_equal(timebase_settle(&timebase), 0);
    assert_string_equal(timebase_name(&timebase), "BOOTTIME");
    int64_t time = 1000100;
    assert_int_equal(timebase_convert(&timebase, real, &time), 0);
    assert_int_equal(time, 800);
    time = 950; /* behind the later snapshot the machine had slept */
    assert_int_equal(timebase_convert(&timebase, mono, &time), 0);
    assert_int_equal(time, 1250);
    time = 100; /* before the first one its offset counts */
    assert_int_equal(timebase_convert(&timebase, mono, &time), 0);
    assert_int_equal(time, 300);
    assert_int_equal(timebase_convert(&timebase, lone, &time), -1);
    timebase_free(&timebase);
}

static void sorting_keeps_equal_times_in_order(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    static struct event events[COUNT];
    srand(1);
    for (uint32_t i = 0; i < COUNT; i++) {
        events[i].time_ns = i % 100 ? events[i - 1].time_ns + rand() % 2 : rand() % 50;
        events[i].name = i;
    }
    assert_int_equal(events_sort(events, COUNT), 0);
    for (uint32_t i = 1; i < COUNT; i++) {
        assert_true(events[i - 1].time_ns <= events[i].time_ns);
        if (events[i - 1].time_ns == events[i].time_ns)
            assert_true(events[i - 1].name < events[i].name);
    }
}

static void the_table_of_spans(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    static struct span spans[COUNT + 2];
    static struct track track; /* of all of them */
    struct trace trace = {.spans = spans, .span_count = COUNT + 2};
    struct summary summary;
    trace.reader.tracks.all = &track;
    trace.reader.tracks.count = 1;
    for (uint32_t i = 0; i < COUNT; i++) /* 1 to 1000, stirred; the last of another name */
        spans[i] = (struct span){.duration_ns = (int64_t)(i * 7919 % COUNT) + 1, .name = 1};
    spans[COUNT] = (struct span){.duration_ns = -1, .name = 1, .failed = 1};
    spans[COUNT + 1] = (struct span){.duration_ns = -1, .name = 1, .category = 2};
    assert_int_equal(summary_make(&summary, &trace), 0);
    assert_int_equal(summary.count, 2);
    const struct summary_row *row = &summary.rows[0];
    assert_int_equal(row->count, COUNT + 1);
    assert_int_equal(row->open, 1);
    assert_int_equal(row->errors, 1);
    assert_int_equal(row->total_ns, 500500);
    assert_int_equal(row->mean_ns, 500);
    assert_int_equal(row->p50_ns, 500);
    assert_int_equal(row->p99_ns, 990);
    assert_int_equal(row->max_ns, 1000);
    assert_int_equal(summary.rows[1].open, 1);
    assert_int_equal(summary.rows[1].p99_ns, 0);
    summary_free(&summary);
}

static void percentiles_by_nearest_rank(void **state) {
    (void)state;
    struct span spans[3] = {{.duration_ns = 30}, {.duration_ns = 10}, {.duration_ns = 20}};
    static const int64_t p50[] = {30, 10, 20}, p99[] = {30, 30, 30};
    static struct track track; /* of all of them */
    struct summary summary;
    for (uint32_t count = 1; count <= 3; count++) {
        struct trace trace = {.spans = spans, .span_count = count};
        trace.reader.tracks.all = &track;
        trace.reader.tracks.count = 1;
        assert_int_equal(summary_make(&summary, &trace), 0);
        assert_int_equal(summary.rows[0].p50_ns, p50[count - 1]);
        assert_int_equal(summary.rows[0].p99_ns, p99[count - 1]);
        summary_free(&summary);
    }
}

/* Reads all of it in steps of a size that fits nothing. Returns the sum of the bytes. */
static uint64_t sum_of(struct source *source, uint64_t *bytes) {
    uint64_t sum = 0;
    *bytes = 0;
    for (size_t have; (have = source_have(source, 1000)) > 0;) {
        size_t step = have < 777 ? have : 777;
        for (size_t i = 0; i < step; i++)
            sum += source->at[i];
        *bytes += source_skip(source, step);
    }
    return sum;
}

static void never_beyond(void *context, uint64_t bytes, uint64_t of) {
    assert_true(of && bytes <= of);
    *(uint64_t *)context = bytes;
}

static void a_window_over_a_file(void **state) {
    (void)state;
    enum { SIZE = 3 << 20 };
    char path[] = "/tmp/marey-test-XXXXXX";
    struct source source;
    uint64_t expected = 0, bytes;
    int fd = mkstemp(path);
    gzFile plain = gzopen(path, "wbT"), packed = NULL;
    assert_true(fd >= 0 && plain);
    for (int i = 0; i < SIZE; i++) {
        gzputc(plain, i % 251);
        expected += (uint64_t)(i % 251);
    }
    gzclose(plain);
    assert_int_equal(source_open(&source, path), 0);
    assert_int_equal(source.file_bytes, SIZE);
    assert_true(sum_of(&source, &bytes) == expected && bytes == SIZE);
    source_close(&source);
    assert_int_equal(source_open(&source, path), 0);
    assert_int_equal(source_skip(&source, SIZE - 10), SIZE - 10);
    assert_int_equal(source_skip(&source, 100), 10);
    source_close(&source);

    /* Two members: gzip'ed files may be joined. */
    for (int i = 0; i < SIZE; i++) {
        if (i == 0 || i == SIZE / 3)
            packed = gzopen(path, i ? "ab" : "wb");
        gzputc(packed, i % 251);
        if (i == SIZE / 3 - 1 || i == SIZE - 1)
            gzclose(packed);
    }
    assert_int_equal(source_open(&source, path), 0);
    assert_true(source.compressed);
    uint64_t read = 0;
    source.watch = &(struct source_watch){never_beyond, &read};
    assert_true(sum_of(&source, &bytes) == expected && bytes == SIZE);
    assert_true(read == source.file_bytes);
    source_close(&source);
    unlink(path);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_each_type),
        cmocka_unit_test(broken_fields),
        cmocka_unit_test(maps_find_what_was_put),
        cmocka_unit_test(strings_are_kept_once),
        cmocka_unit_test(interned_ids_of_a_generation),
        cmocka_unit_test(wild_ids_cost_no_memory),
        cmocka_unit_test(clocks_through_others),
        cmocka_unit_test(sorting_keeps_equal_times_in_order),
        cmocka_unit_test(the_table_of_spans),
        cmocka_unit_test(percentiles_by_nearest_rank),
        cmocka_unit_test(a_window_over_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
