/* A large recording, for those who read it: threads with nested spans, and samples beside them.
 *
 *   large FILE EVENTS SAMPLES
 *
 * EVENTS are begins and ends, of four threads; SAMPLES are of eight more, stacks of depth 15 with 512 different ones. */
#include "losses.h"

#include <marey.h>
#include <pthread.h>

#include "trace/sample.h"

enum { THREADS = 4, SAMPLED = 8, DEPTH = 15, LEAVES = 512, INTERVAL_NS = 1000000 };

static long events_each;

static void *work(void *unused) {
    (void)unused;
    for (long i = 0; i < events_each / 8; i++) {
        marey_begin("request");
        marey_begin("parse");
        marey_end();
        marey_begin("compute");
        marey_begin("inner");
        marey_end();
        marey_end();
        marey_end();
    }
    return NULL;
}

static void write_spans(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL))
            fail("pthread_create", "no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* The innermost three frames of a stack tell it from the others. */
static void make_stack(struct sample_frame *frames, int leaf) {
    static char names[DEPTH][8][32];
    for (int at = 0; at < DEPTH; at++) {
        int variant = at < DEPTH - 3 ? 0 : leaf >> 3 * (DEPTH - 1 - at) & 7;
        snprintf(names[at][variant], sizeof names[at][variant], "Handler.step_%d_%d", at, variant);
        frames[at] = (struct sample_frame){.function = (uint64_t)(100 + at * 8 + variant),
                                           .name = names[at][variant],
                                           .file = "/srv/application/package/module.py",
                                           .line = 10 + variant,
                                           .first_line = 10};
    }
}

static void write_samples(long count) {
    struct samples_log *log = marey__samples_open(INTERVAL_NS, 0);
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (!log)
        fail("samples", "no memory");
    for (long i = 0; i < count; i++) {
        struct sample_frame frames[DEPTH];
        make_stack(frames, (int)(i / SAMPLED % LEAVES));
        now_ns += i % SAMPLED ? 0 : INTERVAL_NS;
        struct sample sample = {.time_ns = now_ns,
                                .pid = 4321,
                                .tid = 4321 + (int)(i % SAMPLED),
                                .count = 1,
                                .depth = DEPTH,
                                .frames = frames,
                                .weights_ns = {INTERVAL_NS, INTERVAL_NS, 0, 0}};
        marey__samples_write(log, &sample);
    }
    marey__samples_close(log);
}

int main(int argc, char **argv) {
    if (argc != 4)
        fail("usage", "large FILE EVENTS SAMPLES");
    events_each = atol(argv[2]) / THREADS;
    int error = marey_open(argv[1], NULL);
    if (error)
        fail(argv[1], marey_strerror(error));
    write_spans();
    write_samples(atol(argv[3]));
    must_have_lost_nothing();
    marey_close();
    return 0;
}
