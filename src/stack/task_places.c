#include "stack/task_places.h"

#include <string.h>

#include "marey.h"
#include "stack/locate.h"

/* ---- task objects */

/* 3.9 to 3.13: TaskObj of Modules/_asynciomodule.c, counted from the end of its head. */
static const struct task_row {
    uint32_t version, state, waiter;
} task_rows[] = {
    {0x0309, 64, 128}, {0x030a, 72, 136}, {0x030b, 72, 112}, {0x030c, 72, 112}, {0x030d, 80, 96}};

static void complete(struct task_layout *layout) {
    layout->coroutine = layout->waiter + 8; /* in all versions: waiter, coroutine, name */
    layout->name = layout->waiter + 16;
    layout->bytes = layout->name + 8;
}

static bool from_row(struct task_places *places) {
    const struct layout *layout = &places->process->layout;
    for (size_t i = 0; i < sizeof task_rows / sizeof *task_rows; i++)
        if (task_rows[i].version == layout->version) {
            places->layout =
                (struct task_layout){.state = layout->object_bytes + task_rows[i].state,
                                     .waiter = layout->object_bytes + task_rows[i].waiter};
            complete(&places->layout);
            return true;
        }
    return false;
}

static uint32_t larger(uint32_t a, uint64_t b) {
    return a > b ? a : (uint32_t)b;
}

/* 3.14 and later: an array of 64-bit numbers in a section of its own. */
static bool from_section(struct task_places *places) {
    enum { TASK_NAME = 1, AWAITED_BY, IS_TASK, AWAITED_BY_IS_SET, COROUTINE, NODE };
    enum { INTERP_HEAD = 8, THREAD_TASK = 11, THREAD_HEAD, NUMBERS };
    enum { THREAD_BYTES_MAX = 1 << 16, INTERP_BYTES_MAX = 1 << 22 };
    uint64_t at = locate_section(places->process, "_asyncio", ".AsyncioDebug");
    uint64_t number[NUMBERS];
    if (!at || memory_read(&places->process->memory, at, number, sizeof number))
        return false;
    for (int i = 0; i <= NODE; i++)
        if (i && number[i] > TASK_BYTES_MAX - 16)
            return false;
    if (number[INTERP_HEAD] > INTERP_BYTES_MAX || number[THREAD_TASK] > THREAD_BYTES_MAX ||
        number[THREAD_HEAD] > THREAD_BYTES_MAX || number[COROUTINE] < 8)
        return false;
    struct task_layout *layout = &places->layout;
    *layout = (struct task_layout){.waiter = (uint32_t)number[COROUTINE] - 8,
                                   .awaited_by = (uint32_t)number[AWAITED_BY],
                                   .awaited_by_is_set = (uint32_t)number[AWAITED_BY_IS_SET],
                                   .node = (uint32_t)number[NODE],
                                   .interp_head = (uint32_t)number[INTERP_HEAD],
                                   .thread_head = (uint32_t)number[THREAD_HEAD],
                                   .thread_task = (uint32_t)number[THREAD_TASK]};
    complete(layout);
    layout->name = (uint32_t)number[TASK_NAME];
    layout->bytes = larger(layout->bytes, number[TASK_NAME] + 8);
    layout->bytes = larger(layout->bytes, number[AWAITED_BY] + 8);
    layout->bytes = larger(layout->bytes, number[AWAITED_BY_IS_SET] + 1);
    layout->bytes = larger(layout->bytes, number[NODE] + 16);
    return true;
}

void task_places_init(struct task_places *places, struct process *process,
                      struct objects *objects) {
    memset(places, 0, sizeof *places);
    places->process = process;
    places->objects = objects;
    places->layout_known = from_row(places);
}

/* ---- sets */

static uint64_t modules_count(struct task_places *places, uint64_t interpreter) {
    const struct layout *layout = &places->process->layout;
    struct memory *memory = places->objects->memory;
    uint64_t modules = memory_pointer(memory, interpreter + layout->interp_modules);
    return modules ? memory_pointer(memory, modules + layout->object_bytes) : 0;
}

static void look(struct task_places *places, struct task_sets *sets) {
    struct objects *objects = places->objects;
    static const char module[] = "asyncio.tasks";
    uint32_t version = places->process->layout.version;
    sets->modules = modules_count(places, sets->interpreter);
    const char *all = version < 0x030c ? "_all_tasks" : "_scheduled_tasks";
    sets->scheduled = object_global(objects, sets->interpreter, module, all);
    if (!sets->scheduled)
        return;
    sets->current = object_global(objects, sets->interpreter, module, "_current_tasks");
    sets->eager =
        version < 0x030c ? 0 : object_global(objects, sets->interpreter, module, "_eager_tasks");
    if (!places->layout_known)
        places->layout_known = from_section(places);
    sets->modules = UINT64_MAX;
}

const struct task_sets *task_sets_of(struct task_places *places, uint64_t interpreter) {
    struct task_sets *sets = NULL;
    for (int i = 0; i < PLACES_INTERPRETERS && !sets; i++)
        if (places->sets[i].interpreter == interpreter)
            sets = &places->sets[i];
    if (!sets) {
        sets = &places->sets[places->sets_next++ % PLACES_INTERPRETERS];
        *sets = (struct task_sets){.interpreter = interpreter};
    }
    if (sets->modules != UINT64_MAX && modules_count(places, interpreter) != sets->modules)
        look(places, sets);
    return sets->modules == UINT64_MAX ? sets : NULL;
}

/* ---- the task that a thread runs */

/* The loop that runs in a thread, and for 3.9 to 3.12 what stands for it in the thread's dict, an object that holds it. */
static void loop_of(struct task_places *places, const struct thread *thread, uint64_t loops[2]) {
    const struct layout *layout = &places->process->layout;
    struct memory *memory = places->objects->memory;
    if (layout->thread_loop != LAYOUT_NONE) {
        loops[0] = memory_pointer(memory, thread->address + layout->thread_loop);
    } else if (layout->thread_dict != LAYOUT_NONE) {
        uint64_t dict = memory_pointer(memory, thread->address + layout->thread_dict);
        loops[1] = object_item(places->objects, dict, "__asyncio_running_event_loop__");
        loops[0] = object_first(places->objects, loops[1]);
    }
}

/* Until 3.13 asyncio.tasks._current_tasks has the task of each loop. */
static int running_of_loop(struct task_places *places, const struct task_sets *sets,
                           const struct thread *thread, uint64_t *task) {
    enum { LOOPS_MAX = 1024 };
    struct object_entries current = {0};
    uint64_t loops[2] = {0, 0};
    int error = object_dict(places->objects, sets->current, LOOPS_MAX, &current);
    if (error == 0 && current.count)
        loop_of(places, thread, loops);
    for (uint32_t i = 0; error == 0 && i < current.count; i++)
        if (current.list[i].key == loops[0] || current.list[i].key == loops[1])
            *task = current.list[i].value;
    object_entries_free(&current);
    return error == MAREY_EADDRESS ? MAREY_ETORN : error;
}

int task_running(struct task_places *places, const struct thread *thread, uint64_t *task) {
    *task = 0;
    const struct task_sets *sets = task_sets_of(places, thread->interpreter);
    if (!sets || !places->layout_known)
        return 0;
    if (!places->layout.thread_task)
        return running_of_loop(places, sets, thread, task);
    return memory_read(places->objects->memory, thread->address + places->layout.thread_task, task,
                       sizeof *task);
}
