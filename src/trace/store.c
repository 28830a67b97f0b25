/* See store.h. */
#include "store.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "format/perfetto.h"
#include "format/varint.h"
#include "head.h"
#include "store_file.h"

enum {
    RING_SLOTS = 128, /* as many as the size allows, up to this */
    /* the file grows by fillers of this size: a cut-off append ends between two */
    FILLER_PAGE = 1024,
    APPEND_BYTES = 64 << 10, /* one buffer of them */
    APPEND_BUFFERS = 16,     /* so many of it in a system call */
    HIGH_FD = 200,           /* programs count on low numbers being free */
};

#ifndef MADV_POPULATE_READ /* Linux 5.14; an older kernel refuses them, and the pages come one by one */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

uint64_t filler_head(size_t bytes) {
    uint32_t payload = (uint32_t)(bytes - FILLER_HEAD);
    return TAG(TRACE__filler, WIRE_BYTES) | (uint64_t)(varint_spread28(payload) | 0x00808080u) << 8;
}

static struct control *control_of(const struct store *store) {
    return head_control(store->head);
}

const char *store_path(const struct store *store) {
    return store->path;
}

struct clock_pair store_origin(const struct store *store) {
    return control_of(store)->origin;
}

int store_is_ring(const struct store *store) {
    return control_of(store)->ring_bytes != 0;
}

uint64_t store_ring_bytes(const struct store *store) {
    return control_of(store)->ring_bytes;
}

size_t store_packet_max(const struct store *store) {
    const struct control *control = control_of(store);
    size_t of_chunk = control->ring_bytes ? (size_t)control->chunk_bytes / 2 : CHUNK_MAX / 2;
    return of_chunk < MAREY_PACKET_MAX ? of_chunk : MAREY_PACKET_MAX;
}

size_t store_event_room(const struct store *store) {
    enum { OPENING = 2048 }; /* more than what opens a chunk takes */
    const struct control *control = control_of(store);
    return control->ring_bytes ? (size_t)control->chunk_bytes - OPENING
                               : (size_t)4 * MAREY_PACKET_MAX;
}

uint64_t store_new_uuid(struct store *store) {
    return __atomic_fetch_add(&control_of(store)->next_uuid, 1, __ATOMIC_RELAXED);
}

uint32_t store_new_sequence(struct store *store) {
    return __atomic_fetch_add(&control_of(store)->next_sequence, 1, __ATOMIC_RELAXED);
}

int store_ended(const struct store *store) {
    return __atomic_load_n(&control_of(store)->state, __ATOMIC_SEQ_CST) == STATE_ENDED;
}

uint64_t store_bytes(const struct store *store) {
    const struct control *control = control_of(store);
    uint64_t cursor = __atomic_load_n(&control->cursor, __ATOMIC_RELAXED);
    if (!control->ring_bytes)
        return cursor;
    return control->head_bytes +
           (cursor < control->slots ? cursor : control->slots) * control->chunk_bytes;
}

/* ------------------------------------------------------------ make and join */

static uint64_t pid_namespace(void) {
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static uint64_t power_of_two_up_to(uint64_t value) {
    return value ? UINT64_C(1) << (63 - __builtin_clzll(value)) : 0;
}

static struct control new_control(const marey_options *options) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t ring = options ? options->ring_bytes : 0;
    uint64_t limit = options ? options->limit_bytes : 0;
    size_t head = ring ? RING_OFFSET + HEAD_PAGE : RING_OFFSET;
    struct control control = {
        .magic = CONTROL_MAGIC,
        .version = CONTROL_VERSION,
        .head_bytes = (uint32_t)((head + page - 1) / page * page),
        .origin = clock_pair_now(),
        .limit_bytes = limit ? limit : MAREY_LIMIT_DEFAULT,
        .pid_namespace = pid_namespace(),
        .next_uuid = LOSS_KINDS + 1,
        .next_sequence = FIRST_SEQUENCE,
        .state = STATE_OPEN,
    };
    if (ring) {
        uint64_t chunk = power_of_two_up_to(ring / RING_SLOTS);
        chunk = chunk < CHUNK_MIN ? CHUNK_MIN : chunk > CHUNK_MAX ? CHUNK_MAX : chunk;
        chunk = chunk < page ? page : chunk;
        uint64_t slots = ring / chunk;
        control.slots = (uint32_t)(slots > RING_SLOTS_MAX ? RING_SLOTS_MAX : slots);
        control.chunk_bytes = slots > RING_SLOTS_MAX ? ring / RING_SLOTS_MAX / page * page : chunk;
        control.ring_bytes = control.chunk_bytes * control.slots;
    } else {
        control.cursor = control.head_bytes;
    }
    return control;
}

/* Past the process's own file size limit a write raises SIGXFSZ: look before. */
static int past_process_limit(uint64_t bytes) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           bytes > limit.rlim_cur;
}

int store_write_all(int fd, const uint8_t *bytes, size_t count) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_from_errno(errno);
    if (past_process_limit((uint64_t)status.st_size + count))
        return MAREY_ELIMIT;
    while (count) {
        ssize_t n = write(fd, bytes, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? error_from_errno(errno) : MAREY_ENOSPC;
        bytes += n;
        count -= (size_t)n;
    }
    return 0;
}

static int write_head(int fd, const marey_options *options) {
    struct control control = new_control(options);
    uint8_t *head = calloc(1, control.head_bytes);
    if (!head)
        return MAREY_ENOMEM;
    head_build(head, &control);
    int code = store_write_all(fd, head, control.head_bytes);
    free(head);
    return code;
}

int store_absolute_path(const char *path, char *out) {
    if (!path || !*path || strlen(path) >= PATH_MAX)
        return MAREY_EINVAL;
    char copy[PATH_MAX];
    memcpy(copy, path, strlen(path) + 1);
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return MAREY_ENOTFILE;
    if (slash)
        *slash = 0;
    char directory[PATH_MAX];
    if (!realpath(slash ? *copy ? copy : "/" : ".", directory))
        return error_from_errno(errno);
    int n = snprintf(out, PATH_MAX, "%s/%s", strcmp(directory, "/") ? directory : "", name);
    return n > 0 && n < PATH_MAX ? 0 : MAREY_EINVAL;
}

int store_may_replace(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) /* of a link: what it leads to, which may be a terminal */
        return errno == ENOENT ? 0 : error_from_errno(errno);
    if (!S_ISREG(status.st_mode))
        return MAREY_ENOTFILE;
    return access(path, W_OK) == 0 ? 0 : error_from_errno(errno);
}

void store_temporary_path(const char *path, char *out) {
    static uint32_t last;
    uint32_t number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    int folder = (int)(strrchr(path, '/') - path);
    snprintf(out, TEMPORARY_MAX, "%.*s/.marey-%d-%u~", folder, path, (int)getpid(), number);
}

static int high_fd(int fd) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

static int open_for_append(const char *path, int flags) {
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0600);
    return fd < 0 ? error_from_errno(errno) : high_fd(fd);
}

/* One call instead of hundreds of page faults. A file system without a disk has nothing to prepare for a write: its pages
 * are mapped writable when read, and that many at a time. */
static int populate_by(int fd) {
    struct statfs status;
    return fstatfs(fd, &status) == 0 && status.f_type == TMPFS_MAGIC ? MADV_POPULATE_READ
                                                                     : MADV_POPULATE_WRITE;
}

/* All is mapped with a page more than is used, so that no mapping is the continuation of another: valgrind 3.19 joins two
 * such, and dies when one of them goes. */
static size_t with_page(size_t bytes) {
    return bytes + (size_t)sysconf(_SC_PAGESIZE);
}

static int map_head(struct store *store) {
    struct stat status;
    uint8_t probe[RING_OFFSET];
    if (fstat(store->fd, &status) != 0)
        return error_from_errno(errno);
    if (!S_ISREG(status.st_mode))
        return MAREY_ENOTFILE;
    if (pread(store->fd, probe, sizeof probe, 0) != sizeof probe)
        return MAREY_EFOREIGN;
    if (fstat(store->fd, &status) != 0) /* after the cursor was read: that follows the size */
        return error_from_errno(errno);
    if (!head_valid(probe, (uint64_t)status.st_size))
        return MAREY_EFOREIGN;
    store->device = status.st_dev;
    store->inode = status.st_ino;
    store->populate = populate_by(store->fd);
    store->head_bytes = head_control(probe)->head_bytes;
    store->foreign_namespace = head_control(probe)->pid_namespace != pid_namespace();
    store->head =
        mmap(NULL, with_page(store->head_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, store->fd, 0);
    if (store->head == MAP_FAILED) {
        store->head = NULL;
        return error_from_errno(errno);
    }
    return 0;
}

static struct store *new_store(void) {
    struct store *store = calloc(1, sizeof *store);
    if (store) {
        store->fd = -1;
        store->references = 1;
        pthread_mutex_init(&store->reopening, NULL);
    }
    return store;
}

static int create_at(struct store *store, const marey_options *options) {
    char temporary[TEMPORARY_MAX];
    int code = store_may_replace(store->path);
    if (code)
        return code;
    store_temporary_path(store->path, temporary);
    unlink(temporary);
    store->fd = open_for_append(temporary, O_CREAT | O_EXCL);
    if (store->fd < 0)
        return store->fd;
    code = write_head(store->fd, options);
    if (!code)
        code = map_head(store);
    if (!code && rename(temporary, store->path) != 0)
        code = error_from_errno(errno);
    if (code)
        unlink(temporary);
    return code;
}

int store_create(const char *path, const marey_options *options, struct store **out) {
    if (options && options->ring_bytes &&
        (options->ring_bytes < MAREY_RING_MIN ||
         options->ring_bytes > (uint64_t)RING_SLOTS_MAX * RING_CHUNK_MAX))
        return MAREY_EINVAL;
    struct store *store = new_store();
    if (!store)
        return MAREY_ENOMEM;
    int code = store_absolute_path(path, store->path);
    if (!code)
        code = create_at(store, options);
    if (code)
        store_drop(store);
    else
        *out = store;
    return code;
}

int store_join(const char *path, struct store **out) {
    struct store *store = new_store();
    if (!store)
        return MAREY_ENOMEM;
    int code = store_absolute_path(path, store->path);
    if (!code) {
        store->fd = open_for_append(store->path, 0);
        code = store->fd < 0 ? store->fd : map_head(store);
    }
    if (!code && store_ended(store))
        code = MAREY_ECLOSED;
    if (code)
        store_drop(store);
    else
        *out = store;
    return code;
}

/* The program may have closed our descriptor (daemons close them all) and opened something else under its number. */
static int fd_is_ours(const struct store *store) {
    struct stat status;
    return store->fd >= 0 && fstat(store->fd, &status) == 0 && status.st_dev == store->device &&
           status.st_ino == store->inode;
}

struct store *store_hold(struct store *store) {
    __atomic_fetch_add(&store->references, 1, __ATOMIC_RELAXED);
    return store;
}

void store_drop(struct store *store) {
    if (__atomic_sub_fetch(&store->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (store->is_memory) {
        store_free_memory(store);
        return;
    }
    if (store->head ? fd_is_ours(store) : store->fd >= 0)
        close(store->fd);
    if (store->head)
        munmap(store->head, with_page(store->head_bytes));
    free(store);
}

static int reopen(struct store *store) {
    int fd = open_for_append(store->path, 0);
    if (fd < 0)
        return fd;
    store->fd = fd;
    if (fd_is_ours(store))
        return 0;
    close(fd); /* the file was moved away and another stands in its place */
    store->fd = -1;
    return MAREY_ENOENT;
}

int store_reopen_if_lost(struct store *store) {
    if (fd_is_ours(store))
        return 0;
    pthread_mutex_lock(&store->reopening);
    int code = fd_is_ours(store) ? 0 : reopen(store);
    pthread_mutex_unlock(&store->reopening);
    return code;
}

/* ------------------------------------------------------------------- grow */

int store_file_bytes(const struct store *store, uint64_t *bytes) {
    struct stat status;
    if (fstat(store->fd, &status) != 0)
        return error_from_errno(errno);
    *bytes = (uint64_t)status.st_size;
    return 0;
}

static int within_limits(const struct store *store, uint64_t bytes) {
    int past_own = bytes > control_of(store)->limit_bytes && !store_is_ring(store);
    return past_own || past_process_limit(bytes) ? MAREY_ELIMIT : 0;
}

static uint8_t filler_pages[APPEND_BYTES];

static void build_filler_pages(void) {
    uint64_t head = filler_head(FILLER_PAGE);
    for (size_t at = 0; at < APPEND_BYTES; at += FILLER_PAGE)
        memcpy(filler_pages + at, &head, FILLER_HEAD);
}

/* Appends fillers until the file has `bytes`. Others may do so at the same time: then it gets longer, which is no harm. */
static int grow_to(struct store *store, uint64_t bytes) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat status;
    pthread_once(&once, build_filler_pages);
    for (;;) {
        if (fstat(store->fd, &status) != 0)
            return error_from_errno(errno);
        if ((uint64_t)status.st_size >= bytes)
            return 0;
        uint64_t missing = bytes - (uint64_t)status.st_size;
        struct iovec parts[APPEND_BUFFERS];
        int n = 0;
        for (; missing && n < APPEND_BUFFERS; n++) {
            size_t part = missing < APPEND_BYTES ? (size_t)missing : APPEND_BYTES;
            parts[n] = (struct iovec){filler_pages, part};
            missing -= part;
        }
        ssize_t written = writev(store->fd, parts, n);
        if (written < 0 && errno != EINTR)
            return error_from_errno(errno);
        if (written == 0)
            return MAREY_ENOSPC;
    }
}

void store_unmap(const struct chunk *chunk) {
    munmap(chunk->base, with_page(chunk->size));
}

static int map_chunk(struct store *store, struct chunk *chunk) {
    chunk->base = mmap(NULL, with_page(chunk->size), PROT_READ | PROT_WRITE, MAP_SHARED, store->fd,
                       (off_t)chunk->offset);
    if (chunk->base == MAP_FAILED)
        return error_from_errno(errno);
    madvise(chunk->base, chunk->size, store->populate);
    return 0;
}

/* The file is long enough, and the piece of `size` bytes from `offset` on is mapped. */
static int prepare_piece(struct store *store, uint64_t offset, size_t size, struct chunk *chunk) {
    *chunk = (struct chunk){.size = size, .offset = offset};
    int code = within_limits(store, offset + size);
    if (!code)
        code = grow_to(store, offset + size);
    if (!code)
        code = map_chunk(store, chunk);
    return code;
}

/* Space and mapping first, then the claim: what fails has moved nothing, and the cursor never points behind the file. */
static int claim_of_file(struct store *store, size_t size, struct chunk *chunk) {
    uint64_t *cursor = &control_of(store)->cursor;
    uint64_t offset = __atomic_load_n(cursor, __ATOMIC_RELAXED);
    int code = prepare_piece(store, offset, size, chunk);
    while (!code && !__atomic_compare_exchange_n(cursor, &offset, offset + size, 0,
                                                 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        store_unmap(chunk); /* another was quicker */
        code = prepare_piece(store, offset, size, chunk);
    }
    if (!code && store_ended(store)) { /* see store_end */
        store_unmap(chunk);
        code = MAREY_ECLOSED;
    }
    if (code)
        *chunk = (struct chunk){0};
    return code;
}

/* ------------------------------------------------------------------- ring */

static int owner_is_gone(const struct store *store, uint32_t owner) {
    return !store->foreign_namespace && owner != (uint32_t)getpid() && kill((pid_t)owner, 0) != 0 &&
           errno == ESRCH;
}

/* The next slot in turn that nobody alive holds. *number: of the claim. */
static int take_slot(struct store *store, uint32_t *taken, uint64_t *number) {
    struct control *control = control_of(store);
    struct ring_slot *slots = head_slots(store->head);
    for (uint32_t tries = 0; tries < 2 * control->slots; tries++) {
        uint64_t cursor = __atomic_fetch_add(&control->cursor, 1, __ATOMIC_RELAXED);
        uint32_t i = (uint32_t)(cursor % control->slots);
        uint32_t owner = __atomic_load_n(&slots[i].owner, __ATOMIC_ACQUIRE);
        if (owner && !owner_is_gone(store, owner))
            continue;
        if (__atomic_compare_exchange_n(&slots[i].owner, &owner, (uint32_t)getpid(), 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            *taken = i;
            *number = cursor + 1;
            return 0;
        }
    }
    return MAREY_ELIMIT;
}

/* From the moment that what stood there goes until all that says what comes is there, the slot is marked. */
static void replace_slot(struct ring_slot *slot, const struct chunk *chunk, uint64_t number,
                         uint32_t previous) {
    __atomic_fetch_or(&slot->claim, SLOT_CHANGING, __ATOMIC_ACQ_REL);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    store_publish(chunk->base, filler_head(chunk->size));
    __atomic_store_n(&slot->previous, previous, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->claim, 2 * number, __ATOMIC_RELEASE);
}

static int claim_of_ring(struct store *store, uint32_t previous, struct chunk *chunk) {
    struct control *control = control_of(store);
    uint32_t i;
    uint64_t number;
    int code = take_slot(store, &i, &number);
    if (code)
        return code;
    struct ring_slot *slot = &head_slots(store->head)[i];
    code = prepare_piece(store, control->head_bytes + i * control->chunk_bytes,
                         control->chunk_bytes, chunk);
    chunk->slot = i;
    chunk->number = (uint32_t)number;
    if (code) {
        __atomic_store_n(&slot->owner, 0, __ATOMIC_RELEASE);
        *chunk = (struct chunk){0};
        return code;
    }
    int is_used = __atomic_load_n(&slot->claim, __ATOMIC_RELAXED) != 0;
    replace_slot(slot, chunk, number, previous);
    if (is_used)
        store_lost(store, LOSS_RING, chunk->size);
    return 0;
}

void store_arrive(struct store *store) {
    static pid_t arrived_as;
    uint32_t pid = (uint32_t)getpid();
    if (arrived_as == (pid_t)pid || store->foreign_namespace)
        return;
    arrived_as = (pid_t)pid;
    struct ring_slot *slots = head_slots(store->head);
    for (uint32_t i = 0; i < control_of(store)->slots; i++) {
        uint32_t owner = pid;
        __atomic_compare_exchange_n(&slots[i].owner, &owner, 0, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
    }
}

/* ------------------------------------------------------------------ chunks */

int store_claim(struct store *store, size_t need, size_t want, uint32_t previous,
                struct chunk *chunk) {
    *chunk = (struct chunk){0};
    if (store->is_memory)
        return store_claim_memory(store, need, want, chunk);
    if (store_ended(store))
        return MAREY_ECLOSED;
    int code = store_reopen_if_lost(store);
    if (code)
        return code;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t least = ((need < CHUNK_MIN ? CHUNK_MIN : need) + page - 1) / page * page;
    if (store_is_ring(store))
        return least <= control_of(store)->chunk_bytes ? claim_of_ring(store, previous, chunk)
                                                       : MAREY_ELIMIT;
    size_t size = want < least ? least : (want + page - 1) / page * page;
    while ((code = claim_of_file(store, size, chunk)) != 0 && size > least)
        size = size / 2 > least ? size / 2 / page * page : least;
    if (!code) /* from here on one filler covers it: what comes is put into its payload */
        store_publish(chunk->base, filler_head(size));
    return code;
}

void store_release(struct store *store, struct chunk *chunk) {
    if (!chunk->size)
        return;
    if (store->is_memory) {
        *chunk = (struct chunk){0};
        return;
    }
    store_unmap(chunk);
    if (store_is_ring(store))
        __atomic_store_n(&head_slots(store->head)[chunk->slot].owner, 0, __ATOMIC_RELEASE);
    *chunk = (struct chunk){0};
}

int store_attribute(struct store *store, const uint8_t *packet, size_t bytes) {
    uint32_t *used = &control_of(store)->attributes_used;
    if (bytes > ATTRIBUTE_BYTES - FILLER_STORE ||
        __atomic_load_n(used, __ATOMIC_RELAXED) >= ATTRIBUTE_SLOTS)
        return MAREY_ELIMIT;
    uint32_t slot = __atomic_fetch_add(used, 1, __ATOMIC_RELAXED);
    if (slot >= ATTRIBUTE_SLOTS)
        return MAREY_ELIMIT;
    /* Word by word, the first last: a snapshot may read it meanwhile. */
    uint64_t words[ATTRIBUTE_BYTES / 8] = {0}, filler = filler_head(ATTRIBUTE_BYTES - bytes);
    memcpy(words, packet, bytes);
    memcpy((uint8_t *)words + bytes, &filler, FILLER_STORE);
    uint64_t *at = (void *)(store->head + ATTRIBUTES_OFFSET + (size_t)slot * ATTRIBUTE_BYTES);
    for (size_t i = ATTRIBUTE_BYTES / 8; i--;)
        __atomic_store_n(&at[i], words[i], __ATOMIC_RELEASE);
    return 0;
}

/* ------------------------------------------------------------------ losses */

/* The program must not feel that nobody reads there: neither a full pipe nor a broken one. */
static void write_to_stderr(const char *line, size_t bytes) {
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
        return;
    sigset_t broken, before, pending;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    sigpending(&pending);
    if (write(STDERR_FILENO, line, bytes) < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&broken, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void say_once(struct store *store, enum loss kind) {
    uint32_t bit = 1u << kind;
    if (__atomic_fetch_or(&control_of(store)->said, bit, __ATOMIC_RELAXED) & bit)
        return;
    char line[PIPE_BUF]; /* as much as a pipe that is ready takes at once */
    const char *why = kind == LOSS_DISK
                          ? "the trace cannot grow (disk full, or no memory to map it)"
                          : "the trace has reached its size limit";
    int n = snprintf(line, sizeof line,
                     "marey: %.3900s: %s; the program goes on, what is not recorded is counted\n",
                     store->path, why);
    write_to_stderr(line, (size_t)n);
}

void store_lost(struct store *store, enum loss kind, uint64_t count) {
    head_count_loss(store->head, kind, count, clock_monotonic_ns() - control_of(store)->origin.ns);
    if ((kind == LOSS_DISK || kind == LOSS_LIMIT) && !store->is_memory)
        say_once(store, kind);
}

void store_losses(const struct store *store, marey_losses *losses) {
    uint64_t *lost = control_of(store)->lost;
    uint64_t now[LOSS_KINDS];
    for (int kind = 0; kind < LOSS_KINDS; kind++)
        now[kind] = __atomic_load_n(&lost[kind], __ATOMIC_RELAXED);
    *losses = (marey_losses){
        .disk = now[LOSS_DISK],
        .limit = now[LOSS_LIMIT],
        .depth = now[LOSS_DEPTH],
        .reentry = now[LOSS_REENTRY],
        .ring = now[LOSS_RING],
        .arguments = now[LOSS_ARGUMENTS],
    };
}

/* --------------------------------------------------------------------- end */

/* The chunk is used up to `used`: from the page after that on it becomes a filler of its own. Returns the file's end. */
static uint64_t split_last(struct chunk *last, size_t used) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t keep = (used + FILLER_STORE + page - 1) / page * page;
    if (keep + FILLER_STORE > last->size)
        return last->offset + last->size;
    store_u64(last->base + keep, filler_head(last->size - keep));
    store_publish(last->base + used, filler_head(keep - used));
    return last->offset + keep;
}

/* Whoever claims adds to the cursor and then looks at the state; this sets the state and then looks at the cursor. So a claim
 * that goes through has been counted in `end`, and nobody has what is cut. */
void store_end(struct store *store, struct chunk *last, size_t used) {
    struct control *control = control_of(store);
    __atomic_store_n(&control->state, STATE_ENDED, __ATOMIC_SEQ_CST);
    uint64_t end = __atomic_load_n(&control->cursor, __ATOMIC_SEQ_CST);
    if (control->ring_bytes || !fd_is_ours(store) ||
        __atomic_load_n(&control->snapshots, __ATOMIC_SEQ_CST))
        return;
    if (last->size && last->offset + last->size == end)
        end = split_last(last, used);
    struct stat status;
    if (fstat(store->fd, &status) == 0 && (uint64_t)status.st_size > end &&
        ftruncate(store->fd, (off_t)end) != 0)
        return; /* it stays as long as it is: fillers */
    __atomic_store_n(&control->cursor, end, __ATOMIC_RELEASE);
}
