/* Where a process keeps its asyncio tasks, and what of a task is where: what differs between versions.
 *
 * 3.9 to 3.11: asyncio.tasks._all_tasks, a WeakSet. 3.12, 3.13: _scheduled_tasks, likewise, and _eager_tasks, a set.
 * 3.14 and later: these for tasks that are not written in C; others in a list of each thread, and one of the interpreter
 * for those whose thread has ended (Modules/_asynciomodule.c, struct _Py_AsyncioModuleDebugOffsets). */
#ifndef MAREY_STACK_TASK_PLACES_H
#define MAREY_STACK_TASK_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/object.h"
#include "stack/process.h"

enum { TASK_BYTES_MAX = 512 /* of a task object that are read */, PLACES_INTERPRETERS = 16 };

/* Offsets in a task object, 0: it has no such field. */
struct task_layout {
    uint32_t waiter, coroutine, name, state, awaited_by, awaited_by_is_set, node;
    uint32_t bytes;       /* of all that */
    uint32_t interp_head; /* of the list in an interpreter */
    uint32_t thread_head; /* of the list in a thread */
    uint32_t thread_task; /* in a thread: the task that runs */
};

/* What one interpreter's module asyncio.tasks has; addresses, 0: nothing. */
struct task_sets {
    uint64_t interpreter;
    uint64_t modules; /* how many modules it had when we looked and found none; UINT64_MAX: found */
    uint64_t scheduled, eager, current;
};

struct task_places {
    struct process *process;
    struct objects *objects;
    struct task_layout layout;
    bool layout_known;
    struct task_sets sets[PLACES_INTERPRETERS];
    uint32_t sets_next; /* to be replaced */
};

void task_places_init(struct task_places *places, struct process *process, struct objects *objects);

/* What asyncio.tasks has in this interpreter; NULL: it is not imported there. Stands until the next call. */
const struct task_sets *task_sets_of(struct task_places *places, uint64_t interpreter);

/* The task that a thread runs; 0: none. Returns 0 or what reading returns. */
int task_running(struct task_places *places, const struct thread *thread, uint64_t *task);

#endif
