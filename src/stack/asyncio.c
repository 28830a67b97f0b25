#include "stack/asyncio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/awaiting.h"
#include "stack/coroutine.h"
#include "stack/pages.h"
#include "stack/raw_frame.h"
#include "stack/task_places.h"
#include "stack/text.h"

struct asyncio {
    struct unwinder *unwinder;
    struct pages pages; /* objects are read by way of them */
    struct objects objects;
    struct task_places places;
    struct object_entries entries;
    struct awaiting awaiting;
    struct coroutine chain[ASYNCIO_DEPTH_MAX];
    struct frame frames[ASYNCIO_DEPTH_MAX];
};

int asyncio_open(struct asyncio **out, struct unwinder *unwinder) {
    struct asyncio *asyncio = calloc(1, sizeof *asyncio);
    *out = NULL;
    if (!asyncio)
        return MAREY_ENOMEM;
    struct process *process = unwinder->process;
    if (pages_init(&asyncio->pages, &process->memory)) {
        free(asyncio);
        return MAREY_ENOMEM;
    }
    asyncio->unwinder = unwinder;
    objects_init(&asyncio->objects, &process->layout, &asyncio->pages.memory);
    task_places_init(&asyncio->places, process, &asyncio->objects);
    *out = asyncio;
    return 0;
}

void asyncio_close(struct asyncio *asyncio) {
    if (!asyncio)
        return;
    object_entries_free(&asyncio->entries);
    awaiting_free(&asyncio->awaiting);
    pages_fini(&asyncio->pages);
    free(asyncio);
}

void asyncio_tasks_free(struct asyncio_tasks *tasks) {
    free(tasks->list);
    free(tasks->awaiters);
    *tasks = (struct asyncio_tasks){0};
}

/* What was read before may be another by now. */
static void begin(struct asyncio *asyncio) {
    pages_forget(&asyncio->pages);
    objects_tick(&asyncio->objects);
}

/* ---- one task */

/* What is read of a task before it is understood. */
struct raw_task {
    uint64_t waiter, name;
    uint64_t awaited_by;
    bool awaited_by_is_set;
    uint64_t next; /* in its list */
};

static void read_task_name(struct asyncio *asyncio, uint64_t name, char *out) {
    struct process *process = asyncio->unwinder->process;
    enum object_kind kind = object_kind(&asyncio->objects, name);
    int64_t number;
    char *text;
    out[0] = '\0';
    if (kind == OBJECT_INT && object_integer(&asyncio->objects, name, &number)) {
        snprintf(out, ASYNCIO_NAME_BYTES, "Task-%lld", (long long)number);
    } else if (kind == OBJECT_STR && text_read(&asyncio->pages.memory, &process->layout, name,
                                               ASYNCIO_NAME_BYTES - 1, &text) == 0) {
        strcpy(out, text); /* NOLINT: text_read keeps to the size */
        free(text);
    }
}

/* A task that is written in C: its object, by offsets. 1: it is done. */
static int read_native(struct asyncio *asyncio, struct asyncio_task *task, struct raw_task *raw) {
    uint8_t bytes[TASK_BYTES_MAX];
    const struct task_layout *layout = &asyncio->places.layout;
    int error = memory_read(&asyncio->pages.memory, task->address, bytes, layout->bytes);
    if (error)
        return error;
    task->coroutine = get64(bytes + layout->coroutine);
    task->coroutine_at = task->address + layout->coroutine;
    raw->waiter = get64(bytes + layout->waiter);
    raw->name = get64(bytes + layout->name);
    if (layout->awaited_by) {
        raw->awaited_by = get64(bytes + layout->awaited_by);
        raw->awaited_by_is_set = bytes[layout->awaited_by_is_set];
        raw->next = get64(bytes + layout->node);
    }
    return layout->state && get32(bytes + layout->state) != 0;
}

/* One that is written in Python, with asyncio's own names. */
static int read_written(struct asyncio *asyncio, struct asyncio_task *task, struct raw_task *raw) {
    struct objects *objects = &asyncio->objects;
    task->coroutine = object_attribute(objects, task->address, "_coro");
    raw->waiter = object_attribute(objects, task->address, "_fut_waiter");
    raw->name = object_attribute(objects, task->address, "_name");
    if (object_kind(objects, raw->waiter) == OBJECT_NONE)
        raw->waiter = 0;
    uint64_t state = object_attribute(objects, task->address, "_state");
    if (!task->coroutine)
        return MAREY_ETORN;
    return state && !object_is_text(objects, state, "PENDING"); /* the class says PENDING */
}

/* Returns 0, 1 where it is done, or an error. */
static int read_task(struct asyncio *asyncio, uint64_t address, struct asyncio_task *task,
                     struct raw_task *raw) {
    *task = (struct asyncio_task){.address = address};
    *raw = (struct raw_task){0};
    const struct layout *layout = &asyncio->unwinder->process->layout;
    const struct object_type *type = object_type(&asyncio->objects, address);
    if (!type || !asyncio->places.layout_known)
        return MAREY_ETORN;
    int result = type->kind == OBJECT_TASK ? read_native(asyncio, task, raw)
                                           : read_written(asyncio, task, raw);
    if (result)
        return result;
    enum object_kind kind = object_kind(&asyncio->objects, task->coroutine);
    if (kind == OBJECT_COROUTINE || kind == OBJECT_GENERATOR)
        task->frame =
            layout->gen_state == LAYOUT_NONE
                ? memory_pointer(&asyncio->pages.memory, task->coroutine + layout->gen_frame)
                : task->coroutine + layout->gen_frame;
    task->state = raw->waiter ? ASYNCIO_WAITING : ASYNCIO_READY;
    read_task_name(asyncio, raw->name, task->name);
    return 0;
}

int asyncio_read(struct asyncio *asyncio, uint64_t address, struct asyncio_task *task) {
    struct raw_task raw;
    begin(asyncio);
    return read_task(asyncio, address, task, &raw) ? MAREY_ETORN : 0;
}

/* ---- all tasks */

/* Adds a task to the list; what cannot be read, or is done, is left out. */
static int add_task(struct asyncio *asyncio, uint64_t interpreter, uint64_t address,
                    struct asyncio_tasks *tasks, uint64_t *next) {
    struct asyncio_task task;
    struct raw_task raw;
    int error = read_task(asyncio, address, &task, &raw);
    *next = raw.next;
    if (memory_torn(error))
        tasks->torn++;
    if (error)
        return memory_torn(error) || error == 1 ? 0 : error;
    const struct task_layout *layout = &asyncio->places.layout;
    error = layout->awaited_by ? awaiting_told(&asyncio->awaiting, layout, address, raw.awaited_by,
                                               raw.awaited_by_is_set)
                               : awaiting_found(&asyncio->awaiting, address, raw.waiter);
    if (error || tasks->count == ASYNCIO_TASKS_MAX)
        return error;
    struct asyncio_task *list = grown_by_one(tasks->list, tasks->count, &tasks->room, sizeof task);
    if (!list)
        return MAREY_ENOMEM;
    task.interpreter = interpreter;
    tasks->list = list;
    tasks->list[tasks->count++] = task;
    return 0;
}

static int list_set(struct asyncio *asyncio, uint64_t interpreter, uint64_t set, bool weak,
                    struct asyncio_tasks *tasks) {
    struct objects *objects = &asyncio->objects;
    uint64_t next;
    if (weak)
        set = object_attribute(objects, set, "data");
    int error = object_set(objects, set, ASYNCIO_TASKS_MAX, &asyncio->entries);
    for (uint32_t i = 0; error == 0 && i < asyncio->entries.count; i++) {
        uint64_t address = asyncio->entries.list[i].key;
        if (weak)
            address = object_first(objects, address);
        if (address && object_kind(objects, address) != OBJECT_NONE) /* else it has gone */
            error = add_task(asyncio, interpreter, address, tasks, &next);
    }
    return error;
}

/* A circle of nodes that begins and ends at `head`. */
static int list_nodes(struct asyncio *asyncio, uint64_t interpreter, uint64_t head,
                      struct asyncio_tasks *tasks) {
    uint64_t node = memory_pointer(&asyncio->pages.memory, head);
    int error = 0;
    for (int i = 0; node && node != head && error == 0; i++) {
        if (i == ASYNCIO_TASKS_MAX || node % 8)
            return MAREY_ETORN;
        error = add_task(asyncio, interpreter, node - asyncio->places.layout.node, tasks, &node);
        if (error == 0 && !node)
            error = MAREY_ETORN; /* taken out of the list meanwhile */
    }
    return error;
}

static int list_interpreter(struct asyncio *asyncio, uint64_t interpreter,
                            const struct thread_list *threads, struct asyncio_tasks *tasks) {
    const struct task_sets *sets = task_sets_of(&asyncio->places, interpreter);
    const struct task_layout *layout = &asyncio->places.layout;
    if (!sets || !asyncio->places.layout_known)
        return 0;
    int error = list_set(asyncio, interpreter, sets->scheduled, true, tasks);
    if (!error && sets->eager)
        error = list_set(asyncio, interpreter, sets->eager, false, tasks);
    if (!error && layout->node)
        error = list_nodes(asyncio, interpreter, interpreter + layout->interp_head, tasks);
    for (int i = 0; !error && layout->node && i < threads->count; i++)
        if (threads->threads[i].interpreter == interpreter)
            error = list_nodes(asyncio, interpreter,
                               threads->threads[i].address + layout->thread_head, tasks);
    return error;
}

static int by_address(const void *left, const void *right) {
    const struct asyncio_task *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static struct asyncio_task *find_task(const struct asyncio_tasks *tasks, uint64_t address) {
    struct asyncio_task key = {.address = address};
    return tasks->count ? bsearch(&key, tasks->list, (size_t)tasks->count, sizeof key, by_address)
                        : NULL;
}

static void sort_tasks(struct asyncio_tasks *tasks) {
    int kept = 0;
    if (tasks->count)
        qsort(tasks->list, (size_t)tasks->count, sizeof *tasks->list, by_address);
    for (int i = 0; i < tasks->count; i++)
        if (i == 0 || tasks->list[i].address != tasks->list[kept - 1].address)
            tasks->list[kept++] = tasks->list[i];
    tasks->count = kept;
}

static int mark_running(struct asyncio *asyncio, const struct thread_list *threads,
                        struct asyncio_tasks *tasks) {
    pages_forget(&asyncio->pages);
    for (int i = 0; i < threads->count; i++) {
        uint64_t address;
        int error = task_running(&asyncio->places, &threads->threads[i], &address);
        if (error && !memory_torn(error))
            return error;
        struct asyncio_task *task = error ? NULL : find_task(tasks, address);
        if (task) {
            task->state = ASYNCIO_RUNNING;
            task->thread = threads->threads[i].address;
        }
    }
    return 0;
}

int asyncio_list(struct asyncio *asyncio, const struct thread_list *threads,
                 struct asyncio_tasks *tasks) {
    enum { TRIES = 4 };
    int error = MAREY_ETORN;
    for (int tries = 0; tries < TRIES && memory_torn(error); tries++) {
        begin(asyncio);
        tasks->count = tasks->awaiters_count = tasks->torn = 0;
        awaiting_begin(&asyncio->awaiting, &asyncio->objects);
        error = 0;
        for (int i = 0; i < threads->interpreters_count && !error; i++)
            error = list_interpreter(asyncio, threads->interpreters[i].address, threads, tasks);
    }
    sort_tasks(tasks);
    if (memory_torn(error)) {
        tasks->torn++;
        error = 0;
    }
    if (!error)
        error = mark_running(asyncio, threads, tasks);
    if (!error)
        error = awaiting_give(&asyncio->awaiting, tasks);
    if (error)
        tasks->count = 0;
    return memory_torn(error) ? MAREY_ETORN : error;
}

int asyncio_running(struct asyncio *asyncio, const struct thread *thread, uint64_t *task) {
    begin(asyncio);
    int error = task_running(&asyncio->places, thread, task);
    return memory_torn(error) ? MAREY_ETORN : error;
}

/* ---- await chains */

static int read_chain(struct asyncio *asyncio, const struct asyncio_task *task, bool *cut,
                      int *count) {
    int found =
        coroutine_chain(&asyncio->objects, task->coroutine, asyncio->chain, ASYNCIO_DEPTH_MAX, cut);
    *count = found;
    if (found < 0)
        return found;
    if (found && asyncio->chain[found - 1].doing == COROUTINE_RUNS)
        return MAREY_ETORN;
    struct process *process = asyncio->unwinder->process;
    struct coroutine_owner owner = {task->coroutine_at, task->coroutine};
    return coroutine_check(&process->memory, &process->layout, &owner, asyncio->chain, found);
}

int asyncio_stack(struct asyncio *asyncio, const struct asyncio_task *task, struct stack *stack) {
    enum { TRIES = 8 };
    struct unwinder *unwinder = asyncio->unwinder;
    const struct layout *layout = &unwinder->process->layout;
    int count = 0, error = MAREY_ETORN;
    bool cut = false;
    for (int tries = 0; tries < TRIES && memory_torn(error); tries++) {
        if (tries)
            begin(asyncio);
        error = read_chain(asyncio, task, &cut, &count);
        for (int i = 0; !error && i < count; i++)
            asyncio->frames[count - 1 - i] = coroutine_frame(layout, &asyncio->chain[i]);
        if (!error)
            error = frames_name(&unwinder->codes, asyncio->frames, count);
    }
    if (memory_torn(error))
        unwinder->counts.torn++;
    if (error)
        return memory_torn(error) ? MAREY_ETORN : error;
    *stack = (struct stack){.frames = asyncio->frames, .depth = count, .cut = cut};
    unwinder->counts.stacks++;
    return 0;
}

int asyncio_frames_on(const struct asyncio_task *task, const struct stack *stack) {
    for (int i = 0; task->frame && i < stack->depth; i++)
        if (stack->frames[i].address == task->frame)
            return i + 1;
    return 0;
}
