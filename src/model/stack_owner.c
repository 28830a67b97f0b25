/* See stack_owner.h. */
#include "model/stack_owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/grow.h"

enum { LABEL_ROOM = 256 };

/* "worker-1 101", "Task-1", "app 100": the narrowest that is known. */
static void name_owner(char *to, size_t room, const struct trace *trace,
                       const struct stack_owner *owner) {
    if (owner->task) {
        snprintf(to, room, "%s", trace_text(trace, owner->task));
    } else if (owner->thread != MAP_NONE) {
        const struct thread *thread = &trace->threads[owner->thread];
        const char *name = trace_text(trace, thread->name);
        snprintf(to, room, "%s %lld", *name ? name : "thread", (long long)thread->tid);
    } else if (owner->process != MAP_NONE) {
        const struct process *process = &trace->processes[owner->process];
        const char *name = trace_text(trace, process->name);
        snprintf(to, room, "%s %lld", *name ? name : "process", (long long)process->pid);
    } else {
        snprintf(to, room, "(nobody)");
    }
}

uint32_t stack_owners_add(struct stack_owners *owners, struct profile *profile,
                          const struct trace *trace, const struct stack_owner *owner) {
    char name[LABEL_ROOM];
    if (owners->count == INT32_MAX || GROW(owners->all, owners->count, owners->capacity))
        return profile_child(profile, 0, MAP_NONE, 0);
    owners->all[owners->count++] = *owner;
    name_owner(name, sizeof name, trace, owner);
    struct profile_function function = {name, "", (int32_t)owners->count, STACK_OWNER};
    return profile_child(profile, 0, profile_function(profile, &function), 0);
}

const struct stack_owner *stack_owners_of(const struct stack_owners *owners,
                                          const struct profile_function *function) {
    uint32_t place = (uint32_t)function->first_line;
    return function->kind == STACK_OWNER && place && place <= owners->count
               ? &owners->all[place - 1]
               : NULL;
}

void stack_owners_free(struct stack_owners *owners) {
    free(owners->all);
    *owners = (struct stack_owners){0};
}
