/* The stacks of a process's threads, as text for people. */
#ifndef MAREY_OUTPUT_STACKS_H
#define MAREY_OUTPUT_STACKS_H

#include "output/display.h"
#include "stack/dump.h"

struct stacks_style {
    size_t width; /* of the terminal in columns; 0: none */
    int colour;   /* ANSI sequences */
};

/* Adds which Python it is and who has the GIL, and then each thread: what it does, and its stack, the most recent call
 * first; then the asyncio tasks, each with what it awaits. All lines end in a newline. */
void stacks_show(struct text *to, const struct dump *dump, const struct process *process,
                 const struct stacks_style *style);

/* "waits", "is ready to run", or "runs". */
const char *stacks_task_word(enum asyncio_state state);
/* "running", "idle", "stopped", "ended", or "unknown". */
const char *stacks_state_word(enum proc_state state);
/* The thread's name where it has one of its own: not the process's, which threads get from it. "" else. */
const char *stacks_thread_name(const struct dumped_thread *thread, const char *process_name);

#endif
