#define _GNU_SOURCE
#include "stack/dump.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "marey.h"
#include "stack/unwind.h"

static void wait_a_moment(void) {
    struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
}

/* ---- one thread */

static int keep_frame(struct dumped_frame *to, const struct layout *layout,
                      const struct frame *frame) {
    to->name = strdup(frame->code->name);
    to->file = strdup(frame->code->file);
    to->line = code_line(layout, frame->code, frame->index);
    to->first_line = frame->code->identity.first_line;
    return to->name && to->file ? 0 : MAREY_ENOMEM;
}

static int keep_stack(struct dumped_thread *to, const struct layout *layout,
                      const struct stack *stack) {
    to->cut = stack->cut;
    if (!stack->depth)
        return 0;
    to->frames = calloc((size_t)stack->depth, sizeof *to->frames);
    if (!to->frames)
        return MAREY_ENOMEM;
    to->depth = stack->depth;
    for (int i = 0; i < stack->depth; i++)
        if (keep_frame(&to->frames[i], layout, &stack->frames[i]))
            return MAREY_ENOMEM;
    return 0;
}

static int take_stack(struct unwinder *unwinder, struct dumped_thread *to) {
    struct thread_reader reader;
    struct stack stack;
    int error = MAREY_ETORN;
    thread_reader_init(&reader, unwinder, &to->thread);
    for (int tries = 0; error == MAREY_ETORN && tries < DUMP_TRIES_MAX; tries++) {
        if (tries)
            wait_a_moment();
        unwinder_tick(unwinder);
        error = unwind_thread(unwinder, &reader, &stack);
    }
    if (!error)
        error = keep_stack(to, &unwinder->process->layout, &stack);
    thread_reader_fini(&reader);
    return error;
}

/* The states first: they change soonest. */
static void take_state(struct process *process, const struct interpreter *interpreter,
                       struct dumped_thread *to) {
    pid_t pid = process->memory.pid, tid = to->thread.tid;
    if (!tid)
        return;
    to->state = proc_thread_state(pid, tid);
    proc_thread_name(pid, tid, to->name);
    to->waits_for_gil =
        !to->thread.holds_gil && thread_waits_for_gil(process, interpreter, &to->thread);
}

/* ---- all of them */

static const struct interpreter *interpreter_of(const struct thread_list *list,
                                                const struct thread *thread) {
    for (int i = 0; i < list->interpreters_count; i++)
        if (list->interpreters[i].address == thread->interpreter)
            return &list->interpreters[i];
    return NULL; /* not in a list that process_threads made */
}

static int by_tid(const void *a, const void *b) {
    pid_t left = ((const struct dumped_thread *)a)->thread.tid;
    pid_t right = ((const struct dumped_thread *)b)->thread.tid;
    return left < right ? -1 : left > right;
}

static void main_first(struct dump *dump, pid_t pid) {
    qsort(dump->threads, (size_t)dump->count, sizeof *dump->threads, by_tid);
    for (int i = 1; i < dump->count; i++)
        if (dump->threads[i].thread.tid == pid) {
            struct dumped_thread first = dump->threads[i];
            memmove(dump->threads + 1, dump->threads, (size_t)i * sizeof first);
            dump->threads[0] = first;
        }
}

static void take_holder(struct dump *dump, const struct thread_list *list) {
    for (int i = 0; i < list->interpreters_count; i++)
        dump->has_gil |= list->interpreters[i].gil_holder != 0;
    for (int i = 0; i < list->count; i++)
        if (list->threads[i].holds_gil)
            dump->gil_holder = list->threads[i].tid;
}

static int take_threads(struct dump *dump, struct process *process,
                        const struct thread_list *list) {
    struct unwinder unwinder;
    int error = 0;
    dump->threads = calloc((size_t)list->count + 1, sizeof *dump->threads);
    if (!dump->threads)
        return MAREY_ENOMEM;
    unwinder_init(&unwinder, process);
    for (int i = 0; i < list->count && !error; i++) {
        struct dumped_thread *to = &dump->threads[dump->count++];
        const struct interpreter *interpreter = interpreter_of(list, &list->threads[i]);
        to->thread = list->threads[i];
        if (interpreter) {
            to->interpreter = interpreter->id;
            take_state(process, interpreter, to);
        }
        to->error = take_stack(&unwinder, to);
        if (to->error != MAREY_ETORN && to->error != MAREY_EADDRESS)
            error = to->error;
    }
    unwinder_fini(&unwinder);
    return error;
}

static int list_threads(struct process *process, struct thread_list *list) {
    int error = MAREY_ETORN;
    for (int tries = 0; error == MAREY_ETORN && tries < DUMP_TRIES_MAX; tries++) {
        if (tries)
            wait_a_moment();
        error = process_threads(process, list);
    }
    return error;
}

static void count_others(struct dump *dump, pid_t pid) {
    struct proc_thread none;
    int known = 0, all = proc_threads(pid, &none, 0, false);
    for (int i = 0; i < dump->count; i++)
        known += dump->threads[i].thread.tid != 0;
    dump->other_threads = all > known ? all - known : 0;
}

int dump_take(struct dump *dump, struct process *process) {
    struct thread_list list = {0};
    *dump = (struct dump){0};
    int error = list_threads(process, &list);
    if (!error) {
        dump->interpreters = list.interpreters_count;
        take_holder(dump, &list);
        error = take_threads(dump, process, &list);
        main_first(dump, process->memory.pid);
        count_others(dump, process->memory.pid);
    }
    thread_list_free(&list);
    return error;
}

void dump_free(struct dump *dump) {
    for (int i = 0; i < dump->count; i++) {
        for (int j = 0; j < dump->threads[i].depth; j++) {
            free(dump->threads[i].frames[j].name);
            free(dump->threads[i].frames[j].file);
        }
        free(dump->threads[i].frames);
    }
    free(dump->threads);
    *dump = (struct dump){0};
}
