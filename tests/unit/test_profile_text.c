/* What is made of a profile: tables of functions, folded stacks, a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/hot.h"
#include "output/profile_text.h"

enum { DEPTH = 300 };

/* Samples of functions "a;b:7;c", outermost first: all of file "f.py", first line 1; b in line 7, the others in none. */
static void add(struct profile *profile, const char *path, uint32_t count) {
    static char names[4096];
    struct sample_frame frames[DEPTH];
    struct sample sample = {.count = count, .frames = frames};
    snprintf(names, sizeof names, "%s", path);
    for (char *name = strtok(names, ";"); name; name = strtok(NULL, ";")) {
        char *line = strchr(name, '@');
        if (line)
            *line++ = '\0';
        frames[sample.depth++] = (struct sample_frame){
            .name = name, .file = "f.py", .line = line ? atoi(line) : 0, .first_line = 1};
    }
    sample.weights_ns[SAMPLE_WALL] = 10 * count;
    profile_add(profile, &sample);
}

static const struct hot_row *row_of(const struct hot *hot, const struct profile *profile,
                                    const char *name) {
    uint32_t count;
    const struct profile_function *functions = profile_functions(profile, &count);
    for (uint32_t i = 0; i < hot->count; i++)
        if (!strcmp(functions[hot->rows[i].function].name, name))
            return &hot->rows[i];
    return NULL;
}

static void expect(const struct hot *hot, const struct profile *profile, const char *name,
                   uint64_t self, uint64_t total) {
    const struct hot_row *row = row_of(hot, profile, name);
    assert_non_null(row);
    assert_int_equal(row->self_count, self);
    assert_int_equal(row->total_count, total);
    assert_int_equal(row->self_ns[SAMPLE_WALL], 10 * self);
    assert_int_equal(row->total_ns[SAMPLE_WALL], 10 * total);
}

static void functions_are_counted_once_a_sample(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 0);
    struct hot hot;
    add(profile, "main;work;work;work", 5);
    add(profile, "main;work;help;work", 3);
    add(profile, "main;help", 2);
    add(profile, "main", 1);
    assert_int_equal(hot_make(&hot, profile, HOT_BY_SELF), 0);
    assert_int_equal(hot.samples, 11);
    assert_int_equal(hot.count, 3);
    expect(&hot, profile, "main", 1, 11);
    expect(&hot, profile, "work", 8, 8);
    expect(&hot, profile, "help", 2, 5);
    assert_ptr_equal(row_of(&hot, profile, "work"), &hot.rows[0]);
    assert_ptr_equal(row_of(&hot, profile, "main"), &hot.rows[2]);
    hot_free(&hot);
    assert_int_equal(hot_make(&hot, profile, HOT_BY_TOTAL), 0);
    assert_ptr_equal(row_of(&hot, profile, "main"), &hot.rows[0]);
    assert_ptr_equal(row_of(&hot, profile, "help"), &hot.rows[2]);
    assert_int_equal(hot.rows[0].hot_line, 0);
    hot_free(&hot);
    profile_close(profile);
}

static void the_hot_line_is_that_of_all_stacks(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    struct hot hot;
    add(profile, "main@1;work@7", 4);
    add(profile, "main@2;work@7", 4);
    add(profile, "main@2;work@9", 6);
    assert_int_equal(hot_make(&hot, profile, HOT_BY_SELF), 0);
    expect(&hot, profile, "work", 14, 14);
    assert_int_equal(row_of(&hot, profile, "work")->hot_line, 7);
    assert_int_equal(row_of(&hot, profile, "work")->hot_line_count, 8);
    expect(&hot, profile, "main", 0, 14);
    assert_int_equal(row_of(&hot, profile, "main")->hot_line, 2); /* which only calls */
    hot_free(&hot);
    profile_close(profile);
}

static void nothing_sampled_is_no_row(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    struct text text = {0};
    struct hot hot;
    assert_int_equal(hot_make(&hot, profile, HOT_BY_SELF), 0);
    assert_int_equal(hot.count, 0);
    assert_int_equal(hot.samples, 0);
    hot_free(&hot);
    profile_folded(&text, profile, 0);
    assert_string_equal(text_of(&text), "");
    profile_tree(&text, profile, &(struct profile_tree_style){0});
    assert_string_equal(text_of(&text), " TOTAL   SELF  0 samples\n");
    text_free(&text);
    profile_close(profile);
}

static void folded_stacks_are_a_line_each(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 0);
    struct text text = {0};
    add(profile, "main;work", 5);
    add(profile, "main;work;help", 3);
    add(profile, "main", 1);
    add(profile, "other thread", 1);
    add(profile, "", 2);
    profile_folded(&text, profile, 0);
    assert_string_equal(text_of(&text), "(none) 2\n"
                                        "other thread 1\n"
                                        "main 1\n"
                                        "main;work 5\n"
                                        "main;work;help 3\n");
    text_free(&text);
    profile_folded(&text, profile, 1);
    assert_non_null(strstr(text_of(&text), "\nmain (f.py:1);work (f.py:1) 5\n"));
    text_free(&text);
    profile_close(profile);
}

static void a_separator_in_a_name_does_not_separate(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 0);
    struct text text = {0};
    struct sample_frame frame = {.name = "a;b", .file = "x;y.py"};
    struct sample sample = {.count = 1, .depth = 1, .frames = &frame};
    profile_add(profile, &sample);
    profile_folded(&text, profile, 1);
    assert_string_equal(text_of(&text), "a:b (x:y.py:0) 1\n");
    text_free(&text);
    profile_close(profile);
}

static void a_tree_shows_the_largest_first(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    struct text text = {0};
    add(profile, "main;small@3", 1);
    add(profile, "main;work@7;\033[1mhelp", 150);
    add(profile, "main;work@7", 40);
    add(profile, "main", 9);
    profile_tree(&text, profile, &(struct profile_tree_style){.min_share = 0.01});
    assert_string_equal(text_of(&text), " TOTAL   SELF  200 samples\n"
                                        "100.0%   4.5%  main (f.py:1)\n"
                                        " 95.0%  20.0%    work (f.py:7)\n"
                                        " 75.0%  75.0%      \\x1b[1mhelp (f.py:1)\n");
    text_free(&text);
    profile_tree(&text, profile, &(struct profile_tree_style){.depth = 2});
    assert_string_equal(text_of(&text), " TOTAL   SELF  200 samples\n"
                                        "100.0%   4.5%  main (f.py:1)\n"
                                        " 95.0%  20.0%    work (f.py:7)\n"
                                        "  0.5%   0.5%    small (f.py:3)\n");
    text_free(&text);
    profile_close(profile);
}

/* Deeper than a recursion would bear, and wide. */
static void any_tree_is_walked_to_its_end(void **state) {
    (void)state;
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 0);
    static struct sample_frame frames[PROFILE_DEPTH_MAX];
    static char names[PROFILE_DEPTH_MAX][16];
    struct text folded = {0}, tree = {0};
    struct hot hot;
    for (int i = 0; i < PROFILE_DEPTH_MAX; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        frames[i] = (struct sample_frame){.name = names[i], .file = "f.py"};
        struct sample sample = {.count = 1, .depth = (uint32_t)i + 1, .frames = frames};
        profile_add(profile, &sample);
        struct sample wide = {.count = 1, .depth = 1, .frames = &frames[i]};
        profile_add(profile, &wide);
    }
    assert_int_equal(hot_make(&hot, profile, HOT_BY_TOTAL), 0);
    assert_int_equal(hot.count, PROFILE_DEPTH_MAX);
    assert_int_equal(row_of(&hot, profile, "f0")->self_count, 2);
    assert_int_equal(row_of(&hot, profile, "f0")->total_count, PROFILE_DEPTH_MAX + 1);
    profile_folded(&folded, profile, 0);
    profile_tree(&tree, profile, &(struct profile_tree_style){0});
    int lines = 0;
    for (const char *at = text_of(&tree); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 1 + 2 * PROFILE_DEPTH_MAX - 1);
    assert_non_null(strstr(text_of(&folded), ";f4094;f4095 1\n"));
    hot_free(&hot);
    text_free(&folded);
    text_free(&tree);
    profile_close(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_counted_once_a_sample),
        cmocka_unit_test(the_hot_line_is_that_of_all_stacks),
        cmocka_unit_test(nothing_sampled_is_no_row),
        cmocka_unit_test(folded_stacks_are_a_line_each),
        cmocka_unit_test(a_separator_in_a_name_does_not_separate),
        cmocka_unit_test(a_tree_shows_the_largest_first),
        cmocka_unit_test(any_tree_is_walked_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
