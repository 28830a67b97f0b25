/* Parts of the commands: functions and lines of a profile that grows (top_rows.h), paths that are cut at the front,
 * command lines, times and process numbers from the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/pids.h"
#include "cli/top_rows.h"

/* ---- top_rows */

enum { MAIN, WORK, LEAF };

/* One sample: functions by number with their lines, the outermost first; 10 ns. */
static void add(struct profile *profile, const int (*calls)[2], uint32_t depth) {
    static const char *const names[] = {"main", "work", "leaf"};
    struct sample_frame frames[8];
    for (uint32_t i = 0; i < depth; i++)
        frames[i] = (struct sample_frame){.function = (uint64_t)calls[i][0] + 1,
                                          .name = names[calls[i][0]],
                                          .file = "a.py",
                                          .line = calls[i][1],
                                          .first_line = 1 + calls[i][0]};
    struct sample sample = {
        .pid = 1, .tid = 1, .count = 1, .depth = depth, .frames = frames, .weights_ns = {10}};
    profile_add(profile, &sample);
}

static const struct top_row *row_of(const struct top_rows *rows, const struct profile *profile,
                                    const char *name, int line) {
    uint32_t count;
    const struct profile_function *functions = profile_functions(profile, &count);
    for (uint32_t i = 0; i < rows->count; i++)
        if (!strcmp(functions[rows->rows[i].function].name, name) && rows->rows[i].line == line)
            return &rows->rows[i];
    fail_msg("no row of %s:%d", name, line);
    return NULL;
}

static void assert_row(const struct top_rows *rows, const struct profile *profile, const char *name,
                       int line, uint64_t self_ns, uint64_t total_ns) {
    const struct top_row *row = row_of(rows, profile, name, line);
    assert_int_equal(row->self_ns, self_ns);
    assert_int_equal(row->total_ns, total_ns);
}

static void functions_are_added_up(void **state) {
    (void)state;
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 1);
    struct top_rows rows = {.lines = 0};
    add(profile, (const int[][2]){{MAIN, 1}, {WORK, 5}, {LEAF, 9}}, 3);
    add(profile, (const int[][2]){{MAIN, 1}, {WORK, 6}, {LEAF, 9}}, 3);
    add(profile, (const int[][2]){{MAIN, 2}}, 1);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    assert_row(&rows, profile, "main", 0, 10, 30);
    assert_row(&rows, profile, "work", 0, 0, 20);
    assert_row(&rows, profile, "leaf", 0, 20, 20);
    top_rows_free(&rows);
    profile_close(profile);
}

static void of_recursive_calls_the_outermost_counts(void **state) {
    (void)state;
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 1);
    struct top_rows rows = {.lines = 0}, lines = {.lines = 1};
    add(profile, (const int[][2]){{MAIN, 1}, {WORK, 5}, {WORK, 5}, {LEAF, 9}, {WORK, 6}}, 5);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    assert_int_equal(top_rows_count(&lines, profile), 0);
    assert_row(&rows, profile, "work", 0, 10, 10);
    assert_row(&lines, profile, "work", 5, 0, 10);
    assert_row(&lines, profile, "work", 6, 10, 10);
    top_rows_free(&rows);
    top_rows_free(&lines);
    profile_close(profile);
}

static void what_is_new_is_told(void **state) {
    (void)state;
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 1);
    struct top_rows rows = {.lines = 0};
    add(profile, (const int[][2]){{MAIN, 1}, {WORK, 5}}, 2);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    assert_int_equal(row_of(&rows, profile, "work", 0)->self_new_ns, 10);
    add(profile, (const int[][2]){{MAIN, 1}, {LEAF, 9}}, 2);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    assert_int_equal(row_of(&rows, profile, "work", 0)->self_new_ns, 0);
    assert_int_equal(row_of(&rows, profile, "leaf", 0)->self_new_ns, 10);
    assert_int_equal(row_of(&rows, profile, "main", 0)->total_new_ns, 10);
    assert_int_equal(row_of(&rows, profile, "main", 0)->total_ns, 20);
    top_rows_free(&rows);
    profile_close(profile);
}

static void after_a_reset_it_begins_again(void **state) {
    (void)state;
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 1);
    struct top_rows rows = {.lines = 1};
    for (int line = 1; line < 3000; line++) /* more than the table begins with */
        add(profile, (const int[][2]){{MAIN, line}}, 1);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    assert_row(&rows, profile, "main", 2999, 10, 10);
    profile_clear(profile);
    top_rows_clear(&rows);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    add(profile, (const int[][2]){{WORK, 7}}, 1);
    assert_int_equal(top_rows_count(&rows, profile), 0);
    assert_row(&rows, profile, "work", 7, 10, 10);
    assert_int_equal(row_of(&rows, profile, "work", 7)->self_new_ns, 10);
    top_rows_free(&rows);
    profile_close(profile);
}

/* ---- display_add_end */

static void assert_end(const char *path, size_t columns, const char *expected) {
    struct text shown = {0};
    size_t used = display_add_end(&shown, path, columns);
    assert_string_equal(text_of(&shown), expected);
    assert_int_equal(used, display_columns(expected));
    assert_true(!columns || used <= columns);
    text_free(&shown);
}

static void paths_are_cut_at_the_front(void **state) {
    (void)state;
    assert_end("/srv/app/a.py", 0, "/srv/app/a.py");
    assert_end("/srv/app/a.py", 13, "/srv/app/a.py");
    assert_end("/srv/app/a.py", 12, ".../app/a.py");
    assert_end("/srv/app/a.py", 9, ".../a.py");
    assert_end("/srv/app/a.py", 6, "....py");
    assert_end("/srv/app/a.py", 2, "..");
    assert_end("/\xe4\xb8\xad\xe6\x96\x87/\xe4\xb8\xad\xe6\x96\x87.py", 11,
               ".../\xe4\xb8\xad\xe6\x96\x87.py");
    assert_end("/a\x1b[31m/b.py", 8, ".../b.py");
    assert_end("", 5, "");
}

/* ---- words */

static void assert_command(const char *words, size_t bytes, const char *expected) {
    static struct command_line line;
    struct text shown = {0};
    memcpy(line.words, words, bytes);
    line.bytes = bytes;
    command_line_show(&line, &shown, 0);
    assert_string_equal(text_of(&shown), expected);
    text_free(&shown);
}

static void command_lines_are_as_one_would_type_them(void **state) {
    (void)state;
    assert_command("python3\0a.py\0", 13, "python3 a.py");
    assert_command("sh\0-c\0echo 'x' | cat\0", 21, "sh -c 'echo '\\''x'\\'' | cat'");
    assert_command("a\0\0b\0", 5, "a '' b");
    assert_command("a\x1b[31m\0", 7, "'a\\x1b[31m'");
    assert_command("", 0, "");
}

static void times_and_process_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } times[] = {{"10", 10000000000}, {"2.5s", 2500000000}, {"500ms", 500000000}, {"20us", 20000},
                 {"30ns", 30},        {"5m", 300000000000}, {"1h", 3600000000000}};
    int64_t ns;
    pid_t pid;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_equal(parse_duration(times[i].text, &ns), 0);
        assert_int_equal(ns, times[i].ns);
    }
    static const char *const wrong[] = {"", "s", "-1", "1 s", "1x", "nan", "1e300", "99999999999h"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(parse_duration(wrong[i], &ns), -1);
    assert_int_equal(parse_pid("4711", &pid), 0);
    assert_int_equal(pid, 4711);
    static const char *const no_pids[] = {"", "0", "-1", "1x", "0x10", "2147483648", " 1"};
    for (size_t i = 0; i < sizeof no_pids / sizeof *no_pids; i++)
        assert_int_equal(parse_pid(no_pids[i], &pid), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_added_up),
        cmocka_unit_test(of_recursive_calls_the_outermost_counts),
        cmocka_unit_test(what_is_new_is_told),
        cmocka_unit_test(after_a_reset_it_begins_again),
        cmocka_unit_test(paths_are_cut_at_the_front),
        cmocka_unit_test(command_lines_are_as_one_would_type_them),
        cmocka_unit_test(times_and_process_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
