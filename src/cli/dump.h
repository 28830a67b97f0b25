/* Inside `marey dump`: the stacks of a process, as text and as JSON. */
#ifndef MAREY_CLI_DUMP_H
#define MAREY_CLI_DUMP_H

#include "cli/target.h"
#include "output/json.h"
#include "stack/dump.h"

struct dump_request {
    int json;
    size_t width; /* of the terminal in columns; 0: none */
    int colour;
};

void dump_print_text(const struct dump *dump, const struct process *process,
                     const struct dump_request *request);
void dump_print_json(const struct dump *dump, const struct process *process);

/* "running", "idle", "stopped", "ended", or "unknown". */
const char *dump_state_word(enum proc_state state);
/* The thread's name where it has one of its own: not the process's, which threads get from it. "" else. */
const char *dump_thread_name(const struct dumped_thread *thread, const char *process_name);

#endif
