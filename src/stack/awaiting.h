/* Who awaits whom among the asyncio tasks of a process: gathered while they are listed (asyncio.h), given to them at the end.
 *
 * From 3.14 on each task knows who awaits it; before, what it awaits itself. */
#ifndef MAREY_STACK_AWAITING_H
#define MAREY_STACK_AWAITING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "stack/asyncio.h"
#include "stack/object.h"
#include "stack/task_places.h"

/* Addresses of tasks. */
struct awaiting_pair {
    uint64_t awaited, awaiter;
};

/* Begins as all zero. */
struct awaiting {
    struct objects *objects;
    struct awaiting_pair *pairs;
    int count, room;
    int looks;                      /* at who awaits something */
    struct object_entries children; /* of one future */
};

void awaiting_free(struct awaiting *awaiting);
/* No pairs are known yet; memory is used again. */
void awaiting_begin(struct awaiting *awaiting, struct objects *objects);

/* Both add pairs, ASYNCIO_AWAITERS_MAX at most, after as many looks; what changes while it is read is left out. Return 0, MAREY_ENOMEM or what
 * reading returns.
 *
 * 3.14 and later: `awaiter` (0: nobody), or each in that set, awaits the task. */
int awaiting_told(struct awaiting *awaiting, const struct task_layout *layout, uint64_t task,
                  uint64_t awaiter, bool is_set);
/* Before: the task waits for that future (0: none). */
int awaiting_found(struct awaiting *awaiting, uint64_t task, uint64_t waiter);

/* To tasks that are sorted by address: each gets its awaiters. Returns 0 or MAREY_ENOMEM. */
int awaiting_give(struct awaiting *awaiting, struct asyncio_tasks *tasks);

/* The list, with room for one more than `count`; NULL: no memory, and it stays as it is. */
static inline void *grown_by_one(void *list, int count, int *room, size_t size) {
    if (count < *room)
        return list;
    int wanted = *room ? 2 * *room : 64;
    void *grown = realloc(list, (size_t)wanted * size);
    if (grown)
        *room = wanted;
    return grown;
}

#endif
