/* See session.h. */
#include "session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribute.h"
#include "category.h"
#include "session_inside.h"
#include "snapshot.h"
#include "statistics.h"

enum { PENDING = 0xffffffffu };

uint32_t marey__on;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* All of these under the lock. */
struct session *session_current;
static uint32_t last_number;
static int is_owner;
static int sets_variable;
static struct session *of_parent; /* in a forked child: to be joined by its first event */

/* Whoever has it is neither cancelled nor records from a signal handler, which would wait for itself. */
void session_lock(void) {
    marey__thread.busy++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &marey__thread.cancelled_before);
    pthread_mutex_lock(&lock);
}

void session_unlock(void) {
    pthread_mutex_unlock(&lock);
    pthread_setcancelstate(marey__thread.cancelled_before, NULL);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    marey__thread.busy--;
}

uint32_t session_number(const struct writer *writer) {
    return writer->session_number;
}

static void set_on(uint32_t number) {
    __atomic_store_n(&marey__on, number, __ATOMIC_SEQ_CST);
    categories_apply(number != 0);
}

/* ---------------------------------------------------------- begin and end */

void session_drop(struct session *session) {
    if (session && --session->references == 0) {
        store_drop(session->store);
        free(session);
    }
}

uint32_t session_next_number(void) {
    if (++last_number == PENDING)
        last_number = 1;
    return last_number;
}

static struct session *session_new(struct store *store) {
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->references = 1;
    session->number = session_next_number();
    session->store = store;
    identity_of_self(&session->process);
    session->process.uuid = store_new_uuid(store);
    return session;
}

/* The store becomes what this process records into; takes it over in any case. */
static int start(struct store *store, int owner) {
    struct session *session = session_new(store);
    if (!session) {
        store_drop(store);
        return MAREY_ENOMEM;
    }
    store_arrive(store);
    session_current = session;
    is_owner = owner;
    rests_forget();
    set_on(session->number);
    return 0;
}

void session_stop(void) {
    set_on(0);
    threads_stop();
    rests_release(session_current->store);
    if (sets_variable)
        unsetenv(TRACE_VARIABLE);
    sets_variable = 0;
    session_drop(session_current);
    session_current = NULL;
    is_owner = 0;
}

static void forget_parent(void) {
    session_drop(of_parent);
    of_parent = NULL;
}

/* What the first event of a process does that was started or forked in a session. A forked child has its parent's descriptor
 * and mapping of the head already. */
static void join_pending(void) {
    struct store *store = NULL;
    const char *path = getenv(TRACE_VARIABLE);
    int code = 0;
    if (of_parent)
        store = store_hold(of_parent->store);
    else
        code = path ? store_join(path, &store) : MAREY_EOFF;
    forget_parent();
    if (!code && store_ended(store)) {
        store_drop(store);
        code = MAREY_ECLOSED;
    }
    if (code || start(store, 0) != 0)
        set_on(0);
}

int session_is_on(void) {
    if (__atomic_load_n(&marey__on, __ATOMIC_RELAXED) == PENDING)
        join_pending();
    return session_current != NULL;
}

int marey_open(const char *path, const marey_options *options) {
    struct store *store;
    session_lock();
    const char *categories = options ? options->categories : NULL;
    int code = session_is_on() ? MAREY_EBUSY : categories_valid(categories);
    if (!code)
        code = store_create(path, options, &store);
    if (!code && categories)
        categories_set(categories);
    if (!code)
        code = start(store, 1);
    if (!code && options && options->flags & MAREY_CHILDREN)
        sets_variable = setenv(TRACE_VARIABLE, store_path(store), 1) == 0;
    session_unlock();
    if (!code)
        attributes_of_session();
    return code;
}

int marey_join(const char *path) {
    struct store *store;
    const char *of_environment = getenv(TRACE_VARIABLE);
    session_lock();
    int code = 0;
    if (session_is_on()) {
        char wanted[4096];
        const char *is = store_path(session_current->store);
        if (path && (!realpath(path, wanted) || strcmp(wanted, is) != 0))
            code = MAREY_EBUSY;
    } else if (!path && !of_environment) {
        code = MAREY_EOFF;
    } else {
        code = store_join(path ? path : of_environment, &store);
        if (!code)
            code = start(store, 0);
    }
    session_unlock();
    return code;
}

/* The calling thread's own chunk, or one that an ended thread left, if the file ends with it: there it can be cut. */
static struct rest last_chunk(void) {
    struct writer *self = marey__thread.writer;
    uint64_t end = store_bytes(session_current->store);
    if (self && self->session == session_current && self->chunk.size &&
        self->chunk.offset + self->chunk.size == end)
        return (struct rest){self->chunk, (size_t)(self->at - self->chunk.base)};
    return rests_ending_at(end);
}

int marey_close(void) {
    marey_statistics_stop();
    session_lock();
    int code = session_is_on() ? 0 : MAREY_EOFF;
    if (!code) {
        if (is_owner) {
            struct rest last = last_chunk();
            store_end(session_current->store, &last.chunk, last.used);
        }
        session_stop();
        if (marey__thread.writer)
            thread_leave(marey__thread.writer);
    }
    session_unlock();
    return code;
}

/* ------------------------------------------------------------- while it is on */

/* What is recorded into, held; NULL: nothing is recorded. */
static struct store *hold_store(void) {
    session_lock();
    struct store *store = session_is_on() ? store_hold(session_current->store) : NULL;
    session_unlock();
    return store;
}

int marey_snapshot(const char *path) {
    struct store *store = hold_store();
    if (!store)
        return MAREY_EOFF;
    int code = store_snapshot(store, path);
    store_drop(store);
    return code;
}

int marey__snapshot_into(int fd, uint64_t from_ns, uint64_t to_ns, int *is_whole) {
    struct store *store = hold_store();
    if (!store)
        return MAREY_EOFF;
    int code = store_snapshot_into(store, fd, from_ns, to_ns, is_whole);
    store_drop(store);
    return code;
}

int marey_status(marey_status_info *info) {
    *info = (marey_status_info){0};
    session_lock();
    int code = session_is_on() ? 0 : MAREY_EOFF;
    if (!code) {
        info->recording = 1;
        info->owner = is_owner;
        snprintf(info->path, sizeof info->path, "%s", store_path(session_current->store));
        info->ring_bytes = store_ring_bytes(session_current->store);
        info->file_bytes = store_bytes(session_current->store);
        store_losses(session_current->store, &info->losses);
    }
    session_unlock();
    return code;
}

/* ------------------------------------------------------------------- fork */

static void before_fork(void) {
    session_lock();
    categories_lock();
    names_lock();
    functions_lock();
}

static void after_fork_in_parent(void) {
    functions_unlock();
    names_unlock();
    categories_unlock();
    session_unlock();
}

static void after_fork_in_child(void) {
    functions_unlock();
    names_unlock();
    categories_unlock();
    threads_abandon();
    statistics_after_fork();
    if (session_current) {
        forget_parent();
        of_parent = session_current;
        session_current = NULL;
        is_owner = 0;
        set_on(PENDING);
    }
    session_unlock();
}

__attribute__((constructor)) static void load(void) {
    threads_begin();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    const char *path = getenv(TRACE_VARIABLE);
    if (path && *path)
        set_on(PENDING);
}
