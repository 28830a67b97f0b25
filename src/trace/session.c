/* See session.h. */
#include "session.h"
#include "snapshot.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attribute.h"
#include "category.h"
#include "statistics.h"

enum {
    PENDING = 0xffffffffu,
    /* a chunk's rest that is worth handing on: what opens it anew, and some events */
    REST_MIN = 2048,
    RESTS_MAX = 64,
    RETRY_NS = 100000000, /* between tries to get a chunk where there was none */
};

/* What a recording is to this process. Held by the process while it is on, and by each writer that writes into it. */
struct session {
    uint32_t references;
    uint32_t number;
    struct store *store;
    struct process process;
};

struct rest {
    struct chunk chunk;
    size_t used;
};

uint32_t marey__on;
_Thread_local struct thread marey__thread;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* All of these under the lock. */
static struct session *current;
static uint32_t last_number;     /* of sessions, and of threads in them */
static uint64_t early_reentries; /* by threads that had no session yet to count them in; atomic */
static int is_owner;
static int sets_variable;
static struct session *of_parent; /* in a forked child: to be joined by its first event */
static struct writer *writers;    /* of the living threads */
static struct writer *spare_writers;
static struct rest
    rests[RESTS_MAX]; /* what ended threads left of their chunks of the current session */
static unsigned rest_count;
static char *process_name; /* by the user */
static pthread_key_t thread_end;

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

/* --------------------------------------------------------------- sessions */

static void session_drop(struct session *session) {
    if (session && --session->references == 0) {
        store_drop(session->store);
        free(session);
    }
}

static void read_process_name(char *name, size_t size) {
    char comm[32] = "";
    FILE *file = fopen("/proc/self/comm", "re");
    if (file) {
        if (fgets(comm, sizeof comm, file))
            comm[strcspn(comm, "\n")] = 0;
        fclose(file);
    }
    snprintf(name, size, "%s", process_name ? process_name : comm);
}

static size_t read_command_line(char *out, size_t size) {
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t n = file ? fread(out, 1, size - 1, file) : 0;
    if (file)
        fclose(file);
    out[n] = 0;
    return n ? n + (out[n - 1] != 0) : 0;
}

static uint32_t next_number(void) {
    if (++last_number == PENDING)
        last_number = 1;
    return last_number;
}

static void describe_self(struct process *process) {
    process->pid = (int32_t)getpid();
    read_process_name(process->name, sizeof process->name);
    process->command_line_bytes =
        read_command_line(process->command_line, sizeof process->command_line);
}

static struct session *session_new(struct store *store) {
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->references = 1;
    session->number = next_number();
    session->store = store;
    describe_self(&session->process);
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
    current = session;
    is_owner = owner;
    rest_count = 0;
    set_on(session->number);
    return 0;
}

/* Makes each thread's next event take the slow way. Against session_writer, which opens a chunk and then looks whether
 * the session is still on: one of the two sees the other. */
static void stop_writers(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (struct writer *writer = writers; writer; writer = writer->next)
        __atomic_store_n(&writer->limit, NULL, __ATOMIC_RELAXED);
}

static void release_rests(struct store *store) {
    while (rest_count)
        store_release(store, &rests[--rest_count].chunk);
}

static void stop(void) {
    set_on(0);
    stop_writers();
    release_rests(current->store);
    if (sets_variable)
        unsetenv(TRACE_VARIABLE);
    sets_variable = 0;
    session_drop(current);
    current = NULL;
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

static int is_recording(void) {
    if (__atomic_load_n(&marey__on, __ATOMIC_RELAXED) == PENDING)
        join_pending();
    return current != NULL;
}

int marey_open(const char *path, const marey_options *options) {
    struct store *store;
    session_lock();
    const char *categories = options ? options->categories : NULL;
    int code = is_recording() ? MAREY_EBUSY : categories_valid(categories);
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
    if (is_recording()) {
        char wanted[4096];
        const char *is = store_path(current->store);
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
    uint64_t end = store_bytes(current->store);
    if (self && self->session == current && self->chunk.size &&
        self->chunk.offset + self->chunk.size == end)
        return (struct rest){self->chunk, (size_t)(self->at - self->chunk.base)};
    for (unsigned i = 0; i < rest_count; i++)
        if (rests[i].chunk.offset + rests[i].chunk.size == end)
            return rests[i];
    return (struct rest){0};
}

static void leave_session(struct writer *writer);

int marey_close(void) {
    marey_statistics_stop();
    session_lock();
    int code = is_recording() ? 0 : MAREY_EOFF;
    if (!code) {
        if (is_owner) {
            struct rest last = last_chunk();
            store_end(current->store, &last.chunk, last.used);
        }
        stop();
        if (marey__thread.writer)
            leave_session(marey__thread.writer);
    }
    session_unlock();
    return code;
}

/* What is recorded into, held; NULL: nothing is recorded. */
static struct store *hold_store(void) {
    session_lock();
    struct store *store = is_recording() ? store_hold(current->store) : NULL;
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

int marey__snapshot_into(int fd, uint64_t from_ns, uint64_t to_ns) {
    struct store *store = hold_store();
    if (!store)
        return MAREY_EOFF;
    int code = store_snapshot_into(store, fd, from_ns, to_ns);
    store_drop(store);
    return code;
}

int marey_status(marey_status_info *info) {
    *info = (marey_status_info){0};
    session_lock();
    int code = is_recording() ? 0 : MAREY_EOFF;
    if (!code) {
        info->recording = 1;
        info->owner = is_owner;
        snprintf(info->path, sizeof info->path, "%s", store_path(current->store));
        info->ring_bytes = store_ring_bytes(current->store);
        info->file_bytes = store_bytes(current->store);
        store_losses(current->store, &info->losses);
    }
    session_unlock();
    return code;
}

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

/* ---------------------------------------------------------------- writers */

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

struct writer *session_writer_take(void) {
    session_lock();
    struct writer *writer = writer_new();
    session_unlock();
    return writer;
}

void session_writer_give(struct writer *writer) {
    session_lock();
    writer->next = spare_writers;
    spare_writers = writer;
    session_unlock();
}

/* Asked often, and the same but for the name. */
void session_describe(struct process *process) {
    static struct process self;
    session_lock();
    if (self.pid != (int32_t)getpid())
        describe_self(&self);
    *process = self;
    const char *name = current ? current->process.name : process_name;
    if (name)
        snprintf(process->name, sizeof process->name, "%s", name);
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

/* A ring has few chunks, and those that wait for a thread hold up its turning. */
static unsigned rests_max(const struct store *store) {
    return store_is_ring(store) ? RESTS_MAX / 8 : RESTS_MAX;
}

static size_t rest_bytes(const struct rest *rest) {
    return rest->chunk.size - rest->used;
}

/* Puts it by, in place of the smallest where there are enough, and returns in its stead what nobody will use. */
static void put_by(struct rest *rest, unsigned most) {
    if (rest_bytes(rest) < REST_MIN)
        return;
    if (rest_count < most) {
        rests[rest_count++] = *rest;
        *rest = (struct rest){0};
        return;
    }
    struct rest *smallest = &rests[0];
    for (unsigned i = 1; i < rest_count; i++)
        if (rest_bytes(&rests[i]) < rest_bytes(smallest))
            smallest = &rests[i];
    if (rest_bytes(smallest) < rest_bytes(rest)) {
        struct rest smaller = *smallest;
        *smallest = *rest;
        *rest = smaller;
    }
}

static void leave_session(struct writer *writer) {
    if (!writer->session)
        return;
    struct rest rest;
    rest.chunk = writer_leave_chunk(writer, &rest.used);
    if (writer->session == current)
        put_by(&rest, rests_max(writer->store));
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
    writer->number = next_number();
    writer->store = session->store;
    writer->process = &session->process;
    if (writer->sequence_of !=
        session->number) /* else that of an ended thread serves again: a chunk starts it anew */
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
    if (!is_recording()) {
        writer = NULL;
    } else {
        if (!writer)
            writer = attach_thread();
        if (!writer)
            store_lost(current->store, LOSS_DISK, 1);
        if (writer && writer->session != current) {
            leave_session(writer);
            enter_session(writer, current);
        }
    }
    session_unlock();
    return writer;
}

/* Not where the session has changed meanwhile: then they are of another file. */
static int take_rest(const struct writer *writer, struct rest *rest, size_t bytes) {
    int found = 0;
    session_lock();
    for (unsigned i = writer->session == current ? rest_count : 0; i-- && !found;) {
        if (rest_bytes(&rests[i]) < bytes)
            continue;
        *rest = rests[i];
        rests[i] = rests[--rest_count];
        found = 1;
    }
    session_unlock();
    return found;
}

/* Another thread may be changing it. */
static void take_process_name(struct writer *writer) {
    session_lock();
    memcpy(writer->process_name, writer->session->process.name, sizeof writer->process_name);
    session_unlock();
}

static int open_chunk(struct writer *writer, size_t bytes) {
    struct rest rest;
    if (writer->sequence >= SEQUENCES_MAX)
        return MAREY_ELIMIT;
    if (!writer->named)
        prctl(PR_GET_NAME, writer->thread_name); /* may have changed since the last chunk */
    take_process_name(writer);
    if (!writer->end && take_rest(writer, &rest, bytes + REST_MIN - EVENT_ROOM)) {
        writer_adopt_chunk(writer, &rest.chunk, rest.used);
        return 0;
    }
    return writer_open_chunk(writer, bytes);
}

/* By the process that opened it. */
static void session_ended(const struct writer *writer) {
    session_lock();
    if (current == writer->session)
        stop();
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

uint64_t session_thread_uuid(const struct writer *writer, int32_t tid) {
    uint64_t uuid = writer->process->uuid;
    session_lock();
    for (struct writer *at = writers; at; at = at->next)
        if (at->tid == tid && at->session == writer->session)
            uuid = at->thread_uuid;
    session_unlock();
    return uuid;
}

static void on_thread_end(void *argument) {
    struct writer *writer = argument, **at;
    marey__thread.writer = NULL;
    session_lock();
    leave_session(writer);
    for (at = &writers; *at && *at != writer; at = &(*at)->next)
        continue;
    if (*at)
        *at = writer->next;
    writer->next = spare_writers;
    spare_writers = writer;
    session_unlock();
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

/* The child's threads are gone but for this one, and the chunks are the parent's: nothing more may go into them. */
static void abandon_writers(void) {
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
        writer->next = spare_writers;
        spare_writers = writer;
    }
    for (; rest_count; rest_count--)
        store_unmap(&rests[rest_count - 1].chunk);
}

static void after_fork_in_child(void) {
    functions_unlock();
    names_unlock();
    categories_unlock();
    abandon_writers();
    marey__thread.writer = NULL;
    marey__thread.busy = 1; /* the lock's */
    pthread_setspecific(thread_end, NULL);
    statistics_after_fork();
    if (current) {
        forget_parent();
        of_parent = current;
        current = NULL;
        is_owner = 0;
        set_on(PENDING);
    }
    session_unlock();
}

__attribute__((constructor)) static void load(void) {
    pthread_key_create(&thread_end, on_thread_end);
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    const char *path = getenv(TRACE_VARIABLE);
    if (path && *path)
        set_on(PENDING);
}

/* ------------------------------------------------------------------ names */

/* The current chunk says so at once; each further one says it at its start. */
static void describe_again(void (*describe)(struct writer *, uint64_t)) {
    if (!marey_recording() || !recording_enter())
        return;
    struct writer *writer = session_writer(DESCRIPTOR_BYTES);
    if (writer)
        describe(writer, writer->last);
    recording_leave();
}

void marey_thread_name(const char *name) {
    if (!name || !marey_recording())
        return;
    struct writer *writer = session_attach();
    if (!writer)
        return;
    snprintf(writer->thread_name, sizeof writer->thread_name, "%s", name);
    writer->named = 1;
    describe_again(writer_describe_thread);
}

static void describe_process(struct writer *writer, uint64_t time) {
    take_process_name(writer);
    writer_describe_process(writer, time);
}

void marey_process_name(const char *name) {
    if (!name)
        return;
    session_lock();
    free(process_name);
    process_name = strdup(name);
    if (is_recording())
        snprintf(current->process.name, sizeof current->process.name, "%s", name);
    session_unlock();
    describe_again(describe_process);
}

uint64_t marey_flow_new(void) {
    static uint64_t last;
    uint64_t process = (uint64_t)(uint32_t)getpid() << 32 ^ clock_monotonic_ns() << 44;
    return process ^ __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
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
