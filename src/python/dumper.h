/* All stacks of this process as text: at once, or when a signal comes. No Python in here.
 *
 * A signal's handler does nothing but wake a thread of ours, which reads the process as it would another one: so it works
 * whatever the process is stuck in, whoever has the GIL. */
#ifndef MAREY_DUMPER_H
#define MAREY_DUMPER_H

#include <stdbool.h>
#include <stdio.h>

#include "output/display.h"

/* Adds the stacks of all threads and asyncio tasks as they are now; `locals`: with the variables of each frame. signal:
 * that asked for it; 0: none. Returns 0 or what process_open and dump_take return. */
int dumper_show(struct text *to, int signal, bool locals);

/* Writes the same, without variables, as an object of JSON on a line: see stacks_add_json. Returns likewise. */
int dumper_json(FILE *to);

/* From now on, a signal writes them to a descriptor, and then does what it did before; the default action does not come.
 * Where it is on already, the descriptor and `locals` change. Returns 0, MAREY_EINVAL (a signal that cannot be handled, or must not
 * be: the kernel sends it for what the thread itself did) or MAREY_ENOMEM (also: no more threads). */
int dumper_on(int signal, int descriptor, bool locals);
/* Undoes it. False where it was not on. A handler that somebody has put in place of ours since then stays. */
bool dumper_off(int signal);
/* In a forked child, to be called once: the thread that waits for signals is made anew where there was one. */
void dumper_after_fork(void);

#endif
