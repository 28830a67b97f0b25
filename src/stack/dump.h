/* All stacks of a process as they are now, kept: for people, not for thousands a second (sampler.h). */
#ifndef MAREY_STACK_DUMP_H
#define MAREY_STACK_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/asyncio.h"
#include "stack/process.h"
#include "stack/thread_names.h"
#include "stack/values.h"

enum { DUMP_TRIES_MAX = 20 /* of a stack that moves too fast to be read, a millisecond apart */ };

struct dump_options {
    bool locals;   /* also the variables of each frame */
    bool tasks;    /* also asyncio tasks */
    bool blocking; /* stop the Python threads meanwhile: all is of one moment, and nothing torn */
};

struct dumped_variable {
    char *name, *value; /* UTF-8; the value as values.h shows it */
    enum variable_kind kind;
};

struct dumped_frame {
    char *name, *file; /* UTF-8 */
    int32_t line;      /* that runs, or that the call is in; 0: it has none */
    int32_t first_line;
    struct dumped_variable *variables;
    int variables_count;
    bool variables_cut;  /* there are more */
    bool variables_torn; /* they could not be read */
};

struct dumped_stack {
    int error; /* why there is none: MAREY_ETORN, MAREY_EADDRESS (it ended meanwhile); else 0 */
    bool cut;  /* it is deeper */
    struct dumped_frame *frames; /* the running function first, then its callers */
    int depth;                   /* 0 where no Python code runs */
};

struct dumped_thread {
    /* who has the GIL and who collects garbage, when the threads were listed */
    struct thread thread;
    int64_t interpreter;          /* its number; 0 is the main one */
    char name[THREAD_NAME_BYTES]; /* that the program gave to it, else the system's */
    enum proc_state state;
    bool waits_for_gil;
    struct dumped_stack stack;
};

struct dumped_task {
    struct asyncio_task task; /* thread: address of the thread's state */
    pid_t tid;                /* that it runs on; 0: it does not run, or this is not known */
    /* what it awaits, innermost first; none while it runs: it is its thread's */
    struct dumped_stack stack;
};

struct dump {
    struct dumped_thread *threads; /* the process's first one first, then by tid */
    int count;
    int interpreters;
    int other_threads; /* of the process, that Python does not know */
    bool has_gil;      /* some thread has it */
    pid_t gil_holder;  /* 0: a thread whose number is not known */
    int unstopped;     /* threads that should have been stopped and could not: a debugger's, say */
    struct dumped_task *tasks; /* by name */
    int tasks_count;
    int tasks_torn;              /* that changed while they were read */
    struct asyncio_tasks listed; /* whom the tasks are awaited by */
};

/* Reads them. Returns 0, or what process_threads returns; a stack that cannot be read is its thread's error. What was
 * taken is freed by dump_free, also after an error. */
int dump_take(struct dump *dump, struct process *process, const struct dump_options *options);
void dump_free(struct dump *dump);

#endif
