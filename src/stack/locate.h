/* Where the runtime of a process's Python is: by symbol, by section, or by looking for it in the data. */
#ifndef MAREY_STACK_LOCATE_H
#define MAREY_STACK_LOCATE_H

#include "stack/process.h"

/* Sets process->runtime, layout and version. Returns as process_open does. */
int locate_runtime(struct process *process);

#endif
