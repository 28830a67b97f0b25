/* Threads that are stopped for the moment of a sample (ptrace(2): PTRACE_SEIZE, PTRACE_INTERRUPT) and resumed.
 *
 * They are traced for that moment only: in between the program is free, signals and exec work as ever. A thread that
 * was stopped by a signal stays so; a signal that arrives meanwhile is delivered when it goes on. If the sampler dies
 * in between, the kernel resumes what it traced.
 *
 * Nothing is taken from who waits for the process's end, also where that is another thread of the sampler's process;
 * but it may be woken by SIGCHLD for nothing, and has to pass over children that are merely stopped (WIFSTOPPED). */
#ifndef MAREY_STACK_STOPS_H
#define MAREY_STACK_STOPS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    STOPS_MAX = 1024, /* threads at one time; others are not stopped */
    /* a thread that has not stopped after so long is let go as soon as it does */
    STOP_WAIT_NS = 20000000,
};

struct stop {
    pid_t pid, tid;
    bool stopped; /* else it was asked to, and has not yet */
};

struct stops {
    struct stop list[STOPS_MAX];
    int count;
    sigset_t signals; /* those that were let through before */
};

/* From here to stops_end no signal is handled by this thread: so that nobody is left stopped for longer. */
void stops_begin(struct stops *stops);
/* Stops a thread. Returns 0, or MAREY_ENOPROCESS, MAREY_EPTRACE (it is traced by another, or may not be), MAREY_ELIMIT,
 * or MAREY_ETORN: it does not stop now. */
int stops_add(struct stops *stops, pid_t pid, pid_t tid);
/* Resumes all. */
void stops_end(struct stops *stops);
/* No more stops will begin: waits for those that have not stopped yet, so as to let them go. */
void stops_finish(struct stops *stops);

#endif
