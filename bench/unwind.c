/* How many stacks a second the unwinder reads: unwind PID SECONDS. The thread that has the deepest stack first. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "marey.h"
#include "stack/unwind.h"

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Stacks for so many seconds; code objects compared every 10 ms. */
static void measure(struct unwinder *unwinder, struct thread_reader *reader, double seconds) {
    struct stack stack;
    uint64_t depth = 0, changes = 0, asked = 0;
    double start = now(CLOCK_MONOTONIC), end = start, ticked = start;
    double work = now(CLOCK_PROCESS_CPUTIME_ID);
    while (end - start < seconds) {
        for (int i = 0; i < 256; i++) {
            asked++;
            if (unwind_thread(unwinder, reader, &stack) == 0) {
                depth += (uint64_t)stack.depth;
                changes += !stack.repeated;
            }
        }
        end = now(CLOCK_MONOTONIC);
        if (end - ticked > 0.01) {
            unwinder_tick(unwinder);
            ticked = end;
        }
    }
    work = now(CLOCK_PROCESS_CPUTIME_ID) - work;
    const struct unwind_counts *c = &unwinder->counts;
    double stacks = c->stacks ? (double)c->stacks : 1;
    printf("%.0f stacks/s, %.0f per second of its own processor time; depth %.1f; torn %.4f %%, "
           "retried %.2f %%, missed %.2f %%, changed %.1f %%\n",
           (double)c->stacks / (end - start), (double)c->stacks / work, (double)depth / stacks,
           100.0 * (double)c->torn / (double)asked, 100.0 * (double)c->retries / stacks,
           100.0 * (double)c->misses / stacks, 100.0 * (double)changes / stacks);
}

static void print_stack(const struct layout *layout, const struct stack *stack) {
    for (int i = 0; i < stack->depth; i++)
        printf("    %s (%s:%d)\n", stack->frames[i].code->name, stack->frames[i].code->file,
               code_line(layout, stack->frames[i].code, stack->frames[i].index));
}

int main(int argc, char **argv) {
    struct process process;
    struct thread_list threads = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: unwind PID SECONDS\n");
        return 2;
    }
    int error = process_open(&process, (pid_t)strtol(argv[1], NULL, 10));
    if (!error)
        error = process_threads(&process, &threads);
    if (error || threads.count == 0) {
        fprintf(stderr, "unwind: %s\n", marey_strerror(error));
        return 1;
    }
    struct unwinder unwinder;
    struct thread_reader reader;
    struct stack stack;
    unwinder_init(&unwinder, &process);
    /* The oldest: the main thread. */
    thread_reader_init(&reader, &unwinder, &threads.threads[threads.count - 1]);
    if (unwind_thread(&unwinder, &reader, &stack) == 0)
        print_stack(&process.layout, &stack);
    unwinder.counts = (struct unwind_counts){0};
    printf("CPython %u.%u, %d threads: ", process.version >> 8, process.version & 255,
           threads.count);
    measure(&unwinder, &reader, strtod(argv[2], NULL));
    thread_reader_fini(&reader);
    unwinder_fini(&unwinder);
    thread_list_free(&threads);
    process_close(&process);
    return 0;
}
