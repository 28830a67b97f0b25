/* Profiles: samples merged into a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "model/profile.h"
#include "model/strings.h"
#include "profile_find.h"

enum { DEPTH = 8 };

/* A sample of the functions named "a;b;c", outermost first, all of file "f.py", line and first line 10 and 1. */
static void add(struct profile *profile, const char *path, uint32_t count, uint64_t wall_ns) {
    static char names[256];
    struct sample_frame frames[DEPTH];
    struct sample sample = {.count = count, .frames = frames};
    snprintf(names, sizeof names, "%s", path);
    for (char *name = strtok(names, ";"); name; name = strtok(NULL, ";")) {
        assert_in_range(sample.depth, 0, DEPTH - 1);
        frames[sample.depth++] = (struct sample_frame){.function = (uint64_t)name[0],
                                                       .name = name,
                                                       .file = "f.py",
                                                       .line = 10,
                                                       .first_line = 1};
    }
    sample.weights_ns[SAMPLE_WALL] = wall_ns;
    sample.weights_ns[SAMPLE_GIL] = wall_ns / 2;
    profile_add(profile, &sample);
}

static void expect(const struct profile *profile, const char *path, uint64_t self_count,
                   uint64_t total_count, uint64_t self_ns, uint64_t total_ns) {
    const struct profile_node *node = profile_find(profile, path);
    assert_non_null(node);
    assert_int_equal(node->self_count, self_count);
    assert_int_equal(node->total_count, total_count);
    assert_int_equal(node->self_ns[SAMPLE_WALL], self_ns);
    assert_int_equal(node->total_ns[SAMPLE_WALL], total_ns);
    assert_int_equal(node->total_ns[SAMPLE_GIL], total_ns / 2);
}

static void equal_stacks_merge(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    add(profile, "main;work;parse", 1, 100);
    add(profile, "main;work", 2, 50);
    add(profile, "main;work;parse", 3, 20);
    add(profile, "main;wait", 1, 1000);
    expect(profile, "", 0, 7, 0, 1170);
    expect(profile, "main", 0, 7, 0, 1170);
    expect(profile, "main;work", 2, 6, 50, 170);
    expect(profile, "main;work;parse", 4, 4, 120, 120);
    expect(profile, "main;wait", 1, 1, 1000, 1000);
    assert_null(profile_find(profile, "work"));
    assert_int_equal(profile_lost(profile), 0);
    profile_close(profile);
}

/* The giver's numbers are hints: here two functions have the same, and one has two. */
static void functions_are_told_apart_by_what_they_are(void **state) {
    (void)state;
    struct sample_frame frames[] = {
        {.function = 1, .name = "f", .file = "a.py", .line = 5, .first_line = 1},
        {.function = 1, .name = "f", .file = "b.py", .line = 5, .first_line = 1},
        {.function = 2, .name = "f", .file = "a.py", .line = 5, .first_line = 1},
        {.function = 3, .name = "f", .file = "a.py", .line = 5, .first_line = 4},
        {.function = 4, .name = "f", .file = "a.py", .line = 5, .first_line = 1, .kind = SAMPLE_GC},
    };
    struct profile *profile = profile_open(1000, 1);
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        profile_add(profile, &(struct sample){.count = 1, .depth = 1, .frames = &frames[i]});
    uint32_t count, functions;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    profile_functions(profile, &functions);
    assert_int_equal(functions, 2 + 4);
    uint64_t twice = 0;
    for (uint32_t at = nodes[0].first_child; at; at = nodes[at].next_sibling)
        twice += nodes[at].self_count == 2;
    assert_int_equal(twice, 1);
    profile_close(profile);
}

static uint32_t nodes_of_two_lines(int lines) {
    struct sample_frame frames[] = {{.name = "f", .file = "a.py", .line = 5},
                                    {.name = "f", .file = "a.py", .line = 6}};
    struct profile *profile = profile_open(1000, lines);
    for (int i = 0; i < 2; i++)
        profile_add(profile, &(struct sample){.count = 1, .depth = 1, .frames = &frames[i]});
    uint32_t count;
    profile_nodes(profile, &count);
    profile_close(profile);
    return count - 2; /* the root and its "(other)" */
}

static void lines_are_kept_where_wanted(void **state) {
    (void)state;
    assert_int_equal(nodes_of_two_lines(1), 2);
    assert_int_equal(nodes_of_two_lines(0), 1);
}

/* Whatever is added, sums are right, and the nodes stay below the limit. */
static void past_the_limit_it_is_other(void **state) {
    (void)state;
    enum { LIMIT = 64, PATHS = 1000 };
    struct profile *profile = profile_open(LIMIT, 1);
    char path[64];
    for (int i = 0; i < PATHS; i++) {
        snprintf(path, sizeof path, "main;f%d;g%d", i % 100, i);
        add(profile, path, 1, 10);
    }
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    assert_in_range(count, LIMIT / 2, LIMIT);
    uint64_t self = 0;
    for (uint32_t i = 0; i < count; i++) {
        self += nodes[i].self_count;
        assert_true(i == 0 || nodes[i].parent < i);
    }
    assert_int_equal(self, PATHS);
    expect(profile, "main", 0, PATHS, 0, 10 * PATHS);
    const struct profile_node *other = profile_find(profile, "main;(other)");
    assert_non_null(other);
    assert_in_range(profile_lost(profile), other->self_count, PATHS - 20);
    add(profile, "main;f0", 5, 0); /* what is known goes on to be told apart */
    assert_int_equal(profile_find(profile, "main;f0")->self_count, 5);
    profile_close(profile);
}

static void too_deep_a_stack_loses_its_innermost_frames(void **state) {
    (void)state;
    static struct sample_frame frames[PROFILE_DEPTH_MAX + 10];
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        frames[i] = (struct sample_frame){.name = "f", .file = "a.py", .line = 1};
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 1);
    profile_add(profile,
                &(struct sample){.count = 3, .depth = PROFILE_DEPTH_MAX + 10, .frames = frames});
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    assert_int_equal(count, 2 + PROFILE_DEPTH_MAX);
    assert_int_equal(nodes[count - 1].self_count, 3);
    assert_int_equal(profile_lost(profile), 3);
    profile_close(profile);
}

static void texts_are_bounded(void **state) {
    (void)state;
    enum { LONG = STRING_BYTES_MAX };
    static char name[LONG + 2];
    struct profile *profile = profile_open(1000, 1);
    for (int i = 0; i < 200; i++) {
        memset(name, 'a' + i % 20, LONG / 2);
        name[0] = (char)('A' + i / 20);
        struct sample_frame frame = {.name = name, .file = ""};
        profile_add(profile, &(struct sample){.count = 1, .depth = 1, .frames = &frame});
    }
    uint32_t count;
    profile_functions(profile, &count);
    assert_in_range(count, 3, 6);
    assert_in_range(profile_lost(profile), 1, 199);
    memset(name, 'x', LONG + 1);
    struct sample_frame frame = {.name = name, .file = ""};
    uint64_t lost = profile_lost(profile);
    profile_add(profile, &(struct sample){.count = 1, .depth = 1, .frames = &frame});
    assert_int_equal(profile_lost(profile), lost + 1);
    profile_close(profile);
}

static void sums_do_not_wrap(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    add(profile, "main", 1, UINT64_MAX - 1);
    add(profile, "main", 1, 5);
    assert_true(profile_find(profile, "main")->total_ns[SAMPLE_WALL] == UINT64_MAX);
    profile_close(profile);
}

static void a_cleared_one_is_empty(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    char path[32];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) {
            snprintf(path, sizeof path, "main;f%d", i + 100 * round);
            add(profile, path, 1, 2);
        }
        expect(profile, "main", 0, 500, 0, 1000);
        profile_clear(profile);
        expect(profile, "", 0, 0, 0, 0);
        uint32_t count;
        profile_nodes(profile, &count);
        assert_int_equal(count, 2);
    }
    profile_close(profile);
}

static uint32_t function_named(struct profile *profile, const char *name) {
    return profile_function(profile, &(struct profile_function){name, "f.py", 1, SAMPLE_PYTHON});
}

/* Whoever has a tree himself gets the same profile. */
static void nodes_can_be_added_one_by_one(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 1);
    add(profile, "main;work", 2, 40);
    uint32_t main_node = profile_child(profile, 0, function_named(profile, "main"), 10);
    uint32_t work = profile_child(profile, main_node, function_named(profile, "work"), 10);
    uint32_t rest = profile_child(profile, main_node, function_named(profile, "rest"), 11);
    profile_weigh(profile, work, 1, (uint64_t[SAMPLE_WEIGHTS]){[SAMPLE_WALL] = 20, 0, 10});
    profile_weigh(profile, rest, 3, (uint64_t[SAMPLE_WEIGHTS]){[SAMPLE_WALL] = 100, 0, 50});
    profile_sum(profile);
    profile_sum(profile);
    expect(profile, "", 0, 6, 0, 160);
    expect(profile, "main", 0, 6, 0, 160);
    expect(profile, "main;work", 3, 3, 60, 60);
    expect(profile, "main;rest", 3, 3, 100, 100);
    assert_int_equal(profile_find(profile, "main;rest")->depth, 2);
    profile_close(profile);
}

static void what_is_added_past_a_limit_is_other(void **state) {
    (void)state;
    enum { LIMIT = 64 };
    const uint64_t one_ns[SAMPLE_WEIGHTS] = {[SAMPLE_WALL] = 1};
    struct profile *profile = profile_open(LIMIT, 0);
    uint32_t count, functions, node = 0;
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        node = profile_child(profile, node, function_named(profile, name), 0);
        profile_weigh(profile, node, 1, one_ns);
    }
    profile_sum(profile);
    const struct profile_node *nodes = profile_nodes(profile, &count);
    profile_functions(profile, &functions);
    assert_in_range(count, 3, LIMIT);
    assert_in_range(functions, 3, LIMIT);
    assert_int_equal(nodes[0].total_count, 200);
    assert_int_equal(nodes[0].total_ns[SAMPLE_WALL], 200);
    assert_int_equal(profile_lost(profile), nodes[node].self_count);
    assert_in_range(profile_lost(profile), 200 - LIMIT, 199);
    profile_close(profile);
}

/* Below the deepest there is one "(other)" for all that is deeper. */
static void nodes_have_a_greatest_depth(void **state) {
    (void)state;
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 0);
    uint32_t count, node = 0, function = function_named(profile, "f");
    for (int i = 0; i < PROFILE_DEPTH_MAX + 10; i++)
        node = profile_child(profile, node, function, 0);
    const struct profile_node *nodes = profile_nodes(profile, &count);
    assert_int_equal(nodes[node].depth, PROFILE_DEPTH_MAX + 2);
    assert_int_equal(count, 2 + PROFILE_DEPTH_MAX + 2);
    profile_close(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stacks_merge),
        cmocka_unit_test(functions_are_told_apart_by_what_they_are),
        cmocka_unit_test(lines_are_kept_where_wanted),
        cmocka_unit_test(past_the_limit_it_is_other),
        cmocka_unit_test(too_deep_a_stack_loses_its_innermost_frames),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(sums_do_not_wrap),
        cmocka_unit_test(a_cleared_one_is_empty),
        cmocka_unit_test(nodes_can_be_added_one_by_one),
        cmocka_unit_test(what_is_added_past_a_limit_is_other),
        cmocka_unit_test(nodes_have_a_greatest_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
