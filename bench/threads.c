/* How recording scales: 1, 2 and 4 threads that do nothing but begin and end spans, into one file.
 *
 *   threads FILE
 *
 * Prints series (see series.h): thread_ns is the threads' mean CPU time for one span, wall_ns the time from the
 * first one's start to the last one's end for one span of one thread. With more threads than CPUs only CPU time says much. */
#include "losses.h"
#include "series.h"

#include <marey.h>
#include <pthread.h>

enum { ROUNDS = 9, LOOPS = 400, THREADS_MAX = 4 };

#define BEGIN_END(name)                                                                            \
    marey_begin(name);                                                                             \
    marey_end();

static void begin_end(void) {
    EACH_256(BEGIN_END)
}

typedef struct {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*run)(void);
    uint64_t cpu_ns, from_ns, to_ns;
} worker;

static void *work(void *argument) {
    worker *w = argument;
    pthread_barrier_wait(w->start);
    w->from_ns = clock_ns(CLOCK_MONOTONIC);
    uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < LOOPS; i++)
        w->run();
    w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    w->to_ns = clock_ns(CLOCK_MONOTONIC);
    return NULL;
}

/* One turn of n threads; the times of a turn stand for LOOPS * SITES spans. */
static moment turn_of(int n, void (*run)(void)) {
    worker workers[THREADS_MAX];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)n + 1);
    for (int i = 0; i < n; i++) {
        workers[i] = (worker){.start = &barrier, .run = run};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            fail("pthread_create", "no thread");
    }
    uint64_t process_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    pthread_barrier_wait(&barrier);
    uint64_t from_ns = UINT64_MAX, to_ns = 0, cpu_ns = 0;
    for (int i = 0; i < n; i++) {
        pthread_join(workers[i].thread, NULL);
        cpu_ns += workers[i].cpu_ns;
        from_ns = workers[i].from_ns < from_ns ? workers[i].from_ns : from_ns;
        to_ns = workers[i].to_ns > to_ns ? workers[i].to_ns : to_ns;
    }
    process_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process_ns;
    pthread_barrier_destroy(&barrier);
    return (moment){cpu_ns / (unsigned)n, process_ns / (unsigned)n, to_ns - from_ns};
}

static void measure(int n) {
    contestant floor = floor_contestant();
    contestant ours = {.who = "begin, end", .run = begin_end};
    for (int round = 0; round < ROUNDS; round++) {
        floor.spent[round] = turn_of(n, floor.run);
        ours.spent[round] = turn_of(n, ours.run);
    }
    char group[64];
    snprintf(group, sizeof group, "c.threads.%d", n);
    print_series(group, &floor, ROUNDS, (unsigned long)LOOPS * SITES);
    print_series(group, &ours, ROUNDS, (unsigned long)LOOPS * SITES);
}

int main(int argc, char **argv) {
    if (argc != 2)
        fail("usage", "threads FILE");
    int error = marey_open(argv[1], NULL);
    if (error)
        fail(argv[1], marey_strerror(error));
    for (int n = 1; n <= THREADS_MAX; n *= 2)
        measure(n);
    must_have_lost_nothing();
    marey_close();
    return 0;
}
