/* What is shown to a person, and to a program: aligned, harmless, valid. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "output/json.h"
#include "output/table.h"

static void expect_shown(const char *given, size_t columns, const char *expected, size_t width) {
    struct text text = {0};
    assert_int_equal(display_add(&text, given, columns), width);
    assert_string_equal(text_of(&text), expected);
    assert_int_equal(display_columns(expected), width);
    text_free(&text);
}

static void names_are_harmless(void **state) {
    (void)state;
    expect_shown("plain", 0, "plain", 5);
    expect_shown("\033[31mred", 0, "\\x1b[31mred", 11);
    expect_shown("a\nb\tc\r", 0, "a\\x0ab\\x09c\\x0d", 15);
    expect_shown("\xc2\x9b"
                 "31m",
                 0, "\\x9b31m", 7);                         /* C1: an escape in one byte */
    expect_shown("\xe2\x80\xaetxt", 0, "\\u202etxt", 9);    /* right to left override */
    expect_shown("\xff\xc3(", 0, "\\xff\\xc3(", 9);         /* not UTF-8 */
    expect_shown("\xed\xa0\x80", 0, "\\xed\\xa0\\x80", 12); /* a lone surrogate */
    expect_shown("\xf4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80", 16);
    expect_shown("\xc0\x80", 0, "\\xc0\\x80", 8); /* NUL, over-long */
}

static void widths_are_those_of_a_terminal(void **state) {
    (void)state;
    expect_shown("caf\xc3\xa9", 0, "caf\xc3\xa9", 4);
    expect_shown("cafe\xcc\x81", 0, "cafe\xcc\x81", 4); /* combining accent */
    expect_shown("\xe6\x97\xa5\xe6\x9c\xac", 0, "\xe6\x97\xa5\xe6\x9c\xac", 4);
    expect_shown("\xf0\x9f\x8e\x89!", 0, "\xf0\x9f\x8e\x89!", 3); /* an emoji */
}

static void what_is_too_long_is_cut(void **state) {
    (void)state;
    expect_shown("abcdefgh", 8, "abcdefgh", 8);
    expect_shown("abcdefghi", 8, "abcde...", 8);
    expect_shown("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e!", 6, "\xe6\x97\xa5...", 5);
    expect_shown("abcdef", 2, "..", 2);
}

static void expect_duration(int64_t ns, const char *expected) {
    char shown[DISPLAY_ROOM];
    display_duration(shown, sizeof shown, ns);
    assert_string_equal(shown, expected);
}

static void durations_for_people(void **state) {
    (void)state;
    expect_duration(-1, "-");
    expect_duration(0, "0ns");
    expect_duration(999, "999ns");
    expect_duration(1000, "1.00us");
    expect_duration(49000, "49.0us");
    expect_duration(999499, "999us");
    expect_duration(999500, "1.00ms");
    expect_duration(1234567, "1.23ms");
    expect_duration(2500000000, "2.50s");
    expect_duration(99999999999, "100s");
    expect_duration(185000000000, "3m05s");
    expect_duration(7800000000000, "2h10m");
    expect_duration(INT64_MAX, "2562047h47m");
}

static void sizes_and_counts(void **state) {
    (void)state;
    char shown[DISPLAY_ROOM];
    display_size(shown, sizeof shown, 812);
    assert_string_equal(shown, "812 B");
    display_size(shown, sizeof shown, 1228800);
    assert_string_equal(shown, "1.2 MiB");
    display_size(shown, sizeof shown, UINT64_MAX);
    assert_string_equal(shown, "16 EiB");
    display_count(shown, sizeof shown, 1234567);
    assert_string_equal(shown, "1,234,567");
    display_count(shown, sizeof shown, UINT64_MAX);
    assert_string_equal(shown, "18,446,744,073,709,551,615");
    display_count(shown, sizeof shown, 100);
    assert_string_equal(shown, "100");
}

static void expect_table(size_t width, const char *expected) {
    static const struct table_column columns[] = {{"NAME", ALIGN_LEFT, 6},
                                                  {"COUNT", ALIGN_RIGHT, 0}};
    struct table_style style = {width, 0, NULL, 0};
    struct table table;
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    table_init(&table, columns, 2);
    table_text(&table, "a long name");
    table_count(&table, 12345, 0);
    table_text(&table, "\xe6\x97\xa5");
    table_count(&table, 0, 1);
    table_print(&table, to, &style);
    table_free(&table);
    fclose(to);
    assert_string_equal(shown, expected);
    free(shown);
}

static void tables_are_aligned_and_fit(void **state) {
    (void)state;
    expect_table(0, "NAME          COUNT\n"
                    "a long name  12,345\n"
                    "\xe6\x97\xa5\n");
    expect_table(17, "NAME        COUNT\n"
                     "a long...  12,345\n"
                     "\xe6\x97\xa5\n");
    expect_table(5, "NAME     COUNT\n"
                    "a l...  12,345\n"
                    "\xe6\x97\xa5\n");
}

static void json_is_valid(void **state) {
    (void)state;
    struct json json;
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    json_init(&json, to, 0);
    json_object(&json, NULL);
    json_text(&json, "text", "a\"b\\c\n\033[0m\xff\xf0\x9f\x8e\x89\xe2\x80\xae");
    json_array(&json, "numbers");
    json_integer(&json, NULL, INT64_MIN);
    json_count(&json, NULL, UINT64_MAX);
    json_double(&json, NULL, 0.1);
    json_double(&json, NULL, 1.0 / 3);
    json_double(&json, NULL, NAN);
    json_double(&json, NULL, INFINITY);
    json_end(&json);
    json_object(&json, "empty");
    json_end(&json);
    json_bool(&json, "yes", 2);
    json_null(&json, "nothing");
    json_end(&json);
    fclose(to);
    assert_string_equal(
        shown, "{\"text\": \"a\\\"b\\\\c\\n\\u001b[0m\xef\xbf\xbd\xf0\x9f\x8e\x89\\u202e\", "
               "\"numbers\": [-9223372036854775808, 18446744073709551615, 0.1, "
               "0.3333333333333333, null, null], \"empty\": {}, \"yes\": true, "
               "\"nothing\": null}");
    free(shown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_harmless),      cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(what_is_too_long_is_cut), cmocka_unit_test(durations_for_people),
        cmocka_unit_test(sizes_and_counts),        cmocka_unit_test(tables_are_aligned_and_fit),
        cmocka_unit_test(json_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
