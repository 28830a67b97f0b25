/* The names that a program gives to its threads (threading.Thread). CPython tells them to the system from 3.14 on, cut to
 * 15 bytes; before, it keeps them to itself, and they are read from threading._active. */
#ifndef MAREY_STACK_THREAD_NAMES_H
#define MAREY_STACK_THREAD_NAMES_H

#include "stack/process.h"

enum { THREAD_NAME_BYTES = 128 /* of a name, with its NUL; what is longer is cut */ };

struct thread_names;

/* Returns 0 or MAREY_ENOMEM. */
int thread_names_open(struct thread_names **names, struct process *process);
void thread_names_close(struct thread_names *names);

/* The name of a thread that process_threads has listed, as it was at the first question: to be opened for all threads of a
 * process, and closed. Takes some ten microseconds each. Returns 0, or MAREY_ENOENT where it has none: it was not made by threading, has not run far enough to be known, or the
 * module is not imported; then `name` is "". */
int thread_names_find(struct thread_names *names, const struct thread *thread, char *name);

#endif
