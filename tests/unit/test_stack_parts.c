/* The unwinder's parts: line tables, strings, memory, names of versions, windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "marey.h"
#include "stack/lines.h"
#include "stack/modules.h"
#include "stack/text.h"
#include "stack_image.h"

/* ---- line tables */

static void lines_of_3_9(void **state) {
    (void)state;
    /* 6 bytes of line 10, 4 of line 12, then back to 11; more than 255 bytes take two entries */
    const uint8_t table[] = {6, 2, 4, 0xff, 255, 0, 5, 3};
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, -2), 10);
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, 0), 10);
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, 4), 10);
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, 6), 12);
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, 10), 11);
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, 268), 11);
    assert_int_equal(lines_find(LINES_LNOTAB, table, sizeof table, 10, 270), 14);
}

static void lines_of_3_10(void **state) {
    (void)state;
    const uint8_t table[] = {6, 0, 4, 2, 2, 0x80, 8, 0xff};
    assert_int_equal(lines_find(LINES_TABLE, table, sizeof table, 10, 0), 10);
    assert_int_equal(lines_find(LINES_TABLE, table, sizeof table, 10, 6), 12);
    assert_int_equal(lines_find(LINES_TABLE, table, sizeof table, 10, 10), 0);
    assert_int_equal(lines_find(LINES_TABLE, table, sizeof table, 10, 12), 11);
    assert_int_equal(lines_find(LINES_TABLE, table, sizeof table, 10, 20), 0);
}

static void lines_of_3_11(void **state) {
    (void)state;
    const uint8_t table[] = {
        0x80 | 0 << 3 | 0,  0x00,                       /* short: 1 unit of line 10 */
        0x80 | 11 << 3 | 1, 0x01,        0x02,          /* one line on: 2 units of 11 */
        0x80 | 14 << 3 | 0, 0x40 | 0x08, 0x06, 0, 0, 0, /* long: +196 lines, 1 unit */
        0x80 | 15 << 3 | 0,                             /* none: 1 unit */
        0x80 | 13 << 3 | 7, 0x03,                       /* no columns: one line back, 8 units */
    };
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 0), 10);
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 2), 11);
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 4), 11);
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 6), 11 + 196);
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 8), 0);
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 10), 11 + 195);
    assert_int_equal(lines_find(LINES_LOCATIONS, table, sizeof table, 10, 26), 0);
}

static void any_bytes_are_a_table(void **state) {
    (void)state;
    uint8_t table[64];
    srand(1);
    for (int i = 0; i < 20000; i++) {
        for (size_t k = 0; k < sizeof table; k++)
            table[k] = (uint8_t)rand();
        for (int how = LINES_LNOTAB; how <= LINES_LOCATIONS; how++)
            lines_find((enum layout_lines)how, table, (uint32_t)rand() % sizeof table, rand(),
                       rand() % 1000 - 2);
    }
    assert_int_equal(lines_find(LINES_LOCATIONS, table, 0, 7, 4), 7);
}

/* ---- memory */

static void own_memory_is_read_in_pieces(void **state) {
    (void)state;
    struct memory memory;
    uint64_t a = 1, b = 2, into_a = 0, into_b = 0;
    assert_int_equal(memory_open(&memory, getpid()), 0);
    struct piece pieces[] = {{(uintptr_t)&a, &into_a, 8}, {(uintptr_t)&b, &into_b, 8}};
    assert_int_equal(memory_read_pieces(&memory, pieces, 2), 0);
    assert_int_equal(into_a, 1);
    assert_int_equal(into_b, 2);
    assert_int_equal(memory_pointer(&memory, (uintptr_t)&b), 2);
    assert_int_equal(memory_read_pieces(&memory, pieces, 0), MAREY_EINVAL);
    assert_int_equal(memory_read_pieces(&memory, pieces, MEMORY_PIECES_MAX + 1), MAREY_EINVAL);
    memory_close(&memory);
}

static void a_bad_address_is_an_error_not_a_crash(void **state) {
    (void)state;
    struct memory memory;
    char into[8192];
    assert_int_equal(memory_open(&memory, getpid()), 0);
    const uint64_t bad[] = {0, 1, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 47, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(memory_read(&memory, bad[i], into, 8), 0);
    /* One that ends in the middle. */
    char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(munmap(two + 4096, 4096), 0);
    assert_int_equal(memory_read(&memory, (uintptr_t)two, into, 4096), 0);
    assert_int_equal(memory_read(&memory, (uintptr_t)two, into, 8192), MAREY_EADDRESS);
    munmap(two, 4096);
    memory_close(&memory);
}

static void a_process_that_ended_is_told(void **state) {
    (void)state;
    int ready[2], end[2];
    char byte;
    static uint64_t word = 77;
    assert_int_equal(pipe(ready) | pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(end[1]);
        _exit(write(ready[1], "x", 1) == 1 && read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    struct memory memory;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(memory_open(&memory, pid), 0);
    assert_int_equal(memory_pointer(&memory, (uintptr_t)&word), 77);
    close(end[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(memory_read(&memory, (uintptr_t)&word, &byte, 1), MAREY_ENOPROCESS);
    memory_close(&memory);
    assert_int_equal(memory_open(&memory, pid), MAREY_ENOPROCESS);
    char text[MEMORY_EXPLANATION_BYTES];
    memory_explain(pid, text);
    assert_non_null(strstr(text, "there is no process"));
    close(ready[0]);
    close(ready[1]);
    close(end[0]);
}

/* ---- strings */

static struct image image;

static void text_at(uint32_t state_bits, uint64_t length, const void *data, size_t bytes,
                    uint32_t data_at) {
    const struct layout *l = &image.process.layout;
    image_set64(&image, IMAGE_TYPE + l->str_length, length);
    image_set32(&image, IMAGE_TYPE + l->str_state, state_bits);
    memcpy(image.bytes + (IMAGE_TYPE - IMAGE_BASE) + data_at, data, bytes);
}

static void strings_of_each_kind_become_utf8(void **state) {
    (void)state;
    enum { COMPACT = 1 << 5, ASCII = 1 << 6 };
    char *text;
    image_init(&image);
    image.process.layout = *layout_table(0x030c);
    image.process.layout.str_kind_shift = 2;
    const struct layout *l = &image.process.layout;
    struct memory *memory = &image.process.memory;
    text_at(1 << 2 | COMPACT | ASCII, 5,
            "a\nb\x7f"
            "c",
            5, l->str_ascii_data);
    assert_int_equal(text_read(memory, l, IMAGE_TYPE, 100, &text), 0);
    assert_string_equal(text, "a?b?c");
    free(text);
    text_at(1 << 2 | COMPACT, 2, "\xe9z", 2, l->str_data);
    assert_int_equal(text_read(memory, l, IMAGE_TYPE, 100, &text), 0);
    assert_string_equal(text, "\xc3\xa9z");
    free(text);
    text_at(2 << 2 | COMPACT, 2, (const uint16_t[]){0x20ac, 0xd800}, 4, l->str_data);
    assert_int_equal(text_read(memory, l, IMAGE_TYPE, 100, &text), 0);
    assert_string_equal(text, "\xe2\x82\xac?");
    free(text);
    text_at(4 << 2 | COMPACT, 2, (const uint32_t[]){0x1f600, 0x7fffffff}, 8, l->str_data);
    assert_int_equal(text_read(memory, l, IMAGE_TYPE, 100, &text), 0);
    assert_string_equal(text, "\xf0\x9f\x98\x80?");
    free(text);
    assert_int_equal(text_read(memory, l, IMAGE_TYPE, 3, &text), 0); /* cut at a whole character */
    assert_string_equal(text, "");
    free(text);
}

static void what_is_no_string_is_refused(void **state) {
    (void)state;
    char *text;
    image_init(&image);
    image.process.layout = *layout_table(0x030c);
    image.process.layout.str_kind_shift = 2;
    const struct layout *l = &image.process.layout;
    const uint32_t states[] = {0, 1 << 2, 3 << 2 | 1 << 5, 2 << 2 | 1 << 5 | 1 << 6};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        text_at(states[i], 1, "a", 1, l->str_data);
        assert_int_equal(text_read(&image.process.memory, l, IMAGE_TYPE, 9, &text), MAREY_ETORN);
    }
    text_at(1 << 2 | 1 << 5 | 1 << 6, UINT64_MAX, "a", 1, l->str_data);
    assert_int_equal(text_read(&image.process.memory, l, IMAGE_TYPE, 9, &text), MAREY_ETORN);
}

/* ---- names and windows */

static void versions_stand_in_names(void **state) {
    (void)state;
    assert_int_equal(modules_version_in("libpython3.9.so.1.0"), 0x0309);
    assert_int_equal(modules_version_in("/usr/bin/python3.14"), 0x030e);
    assert_int_equal(modules_version_in("libpython3.13t.so.1.0"), 0x030d);
    assert_int_equal(modules_version_in("/usr/lib/python3/dist-packages/python3.11/x.so"), 0x030b);
    assert_int_equal(modules_version_in("python2.7"), 0x0207);
    assert_int_equal(modules_version_in("python3"), 0);
    assert_int_equal(modules_version_in("python3.x python4711.1 ython3.9"), 0);
}

static void a_window_joins_what_is_near(void **state) {
    (void)state;
    struct window window;
    window_init(&window, false, 0);
    assert_int_equal(window_learn(&window, 0x10000, 80, false), 0);
    assert_int_equal(window_learn(&window, 0x10080, 80, false), 0);
    assert_int_equal(window.count, 1);
    assert_int_equal(window_learn(&window, 0x90000, 80, false), 0);
    assert_int_equal(window_learn(&window, 0x90100, 80, true),
                     0); /* overlaps the slack of the other */
    assert_int_equal(window.count, 2);
    assert_int_equal(window_learn(&window, 0xa0000, 80, true), 0);
    assert_int_equal(window.count, 3);
    assert_non_null(window_find(&window, NULL, 0x10080, 80));
    assert_null(window_find(&window, NULL, 0x20000, 80));
    assert_null(window_find(&window, NULL, 0x10000 - 8, 80));
    assert_int_equal(window_learn(&window, UINT64_MAX - 8, 80, false), MAREY_EINVAL);
    window_fini(&window);
}

static void a_window_has_a_limit(void **state) {
    (void)state;
    struct window window;
    window_init(&window, false, 0);
    int error = 0;
    for (uint64_t i = 1; i <= WINDOW_SPANS_MAX + 1 && !error; i++)
        error = window_learn(&window, i << 20, 80, false);
    assert_int_equal(error, MAREY_ELIMIT);
    assert_int_equal(window.count, 0);
    window_fini(&window);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_3_9),
        cmocka_unit_test(lines_of_3_10),
        cmocka_unit_test(lines_of_3_11),
        cmocka_unit_test(any_bytes_are_a_table),
        cmocka_unit_test(own_memory_is_read_in_pieces),
        cmocka_unit_test(a_bad_address_is_an_error_not_a_crash),
        cmocka_unit_test(a_process_that_ended_is_told),
        cmocka_unit_test(strings_of_each_kind_become_utf8),
        cmocka_unit_test(what_is_no_string_is_refused),
        cmocka_unit_test(versions_stand_in_names),
        cmocka_unit_test(a_window_joins_what_is_near),
        cmocka_unit_test(a_window_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
