/* What session.c shares with what is around it: threads (thread.c), their rests of chunks (rest.c), names (identity.c). All
 * under the session's lock, but where it says otherwise. */
#ifndef MAREY_TRACE_SESSION_INSIDE_H
#define MAREY_TRACE_SESSION_INSIDE_H

#include "session.h"

/* What a recording is to this process. Held by the process while it is on, and by each writer that writes into it. */
struct session {
    uint32_t references;
    uint32_t number;
    struct store *store;
    struct process process;
};

/* ------------------------------------------------------------- session.c */

/* What is recorded into; NULL: nothing is, or what there is has not been joined yet. */
extern struct session *session_current;
/* Joins what there is to be joined. Returns whether something is recorded into. */
int session_is_on(void);
void session_drop(struct session *session);
/* Nothing is recorded from now on. */
void session_stop(void);
/* Of sessions, and of threads in them: each later than those before. */
uint32_t session_next_number(void);

/* -------------------------------------------------------------- thread.c */

/* When the library is loaded. */
void threads_begin(void);
/* The end of the session: each thread's next event takes the slow way, and notices. */
void threads_stop(void);
/* The writer gives back its chunk, and is of no session. */
void thread_leave(struct writer *writer);
/* In a forked child, whose other threads are gone, and whose chunks are the parent's: nothing more may go into them. */
void threads_abandon(void);

/* ---------------------------------------------------------------- rest.c */

/* What ended threads left of their chunks of the current session. */
struct rest {
    struct chunk chunk;
    size_t used;
};

/* Puts it by, if it is worth that; *rest is what nobody will use in its stead, or all zero. */
void rests_put(struct rest *rest, const struct store *store);
/* One with so much room for events, and for what opens it anew. Returns whether there is one. */
int rests_take(struct rest *rest, size_t bytes);
/* The one that ends at this place of the file; all zero: none does. */
struct rest rests_ending_at(uint64_t end);
void rests_release(struct store *store);
/* Those of a session before: its chunks are not ours. */
void rests_forget(void);
/* In a forked child. */
void rests_unmap(void);

/* ------------------------------------------------------------ identity.c */

void identity_of_self(struct process *process);
/* Arguments, each NUL-terminated. Returns their bytes; 0: not known. */
size_t identity_command_line(char *out, size_t size);
/* The writer's copy of the process's name. Takes the lock: another thread may be changing it. */
void identity_take_name(struct writer *writer);

#endif
