/* What it costs to write a sample of a stack of depth 15 into a trace, and how many bytes it takes there.
 *
 *   samples FILE LABEL
 *
 * A line of JSON for each race (series.h) and for each size: {"group": "samples.bytes", "who": "...", "bytes": 28.0}.
 * The stacks are made up, so that nothing but the writing is measured; chunks are claimed and their pages faulted in
 * while the clocks run. */
#include "losses.h"
#include "series.h"

#include <marey.h>

#include "trace/sample.h"

enum { ROUNDS = 15, LOOPS = 800, DEPTH = 15, LEAVES = 64, THREADS = 8, INTERVAL_NS = 1000000 };

static struct samples_log *samples;
static struct sample_frame frames[THREADS][LEAVES][DEPTH];
static uint64_t now_ns, written;

static void make_frames(void) {
    static char names[64][32];
    for (int i = 0; i < 64; i++)
        snprintf(names[i], sizeof names[i], "Handler.function_%d", i);
    for (int thread = 0; thread < THREADS; thread++)
        for (int leaf = 0; leaf < LEAVES; leaf++)
            for (int at = 0; at < DEPTH; at++) {
                int changes = at >= DEPTH - 3 ? leaf : 0; /* the three innermost differ */
                frames[thread][leaf][at] =
                    (struct sample_frame){.function = (uint64_t)(100 + at * 4 + changes % 4),
                                          .name = names[(at * 4 + changes % 4) % 64],
                                          .file = "/srv/application/package/module.py",
                                          .line = 10 + at + thread + changes,
                                          .first_line = 10 + at};
            }
}

/* The sample that `thread` would give now, of stack number `leaf`. */
static void write_one(int thread, int leaf, int32_t line) {
    now_ns += INTERVAL_NS;
    struct sample_frame *stack = frames[thread][leaf % LEAVES];
    if (line)
        stack[DEPTH - 1].line = line;
    struct sample sample = {.time_ns = now_ns,
                            .pid = 4321,
                            .tid = 4321 + thread,
                            .count = 1,
                            .depth = DEPTH,
                            .frames = stack,
                            .weights_ns = {INTERVAL_NS, INTERVAL_NS, INTERVAL_NS, 0}};
    marey__samples_write(samples, &sample);
    written++;
}

static void unchanged(void) {
    for (int i = 0; i < SITES; i++)
        write_one(0, 0, 0);
}

static void changed(void) {
    for (int i = 0; i < SITES; i++)
        write_one(0, i, 0);
}

static void of_threads(void) {
    for (int i = 0; i < SITES; i++)
        write_one(i % THREADS, i / THREADS, 0);
}

static void new_stack(void) {
    static int32_t line = 1000;
    for (int i = 0; i < SITES; i++)
        write_one(0, 0, line = line < 100000 ? line + 1 : 1000);
}

static contestant all[] = {
    {.who = "floor"},
    {.who = "the stack of the sample before", .run = unchanged},
    {.who = "another stack that the chunk knows", .run = changed},
    {.who = "stacks of 8 threads in turn", .run = of_threads},
    {.who = "a stack that is new", .run = new_stack},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint64_t file_bytes(void) {
    marey_status_info info;
    if (marey_status(&info))
        fail("marey_status", "nothing is being recorded");
    return info.file_bytes;
}

/* By enough of them that the chunks' beginnings count as they do. */
static void print_bytes(const contestant *one) {
    uint64_t before = file_bytes(), first = written;
    for (int i = 0; i < 4 * LOOPS; i++)
        one->run();
    printf("{\"group\": \"samples.bytes\", \"who\": \"%s\", \"bytes\": %.2f}\n", one->who,
           (double)(file_bytes() - before) / (double)(written - first));
}

int main(int argc, char **argv) {
    char group[64];
    if (argc != 3)
        fail("usage", "samples FILE LABEL");
    int error = marey_open(argv[1], NULL);
    if (error)
        fail(argv[1], marey_strerror(error));
    samples = marey__samples_open(INTERVAL_NS, 0);
    if (!samples)
        fail("samples", "no memory");
    make_frames();
    now_ns = clock_ns(CLOCK_MONOTONIC);
    all[0] = floor_contestant();
    snprintf(group, sizeof group, "samples.%s", argv[2]);
    race(group, all, COUNT(all), ROUNDS, LOOPS);
    for (size_t i = 1; i < COUNT(all); i++)
        print_bytes(&all[i]);
    must_have_lost_nothing();
    marey__samples_close(samples);
    marey_close();
    return 0;
}
