/* Whose stacks they are: a thread, an asyncio task, a track. In a profile that tells them apart, each is a frame of its own
 * below the root, above all its stacks. */
#ifndef MAREY_MODEL_STACK_OWNER_H
#define MAREY_MODEL_STACK_OWNER_H

#include "model/profile.h"
#include "model/trace.h"

enum {
    STACK_OWNER = 0xff
}; /* the kind of such a frame's function; its first line is a place in the owners, from 1 on */

struct stack_owner {
    uint32_t process, thread; /* places in the trace's; MAP_NONE: none */
    uint32_t task; /* strings: of an asyncio task, or of a track that is no thread's; 0: none */
};

/* All zero is empty. */
struct stack_owners {
    struct stack_owner *all;
    uint32_t count, capacity;
};

/* Adds an owner that is not there yet. Returns the node below which its stacks belong. */
uint32_t stack_owners_add(struct stack_owners *owners, struct profile *profile,
                          const struct trace *trace, const struct stack_owner *owner);
/* The owner that a profile's function stands for; NULL: it is no such frame's. */
const struct stack_owner *stack_owners_of(const struct stack_owners *owners,
                                          const struct profile_function *function);
void stack_owners_free(struct stack_owners *owners);

#endif
