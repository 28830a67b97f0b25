/* What the kernel says about a thread: does it run, what does it wait for, how long was it on a CPU. Asked often, so the
 * files in /proc are kept open as long as there are descriptors for it. */
#ifndef MAREY_STACK_THREAD_LOOK_H
#define MAREY_STACK_THREAD_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum thread_doing {
    THREAD_GONE,
    THREAD_RUNS,  /* on a CPU, or waits for one */
    THREAD_SLEEPS /* waits for something else, or is stopped */
};

/* How many files all looks of a sampler may keep open; the others are opened each time. So are those of this process's
 * own threads: it may close a descriptor that is not its, and open another one of that number. */
struct thread_files {
    int left;
};

struct thread_look {
    pid_t pid, tid;
    int state_fd, time_fd; /* -1: not kept open */
    bool by_stat;          /* the kernel does not say what it waits for */
    bool own;              /* of this process */
};

/* Up to a quarter of what this process may open. */
void thread_files_init(struct thread_files *files);

void thread_look_init(struct thread_look *look, pid_t pid, pid_t tid);
void thread_look_fini(struct thread_look *look, struct thread_files *files);

/* `futex`: the address that it waits for in futex(2), 0: it does not, or the kernel does not say. */
enum thread_doing thread_look_state(struct thread_look *look, struct thread_files *files,
                                    uint64_t *futex);

/* Time on a CPU since the thread began; of another process's that runs as the kernel's accounts have it, which are some
 * milliseconds late. False: not known. */
bool thread_look_cpu_ns(struct thread_look *look, struct thread_files *files, uint64_t *cpu_ns);

/* The same, to the nanosecond: where it is as before, the thread has not run. 0: not known; so of other processes, whose
 * threads have no clock for us, and where the kernel's clocks are not that fine. */
uint64_t thread_look_ran_ns(const struct thread_look *look);

#endif
