/* Text made fit for a trace, and names: what a reader of the trace sees of what the program gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "marey.h"
#include "trace/names.h"
#include "trace/text.h"

static void fits(const char *in, size_t bytes, size_t room, const char *expected) {
    char out[256];
    size_t n = text_fit(out, room, in, bytes);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(out, expected, n);
}

static void valid_text_stays(void **state) {
    (void)state;
    fits("", 0, 64, "");
    fits("plain", 5, 64, "plain");
    fits("exactly8", 8, 8, "exactly8");
    fits("über 長い \xf0\x9f\x98\x80", 17, 64, "über 長い \xf0\x9f\x98\x80");
    fits("\x7f\x01", 2, 64, "\x7f\x01");
}

static void bad_bytes_are_replaced(void **state) {
    (void)state;
    fits("a\xff"
         "b",
         3, 64,
         "a\xef\xbf\xbd"
         "b");
    fits("\xc0\x80", 2, 64, "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong NUL */
    fits("\xe0\x80\x80", 3, 64, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* overlong */
    fits("\xed\xa0\x80", 3, 64, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    fits("\xf4\x90\x80\x80", 4, 64,
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  /* beyond U+10FFFF */
    fits("end\xe9\x95", 5, 64, "end\xef\xbf\xbd\xef\xbf\xbd"); /* cut off */
    fits("a\0b", 3, 64,
         "a\xe2\x90\x80"
         "b");
}

static void long_text_is_cut_between_characters(void **state) {
    (void)state;
    fits("0123456789", 10, 8, "01234...");
    fits("長長長長", 12, 10, "長長...");
    fits("\xff\xff\xff\xff", 4, 9, "\xef\xbf\xbd\xef\xbf\xbd...");
}

/* Whatever comes in: what goes out is valid, as long as promised at most, and made fit again stays the same. */
static void any_bytes_become_valid(void **state) {
    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char in[64], once[96], twice[96];
        size_t bytes = (size_t)rand() % sizeof in, room = 8 + (size_t)rand() % (sizeof once - 8);
        for (size_t i = 0; i < bytes; i++)
            in[i] = (char)(rand() % 4 ? rand() : "\xed\xa0\x80\xf0\x9f\xc3\xa9"[rand() % 8]);
        size_t n = text_fit(once, room, in, bytes);
        assert_true(n <= room);
        assert_null(memchr(once, 0, n));
        assert_int_equal(text_fit(twice, sizeof twice, once, n), n);
        assert_memory_equal(once, twice, n);
    }
}

static void a_name_has_one_number(void **state) {
    (void)state;
    uint32_t id = marey_name_id("a name");
    assert_int_not_equal(id, 0);
    assert_int_equal(marey_name_id("a name"), id);
    assert_int_equal(marey_name_id_n("a name and more", 6), id);
    assert_int_not_equal(marey_name_id("another"), id);
    assert_string_equal(names_get(id)->text, "a name");
    assert_string_equal(names_get(marey_name_id(NULL))->text, "(null)");
    assert_string_equal(names_get(marey_name_id(""))->text, "");
    assert_string_equal(names_get(marey_name_id_n("x\0y", 3))->text, "x\xe2\x90\x80y");
}

static void a_long_name_is_cut(void **state) {
    (void)state;
    size_t bytes = 10 << 20;
    char *text = malloc(bytes);
    memset(text, 'n', bytes);
    const struct name *name = names_get(marey_name_id_n(text, bytes));
    assert_int_equal(name->bytes, MAREY_NAME_MAX);
    assert_string_equal(name->text + MAREY_NAME_MAX - 4, "n...");
    free(text);
}

static void too_many_names_share_one(void **state) {
    (void)state;
    char text[32];
    uint32_t last = 1;
    for (int i = 0; i < MAREY_NAMES_MAX + 10; i++) {
        snprintf(text, sizeof text, "generated %d", i);
        last = marey_name_id(text);
    }
    assert_int_equal(last, 0);
    assert_string_equal(names_get(0)->text, "(too many names)");
    assert_string_equal(names_get(marey_name_id("generated 7"))->text, "generated 7");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text_stays),
        cmocka_unit_test(bad_bytes_are_replaced),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(any_bytes_become_valid),
        cmocka_unit_test(a_name_has_one_number),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(too_many_names_share_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
