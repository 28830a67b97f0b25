/* The threads of a process that is sampled (target.h): which there are, and what a tick takes of each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "marey.h"
#include "stack/schedule.h"
#include "stack/target.h"

/* ---- which there are */

static struct sampled_thread *thread_make(const struct target *target,
                                          const struct thread *thread) {
    struct sampled_thread *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->thread = *thread;
    thread_look_init(&made->look, target->pid, thread->tid);
    return made;
}

static void thread_free(struct target *target, struct sampling *sampling,
                        struct sampled_thread *thread) {
    sampled_thread_flush(target, sampling, thread);
    thread_look_fini(&thread->look, &sampling->files);
    if (thread->reader) {
        thread_reader_fini(thread->reader);
        free(thread->reader);
    }
    run_fini(&thread->run);
    free(thread);
}

void target_forget_threads(struct target *target, struct sampling *sampling) {
    for (int i = 0; i < target->threads_count; i++)
        thread_free(target, sampling, target->threads[i]);
    free(target->threads);
    target->threads = NULL;
    target->threads_count = 0;
}

/* The thread that was listed before, from *from on: threads keep their order, new ones stand first. */
static struct sampled_thread *take_known(struct target *target, const struct thread *thread,
                                         int *from) {
    for (int i = *from; i < target->threads_count; i++) {
        struct sampled_thread *known = target->threads[i];
        if (known && !known->ended && known->thread.address == thread->address &&
            known->thread.tid == thread->tid && known->thread.pthread == thread->pthread) {
            target->threads[i] = NULL;
            *from = i + 1;
            return known;
        }
    }
    return NULL;
}

static int interpreter_of(const struct thread_list *list, const struct thread *thread) {
    for (int i = 0; i < list->interpreters_count; i++)
        if (list->interpreters[i].address == thread->interpreter)
            return i;
    return 0;
}

/* A thread of the list, known or new; NULL: it is none of this process, or not to be sampled. */
static struct sampled_thread *adopt(struct target *target, struct sampling *sampling,
                                    const struct thread *thread, int *from) {
    uint64_t futex;
    if (thread->tid == 0 || thread->tid == sampling->own_tid)
        return NULL;
    struct sampled_thread *known = take_known(target, thread, from);
    if (known)
        return known;
    struct sampled_thread *made = thread_make(target, thread);
    if (!made)
        return NULL;
    made->doing = thread_look_state(&made->look, &sampling->files, &futex);
    if (made->doing != THREAD_GONE) {
        target->unnamed = true;
        return made;
    }
    thread_free(target, sampling, made);
    return NULL;
}

int target_list(struct target *target, struct sampling *sampling, uint64_t now_ns) {
    int count = 0, from = 0;
    int error = process_threads(&target->process, &target->list);
    target->listed_ns = now_ns;
    target->changed = error == MAREY_ETORN;
    struct sampled_thread **threads = NULL;
    if (!error &&
        !(threads = calloc((size_t)target->list.count + 1, sizeof(struct sampled_thread *))))
        error = MAREY_ENOMEM;
    for (int i = 0; i < target->list.count && !error; i++) {
        const struct thread *thread = &target->list.threads[i];
        struct sampled_thread *sampled = adopt(target, sampling, thread, &from);
        if (!sampled)
            continue;
        sampled->interpreter = interpreter_of(&target->list, thread);
        threads[count++] = sampled;
    }
    target->list_after_ns = TARGET_LIST_SHARE * (schedule_now_ns() - now_ns);
    if (error)
        return error;
    for (int i = 0; i < target->threads_count; i++)
        if (target->threads[i])
            thread_free(target, sampling, target->threads[i]);
    free(target->threads);
    target->threads = threads;
    target->threads_count = count;
    return count || target->pid == getpid() ? 0 : MAREY_ENOTYET;
}

/* ---- their names */

/* Tells the name that the program gave to it, else the system's, if it is another one than before. */
static void tell_name(struct target *target, struct sampling *sampling, struct thread_names *names,
                      struct sampled_thread *thread) {
    char name[THREAD_NAME_BYTES] = "";
    if (names)
        thread_names_find(names, &thread->thread, name);
    if (!*name)
        proc_thread_name(target->pid, thread->thread.tid, name);
    if (!*name || strcmp(name, thread->name) == 0)
        return;
    memcpy(thread->name, name, sizeof thread->name);
    if (sampling->sink.thread)
        sampling->sink.thread(sampling->sink.context, target->pid, thread->thread.tid, name);
}

static void tell_names(struct target *target, struct sampling *sampling, bool all) {
    struct thread_names *names; /* NULL, without memory for it: the system's alone */
    thread_names_open(&names, &target->process);
    for (int i = 0; i < target->threads_count; i++)
        if (all || !*target->threads[i]->name)
            tell_name(target, sampling, names, target->threads[i]);
    thread_names_close(names);
}

void target_tell_names(struct target *target, struct sampling *sampling, uint64_t now_ns) {
    bool all = now_ns >= target->names_ns;
    if (now_ns < target->names_pause_ns || !(all || target->unnamed))
        return;
    if (target->unnamed)
        target->names_after_ns = NAMES_NS;
    else if (target->names_after_ns < NAMES_MAX_NS)
        target->names_after_ns *= 2;
    target->unnamed = false;
    tell_names(target, sampling, all);
    target->names_pause_ns = now_ns + NAMES_SHARE * (schedule_now_ns() - now_ns);
    target->names_ns = now_ns + target->names_after_ns;
}

/* ---- what it does */

static const struct interpreter *interpreter_at(const struct target *target,
                                                const struct sampled_thread *thread) {
    return &target->list.interpreters[thread->interpreter];
}

static bool within(uint64_t address, uint64_t start, uint64_t bytes) {
    return address >= start && address - start < bytes;
}

static void look(struct target *target, struct sampling *sampling, struct sampled_thread *thread,
                 const struct tick *tick) {
    const struct interpreter *interpreter = interpreter_at(target, thread);
    uint64_t futex;
    thread->looked_ns = tick->now_ns;
    thread->doing = thread_look_state(&thread->look, &sampling->files, &futex);
    thread->waits_for_gil = futex && interpreter->gil &&
                            within(futex, interpreter->gil, target->process.layout.gil_bytes);
    if (thread->doing == THREAD_GONE)
        thread->ended = target->changed = true;
}

/* What the thread was on a CPU since it was last asked, to be shared out among its samples: the kernel counts it later
 * than it happens. */
static uint64_t cpu_of(struct sampling *sampling, struct sampled_thread *thread,
                       const struct tick *tick, uint64_t wall_ns) {
    uint64_t cpu_ns;
    if (tick->now_ns - thread->cpu_read_ns >= THREAD_CPU_NS) {
        if (!thread_look_cpu_ns(&thread->look, &sampling->files, &cpu_ns))
            return wall_ns;
        if (thread->cpu_read_ns && cpu_ns > thread->cpu_ns)
            thread->cpu_owed_ns += cpu_ns - thread->cpu_ns;
        if (thread->cpu_owed_ns > THREAD_CPU_OWED_MAX_NS)
            thread->cpu_owed_ns = THREAD_CPU_OWED_MAX_NS;
        thread->cpu_ns = cpu_ns;
        thread->cpu_read_ns = tick->now_ns;
    }
    cpu_ns = wall_ns < thread->cpu_owed_ns ? wall_ns : thread->cpu_owed_ns;
    thread->cpu_owed_ns -= cpu_ns;
    return cpu_ns;
}

/* ---- its samples */

void sampled_thread_flush(struct target *target, struct sampling *sampling,
                          struct sampled_thread *thread) {
    struct run *run = &thread->run;
    if (!run->count)
        return;
    struct sample sample = {.time_ns = run->time_ns,
                            .pid = target->pid,
                            .tid = thread->thread.tid,
                            .task = run->task,
                            .count = run->count,
                            .depth = run->depth,
                            .frames = run->frames};
    memcpy(sample.weights_ns, run->weights_ns, sizeof sample.weights_ns);
    sampling->sink.take(sampling->sink.context, &sample);
    sampling->samples += run->count;
    run->count = 0;
}

/* What is known besides the Python functions, as a frame. That a thread is in native code is known where it sleeps in
 * the kernel, where it runs without the GIL, and, from 3.14 on, by its top frame. */
static uint8_t marker_of(const struct target *target, const struct sampling *sampling,
                         const struct sampled_thread *thread, const struct stack *stack) {
    const struct interpreter *interpreter = interpreter_at(target, thread);
    bool holds = interpreter->gil_holder == thread->thread.address;
    if (!sampling->options.native_marker)
        return 0;
    if (interpreter->collecting && holds)
        return SAMPLE_GC;
    bool without_gil = interpreter->gil_holder && !holds && !target->process.layout.free_threaded;
    bool sleeps = thread->doing == THREAD_SLEEPS;
    return stack->native || (!thread->waits_for_gil && (sleeps || without_gil)) ? SAMPLE_NATIVE : 0;
}

enum stack_known { STACK_UNREAD, STACK_READ, STACK_LOST };

static enum stack_known read_stack(struct target *target, struct sampled_thread *thread,
                                   struct stack *stack) {
    if (!thread->reader) {
        thread->reader = malloc(sizeof *thread->reader);
        if (!thread->reader)
            return STACK_LOST;
        thread_reader_init(thread->reader, &target->unwinder, &thread->thread);
    }
    int error = unwind_thread(&target->unwinder, thread->reader, stack);
    if (error == MAREY_EADDRESS || error == MAREY_ENOPROCESS)
        thread->ended = target->changed = true;
    return error ? STACK_LOST : STACK_READ;
}

/* The stack joins the run, or begins the next. Of a thread that runs an asyncio task, what is below that is left out:
 * the event loop. */
static int add_stack(struct target *target, struct sampling *sampling,
                     struct sampled_thread *thread, struct stack *stack, const struct tick *tick) {
    bool differs;
    struct run *run = &thread->run;
    struct markers markers = {0, marker_of(target, sampling, thread, stack)};
    uint64_t task = target_running_task(target, sampling, &thread->thread, stack);
    if (task)
        markers.outer = SAMPLE_TASK;
    int error =
        run_compare(run, &sampling->naming, &target->process.layout, stack, markers, &differs);
    if (!error && !differs && run->task != task) {
        sampled_thread_flush(target, sampling, thread);
        error =
            run_compare(run, &sampling->naming, &target->process.layout, stack, markers, &differs);
    }
    if (error)
        return error;
    if (differs) {
        sampled_thread_flush(target, sampling, thread);
        error = run_begin(run, &sampling->naming, stack, markers);
        if (error)
            return error;
        run->time_ns = tick->now_ns;
        run->task = task;
    }
    run->count++;
    return 0;
}

static void add_weights(struct target *target, struct sampling *sampling,
                        struct sampled_thread *thread, const struct tick *tick, uint64_t wall_ns) {
    uint64_t *weights_ns = thread->run.weights_ns;
    weights_ns[SAMPLE_WALL] += wall_ns;
    if (thread->doing == THREAD_RUNS)
        weights_ns[SAMPLE_CPU] += cpu_of(sampling, thread, tick, wall_ns);
    if (interpreter_at(target, thread)->gil_holder == thread->thread.address)
        weights_ns[SAMPLE_GIL] += wall_ns;
    else if (thread->waits_for_gil)
        weights_ns[SAMPLE_GIL_WAIT] += wall_ns;
}

static bool wanted(const struct sampling *sampling, const struct sampled_thread *thread, bool holds,
                   bool awake) {
    switch (sampling->options.mode) {
    case SAMPLER_GIL: return holds;
    case SAMPLER_CPU: return thread->doing == THREAD_RUNS;
    default: return awake || sampling->options.idle;
    }
}

/* How the thread stands. The holder of the GIL most likely runs: that its stack has moved is seen without asking the
 * kernel, so its stack is read first. */
static enum stack_known look_and_read(struct target *target, struct sampling *sampling,
                                      struct sampled_thread *thread, bool holds,
                                      const struct tick *tick, struct stack *stack) {
    enum stack_known known = STACK_UNREAD;
    if (holds)
        known = read_stack(target, thread, stack);
    if (known == STACK_READ && !stack->repeated) {
        thread->doing = THREAD_RUNS;
        thread->waits_for_gil = false;
        thread->looked_ns = tick->now_ns;
    } else if (tick->now_ns - thread->looked_ns >= TARGET_LOOK_NS) {
        look(target, sampling, thread, tick);
    }
    return known;
}

/* What the thread did until now stands for `wall_ns`. */
static void take(struct target *target, struct sampling *sampling, struct sampled_thread *thread,
                 bool holds, uint64_t wall_ns, const struct tick *tick) {
    struct stack stack;
    enum stack_known known = look_and_read(target, sampling, thread, holds, tick, &stack);
    bool awake = thread->doing == THREAD_RUNS || thread->waits_for_gil || holds;
    thread->idle_looks = awake ? 0 : thread->idle_looks + (thread->idle_looks < UINT8_MAX);
    if (thread->ended)
        return;
    bool want = wanted(sampling, thread, holds, awake);
    if (want && known == STACK_UNREAD)
        known = read_stack(target, thread, &stack);
    if (known == STACK_LOST)
        return; /* the next sample stands for this time, too */
    thread->clock_ns = tick->clock_ns;
    if (want && stack.depth && add_stack(target, sampling, thread, &stack, tick) == 0)
        add_weights(target, sampling, thread, tick, wall_ns);
}

/* One that sleeps for long is looked at now and then only. */
static bool is_early(const struct sampled_thread *thread, const struct tick *tick) {
    return thread->idle_looks >= THREAD_IDLE_LOOKS &&
           tick->now_ns - thread->looked_ns < THREAD_IDLE_NS;
}

void target_stop_threads(struct target *target, struct sampling *sampling,
                         const struct tick *tick) {
    for (int i = 0; i < target->threads_count; i++) {
        struct sampled_thread *thread = target->threads[i];
        if (thread->ended || is_early(thread, tick))
            continue;
        look(target, sampling, thread, tick); /* a stopped one does not tell any more */
        if (thread->doing == THREAD_RUNS)
            stops_add(sampling->stops, target->pid, thread->thread.tid);
    }
}

void sampled_thread_take(struct target *target, struct sampling *sampling,
                         struct sampled_thread *thread, const struct tick *tick) {
    bool holds = interpreter_at(target, thread)->gil_holder == thread->thread.address;
    bool early = is_early(thread, tick);
    if (thread->ended || (early && !holds))
        return;
    /* One that is looked at seldom is seen at each tick that it has the GIL: that stands for no more than a tick. */
    uint64_t wall_ns =
        !thread->clock_ns || early ? tick->stands_for_ns : tick->clock_ns - thread->clock_ns;
    if (sampling->options.mode == SAMPLER_GIL && !holds)
        thread->clock_ns = tick->clock_ns;
    else
        take(target, sampling, thread, holds, wall_ns, tick);
    if (thread->run.count && tick->now_ns - thread->run.time_ns >= SAMPLER_RUN_NS)
        sampled_thread_flush(target, sampling, thread);
}
