#define _GNU_SOURCE
#include "stack/dump.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "marey.h"
#include "stack/dump_stack.h"
#include "stack/stops.h"

static void wait_a_moment(void) {
    struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
}

/* ---- one thread */

static int take_stack(struct dump_reader *reader, struct dumped_thread *to) {
    struct thread_reader thread;
    struct stack stack;
    int error = MAREY_ETORN;
    thread_reader_init(&thread, &reader->unwinder, &to->thread);
    for (int tries = 0; error == MAREY_ETORN && tries < DUMP_TRIES_MAX; tries++) {
        if (tries)
            wait_a_moment();
        unwinder_tick(&reader->unwinder);
        error = unwind_thread(&reader->unwinder, &thread, &stack);
    }
    if (!error)
        error = dump_stack_keep(&to->stack, reader, &stack);
    thread_reader_fini(&thread);
    return error;
}

static struct thread_state read_state(struct process *process,
                                      const struct interpreter *interpreter,
                                      const struct thread *thread) {
    struct thread_state state = {.tid = thread->tid};
    if (!thread->tid)
        return state;
    state.state = proc_thread_state(process->memory.pid, thread->tid);
    state.waits_for_gil = thread_waits_for_gil(process, interpreter, thread);
    return state;
}

static const struct thread_state *state_before(const struct dump_reader *reader, pid_t tid) {
    for (int i = 0; i < reader->states_count; i++)
        if (reader->states[i].tid == tid)
            return &reader->states[i];
    return NULL;
}

static void take_state(struct dump_reader *reader, const struct interpreter *interpreter,
                       struct dumped_thread *to) {
    struct thread_state state = {0};
    const struct thread_state *before = state_before(reader, to->thread.tid);
    if (before)
        state = *before;
    else if (!reader->states)
        state = read_state(reader->process, interpreter, &to->thread);
    to->state = state.state;
    to->waits_for_gil = state.waits_for_gil && !to->thread.holds_gil;
    if (!*to->name && to->thread.tid)
        proc_thread_name(reader->process->memory.pid, to->thread.tid, to->name);
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

static int take_thread(struct dump_reader *reader, const struct thread_list *list,
                       const struct thread *thread, struct dumped_thread *to) {
    const struct interpreter *interpreter = interpreter_of(list, thread);
    to->thread = *thread;
    if (reader->names)
        thread_names_find(reader->names, thread, to->name);
    if (interpreter) {
        to->interpreter = interpreter->id;
        take_state(reader, interpreter, to);
    }
    to->stack.error = take_stack(reader, to);
    return to->stack.error == MAREY_ETORN || to->stack.error == MAREY_EADDRESS ? 0
                                                                               : to->stack.error;
}

static int take_threads(struct dump *dump, struct dump_reader *reader,
                        const struct thread_list *list) {
    int error = 0;
    dump->threads = calloc((size_t)list->count + 1, sizeof *dump->threads);
    if (!dump->threads)
        return MAREY_ENOMEM;
    for (int i = 0; i < list->count && !error; i++)
        error = take_thread(reader, list, &list->threads[i], &dump->threads[dump->count++]);
    return error;
}

/* ---- tasks */

static pid_t tid_of(const struct thread_list *list, uint64_t thread) {
    for (int i = 0; i < list->count; i++)
        if (list->threads[i].address == thread)
            return list->threads[i].tid;
    return 0;
}

static int take_task(struct asyncio *asyncio, struct dump_reader *reader, struct dumped_task *to) {
    struct stack stack;
    int error = MAREY_ETORN;
    if (to->task.thread)
        return 0;
    for (int tries = 0; error == MAREY_ETORN && tries < DUMP_TRIES_MAX; tries++)
        error = asyncio_stack(asyncio, &to->task, &stack);
    if (!error)
        error = dump_stack_keep(&to->stack, reader, &stack);
    to->stack.error = error;
    return error == MAREY_ETORN ? 0 : error;
}

static int take_listed(struct dump *dump, struct asyncio *asyncio, struct dump_reader *reader,
                       const struct thread_list *list) {
    int error = 0, count = dump->listed.count;
    dump->tasks_torn = dump->listed.torn;
    dump->tasks = calloc((size_t)count + 1, sizeof *dump->tasks);
    if (!dump->tasks)
        return MAREY_ENOMEM;
    for (int i = 0; i < count && !error; i++) {
        struct dumped_task *to = &dump->tasks[dump->tasks_count++];
        to->task = dump->listed.list[i];
        to->tid = tid_of(list, to->task.thread);
        error = take_task(asyncio, reader, to);
    }
    return error;
}

/* "job 2" before "job 10". */
static int by_name(const void *a, const void *b) {
    return strverscmp(((const struct dumped_task *)a)->task.name,
                      ((const struct dumped_task *)b)->task.name);
}

static int take_tasks(struct dump *dump, struct dump_reader *reader,
                      const struct thread_list *list) {
    struct asyncio *asyncio;
    int error = asyncio_open(&asyncio, &reader->unwinder);
    if (error)
        return error;
    error = MAREY_ETORN;
    for (int tries = 0; error == MAREY_ETORN && tries < DUMP_TRIES_MAX; tries++) {
        if (tries)
            wait_a_moment();
        error = asyncio_list(asyncio, list, &dump->listed);
    }
    if (!error)
        error = take_listed(dump, asyncio, reader, list);
    if (dump->tasks)
        qsort(dump->tasks, (size_t)dump->tasks_count, sizeof *dump->tasks, by_name);
    asyncio_close(asyncio);
    return error == MAREY_ETORN ? 0 : error; /* the threads are worth showing all the same */
}

/* ---- stopped meanwhile */

/* Reads what each thread does, as long as it does it, and stops them. */
static int stop_all(struct dump *dump, struct dump_reader *reader, const struct thread_list *list,
                    struct stops *stops) {
    reader->states = calloc((size_t)list->count + 1, sizeof *reader->states);
    if (!reader->states)
        return MAREY_ENOMEM;
    for (int i = 0; i < list->count; i++) {
        const struct interpreter *interpreter = interpreter_of(list, &list->threads[i]);
        if (interpreter)
            reader->states[reader->states_count++] =
                read_state(reader->process, interpreter, &list->threads[i]);
    }
    for (int i = 0; i < list->count; i++)
        if (list->threads[i].tid)
            dump->unstopped +=
                stops_add(stops, reader->process->memory.pid, list->threads[i].tid) != 0;
    return 0;
}

/* ---- the process */

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

static int reader_open(struct dump_reader *reader, struct process *process,
                       const struct dump_options *options) {
    *reader = (struct dump_reader){.process = process};
    unwinder_init(&reader->unwinder, process);
    thread_names_open(&reader->names, process); /* without memory for it: no names */
    if (!options->locals)
        return 0;
    reader->variables = malloc(sizeof *reader->variables);
    return reader->variables ? values_open(&reader->values, process) : MAREY_ENOMEM;
}

static void reader_close(struct dump_reader *reader) {
    if (reader->names)
        thread_names_close(reader->names);
    if (reader->values)
        values_close(reader->values);
    free(reader->variables);
    free(reader->states);
    unwinder_fini(&reader->unwinder);
}

static int take_all(struct dump *dump, struct dump_reader *reader, struct thread_list *list,
                    const struct dump_options *options) {
    int error = list_threads(reader->process, list);
    if (error)
        return error;
    dump->interpreters = list->interpreters_count;
    take_holder(dump, list);
    error = take_threads(dump, reader, list);
    main_first(dump, reader->process->memory.pid);
    count_others(dump, reader->process->memory.pid);
    return error || !options->tasks ? error : take_tasks(dump, reader, list);
}

static int take_stopped(struct dump *dump, struct dump_reader *reader, struct thread_list *list,
                        const struct dump_options *options) {
    struct stops stops = {.count = 0};
    int error = list_threads(reader->process, list);
    if (error)
        return error;
    stops_begin(&stops);
    error = stop_all(dump, reader, list, &stops);
    if (!error)
        error = take_all(dump, reader, list, options);
    stops_end(&stops);
    stops_finish(&stops);
    return error;
}

int dump_take(struct dump *dump, struct process *process, const struct dump_options *options) {
    struct thread_list list = {0};
    struct dump_reader reader;
    *dump = (struct dump){0};
    int error = reader_open(&reader, process, options);
    if (!error)
        error = options->blocking ? take_stopped(dump, &reader, &list, options)
                                  : take_all(dump, &reader, &list, options);
    thread_list_free(&list);
    reader_close(&reader);
    return error;
}

void dump_free(struct dump *dump) {
    for (int i = 0; i < dump->count; i++)
        dump_stack_free(&dump->threads[i].stack);
    for (int i = 0; i < dump->tasks_count; i++)
        dump_stack_free(&dump->tasks[i].stack);
    free(dump->threads);
    free(dump->tasks);
    asyncio_tasks_free(&dump->listed);
    *dump = (struct dump){0};
}
