/* A process that runs Python: where its interpreter is, which version, and which threads it has.
 *
 * The process may be in another mount or PID namespace; its files are looked up under /proc/PID/root. */
#ifndef MAREY_STACK_PROCESS_H
#define MAREY_STACK_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/layout.h"
#include "stack/memory.h"
#include "stack/proc.h"

enum {
    PROCESS_THREADS_MAX = 16384,     /* more than this are not looked at */
    PROCESS_INTERPRETERS_MAX = 1024, /* likewise */
};

struct process {
    struct memory memory;
    struct layout layout;
    uint64_t runtime; /* address of _PyRuntime */
    uint32_t version; /* 0x030d: 3.13; also where it is one that is not known; 0: not found out */
    uint64_t start_time; /* proc_start_time */
    bool nested;         /* proc_is_nested */
    /* offset of the kernel's id in what a pthread_t points to (3.9, 3.10); 0: not known */
    uint32_t tid_at;
};

/* The state of one interpreter. */
struct interpreter {
    uint64_t address;
    int64_t id;
    uint64_t gil;        /* address of its GIL's state; 0: none, or not known yet */
    uint64_t gil_holder; /* the thread state that has the GIL; 0: none, or there is no GIL */
    bool gil_is_off;     /* free-threaded: not even a thread alone has it. As of interpreter_read */
    bool collecting;     /* a garbage collection is running */
    /* changes when threads or interpreters are made, or the newest of them end */
    uint64_t births[3];
};

/* One Python thread. */
struct thread {
    uint64_t address; /* of its PyThreadState */
    uint64_t interpreter;
    uint64_t pthread;
    pid_t tid;       /* as this process sees it; 0: not known. It may have ended */
    bool holds_gil;  /* when the threads were listed */
    bool collecting; /* its interpreter collects garbage and it has the GIL */
};

struct thread_list {
    struct thread *threads;
    int count, room;
    struct interpreter *interpreters;
    int interpreters_count, interpreters_room;
};

/* Finds the Python of process `pid`. Returns 0, or MAREY_ENOPROCESS, MAREY_EPTRACE (memory_explain says more),
 * MAREY_ENOTPYTHON, MAREY_EVERSION (process->version says which it is), MAREY_ENOTYET or MAREY_ENOMEM; on error nothing
 * is held open. */
int process_open(struct process *process, pid_t pid);
void process_close(struct process *process);

/* The Python threads of all interpreters, into a list that begins as all zero; its memory is used again. Returns 0, or
 * MAREY_ENOTYET (no interpreter), MAREY_ETORN (the lists changed while they were read: try again), MAREY_ENOPROCESS or
 * MAREY_ENOMEM; on error the list is empty. */
int process_threads(struct process *process, struct thread_list *list);
void thread_list_free(struct thread_list *list);
/* Has none of the interpreters a GIL? A free-threaded Python may switch it on later: for a module that needs it. */
bool thread_list_without_gil(const struct thread_list *list);

/* Reads again who has the GIL, whether garbage is collected, and the births: by one call once its GIL is known. */
int interpreter_read(struct process *process, struct interpreter *interpreter);
/* The same of one that was read before, quickly: its GIL's holder, births of threads, and `collecting` if wanted. */
int interpreter_glance(struct process *process, struct interpreter *interpreter, bool collecting);

enum {
    GLANCE_PIECES_MAX = 3,
    GIL_WINDOW = 256 /* the fields of a GIL that are read lie together */
};

/* A glance whose pieces are read along with something else. */
struct glance {
    struct piece pieces[GLANCE_PIECES_MAX];
    int count;
    uint64_t births[2];
    int32_t collects;
    uint32_t gil_from;
    uint8_t gil[GIL_WINDOW];
};

/* Which pieces have to be read, into the glance. False: it cannot be done so. */
bool glance_begin(struct glance *glance, const struct process *process,
                  const struct interpreter *interpreter, bool collecting);
/* They were read: what they say of the interpreter. */
void glance_end(const struct glance *glance, const struct process *process,
                struct interpreter *interpreter);

/* Does this thread wait for its interpreter's GIL? By where the kernel says that it waits. */
bool thread_waits_for_gil(const struct process *process, const struct interpreter *interpreter,
                          const struct thread *thread);

#endif
