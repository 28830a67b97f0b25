/* The recorder under threads that do not wait for each other, for the sanitizers and valgrind: the crash tests hold what comes
 * of it against the official protos. Here the files must be whole items and have as many begins as were made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <marey.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/wire.h"
#include "output/cut.h"
#include "trace/snapshot.h"

enum { THREADS = 4, ROUNDS = 20, SPANS = 300, FILE_MAX = 8 << 20, PATH_BYTES = 64 };

static char folder[] = "/tmp/marey-test-XXXXXX";
static uint8_t file[FILE_MAX];
static int stop_now;
static uint64_t begun;

static const char *path_of(const char *name) {
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path_of("trace"));
    unlink(path_of("copy"));
    unlink(path_of("cut"));
    return rmdir(folder);
}

static int is_begin(struct bytes event) {
    struct field field;
    int found = 0;
    for (const uint8_t *at = event.at; wire_next(&at, event.at + event.size, &field) == 1;)
        found |= field.number == EVENT__type && field.value == EVENT_BEGIN;
    return found;
}

static uint64_t begins_of_packet(struct bytes packet) {
    struct field field;
    uint64_t begins = 0;
    int state;
    for (const uint8_t *at = packet.at;
         (state = wire_next(&at, packet.at + packet.size, &field)) != 0;) {
        assert_int_equal(state, 1);
        begins += field.number == PACKET__track_event && is_begin(field.bytes);
    }
    return begins;
}

/* The begins in a file, which must be whole. */
static uint64_t begins_in(const char *name) {
    FILE *stream = fopen(path_of(name), "rb");
    assert_non_null(stream);
    size_t size = fread(file, 1, sizeof file, stream);
    fclose(stream);
    assert_in_range(size, 1, sizeof file - 1);
    struct field field;
    uint64_t begins = 0;
    int state;
    for (const uint8_t *at = file; (state = wire_next(&at, file + size, &field)) != 0;) {
        assert_int_equal(state, 1);
        assert_true(field.number == TRACE__packet || field.number == TRACE__filler);
        if (field.number == TRACE__packet)
            begins += begins_of_packet(field.bytes);
    }
    return begins;
}

static void record_spans(int count) {
    marey_track *track = marey_track_open("own", MAREY_OF_THREAD);
    marey_counter *counter = marey_counter_open("counter", "items", MAREY_OF_PROCESS);
    for (int i = 0; i < count; i++) {
        marey_begin("span", MAREY_I64("i", i), MAREY_STR("text", "some text"));
        marey_instant("instant", MAREY_HERE);
        marey_counter_add(counter, 1);
        marey_track_begin(track, MAREY_NOW, "on the track");
        marey_begin("inner");
        marey_end();
        marey_track_end(track, MAREY_NOW);
        marey_end(MAREY_BOOL("good", 1));
    }
    marey_track_close(track);
    marey_counter_close(counter);
}

static void *record_some(void *unused) {
    record_spans(SPANS);
    __atomic_add_fetch(&begun, 3 * SPANS, __ATOMIC_RELAXED);
    return unused;
}

static void *record_always(void *unused) {
    while (!__atomic_load_n(&stop_now, __ATOMIC_RELAXED))
        record_spans(1), usleep(100); /* valgrind lets one thread run at a time */
    return unused;
}

static void start(pthread_t *threads, void *(*run)(void *)) {
    __atomic_store_n(&stop_now, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
}

static void finish(const pthread_t *threads) {
    __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void nothing_is_lost_between_threads(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    begun = 0;
    assert_int_equal(marey_open(path_of("trace"), NULL), 0);
    for (int i = 0; i < 3; i++) { /* later ones go on where ended ones stopped */
        start(threads, record_some);
        finish(threads);
    }
    assert_int_equal(marey_close(), 0);
    assert_int_equal(begins_in("trace"), begun);
}

static void recordings_come_and_go(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    start(threads, record_always);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(marey_open(path_of("trace"), NULL), 0);
        marey_process_name(i % 2 ? "one" : "other");
        marey_attribute_number("round", i);
        usleep(500);
        assert_int_equal(marey_close(), 0);
        begins_in("trace");
    }
    finish(threads);
}

static void copies_of_a_ring_are_whole(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    marey_options options = {.ring_bytes = MAREY_RING_MIN};
    assert_int_equal(marey_open(path_of("trace"), &options), 0);
    start(threads, record_always);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(marey_snapshot(path_of("copy")), 0);
        begins_in("copy");
    }
    finish(threads);
    assert_int_equal(marey_close(), 0);
    begins_in("trace");
}

/* What was recorded between two times, by chunks ("copy") and by events ("trace"). */
static uint64_t begins_between(uint64_t from_ns, uint64_t to_ns) {
    int copy = open(path_of("copy"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    int is_whole;
    assert_int_equal(marey__snapshot_into(copy, from_ns, to_ns, &is_whole), 0);
    close(copy);
    uint64_t begins = begins_in("copy");
    FILE *stream = fopen(path_of("copy"), "rb");
    assert_non_null(stream);
    size_t size = fread(file, 1, sizeof file, stream);
    fclose(stream);
    int cut = open(path_of("cut"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    assert_int_equal(cut_moment(cut, file, size, from_ns, to_ns), 0);
    close(cut);
    return begins;
}

static void moments_of_a_ring_are_whole(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    marey_options options = {.ring_bytes = MAREY_RING_MIN};
    assert_int_equal(marey_open(path_of("trace"), &options), 0);
    start(threads, record_always);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t from_ns = marey_now_ns();
        usleep(1000);
        begins_between(from_ns, marey_now_ns());
    }
    finish(threads);
    assert_int_equal(marey_close(), 0);
}

static void a_moment_has_all_of_its_time_and_little_else(void **state) {
    (void)state;
    marey_options options = {.ring_bytes = 4 << 20};
    assert_int_equal(marey_open(path_of("trace"), &options), 0);
    record_spans(6 * SPANS);
    uint64_t from_ns = marey_now_ns();
    record_spans(SPANS);
    uint64_t to_ns = marey_now_ns();
    record_spans(3 * SPANS);
    assert_in_range(begins_between(from_ns, to_ns), 3 * SPANS, 3 * 5 * SPANS);
    assert_in_range(begins_in("cut"), 3 * SPANS, 3 * SPANS);
    assert_int_equal(begins_between(0, UINT64_MAX), 3 * 10 * SPANS);
    assert_int_equal(marey_close(), 0);
}

static int is_whole_between(uint64_t from_ns, uint64_t to_ns) {
    int is_whole = -1;
    int copy = open(path_of("copy"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    assert_int_equal(marey__snapshot_into(copy, from_ns, to_ns, &is_whole), 0);
    close(copy);
    return is_whole;
}

static void a_moment_that_the_ring_does_not_hold_is_not_whole(void **state) {
    (void)state;
    marey_options options = {.ring_bytes = MAREY_RING_MIN};
    assert_int_equal(marey_open(path_of("trace"), &options), 0);
    uint64_t from_ns = marey_now_ns();
    record_spans(SPANS);
    uint64_t then_ns = marey_now_ns();
    assert_true(is_whole_between(from_ns, then_ns));
    record_spans(100 * SPANS);
    uint64_t later_ns = marey_now_ns();
    assert_false(is_whole_between(from_ns, later_ns));
    record_spans(SPANS);
    assert_true(is_whole_between(later_ns, marey_now_ns()));
    assert_int_equal(marey_close(), 0);
}

static void record_in_handler(int number) {
    (void)number;
    marey_instant("in a handler");
}

static void handlers_interrupt_it(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    signal(SIGUSR1, record_in_handler);
    assert_int_equal(marey_open(path_of("trace"), NULL), 0);
    start(threads, record_always);
    for (int i = 0; i < 200; i++)
        pthread_kill(threads[i % THREADS], SIGUSR1);
    finish(threads);
    assert_int_equal(marey_close(), 0);
    begins_in("trace");
    signal(SIGUSR1, SIG_DFL);
}

static void *end_span(void *span) {
    marey__span_end(span);
    return NULL;
}

static void spans_end_elsewhere(void **state) {
    (void)state;
    marey_span span;
    pthread_t thread;
    assert_int_equal(marey_open(path_of("trace"), NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        marey__span_begin(&span, NULL, NULL, marey_name_id("elsewhere"), NULL, 0);
        assert_int_equal(pthread_create(&thread, NULL, end_span, &span), 0);
        pthread_join(thread, NULL);
        marey_end();
    }
    assert_int_equal(marey_close(), 0);
    assert_int_equal(begins_in("trace"), ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_between_threads),
        cmocka_unit_test(recordings_come_and_go),
        cmocka_unit_test(copies_of_a_ring_are_whole),
        cmocka_unit_test(moments_of_a_ring_are_whole),
        cmocka_unit_test(a_moment_has_all_of_its_time_and_little_else),
        cmocka_unit_test(a_moment_that_the_ring_does_not_hold_is_not_whole),
        cmocka_unit_test(handlers_interrupt_it),
        cmocka_unit_test(spans_end_elsewhere),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
