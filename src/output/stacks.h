/* The stacks of a process's threads, as text for people, and as JSON. */
#ifndef MAREY_OUTPUT_STACKS_H
#define MAREY_OUTPUT_STACKS_H

#include "output/display.h"
#include "output/json.h"
#include "stack/dump.h"

struct stacks_style {
    size_t width; /* of the terminal in columns; 0: none */
    int colour;   /* ANSI sequences */
};

/* Adds which Python it is and who has the GIL, and then each thread: what it does, and its stack, the most recent call
 * first; then the asyncio tasks, each with what it awaits. All lines end in a newline. */
void stacks_show(struct text *to, const struct dump *dump, const struct process *process,
                 const struct stacks_style *style);

/* Adds the same to the object that is open: "python", "threads", "tasks", and who has the GIL. locals: with each frame's
 * variables, which were read. */
void stacks_add_json(struct json *json, const struct dump *dump, const struct process *process,
                     bool locals);

/* "running", "idle", "stopped", "ended", or "unknown". */
const char *stacks_state_word(enum proc_state state);
/* The thread's name where it has one of its own: not the process's, which threads get from it. "" else. */
const char *stacks_thread_name(const struct dumped_thread *thread, const char *process_name);

#endif
