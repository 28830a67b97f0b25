/* One process that is sampled: found, lost when it execs, found again; its threads as they come and go, and what a tick
 * takes of each.
 *
 *     waits --(Python runs)--> sampled --(exec, or Python ends)--> waits --> ... --(the process ends)--> ended
 *
 * A thread that sleeps is passed over by one short read, and where it has slept for a while only now and then. */
#ifndef MAREY_STACK_TARGET_H
#define MAREY_STACK_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/asyncio.h"
#include "stack/run.h"
#include "stack/sampler.h"
#include "stack/still.h"
#include "stack/stops.h"
#include "stack/thread_look.h"
#include "stack/thread_names.h"
#include "stack/unwind.h"

enum {
    /* who has the GIL and who runs is asked again after so long, at the least */
    TARGET_LOOK_NS = 100000,
    TARGET_CODES_NS = 10000000, /* code objects are compared again after so long */
    /* threads are listed again, though nothing told that they changed */
    TARGET_LIST_NS = 1000000000,
    /* if one has no number yet: after so long, then after twice as long, ... */
    TARGET_UNBORN_NS = 2000000,
    TARGET_LIST_SHARE = 50, /* if something did: after so many times as long as listing takes */
    /* one that waits is tried again after so long, then after twice as long, ... */
    TARGET_RETRY_NS = 500000,
    TARGET_RETRY_MAX_NS = 250000000,
    TARGET_RETRY_SHARE = 20, /* and at the least so many times as long as trying takes */
    /* a program that had no Python is searched again after so long at the most */
    TARGET_SEARCH_MAX_NS = 2000000000,
    TASKS_NS = 100000000,  /* tasks that wait are sampled after so long */
    TASKS_SHARE = 20,      /* and at the least so many times as long as that takes */
    THREAD_SAME_LOOKS = 8, /* a thread that did the same so many times in a row ... */
    /* ... is looked at after so long, if it does not take the GIL before, ... */
    THREAD_IDLE_NS = 10000000,
    /* ... or so long, if it has the GIL and its stack stays the same, ... */
    THREAD_HOLDS_NS = 5000000,
    /* ... or so long, if what it waits for cannot have become the GIL */
    THREAD_STILL_NS = 50000000,
    /* a thread's own clock is believed that it still sleeps, for so long: it may wait for a processor */
    THREAD_CLOCK_NS = 250000000,
    /* CPU time is read again after so long: the kernel counts no faster */
    THREAD_CPU_NS = 10000000,
    THREAD_CPU_OWED_MAX_NS = 1000000000,
    NAMES_NS = 10000000, /* names are read again after so long, then after twice as long, ... */
    NAMES_MAX_NS = 2000000000,
    NAMES_SHARE = 100 /* and at the least so many times as long as reading them takes */
};

/* What all processes of a sampler share. */
struct sampling {
    struct sampler_options options;
    struct sampler_sink sink;
    struct naming naming;
    struct thread_files files;
    struct still still;
    struct stops *stops;                  /* NULL: threads are not stopped */
    pid_t own_tid;                        /* of the sampling thread */
    uint64_t serial;                      /* of targets */
    uint64_t samples, torn, idle, unread; /* as sampler_counts have them */
};

/* A moment at which all are sampled. */
struct tick {
    uint64_t now_ns;
    uint64_t clock_ns; /* grows by what each tick stands for */
    uint64_t stands_for_ns;
};

struct sampled_thread {
    struct thread thread;
    int interpreter;              /* place in the list */
    struct thread_reader *reader; /* NULL: no stack was read yet */
    struct thread_look look;
    enum thread_doing doing;
    bool waits_for_gil;
    bool ended;
    bool held;        /* the GIL, at the tick before */
    bool rests;       /* its run is what it had when it was seen to sleep or wait */
    bool still;       /* and its stack is the same at this tick */
    bool has_not_run; /* as its clock tells, since the tick before */
    uint8_t same_looks;
    uint64_t looked_ns;
    uint64_t asked_ns,
        asked_ran_ns;             /* when the kernel was, and its clock before that; 0: not known */
    uint64_t ran_ns;              /* how long, when its stack was not yet asked for; 0: not known */
    uint64_t clock_ns;            /* until where it was seen */
    uint64_t cpu_read_ns, cpu_ns; /* when, and what was read */
    uint64_t cpu_owed_ns;         /* on a CPU, but not part of a sample yet */
    char name[THREAD_NAME_BYTES];
    struct run run;
};

/* An asyncio task that was seen. */
struct known_task {
    uint64_t address, coroutine; /* it is another one where either is */
    uint64_t number;             /* 0: this place is empty */
    uint64_t clock_ns;           /* until where it was seen waiting */
    uint64_t name_hash;
};

struct sampled_tasks {
    struct asyncio *asyncio; /* NULL: not looked for yet */
    struct asyncio_tasks list;
    struct known_task *known; /* open addressing by address */
    uint32_t count, room;
    uint64_t numbers; /* given so far */
    uint64_t listed_ns, list_after_ns, clock_ns;
    struct run run; /* of one sample */
};

enum stack_known { STACK_UNREAD, STACK_READ, STACK_TORN, STACK_LOST };

/* A stack that was read before its turn came. */
struct stack_ahead {
    struct sampled_thread *thread; /* NULL: none */
    enum stack_known known;
    struct stack stack;
};

enum target_state { TARGET_WAITS, TARGET_SAMPLED, TARGET_ENDED };

struct target {
    pid_t pid, parent;
    uint64_t start_time;
    uint64_t stack_start; /* when its Python was found: another one after it has exec'd */
    enum target_state state;
    int error;      /* waits: why, at the last try */
    int told;       /* why it cannot be sampled, as the sink was told last; 0 */
    bool open;      /* its Python was found: there are a process, an unwinder, threads */
    bool announced; /* its end will be told */
    struct process process;
    struct unwinder unwinder;
    struct thread_list list;
    struct sampled_thread **threads; /* in the order of the list */
    int threads_count;
    struct sampled_tasks tasks;
    struct sampled_thread *holder; /* of the GIL at the tick before and the one before that; NULL */
    struct stack_ahead ahead;
    bool changed; /* threads have to be listed again */
    bool unnamed; /* there are threads whose names were not read yet */
    uint64_t looked_ns, codes_ns;
    uint64_t listed_ns, list_after_ns, list_most_ns; /* again: no sooner, and no later, than that */
    uint64_t names_ns, names_after_ns; /* when names are read again; how long after the last time */
    uint64_t names_pause_ns;           /* before that, names of new threads are not read either */
    uint64_t retry_ns,
        retry_after_ns; /* waits: when it is tried again, and how long that is after the last try */
    uint64_t search_ns, search_after_ns; /* waits: likewise, for the same program as before */
    uint64_t program; /* waits: a hash of the program that no Python was found in; 0: none yet */
    /* what it was forked from; version 0: not known, or something else since */
    struct process like;
};

/* A process whose Python is looked for at the next target_retry. `like`: that it was forked from, or NULL. NULL: no
 * memory. */
struct target *target_make(struct sampling *sampling, pid_t pid, pid_t parent,
                           const struct target *like);
/* Hands over what is there, and tells its end. */
void target_close(struct target *target, struct sampling *sampling);

/* Looks for its Python, if it waits and it is time to (now_ns 0: in any case). Afterwards it is sampled, or ended, or
 * its `error` says why not. */
void target_retry(struct target *target, struct sampling *sampling, uint64_t now_ns);
/* Is it still that process? Else it has ended. Does it still run that program? Else it waits. */
void target_check(struct target *target, struct sampling *sampling);
void target_sample(struct target *target, struct sampling *sampling, const struct tick *tick);
void target_flush(struct target *target, struct sampling *sampling);

/* ---- sampled_list.c */

/* Lists the threads again; those that were there stay as they are. Returns as process_threads does; MAREY_ENOTYET also
 * where none of the threads is one of this process: before it has exec'd, a child may look like its parent. */
int target_list(struct target *target, struct sampling *sampling, uint64_t now_ns);
/* Tells the sink names that are new or changed, if it is time to. */
void target_tell_names(struct target *target, struct sampling *sampling, uint64_t now_ns);
void target_forget_threads(struct target *target, struct sampling *sampling);

/* ---- sampled_threads.c */

/* Who has the GIL now, and did threads come? Who has it for a while most likely has it still, and its stack is read by the
 * same call. Returns as interpreter_glance does. */
int target_glance(struct target *target, struct sampling *sampling,
                  struct interpreter *interpreter);
/* Finds out which of those that rested have not moved since. */
void target_ask_still(struct target *target, struct sampling *sampling);
/* Stops the threads that run. Those that sleep do not move. */
void target_stop_threads(struct target *target, struct sampling *sampling, const struct tick *tick);
void sampled_thread_take(struct target *target, struct sampling *sampling,
                         struct sampled_thread *thread, const struct tick *tick);
void sampled_thread_flush(struct target *target, struct sampling *sampling,
                          struct sampled_thread *thread);

/* ---- sampled_tasks.c */

/* The asyncio task that the thread runs, by its number, and `stack` without what is below the task; 0: none. */
uint64_t target_running_task(struct target *target, struct sampling *sampling,
                             const struct thread *thread, struct stack *stack);
/* Hands over those that wait, if it is time to. */
void target_sample_tasks(struct target *target, struct sampling *sampling, const struct tick *tick);
void target_forget_tasks(struct target *target);

#endif
