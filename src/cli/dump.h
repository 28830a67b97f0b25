/* Inside `marey dump`: the stacks of a process, as text and as JSON. */
#ifndef MAREY_CLI_DUMP_H
#define MAREY_CLI_DUMP_H

#include "cli/pids.h"
#include "output/stacks.h"
#include "stack/dump.h"

/* locals: with each frame's variables, which were read. */
void dump_print_json(const struct dump *dump, const struct process *process, bool locals);

#endif
