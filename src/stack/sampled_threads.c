/* What a tick takes of the threads of a process that is sampled (target.h). */
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/target.h"

/* ---- what it does */

static const struct interpreter *interpreter_at(const struct target *target,
                                                const struct sampled_thread *thread) {
    return &target->list.interpreters[thread->interpreter];
}

static bool within(uint64_t address, uint64_t start, uint64_t bytes) {
    return address >= start && address - start < bytes;
}

static void found(struct sampled_thread *thread, enum thread_doing doing, bool waits_for_gil,
                  const struct tick *tick) {
    bool same = thread->doing == doing && thread->waits_for_gil == waits_for_gil;
    thread->same_looks += same && thread->same_looks < THREAD_SAME_LOOKS;
    if (!same)
        thread->same_looks = 0;
    thread->doing = doing;
    thread->waits_for_gil = waits_for_gil;
    thread->looked_ns = tick->now_ns;
}

/* What the clock of a thread of this process tells, a tenth as dear as what the kernel writes about it: one that slept and
 * has not run since sleeps where it did, or has just been woken; one whose clock goes on while we look runs. */
static bool told_by_clock(struct sampled_thread *thread, const struct tick *tick) {
    uint64_t before_ns = thread->asked_ran_ns, ran_ns = thread_look_ran_ns(&thread->look);
    thread->asked_ran_ns = ran_ns;
    if (!ran_ns)
        return false;
    if (thread->doing == THREAD_SLEEPS)
        return ran_ns == before_ns && tick->now_ns - thread->asked_ns < THREAD_CLOCK_NS;
    return thread->doing == THREAD_RUNS && thread_look_ran_ns(&thread->look) > ran_ns;
}

static void look(struct target *target, struct sampling *sampling, struct sampled_thread *thread,
                 const struct tick *tick) {
    const struct interpreter *interpreter = interpreter_at(target, thread);
    uint64_t futex;
    if (told_by_clock(thread, tick)) {
        found(thread, thread->doing, thread->waits_for_gil, tick);
        return;
    }
    thread->asked_ns = tick->now_ns;
    enum thread_doing doing = thread_look_state(&thread->look, &sampling->files, &futex);
    found(thread, doing,
          futex && interpreter->gil &&
              within(futex, interpreter->gil, target->process.layout.gil_bytes),
          tick);
    if (doing == THREAD_GONE)
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

/* Also reads `along` by the same call; that is right where STACK_READ is returned. */
static enum stack_known read_now(struct target *target, struct sampled_thread *thread,
                                 struct stack *stack, const struct piece *along, int along_count) {
    if (!thread->reader) {
        thread->reader = malloc(sizeof *thread->reader);
        if (!thread->reader)
            return STACK_LOST;
        thread_reader_init(thread->reader, &target->unwinder, &thread->thread);
    }
    int error = unwind_thread_along(&target->unwinder, thread->reader, stack, along, along_count);
    if (error == MAREY_EADDRESS || error == MAREY_ENOPROCESS)
        thread->ended = target->changed = true;
    if (error)
        return error == MAREY_ETORN ? STACK_TORN : STACK_LOST;
    return STACK_READ;
}

static enum stack_known read_stack(struct target *target, struct sampled_thread *thread,
                                   struct stack *stack) {
    struct stack_ahead *ahead = &target->ahead;
    if (ahead->thread != thread)
        return read_now(target, thread, stack, NULL, 0);
    ahead->thread = NULL;
    *stack = ahead->stack;
    return ahead->known;
}

int target_glance(struct target *target, struct sampling *sampling,
                  struct interpreter *interpreter) {
    struct process *process = &target->process;
    struct sampled_thread *holder = target->holder;
    bool collecting = sampling->options.native_marker;
    struct glance glance;
    if (!holder || holder->ended || interpreter_at(target, holder) != interpreter ||
        !glance_begin(&glance, process, interpreter, collecting))
        return interpreter_glance(process, interpreter, collecting);
    struct stack_ahead *ahead = &target->ahead;
    ahead->thread = holder;
    ahead->known = read_now(target, holder, &ahead->stack, glance.pieces, glance.count);
    if (ahead->known != STACK_READ)
        return interpreter_glance(process, interpreter, collecting);
    glance_end(&glance, process, interpreter);
    return 0;
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
    sampling->samples++;
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
    bool steady = holds && thread->same_looks >= THREAD_SAME_LOOKS;
    if (known == STACK_READ && !stack->repeated)
        found(thread, THREAD_RUNS, false, tick);
    else if (tick->now_ns - thread->looked_ns >= (steady ? THREAD_HOLDS_NS : TARGET_LOOK_NS))
        look(target, sampling, thread, tick);
    return known;
}

/* What the thread did until now stands for `wall_ns`. */
static void take(struct target *target, struct sampling *sampling, struct sampled_thread *thread,
                 bool holds, uint64_t wall_ns, const struct tick *tick) {
    struct stack stack;
    enum stack_known known = look_and_read(target, sampling, thread, holds, tick, &stack);
    bool awake = thread->doing == THREAD_RUNS || thread->waits_for_gil || holds;
    if (thread->ended)
        return;
    bool want = wanted(sampling, thread, holds, awake);
    if (want && known == STACK_UNREAD)
        known = read_stack(target, thread, &stack);
    sampling->torn += known == STACK_TORN;
    sampling->unread += known == STACK_LOST;
    if (known == STACK_TORN || known == STACK_LOST)
        return; /* the next sample stands for this time, too */
    thread->clock_ns = tick->clock_ns;
    if (!want || !stack.depth) {
        sampling->idle++;
        return;
    }
    if (add_stack(target, sampling, thread, &stack, tick) != 0) {
        sampling->unread++;
        return;
    }
    add_weights(target, sampling, thread, tick, wall_ns);
    thread->rests = thread->doing == THREAD_SLEEPS && !holds;
}

/* ---- those that stay as they are */

/* The kernel is asked seldom about one that did the same for a while, and more seldom where nothing else would be told:
 * nobody waits for a GIL that nobody has, whoever has it is known, and nobody comes to wait for it without running. */
static bool is_early(const struct target *target, const struct sampled_thread *thread,
                     const struct tick *tick) {
    bool held = interpreter_at(target, thread)->gil_holder || target->process.layout.free_threaded;
    bool may_change = held && !thread->waits_for_gil && !thread->has_not_run;
    return thread->doing == THREAD_SLEEPS && thread->same_looks >= THREAD_SAME_LOOKS &&
           tick->now_ns - thread->looked_ns < (may_change ? THREAD_IDLE_NS : THREAD_STILL_NS);
}

/* What has not run since before its stack was read has that stack. */
static void ask_clock(struct sampled_thread *thread) {
    uint64_t before_ns = thread->ran_ns;
    thread->ran_ns = thread_look_ran_ns(&thread->look);
    thread->has_not_run = before_ns && before_ns == thread->ran_ns;
}

void target_ask_still(struct target *target, struct sampling *sampling) {
    struct memory *memory = &target->process.memory;
    for (int i = 0; i < target->threads_count; i++) {
        struct sampled_thread *thread = target->threads[i];
        thread->still = thread->has_not_run = false;
        if (!thread->rests || thread->ended)
            continue;
        ask_clock(thread);
        if (thread->has_not_run)
            thread->still = true;
        else
            still_ask(&sampling->still, memory, thread->reader, &thread->still);
    }
    still_read(&sampling->still, memory);
}

/* It sleeps on, or waits on for the GIL, with the stack that it had: the run goes on. False: it does not. */
static bool take_again(struct target *target, struct sampling *sampling,
                       struct sampled_thread *thread, const struct tick *tick) {
    struct run *run = &thread->run;
    bool waited = thread->waits_for_gil;
    if (tick->now_ns - thread->looked_ns >= TARGET_LOOK_NS && !is_early(target, thread, tick))
        look(target, sampling, thread, tick);
    if (thread->doing != THREAD_SLEEPS || thread->waits_for_gil != waited)
        return false;
    if (!run->count) {
        if (!run_repeat(run, &sampling->naming))
            return false;
        run->time_ns = tick->now_ns;
    }
    run->count++;
    add_weights(target, sampling, thread, tick, tick->clock_ns - thread->clock_ns);
    thread->clock_ns = tick->clock_ns;
    return true;
}

void target_stop_threads(struct target *target, struct sampling *sampling,
                         const struct tick *tick) {
    for (int i = 0; i < target->threads_count; i++) {
        struct sampled_thread *thread = target->threads[i];
        if (thread->ended)
            continue;
        look(target, sampling, thread, tick); /* a stopped one does not tell any more */
        if (thread->doing == THREAD_RUNS)
            stops_add(sampling->stops, target->pid, thread->thread.tid);
    }
}

/* Who has the GIL at two ticks in a row is expected to have it at the next. */
static void expect(struct target *target, struct sampled_thread *thread, bool holds) {
    if (holds && thread->held)
        target->holder = thread;
    else if (target->holder == thread)
        target->holder = NULL;
    thread->held = holds;
}

static void take_or_pass(struct target *target, struct sampling *sampling,
                         struct sampled_thread *thread, const struct tick *tick) {
    bool holds = interpreter_at(target, thread)->gil_holder == thread->thread.address;
    expect(target, thread, holds);
    if (thread->still && !holds && take_again(target, sampling, thread, tick))
        return;
    thread->rests = false;
    if (thread->ended)
        return;
    if (sampling->options.mode == SAMPLER_GIL && !holds) {
        thread->clock_ns = tick->clock_ns;
        sampling->idle++;
        return;
    }
    bool seldom =
        !sampling->options.idle && !thread->waits_for_gil && is_early(target, thread, tick);
    if (seldom && !holds) {
        sampling->idle++;
        return;
    }
    /* One that is looked at seldom is seen at each tick that it has the GIL: that stands for no more than a tick. */
    uint64_t wall_ns =
        !thread->clock_ns || seldom ? tick->stands_for_ns : tick->clock_ns - thread->clock_ns;
    take(target, sampling, thread, holds, wall_ns, tick);
}

void sampled_thread_take(struct target *target, struct sampling *sampling,
                         struct sampled_thread *thread, const struct tick *tick) {
    take_or_pass(target, sampling, thread, tick);
    if (thread->run.count && tick->now_ns - thread->run.time_ns >= SAMPLER_RUN_NS)
        sampled_thread_flush(target, sampling, thread);
}
