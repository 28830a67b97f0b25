#include "stack/awaiting.h"

#include <stdlib.h>

#include "marey.h"

void awaiting_free(struct awaiting *awaiting) {
    free(awaiting->pairs);
    object_entries_free(&awaiting->children);
    *awaiting = (struct awaiting){0};
}

void awaiting_begin(struct awaiting *awaiting, struct objects *objects) {
    awaiting->objects = objects;
    awaiting->count = awaiting->looks = 0;
}

static int add(struct awaiting *awaiting, uint64_t awaited, uint64_t awaiter) {
    if (awaiting->count == ASYNCIO_AWAITERS_MAX || !awaited || !awaiter)
        return 0;
    struct awaiting_pair *pairs =
        grown_by_one(awaiting->pairs, awaiting->count, &awaiting->room, sizeof *pairs);
    if (!pairs)
        return MAREY_ENOMEM;
    awaiting->pairs = pairs;
    awaiting->pairs[awaiting->count++] = (struct awaiting_pair){awaited, awaiter};
    return 0;
}

/* ---- 3.14 and later */

static int told(struct awaiting *awaiting, const struct task_layout *layout, uint64_t task,
                uint64_t awaiter, bool is_set, int depth);

static int told_set(struct awaiting *awaiting, const struct task_layout *layout, uint64_t task,
                    uint64_t set, int depth) {
    enum { AWAITERS_MAX = 4096 };
    struct object_entries entries = {0};
    int error = object_set(awaiting->objects, set, AWAITERS_MAX, &entries);
    for (uint32_t i = 0; error == 0 && i < entries.count; i++)
        error = told(awaiting, layout, task, entries.list[i].key, false, depth + 1);
    object_entries_free(&entries);
    return memory_torn(error) ? 0 : error;
}

/* A future knows who awaits it: a task, another future (of gather, for example), or a set of them. */
static int told(struct awaiting *awaiting, const struct task_layout *layout, uint64_t task,
                uint64_t awaiter, bool is_set, int depth) {
    enum { FUTURES_MAX = 4 };
    struct memory *memory = awaiting->objects->memory;
    if (!awaiter || depth > FUTURES_MAX || ++awaiting->looks > ASYNCIO_AWAITERS_MAX)
        return 0;
    if (is_set)
        return told_set(awaiting, layout, task, awaiter, depth);
    enum object_kind kind = object_kind(awaiting->objects, awaiter);
    if (kind != OBJECT_FUTURE)
        return kind == OBJECT_TASK ? add(awaiting, task, awaiter) : 0;
    uint8_t further_is_set = 0;
    uint64_t further = memory_pointer(memory, awaiter + layout->awaited_by);
    if (memory_read(memory, awaiter + layout->awaited_by_is_set, &further_is_set, 1))
        return 0;
    return told(awaiting, layout, task, further, further_is_set != 0, depth + 1);
}

int awaiting_told(struct awaiting *awaiting, const struct task_layout *layout, uint64_t task,
                  uint64_t awaiter, bool is_set) {
    return told(awaiting, layout, task, awaiter, is_set, 0);
}

/* ---- before */

/* What is awaited is another task, or gather's future, which has a list of them. */
int awaiting_found(struct awaiting *awaiting, uint64_t task, uint64_t waiter) {
    struct objects *objects = awaiting->objects;
    const struct object_type *type = object_type(objects, waiter);
    if (!type)
        return 0;
    if (type->kind == OBJECT_TASK)
        return add(awaiting, waiter, task);
    if (type->exact)
        return 0;
    uint64_t children = object_attribute(objects, waiter, "_children");
    if (!children)
        return add(awaiting, waiter, task); /* perhaps a task that is written in Python */
    int error = object_sequence(objects, children, ASYNCIO_AWAITERS_MAX, &awaiting->children);
    for (uint32_t i = 0; error == 0 && i < awaiting->children.count; i++)
        error = add(awaiting, awaiting->children.list[i].key, task);
    return memory_torn(error) ? 0 : error;
}

/* ---- the end */

static int by_awaited(const void *left, const void *right) {
    const struct awaiting_pair *a = left, *b = right;
    if (a->awaited != b->awaited)
        return a->awaited < b->awaited ? -1 : 1;
    return a->awaiter < b->awaiter ? -1 : a->awaiter > b->awaiter;
}

static int make_room(struct asyncio_tasks *tasks, int count) {
    if (count == 0 || count <= tasks->awaiters_room)
        return 0;
    uint64_t *grown = realloc(tasks->awaiters, (size_t)count * sizeof *grown);
    if (!grown)
        return MAREY_ENOMEM;
    tasks->awaiters = grown;
    tasks->awaiters_room = count;
    return 0;
}

int awaiting_give(struct awaiting *awaiting, struct asyncio_tasks *tasks) {
    const struct awaiting_pair *pairs = awaiting->pairs;
    int count = awaiting->count, pair = 0;
    if (count)
        qsort(awaiting->pairs, (size_t)count, sizeof *pairs, by_awaited);
    if (make_room(tasks, count))
        return MAREY_ENOMEM;
    for (int i = 0; i < tasks->count; i++) {
        struct asyncio_task *task = &tasks->list[i];
        while (pair < count && pairs[pair].awaited < task->address)
            pair++;
        task->awaited_by = tasks->awaiters_count;
        for (; pair < count && pairs[pair].awaited == task->address; pair++)
            if (pair == 0 || by_awaited(&pairs[pair], &pairs[pair - 1]) != 0)
                tasks->awaiters[tasks->awaiters_count++] = pairs[pair].awaiter;
        task->awaited_by_count = tasks->awaiters_count - task->awaited_by;
    }
    return 0;
}
