/* What /proc says about processes and their threads: small text files, read without allocating. */
#ifndef MAREY_STACK_PROC_H
#define MAREY_STACK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROC_NAME_BYTES = 16 /* a thread's name and its NUL, as the kernel keeps it */ };

/* How a thread stands with the processor. */
enum proc_state {
    PROC_UNKNOWN, /* gone, or not to be seen */
    PROC_RUNNING, /* on a processor, or waiting for one */
    PROC_IDLE,    /* sleeps or waits for something */
    PROC_STOPPED, /* by a signal or a debugger */
    PROC_DEAD
};

struct proc_thread {
    pid_t tid;       /* as this process sees it */
    pid_t inner_tid; /* as its own PID namespace sees it */
};

/* Reads up to size - 1 bytes and ends them with NUL. Returns how many, or -1 with errno. */
ssize_t proc_read_file(const char *path, char *text, size_t size);

/* The process that a thread is of, by the thread's number, which for the main thread is the same; 0: there is none. */
pid_t proc_of_thread(pid_t tid);

/* Is it in another PID namespace than this process, so that its threads have other numbers there? */
bool proc_is_nested(pid_t pid);

/* The threads of a process, at most `max`; `nested`: their inner numbers are looked up. Returns how many there are
 * (perhaps more than max), 0 where it is gone. */
int proc_threads(pid_t pid, struct proc_thread *threads, int max, bool nested);

/* A thread's name (PROC_NAME_BYTES); "" where it is gone. */
void proc_thread_name(pid_t pid, pid_t tid, char *name);
enum proc_state proc_thread_state(pid_t pid, pid_t tid);
/* The processor that it runs on, or ran on last; -1 where it is gone. */
int proc_thread_cpu(pid_t pid, pid_t tid);

/* The address that a thread waits for in futex(2), or 0: it runs, waits for something else, or may not be asked. */
uint64_t proc_thread_futex(pid_t pid, pid_t tid);

/* What tells a process from another that has its number later, and from what it was before it has exec'd. */
struct proc_identity {
    uint64_t start_time;  /* as proc_start_time */
    uint64_t stack_start; /* address; 0: not to be seen */
    bool dead;            /* it has ended, and was not waited for */
};

/* False: there is no such process. */
bool proc_identify(pid_t pid, struct proc_identity *identity);

/* A process's start time in ticks since boot: with its number it is one process for all time. 0 where it is gone. */
uint64_t proc_start_time(pid_t pid);

#endif
