/* The asyncio tasks of a process that is sampled (target.h). One that runs is part of its thread's samples; those that
 * wait are read all together, and seldom: a program may have thousands, and they stand still. */
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/schedule.h"
#include "stack/target.h"

void target_forget_tasks(struct target *target) {
    struct sampled_tasks *tasks = &target->tasks;
    asyncio_close(tasks->asyncio);
    asyncio_tasks_free(&tasks->list);
    run_fini(&tasks->run);
    free(tasks->known);
    *tasks = (struct sampled_tasks){.numbers = tasks->numbers};
}

/* ---- numbers of tasks: an address may come again */

static struct known_task *place_of(struct known_task *known, uint32_t room, uint64_t address) {
    uint32_t i = (uint32_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 33) & (room - 1);
    while (known[i].number && known[i].address != address)
        i = (i + 1) & (room - 1);
    return &known[i];
}

/* A table with room for `count` and as many again; what is known is kept if it is `wanted`: NULL, or the tasks that there
 * are now. */
static bool rebuild(struct sampled_tasks *tasks, const struct asyncio_tasks *wanted,
                    uint32_t count) {
    uint32_t room = 64, kept = 0;
    while (room < 4 * count)
        room *= 2;
    struct known_task *known = calloc(room, sizeof *known);
    if (!known)
        return false;
    uint32_t many = wanted ? (uint32_t)wanted->count : tasks->room;
    for (uint32_t i = 0; i < many && tasks->room; i++) {
        const struct known_task *old =
            wanted ? place_of(tasks->known, tasks->room, wanted->list[i].address)
                   : &tasks->known[i];
        if (!old->number)
            continue;
        *place_of(known, room, old->address) = *old;
        kept++;
    }
    free(tasks->known);
    tasks->known = known;
    tasks->room = room;
    tasks->count = kept;
    return true;
}

static uint64_t hash_of(const char *name) {
    uint64_t hash = 1;
    for (; *name; name++)
        hash = hash * 31 + (uint8_t)*name;
    return hash;
}

/* What is known of this task, which is told if it is new or has another name. NULL: no memory. */
static struct known_task *know(struct target *target, struct sampling *sampling,
                               const struct asyncio_task *task) {
    struct sampled_tasks *tasks = &target->tasks;
    if (2 * (tasks->count + 1) > tasks->room && !rebuild(tasks, NULL, tasks->count + 1))
        return NULL;
    struct known_task *known = place_of(tasks->known, tasks->room, task->address);
    uint64_t name_hash = hash_of(task->name);
    bool same = known->number && known->coroutine == task->coroutine;
    if (same && known->name_hash == name_hash)
        return known;
    tasks->count += !known->number;
    *known = (struct known_task){.address = task->address,
                                 .coroutine = task->coroutine,
                                 .number = same ? known->number : ++tasks->numbers,
                                 .clock_ns = same ? known->clock_ns : 0,
                                 .name_hash = name_hash};
    if (sampling->sink.task)
        sampling->sink.task(sampling->sink.context, target->pid, known->number, task->name);
    return known;
}

/* ---- one that runs */

uint64_t target_running_task(struct target *target, struct sampling *sampling,
                             const struct thread *thread, struct stack *stack) {
    struct asyncio *asyncio = target->tasks.asyncio;
    struct asyncio_task task;
    uint64_t address;
    if (!asyncio || asyncio_running(asyncio, thread, &address) || !address ||
        asyncio_read(asyncio, address, &task))
        return 0;
    int depth = asyncio_frames_on(&task, stack);
    const struct known_task *known = depth ? know(target, sampling, &task) : NULL;
    if (!known)
        return 0;
    stack->depth = depth;
    return known->number;
}

/* ---- those that wait */

static void take_waiting(struct target *target, struct sampling *sampling,
                         const struct asyncio_task *task, const struct tick *tick) {
    struct sampled_tasks *tasks = &target->tasks;
    struct stack stack;
    bool differs;
    struct markers markers = {SAMPLE_TASK, 0};
    struct known_task *known = know(target, sampling, task);
    if (!known || asyncio_stack(tasks->asyncio, task, &stack) || stack.depth == 0 ||
        run_compare(&tasks->run, &sampling->naming, &target->process.layout, &stack, markers,
                    &differs) ||
        run_begin(&tasks->run, &sampling->naming, &stack, markers))
        return;
    uint64_t since_ns = known->clock_ns ? known->clock_ns : tasks->clock_ns;
    known->clock_ns = tick->clock_ns;
    struct sample sample = {.time_ns = tick->now_ns,
                            .pid = target->pid,
                            .tid = target->pid,
                            .task = known->number,
                            .count = 1,
                            .depth = tasks->run.depth,
                            .frames = tasks->run.frames};
    sample.weights_ns[SAMPLE_WALL] = tick->clock_ns - since_ns;
    sampling->sink.take(sampling->sink.context, &sample);
    sampling->samples++;
}

void target_sample_tasks(struct target *target, struct sampling *sampling,
                         const struct tick *tick) {
    struct sampled_tasks *tasks = &target->tasks;
    if (tick->now_ns - tasks->listed_ns < tasks->list_after_ns)
        return;
    if (!tasks->asyncio && asyncio_open(&tasks->asyncio, &target->unwinder))
        return;
    tasks->listed_ns = tick->now_ns;
    if (!tasks->clock_ns)
        tasks->clock_ns = tick->clock_ns - tick->stands_for_ns;
    uint64_t start_ns = schedule_cpu_ns();
    if (asyncio_list(tasks->asyncio, &target->list, &tasks->list) == 0) {
        if (tasks->room)
            rebuild(tasks, &tasks->list, (uint32_t)tasks->list.count);
        for (int i = 0; i < tasks->list.count; i++)
            if (tasks->list.list[i].state != ASYNCIO_RUNNING)
                take_waiting(target, sampling, &tasks->list.list[i], tick);
    }
    tasks->clock_ns = tick->clock_ns;
    uint64_t share_ns = TASKS_SHARE * (schedule_cpu_ns() - start_ns);
    tasks->list_after_ns = share_ns > TASKS_NS ? share_ns : TASKS_NS;
}
