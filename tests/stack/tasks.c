/* tasks PID [ROUNDS]: lists the asyncio tasks of a process, so many times.
 *
 *   T <name> TAB <waiting|ready|running> TAB <awaited by: name,...> TAB <function>@<file>:<line> ; ...   outermost first
 *   N <tasks of the last> <torn> <microseconds of the fastest list with all chains>                      at the end */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "marey.h"
#include "stack/asyncio.h"

struct target {
    struct process process;
    struct unwinder unwinder;
    struct thread_list threads;
    struct asyncio *asyncio;
    struct asyncio_tasks tasks;
    uint64_t torn;
};

static const char *const states[] = {"waiting", "ready", "running"};

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const char *name_of(const struct target *target, uint64_t address) {
    for (int i = 0; i < target->tasks.count; i++)
        if (target->tasks.list[i].address == address)
            return target->tasks.list[i].name;
    return "?";
}

static void print_frames(const struct target *target, const struct stack *stack, int count) {
    const struct layout *layout = &target->process.layout;
    for (int i = count - 1; i >= 0; i--) {
        const struct frame *frame = &stack->frames[i];
        printf("%s@%s:%d%s", frame->code->name, frame->code->file,
               code_line(layout, frame->code, frame->index), i ? ";" : "");
    }
}

/* The part of its thread's stack that is the task's. */
static void print_running(struct target *target, const struct asyncio_task *task) {
    for (int i = 0; i < target->threads.count; i++) {
        struct thread_reader reader;
        struct stack stack;
        if (target->threads.threads[i].address != task->thread)
            continue;
        thread_reader_init(&reader, &target->unwinder, &target->threads.threads[i]);
        if (unwind_thread(&target->unwinder, &reader, &stack) == 0)
            print_frames(target, &stack, asyncio_frames_on(task, &stack));
        thread_reader_fini(&reader);
    }
}

static void print_task(struct target *target, const struct asyncio_task *task) {
    struct stack stack;
    printf("T %s\t%s\t", task->name, states[task->state]);
    for (int i = 0; i < task->awaited_by_count; i++)
        printf("%s%s", i ? "," : "", name_of(target, target->tasks.awaiters[task->awaited_by + i]));
    printf("\t");
    if (task->state == ASYNCIO_RUNNING)
        print_running(target, task);
    else if (asyncio_stack(target->asyncio, task, &stack) == 0)
        print_frames(target, &stack, stack.depth);
    printf("\n");
}

static int read_all(struct target *target) {
    struct stack stack;
    unwinder_tick(&target->unwinder);
    int error = process_threads(&target->process, &target->threads);
    if (!error)
        error = asyncio_list(target->asyncio, &target->threads, &target->tasks);
    for (int i = 0; !error && i < target->tasks.count; i++) {
        const struct asyncio_task *task = &target->tasks.list[i];
        if (task->state == ASYNCIO_RUNNING)
            continue;
        int torn = asyncio_stack(target->asyncio, task, &stack);
        if (torn == MAREY_ETORN)
            target->torn++;
        else
            error = torn;
    }
    target->torn += (uint64_t)target->tasks.torn;
    return error;
}

int main(int argc, char **argv) {
    static struct target target;
    double fastest = 1e12;
    if (argc < 2)
        return 2;
    int error = process_open(&target.process, (pid_t)strtol(argv[1], NULL, 10));
    if (error) {
        printf("E %d %s\n", error, marey_strerror(error));
        return 1;
    }
    unwinder_init(&target.unwinder, &target.process);
    if (asyncio_open(&target.asyncio, &target.unwinder))
        return 1;
    for (long i = 0; i < (argc > 2 ? strtol(argv[2], NULL, 10) : 1); i++) {
        double start = now_us();
        error = read_all(&target);
        double took = now_us() - start;
        fastest = took < fastest ? took : fastest;
        for (int t = 0; !error && t < target.tasks.count; t++)
            print_task(&target, &target.tasks.list[t]);
    }
    if (error)
        printf("E %d %s\n", error, marey_strerror(error));
    printf("N %d %llu %.0f\n", target.tasks.count, (unsigned long long)target.torn, fastest);
    asyncio_tasks_free(&target.tasks);
    asyncio_close(target.asyncio);
    thread_list_free(&target.threads);
    unwinder_fini(&target.unwinder);
    process_close(&target.process);
    return error != 0;
}
