/* What holds weighted stacks: flame graphs, of one profile and of two, folded stacks, pprof, callgrind. What they say is tested
 * with the tools that read them (tests/cli/test_convert_stacks.py); here, that nothing is too much for them. */
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

#include "output/display.h"
#include "output/folded.h"
#include "output/format.h"
#include "output/svg.h"

static char *written;
static size_t written_bytes;

static FILE *open_output(void) {
    FILE *to = open_memstream(&written, &written_bytes);
    assert_non_null(to);
    return to;
}

static void close_output(FILE *to) {
    assert_int_equal(fclose(to), 0);
}

static int tear_down(void **state) {
    (void)state;
    free(written);
    written = NULL;
    return 0;
}

static uint32_t count_of(const char *what) {
    uint32_t count = 0;
    for (const char *at = written; (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* Adds a stack of functions "a;b;c", of file "f.py", which weighs so much. */
static void add(struct profile *profile, const char *path, uint64_t wall_ns) {
    static char names[256];
    struct sample_frame frames[8];
    struct sample sample = {.count = 1, .frames = frames};
    snprintf(names, sizeof names, "%s", path);
    for (char *name = strtok(names, ";"); name; name = strtok(NULL, ";"))
        frames[sample.depth++] =
            (struct sample_frame){.name = name, .file = "f.py", .first_line = (int32_t)wall_ns};
    sample.weights_ns[SAMPLE_WALL] = wall_ns;
    profile_add(profile, &sample);
}

static void draw(const struct profile *profile, int flame) {
    FILE *to = open_output();
    struct svg_style style = {.weight = SAMPLE_WALL, .flame = flame};
    assert_int_equal(svg_flame_graph(to, profile, &style), 0);
    close_output(to);
}

static void a_flame_graph_stands_either_way(void **state) {
    (void)state;
    struct profile *profile = profile_open(1000, 0);
    add(profile, "main;work", 75);
    add(profile, "main", 25);
    draw(profile, 0);
    assert_non_null(strstr(written, "<title>all\n100ns, 100.0%; 2 samples</title>"
                                    "<rect x=\"0.0000\" y=\"64\" width=\"1200.0000\""));
    assert_non_null(strstr(written, "<title>work\nf.py:75\n75ns, 75.0%; itself 75ns, 75.0%; "
                                    "1 sample</title><rect x=\"0.0000\" y=\"98\" "
                                    "width=\"900.0000\""));
    tear_down(NULL);
    draw(profile, 1);
    assert_non_null(strstr(written, "1 sample</title><rect x=\"0.0000\" y=\"64\" "
                                    "width=\"900.0000\""));
    profile_close(profile);
}

/* However many nodes there are, a picture has no more frames than a viewer can show. */
static void a_wide_one_leaves_out_what_nobody_sees(void **state) {
    (void)state;
    enum { WIDE = 200000, DEEP = 50 };
    const uint64_t one_ns[SAMPLE_WEIGHTS] = {[SAMPLE_WALL] = 1};
    struct profile *profile = profile_open(PROFILE_NODES_MAX, 0);
    uint32_t node = 0;
    for (int i = 0; i < WIDE; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        uint32_t function =
            profile_function(profile, &(struct profile_function){name, "f.py", 1, SAMPLE_PYTHON});
        profile_weigh(profile, profile_child(profile, node, function, 0), 1, one_ns);
        if (i % (WIDE / DEEP) == 0) /* some levels of many each */
            node = profile_child(profile, node, function, 0);
    }
    profile_sum(profile);
    draw(profile, 0);
    assert_in_range(count_of("<rect x="), DEEP, 50000);
    assert_int_equal(count_of("Left out: "), 1);
    assert_in_range(written_bytes, 1000, 20 << 20);
    profile_close(profile);
}

/* The colour of the frame whose title begins so. */
static unsigned colour_of(const char *title) {
    const char *at = strstr(written, title);
    assert_non_null(at);
    at = strstr(at, "fill=\"#");
    assert_non_null(at);
    return (unsigned)strtoul(at + strlen("fill=\"#"), NULL, 16);
}

static int is_red(unsigned colour) {
    return (int)(colour >> 16) - (int)(colour & 0xff) > 40;
}

static int is_blue(unsigned colour) {
    return (int)(colour & 0xff) - (int)(colour >> 16) > 40;
}

/* In another line, it is the same function still. */
static void a_difference_is_red_where_it_grew(void **state) {
    (void)state;
    struct profile *before = profile_open(1000, 0), *after = profile_open(1000, 0);
    add(before, "main;same", 400);
    add(before, "main;grown", 100);
    add(before, "main;shrunk", 400);
    add(before, "main;gone;below", 100);
    add(after, "main;same", 800);
    add(after, "main;grown", 1000);
    add(after, "main;shrunk", 100);
    add(after, "main;new", 100);
    FILE *to = open_output();
    struct svg_style style = {.weight = SAMPLE_WALL};
    assert_int_equal(svg_difference(to, before, after, &style), 0);
    close_output(to);
    assert_int_equal(count_of("<g data-before="), 8);
    assert_int_equal(colour_of("<title>same\n"), 0xececec);
    assert_true(is_red(colour_of("<title>grown\n")));
    assert_true(is_red(colour_of("<title>new\n")));
    assert_true(is_blue(colour_of("<title>shrunk\n")));
    assert_true(is_blue(colour_of("<title>gone\n")));
    assert_non_null(strstr(written, "<title>grown\nf.py\n1.00us, 50.0%; before: 100ns, 10.0%; "
                                    "+40.0 points</title>"));
    assert_non_null(strstr(written, "<title>below\nf.py\n0ns, 0.0%; before: 100ns, 10.0%; "
                                    "-10.0 points</title>"));
    profile_close(before);
    profile_close(after);
}

static void a_difference_of_nothing_is_drawn(void **state) {
    (void)state;
    struct profile *empty = profile_open(1000, 0);
    FILE *to = open_output();
    struct svg_style style = {.weight = PROFILE_COUNT};
    assert_int_equal(svg_difference(to, empty, empty, &style), 0);
    close_output(to);
    assert_int_equal(count_of("<rect x="), 1);
    profile_close(empty);
}

/* A name of 64 KiB that each frame repeats would make a picture of gigabytes. */
static void long_names_are_cut_in_pictures(void **state) {
    (void)state;
    enum { LONG = 60000, TIMES = 50 };
    static char name[LONG + 1];
    struct sample_frame frames[TIMES];
    for (int i = 0; i < LONG; i += 3)
        memcpy(name + i, "\xe2\x82\xac", 3); /* no character is cut in two */
    for (int i = 0; i < TIMES; i++)
        frames[i] = (struct sample_frame){.name = name, .file = name};
    struct profile *profile = profile_open(PROFILE_NODES_USUAL, 0);
    profile_add(profile, &(struct sample){.count = 1,
                                          .depth = TIMES,
                                          .frames = frames,
                                          .weights_ns = {[SAMPLE_WALL] = 1}});
    draw(profile, 0);
    assert_in_range(written_bytes, TIMES * 2000, TIMES * 4000);
    for (const char *at = written, *end = written + written_bytes; at < end;) {
        struct character one = character_at(at, end);
        assert_true(one.code >= 0);
        at += one.bytes;
    }
    profile_close(profile);
}

static void every_format_takes_every_depth(void **state) {
    (void)state;
    enum { DEPTH = PROFILE_DEPTH_MAX + 5 };
    const uint64_t one_ns[SAMPLE_WEIGHTS] = {[SAMPLE_WALL] = 1};
    struct profile *profile = profile_open(PROFILE_NODES_MAX, 0);
    uint32_t node = 0;
    for (int i = 0; i < DEPTH; i++) {
        struct profile_function function = {"f", "f.py", i % 2, SAMPLE_PYTHON};
        node = profile_child(profile, node, profile_function(profile, &function), 0);
        profile_weigh(profile, node, 1, one_ns);
    }
    profile_sum(profile);
    FILE *to = open_output();
    struct folded_style style = {.weight = PROFILE_COUNT};
    assert_int_equal(folded_write(to, profile, &style), 0);
    close_output(to);
    assert_int_equal(count_of("\n"), PROFILE_DEPTH_MAX + 2);
    tear_down(NULL);
    draw(profile, 0);
    assert_int_equal(count_of("<rect x="), PROFILE_DEPTH_MAX + 3);
    profile_close(profile);
}

/* ------------------------------------------------------- formats of a trace */

static void put_spans(void) {
    static const char *const names[] = {"main", "a;b", "<i>", "\x1b[2J", "\xff\xfe"};
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_event(&file, 10, EVENT_BEGIN, names[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_event(&file, 10, EVENT_END, NULL);
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        put_event(&file, 10, EVENT_BEGIN, name);
        put_event(&file, 10, EVENT_END, NULL);
    }
}

static void every_format_is_written(void **state) {
    (void)state;
    struct trace trace;
    uint32_t of_stacks = 0;
    put_spans();
    for (int i = 0; formats[i]; i++) {
        assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, formats[i]->keep), 0);
        FILE *to = open_output();
        assert_int_equal(formats[i]->write(to, &trace, &(struct format_request){.lines = i % 2}),
                         0);
        close_output(to);
        assert_in_range(written_bytes, 100, 10 << 20);
        of_stacks += strstr("folded pprof callgrind svg", formats[i]->name) != NULL;
        trace_free(&trace);
        tear_down(NULL);
    }
    assert_int_equal(of_stacks, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_flame_graph_stands_either_way),   TEST(a_wide_one_leaves_out_what_nobody_sees),
        TEST(a_difference_is_red_where_it_grew), TEST(a_difference_of_nothing_is_drawn),
        TEST(long_names_are_cut_in_pictures),    TEST(every_format_takes_every_depth),
        TEST(every_format_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
