/* Where the runtime of a process's Python is: by symbol, by section, or by looking for it in the data. */
#ifndef MAREY_STACK_LOCATE_H
#define MAREY_STACK_LOCATE_H

#include "stack/process.h"

/* Sets process->runtime, layout and version. Returns as process_open does. */
int locate_runtime(struct process *process);

/* The address of a section of Python's program, its library or its extension module `extension`; 0: none has it. */
uint64_t locate_section(const struct process *process, const char *extension, const char *section);

#endif
