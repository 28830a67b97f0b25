/* Inside dump.c: a stack, with the variables of its frames, kept beyond the next one. */
#ifndef MAREY_STACK_DUMP_STACK_H
#define MAREY_STACK_DUMP_STACK_H

#include "stack/dump.h"
#include "stack/unwind.h"

/* What a thread did before it was stopped. */
struct thread_state {
    pid_t tid;
    enum proc_state state;
    bool waits_for_gil;
};

/* What reads a process for one dump. */
struct dump_reader {
    struct process *process;
    struct unwinder unwinder;
    struct values *values; /* NULL: variables are not wanted */
    struct thread_names *names;
    struct variables *variables; /* of the frame that is being read */
    struct thread_state *states; /* NULL: threads are not stopped, and tell themselves */
    int states_count;
};

/* Copies a stack that was just read. Returns 0 or MAREY_ENOMEM. */
int dump_stack_keep(struct dumped_stack *to, struct dump_reader *reader, const struct stack *stack);
void dump_stack_free(struct dumped_stack *stack);

#endif
