/* threads.c: threads that take their work from a queue, here blocks of numbers in which they count primes.
 *
 *   cc -O2 -pthread threads.c -o threads $(pkg-config --cflags --libs marey)
 *   ./threads 4                         four threads; writes threads.perfetto-trace
 *   ./threads 4 detail                  with the category "detail" switched on
 */
#include <marey.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 200, BLOCK_SIZE = 5000, ROOM = 16, THREADS_MAX = 64 };

/* Events of this category cost one load while it is off. */
static MAREY_CATEGORY(detail, "detail");

struct block {
    long first;
    uint64_t arrow; /* the flow from who put it into the queue to who takes it out */
};

static struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct block blocks[ROOM];
    int first, count, closed;
    marey_counter *length;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static long primes; /* found by all threads */

static void put(long first) {
    struct block block = {first, marey_flow_new()};
    MAREY_SPAN("put", MAREY_FLOW_OUT(block.arrow));
    pthread_mutex_lock(&queue.lock);
    while (queue.count == ROOM)
        pthread_cond_wait(&queue.changed, &queue.lock);
    queue.blocks[(queue.first + queue.count++) % ROOM] = block;
    marey_counter_set(queue.length, queue.count);
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

/* Returns 0 where no more will come. */
static int take(struct block *block) {
    MAREY_SPAN_IN(detail, "take");
    pthread_mutex_lock(&queue.lock);
    while (!queue.count && !queue.closed)
        pthread_cond_wait(&queue.changed, &queue.lock);
    int there = queue.count > 0;
    if (there) {
        *block = queue.blocks[queue.first];
        queue.first = (queue.first + 1) % ROOM;
        queue.count--;
        marey_counter_set(queue.length, queue.count);
        pthread_cond_broadcast(&queue.changed);
    }
    pthread_mutex_unlock(&queue.lock);
    return there;
}

static void close_queue(void) {
    pthread_mutex_lock(&queue.lock);
    queue.closed = 1;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

static int is_prime(long number) {
    for (long i = 2; i * i <= number; i++)
        if (number % i == 0)
            return 0;
    return number > 1;
}

static void *work(void *argument) {
    struct block block;
    char name[16];
    snprintf(name, sizeof name, "worker %ld", (long)argument);
    marey_thread_name(name);
    while (take(&block)) {
        long found = 0;
        marey_begin("block", MAREY_FLOW_END(block.arrow),
                    MAREY_DICT("numbers", MAREY_I64("first", block.first),
                               MAREY_I64("last", block.first + BLOCK_SIZE - 1)));
        for (long i = 0; i < BLOCK_SIZE; i++)
            found += is_prime(block.first + i);
        __atomic_fetch_add(&primes, found, __ATOMIC_RELAXED);
        marey_end(MAREY_I64("primes", found));
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS_MAX];
    long count = argc > 1 ? atol(argv[1]) : 2;
    if (count < 1 || count > THREADS_MAX) {
        fprintf(stderr, "usage: threads [1 to %d threads] [detail]\n", THREADS_MAX);
        return 2;
    }
    if (marey_join(NULL) == MAREY_EOFF) /* $MAREY_TRACE is not set */
        marey_open("threads.perfetto-trace", NULL);
    marey_category_enable("detail", argc > 2 && !strcmp(argv[2], "detail"));
    queue.length = marey_counter_open("queue", "blocks", MAREY_OF_PROCESS);
    marey_statistics_start(10); /* CPU, memory, open files, every 10 ms */
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i))
            abort();
    for (long i = 0; i < BLOCKS; i++)
        put(i * BLOCK_SIZE);
    close_queue();
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%ld primes below %d\n", primes, BLOCKS * BLOCK_SIZE);
    marey_close();
    return 0;
}
