/* A part of a trace in memory, written to a descriptor. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "packets.h"

#include "marey.h"
#include "output/cut.h"

static struct message whole;

/* "outer" from 1010 to 1100, "early" and "late" within it. */
static void make_trace(void) {
    whole.size = 0;
    put_thread(&whole, TEST_TRACK, TEST_TID);
    put_chunk_start(&whole);
    put_event(&whole, 10, EVENT_BEGIN, "outer");
    put_event(&whole, 5, EVENT_BEGIN, "early");
    put_event(&whole, 5, EVENT_END, NULL);
    put_event(&whole, 40, EVENT_BEGIN, "late");
    put_event(&whole, 20, EVENT_END, NULL);
    put_event(&whole, 20, EVENT_END, NULL);
}

/* The part as a trace of its own. */
static void cut(struct trace *part, const struct trace_filter *filter) {
    static uint8_t bytes[MESSAGE_ROOM];
    int fd = memfd_create("part", MFD_CLOEXEC);
    assert_int_equal(cut_bytes(fd, whole.bytes, whole.size, filter), 0);
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);
    assert_true(size > 0 && size == lseek(fd, 0, SEEK_CUR));
    close(fd);
    assert_int_equal(trace_read_memory(part, bytes, (size_t)size, TRACE_ARGUMENTS), 0);
}

static void a_time_is_cut_out(void **state) {
    const struct trace_filter filter = {.from_ns = TEST_START_NS + 30, .to_ns = TEST_START_NS + 70};
    struct trace part;
    (void)state;
    make_trace();
    cut(&part, &filter);
    assert_int_equal(part.span_count, 2);
    assert_string_equal(trace_text(&part, part.spans[0].name), "outer");
    assert_int_equal(part.spans[0].begin_ns, TEST_START_NS + 30);
    assert_int_equal(part.spans[0].duration_ns, 40);
    assert_string_equal(trace_text(&part, part.spans[1].name), "late");
    assert_int_equal(part.spans[1].duration_ns, 10);
    trace_free(&part);
}

static void a_thread_is_cut_out(void **state) {
    const char *const other[] = {"12"}, *const own[] = {"worker"};
    struct trace part;
    (void)state;
    make_trace();
    cut(&part, &(struct trace_filter){.threads = other, .thread_count = 1});
    assert_int_equal(part.span_count, 0);
    trace_free(&part);
    cut(&part, &(struct trace_filter){.threads = own, .thread_count = 1});
    assert_int_equal(part.span_count, 3);
    trace_free(&part);
}

static void what_is_wrong_is_told(void **state) {
    const struct trace_filter all = {.from_ns = 0};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC),
        full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    (void)state;
    make_trace();
    assert_int_equal(cut_bytes(null, "no trace", 8, &all), MAREY_ENOTRACE);
    assert_int_equal(cut_bytes(full, whole.bytes, whole.size, &all), MAREY_ENOSPC);
    assert_true(cut_bytes(null, whole.bytes, whole.size, &all) < 0);
    assert_true(cut_bytes(-1, whole.bytes, whole.size, &all) < 0);
    close(null);
    close(full);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_cut_out),
        cmocka_unit_test(a_thread_is_cut_out),
        cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
