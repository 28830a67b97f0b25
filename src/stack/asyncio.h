/* The asyncio tasks of a process: their names, what they do, the chain of coroutines that each awaits, and who awaits it.
 *
 * What differs between versions is where the tasks are listed: 3.9 to 3.13 keep weak sets (asyncio.tasks), which are read
 * as the Python objects that they are; 3.14 and later have lists in each thread, and say where (section .AsyncioDebug of
 * the extension _asyncio). Tasks of any event loop are found, and those written in Python.
 *
 * A task that waits stands still, so its chain is read without the unwinder's care: it is read twice, and is torn where
 * the two differ. A task that runs has its frames on its thread's stack (asyncio_frames_on). */
#ifndef MAREY_STACK_ASYNCIO_H
#define MAREY_STACK_ASYNCIO_H

#include <stdint.h>

#include "stack/process.h"
#include "stack/unwind.h"

enum {
    ASYNCIO_TASKS_MAX = 1 << 17, /* of a process; more are not listed */
    ASYNCIO_NAME_BYTES = 128,    /* of a name, with its NUL; what is longer is cut */
    ASYNCIO_DEPTH_MAX = 256,     /* of an await chain; what is further in is cut off (stack.cut) */
    ASYNCIO_AWAITERS_MAX = 1 << 18, /* of all tasks together */
};

enum asyncio_state {
    ASYNCIO_WAITING, /* for a future, another task, a timer, a socket */
    ASYNCIO_READY,   /* it will run when its loop comes to it */
    ASYNCIO_RUNNING
};

struct asyncio_task {
    /* of the task object; another one may get it when this one is over and gone */
    uint64_t address;
    uint64_t interpreter;
    uint64_t thread;       /* address of the thread state that runs it; 0: it does not run */
    uint64_t coroutine;    /* the object that it runs */
    uint64_t coroutine_at; /* where the task refers to that; 0: not known */
    /* address of that coroutine's frame: on the stack of its thread while it runs */
    uint64_t frame;
    enum asyncio_state state;
    int awaited_by, awaited_by_count; /* in asyncio_tasks.awaiters: addresses of tasks */
    char name[ASYNCIO_NAME_BYTES];    /* UTF-8 */
};

struct asyncio_tasks {
    struct asyncio_task *list;
    int count, room;
    uint64_t *awaiters;
    int awaiters_count, awaiters_room;
    int torn; /* that could not be read: they changed meanwhile */
};

struct asyncio;

/* The unwinder, its process and its code objects are used, by the thread that calls. Returns 0 or MAREY_ENOMEM. */
int asyncio_open(struct asyncio **asyncio, struct unwinder *unwinder);
void asyncio_close(struct asyncio *asyncio);

/* Lists the tasks that are not done, of all threads that process_threads has just listed, into a list that begins as all
 * zero; its memory is used again. A program that does not use asyncio has none. Returns 0, or MAREY_ETORN (the lists
 * changed while they were read: try again), MAREY_EPTRACE, MAREY_ENOPROCESS or MAREY_ENOMEM. */
int asyncio_list(struct asyncio *asyncio, const struct thread_list *threads,
                 struct asyncio_tasks *tasks);
void asyncio_tasks_free(struct asyncio_tasks *tasks);

/* Which task a thread runs now, by its address; 0: none. Two to six small reads. Returns as asyncio_list does. */
int asyncio_running(struct asyncio *asyncio, const struct thread *thread, uint64_t *task);

/* One task by its address: what asyncio_list says, except awaited_by and thread. Returns 0, or MAREY_ETORN: there is no
 * task. */
int asyncio_read(struct asyncio *asyncio, uint64_t address, struct asyncio_task *task);

/* The await chain of a task that does not run: the innermost coroutine first, the task's own last, with the line that
 * each waits in. Frames stand until the next call, their code objects until the unwinder's next. Returns 0, or MAREY_ETORN
 * (it ran meanwhile, or is gone; counted in unwinder->counts), MAREY_ENOPROCESS, MAREY_EPTRACE or MAREY_ENOMEM. */
int asyncio_stack(struct asyncio *asyncio, const struct asyncio_task *task, struct stack *stack);

/* How many frames of a thread's stack, from the running one down, belong to the task that runs on it; 0: none. What is
 * below is the event loop. */
int asyncio_frames_on(const struct asyncio_task *task, const struct stack *stack);

#endif
