/* A library for ctypes: a native thread that reads the stacks of its own process, without taking the GIL.
 *
 *   inside_start(path, rounds)   0, or an enum marey_error; the stacks go to the file (stack_list.h)
 *   inside_wait()                waits for its end */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "marey.h"
#include "stack_list.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int inside_start(const char *path, long rounds);
EXPORT void inside_wait(void);

static pthread_t reader_thread;
static struct process self;
static FILE *out;
static long rounds_wanted;

static void read_thread(struct unwinder *unwinder, const struct thread *thread, long rounds) {
    struct thread_reader reader;
    struct stack stack;
    thread_reader_init(&reader, unwinder, thread);
    for (long i = 0; i < rounds; i++) {
        if (i % 10 == 0)
            unwinder_tick(unwinder);
        if (unwind_thread(unwinder, &reader, &stack) == 0 &&
            is_new(hash_of(&self.layout, thread->tid, &stack)))
            stack_print(out, &self.layout, getpid(), thread->tid, &stack);
    }
    thread_reader_fini(&reader);
}

static void *run(void *unused) {
    struct unwinder unwinder;
    struct thread_list threads = {0};
    (void)unused;
    unwinder_init(&unwinder, &self);
    if (process_threads(&self, &threads) == 0)
        for (int i = 0; i < threads.count; i++)
            read_thread(&unwinder, &threads.threads[i], rounds_wanted / threads.count);
    counts_print(out, &unwinder.counts);
    fclose(out);
    thread_list_free(&threads);
    unwinder_fini(&unwinder);
    process_close(&self);
    return NULL;
}

int inside_start(const char *path, long rounds) {
    int error = process_open(&self, getpid());
    if (error)
        return error;
    rounds_wanted = rounds;
    out = fopen(path, "we");
    if (!out || pthread_create(&reader_thread, NULL, run, NULL))
        return MAREY_EIO;
    return 0;
}

void inside_wait(void) {
    pthread_join(reader_thread, NULL);
}
