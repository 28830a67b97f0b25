/* What this process records into, and its threads' writers.
 *
 * One session at a time. marey__on is its number, or 0, or PENDING while $MAREY_TRACE waits to be joined by the first
 * event. A session ends for a thread when the thread next takes the slow way (its writer's limit was set to zero);
 * until then it writes harmlessly into the old file, which stays mapped as long as any writer holds it.
 * The lock is never taken by an event that finds its writer warm. */
#ifndef MAREY_TRACE_SESSION_H
#define MAREY_TRACE_SESSION_H

#include "writer.h"

#define TRACE_VARIABLE "MAREY_TRACE"

struct session;

/* What the hot path has of its thread. */
struct thread {
    struct writer *writer; /* NULL before its first event */
    /* it records, or has the lock: what a signal handler records meanwhile is dropped */
    uint32_t busy;
    int cancelled_before; /* the lock's */
};
extern __attribute__((visibility("hidden"))) _Thread_local struct thread marey__thread;

/* 1: the caller may record, and calls recording_leave afterwards. 0: it interrupted a recording; that is counted. */
int recording_enter_slow(void) __attribute__((cold));
static inline int recording_enter(void) {
    if (__builtin_expect(marey__thread.busy, 0))
        return recording_enter_slow();
    marey__thread.busy = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return 1;
}
static inline void recording_leave(void) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    marey__thread.busy = 0;
}

/* The calling thread's writer, of the session that is on now; it may have no chunk. NULL where nothing records, or where
 * there is no memory for one. Within enter/leave, as the next. */
struct writer *session_attach(void);
/* The same, with room for `bytes`: opens a chunk where needed. NULL also where there is none to be had; that is counted
 * as one event lost. */
struct writer *session_writer(size_t bytes);
/* The same, in a chunk in which nothing is written yet. */
struct writer *session_fresh_writer(size_t bytes);

/* The number of the session that a writer writes into. */
uint32_t session_number(const struct writer *writer);
/* Counts a loss in the session that this process records into, if any. */
void session_lost(enum loss kind, uint64_t count);
/* For want of room: of the kind that the last chunk was refused for. */
void session_lost_for_room(uint64_t count);
/* The track of a thread of this process, by its number; the process's own where it records nothing. */
uint64_t session_thread_uuid(const struct writer *writer, int32_t tid);

/* For traces of their own: a writer of no session, and what it says of this process. NULL where memory is short. */
struct writer *session_writer_take(void);
void session_writer_give(struct writer *writer);
void session_describe(struct process *process);

/* Around what tracks and categories share. Not while it is held already. */
void session_lock(void);
void session_unlock(void);

#endif
