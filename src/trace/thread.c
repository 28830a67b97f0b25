/* Threads come and go: each has a writer while it records, and the writer a chunk of the session's file. See session.h. */
#include "session_inside.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RETRY_NS = 100000000 }; /* between tries to get a chunk where there was none */

_Thread_local struct thread marey__thread;

/* Under the session's lock. */
static struct writer *writers; /* of the living threads */
static struct writer *spare_writers;
static pthread_key_t thread_end;

static uint64_t early_reentries; /* by threads that had no session yet to count them in; atomic */

/* ----------------------------------------------------------------- writers */

static struct writer *writer_new(void) {
    struct writer *writer = spare_writers;
    if (writer) {
        spare_writers = writer->next;
        return writer;
    }
    writer = mmap(NULL, sizeof *writer, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return writer == MAP_FAILED ? NULL : writer;
}

static void writer_spare(struct writer *writer) {
    writer->next = spare_writers;
    spare_writers = writer;
}

struct writer *session_writer_take(void) {
    session_lock();
    struct writer *writer = writer_new();
    session_unlock();
    return writer;
}

void session_writer_give(struct writer *writer) {
    session_lock();
    writer_spare(writer);
    session_unlock();
}

/* The thread gets a writer, once. */
static struct writer *attach_thread(void) {
    struct writer *writer = writer_new();
    if (!writer)
        return NULL;
    writer->next = writers;
    writers = writer;
    writer->tid = (int32_t)syscall(SYS_gettid);
    writer->named = 0;
    prctl(PR_GET_NAME, writer->thread_name);
    pthread_setspecific(thread_end, writer);
    marey__thread.writer = writer;
    return writer;
}

void thread_leave(struct writer *writer) {
    if (!writer->session)
        return;
    struct rest rest;
    rest.chunk = writer_leave_chunk(writer, &rest.used);
    if (writer->session == session_current)
        rests_put(&rest, writer->store);
    store_release(writer->store, &rest.chunk);
    session_drop(writer->session);
    writer->session = NULL;
    writer->session_number = 0;
    writer->store = NULL;
}

static void enter_session(struct writer *writer, struct session *session) {
    session->references++;
    writer->session = session;
    writer->session_number = session->number;
    writer->number = session_next_number();
    writer->store = session->store;
    writer->process = &session->process;
    /* That of an ended thread serves again: a chunk starts it anew. */
    if (writer->sequence_of != session->number)
        writer->sequence = store_new_sequence(session->store);
    writer->sequence_of = session->number;
    writer->thread_uuid = store_new_uuid(session->store);
    writer->nesting = (struct nesting){0, MAREY_DEPTH_MAX, 0};
    writer->last = 0;
    writer->chunk_number = 0;
    writer->next_bytes = CHUNK_MIN;
    writer->retry_ns = 0;
    clock_init(&writer->clock, store_origin(session->store));
    uint64_t early = __atomic_exchange_n(&early_reentries, 0, __ATOMIC_RELAXED);
    if (early)
        store_lost(session->store, LOSS_REENTRY, early);
}

struct writer *session_attach(void) {
    struct writer *writer = marey__thread.writer;
    uint32_t on = __atomic_load_n(&marey__on, __ATOMIC_RELAXED);
    if (on == 0)
        return NULL;
    if (writer && writer->session && writer->session->number == on)
        return writer;
    session_lock();
    if (!session_is_on()) {
        writer = NULL;
    } else {
        if (!writer)
            writer = attach_thread();
        if (!writer)
            store_lost(session_current->store, LOSS_DISK, 1);
        if (writer && writer->session != session_current) {
            thread_leave(writer);
            enter_session(writer, session_current);
        }
    }
    session_unlock();
    return writer;
}

/* ------------------------------------------------------------------ chunks */

/* Not where the session has changed meanwhile: then they are of another file. */
static int take_rest(const struct writer *writer, struct rest *rest, size_t bytes) {
    session_lock();
    int found = writer->session == session_current && rests_take(rest, bytes);
    session_unlock();
    return found;
}

static int open_chunk(struct writer *writer, size_t bytes) {
    struct rest rest;
    if (writer->sequence >= SEQUENCES_MAX)
        return MAREY_ELIMIT;
    if (!writer->named)
        prctl(PR_GET_NAME, writer->thread_name); /* may have changed since the last chunk */
    identity_take_name(writer);
    if (!writer->end && take_rest(writer, &rest, bytes)) {
        writer_adopt_chunk(writer, &rest.chunk, rest.used);
        return 0;
    }
    return writer_open_chunk(writer, bytes);
}

/* By the process that opened it. */
static void session_ended(const struct writer *writer) {
    session_lock();
    if (session_current == writer->session)
        session_stop();
    session_unlock();
}

static struct writer *writer_with_chunk(struct writer *writer, size_t bytes) {
    if (writer->retry_ns && clock_monotonic_ns() < writer->retry_ns) {
        session_lost_for_room(1);
        return NULL;
    }
    int code = open_chunk(writer, bytes);
    if (code == MAREY_ECLOSED) {
        session_ended(writer);
        return NULL;
    }
    if (code)
        writer->retry_code = code;
    writer->retry_ns = code ? clock_monotonic_ns() + RETRY_NS : 0;
    if (code) {
        session_lost_for_room(1);
        return NULL;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* The last event of a session that just ended; or there are ends to write first, in the slow way. */
    if (__atomic_load_n(&marey__on, __ATOMIC_SEQ_CST) != writer->session->number ||
        writer->nesting.owed)
        __atomic_store_n(&writer->limit, NULL, __ATOMIC_RELAXED);
    return writer;
}

struct writer *session_fresh_writer(size_t bytes) {
    struct writer *writer = session_attach();
    int cancelled_before;
    if (!writer)
        return NULL;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelled_before);
    writer = writer_with_chunk(writer, bytes);
    pthread_setcancelstate(cancelled_before, NULL);
    return writer;
}

struct writer *session_writer(size_t bytes) {
    struct writer *writer = session_attach();
    return !writer || writer_has_room(writer, bytes) ? writer : session_fresh_writer(bytes);
}

/* ------------------------------------------------------------------ losses */

void session_lost(enum loss kind, uint64_t count) {
    struct writer *self = marey__thread.writer;
    if (self && self->store)
        store_lost(self->store, kind, count);
    else if (kind == LOSS_REENTRY)
        __atomic_fetch_add(&early_reentries, count, __ATOMIC_RELAXED);
}

void session_lost_for_room(uint64_t count) {
    struct writer *self = marey__thread.writer;
    session_lost(self && self->retry_code == MAREY_ELIMIT ? LOSS_LIMIT : LOSS_DISK, count);
}

int recording_enter_slow(void) {
    session_lost(LOSS_REENTRY, 1);
    return 0;
}

/* --------------------------------------------------------------- all of them */

uint64_t session_thread_uuid(const struct writer *writer, int32_t tid) {
    uint64_t uuid = writer->process->uuid;
    session_lock();
    for (struct writer *at = writers; at; at = at->next)
        if (at->tid == tid && at->session == writer->session)
            uuid = at->thread_uuid;
    session_unlock();
    return uuid;
}

/* Against session_fresh_writer, which opens a chunk and then looks whether the session is still on: one of the two sees the
 * other. */
void threads_stop(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (struct writer *writer = writers; writer; writer = writer->next)
        __atomic_store_n(&writer->limit, NULL, __ATOMIC_RELAXED);
}

void threads_abandon(void) {
    while (writers) {
        struct writer *writer = writers;
        writers = writer->next;
        if (writer->chunk.size)
            store_unmap(&writer->chunk);
        writer->chunk = (struct chunk){0};
        writer->at = writer->end = writer->limit = NULL;
        session_drop(writer->session);
        writer->session = NULL;
        writer->session_number = 0;
        writer->store = NULL;
        writer_spare(writer);
    }
    rests_unmap();
    marey__thread.writer = NULL;
    marey__thread.busy = 1; /* the lock's */
    pthread_setspecific(thread_end, NULL);
}

static void on_thread_end(void *argument) {
    struct writer *writer = argument, **at;
    marey__thread.writer = NULL;
    session_lock();
    thread_leave(writer);
    for (at = &writers; *at && *at != writer; at = &(*at)->next)
        continue;
    if (*at)
        *at = writer->next;
    writer_spare(writer);
    session_unlock();
}

void threads_begin(void) {
    pthread_key_create(&thread_end, on_thread_end);
}

uint64_t marey_now_ns(void) {
    struct writer *writer = marey__thread.writer;
    if (writer && writer->session && writer->clock.rate) {
        uint64_t now = clock_now(&writer->clock);
        if (clock_is_fresh(&writer->clock, now))
            return writer->clock.origin_ns + now;
    }
    return clock_monotonic_ns();
}
