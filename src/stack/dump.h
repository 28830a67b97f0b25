/* All stacks of a process as they are now, kept: for people, not for thousands a second (sampler.h). */
#ifndef MAREY_STACK_DUMP_H
#define MAREY_STACK_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/process.h"

enum { DUMP_TRIES_MAX = 20 /* of a stack that moves too fast to be read, a millisecond apart */ };

struct dumped_frame {
    char *name, *file; /* UTF-8 */
    int32_t line;      /* that runs, or that the call is in; 0: it has none */
    int32_t first_line;
};

struct dumped_thread {
    struct thread
        thread; /* who has the GIL and who collects garbage, when the threads were listed */
    int64_t interpreter;        /* its number; 0 is the main one */
    char name[PROC_NAME_BYTES]; /* as the system has it */
    enum proc_state state;
    bool waits_for_gil;
    int error; /* why there is no stack: MAREY_ETORN, MAREY_EADDRESS (it ended meanwhile); else 0 */
    bool cut;  /* deeper than STACK_FRAMES_MAX */
    struct dumped_frame *frames; /* the running function first, then its callers */
    int depth;                   /* 0 where no Python code runs */
};

struct dump {
    struct dumped_thread *threads; /* the process's first one first, then by tid */
    int count;
    int interpreters;
    int other_threads; /* of the process, that Python does not know */
    bool has_gil;      /* some thread has it */
    pid_t gil_holder;  /* 0: a thread whose number is not known */
};

/* Reads them. Returns 0, or what process_threads returns; a stack that cannot be read is its thread's error. What was
 * taken is freed by dump_free, also after an error. */
int dump_take(struct dump *dump, struct process *process);
void dump_free(struct dump *dump);

#endif
