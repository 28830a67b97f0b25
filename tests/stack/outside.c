/* outside PID ROUNDS: reads the stacks of all threads of a process so many times, from outside (stack_list.h). */
#define _GNU_SOURCE
#include <stdlib.h>

#include "marey.h"
#include "stack/thread_names.h"
#include "stack_list.h"

enum { THREADS_MAX = 256, LIST_EVERY = 2000 };

struct target {
    struct process process;
    struct unwinder unwinder;
    struct thread_list threads;
    struct thread_reader readers[THREADS_MAX];
    int readers_count;
};

static void forget_readers(struct target *target) {
    for (int i = 0; i < target->readers_count; i++)
        thread_reader_fini(&target->readers[i]);
    target->readers_count = 0;
}

static void list_threads(struct target *target) {
    forget_readers(target);
    if (process_threads(&target->process, &target->threads))
        return;
    for (int i = 0; i < target->threads.count && i < THREADS_MAX; i++)
        thread_reader_init(&target->readers[target->readers_count++], &target->unwinder,
                           &target->threads.threads[i]);
}

static const struct interpreter *interpreter_of(const struct target *target,
                                                const struct thread *thread) {
    for (int i = 0; i < target->threads.interpreters_count; i++)
        if (target->threads.interpreters[i].address == thread->interpreter)
            return &target->threads.interpreters[i];
    return NULL;
}

static void print_states(struct target *target) {
    for (int i = 0; i < target->threads.count; i++) {
        const struct thread *thread = &target->threads.threads[i];
        const struct interpreter *interpreter = interpreter_of(target, thread);
        bool waits = interpreter && thread_waits_for_gil(&target->process, interpreter, thread);
        enum proc_state state = proc_thread_state(target->process.memory.pid, thread->tid);
        printf("G %d %s %s %s\n", (int)thread->tid,
               waits               ? "waits"
               : thread->holds_gil ? "holds"
                                   : "-",
               state == PROC_RUNNING ? "running"
               : state == PROC_IDLE  ? "idle"
                                     : "-",
               thread->collecting ? "gc" : "-");
    }
}

static void print_names(struct target *target) {
    struct thread_names *names;
    char name[THREAD_NAME_BYTES];
    if (thread_names_open(&names, &target->process))
        return;
    for (int i = 0; i < target->threads.count; i++)
        if (thread_names_find(names, &target->threads.threads[i], name) == 0)
            printf("P %d %s\n", (int)target->threads.threads[i].tid, name);
    thread_names_close(names);
}

static void read_round(struct target *target) {
    const struct layout *layout = &target->process.layout;
    for (int i = 0; i < target->readers_count; i++) {
        struct stack stack;
        pid_t tid = target->threads.threads[i].tid;
        if (unwind_thread(&target->unwinder, &target->readers[i], &stack) == 0 &&
            is_new(hash_of(layout, tid, &stack)))
            stack_print(stdout, layout, target->process.memory.pid, tid, &stack);
    }
}

int main(int argc, char **argv) {
    static struct target target;
    if (argc != 3)
        return 2;
    pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
    int error = process_open(&target.process, pid);
    if (error) {
        char text[MEMORY_EXPLANATION_BYTES] = "";
        if (error == MAREY_EPTRACE)
            memory_explain(pid, text);
        printf("E %d %u.%u %s; %s\n", error, target.process.version >> 8,
               target.process.version & 255, marey_strerror(error), text);
        return 1;
    }
    printf("V %u.%u%s\n", target.process.version >> 8, target.process.version & 255,
           target.process.layout.free_threaded ? "t" : "");
    unwinder_init(&target.unwinder, &target.process);
    for (long round = 0; round < strtol(argv[2], NULL, 10); round++) {
        if (round % LIST_EVERY == 0) {
            list_threads(&target);
            print_states(&target);
            if (round == 0)
                print_names(&target);
        }
        if (round % 10 == 0)
            unwinder_tick(&target.unwinder);
        read_round(&target);
    }
    counts_print(stdout, &target.unwinder.counts);
    forget_readers(&target);
    thread_list_free(&target.threads);
    unwinder_fini(&target.unwinder);
    process_close(&target.process);
    return 0;
}
