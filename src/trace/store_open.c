/* The file of a session made, joined, found again and let go. See store.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "head.h"
#include "store_file.h"

enum {
    RING_SLOTS = 128, /* as many as the size allows, up to this */
    HIGH_FD = 200,    /* programs count on low numbers being free */
};

#ifndef MADV_POPULATE_READ /* Linux 5.14; an older kernel refuses them, and the pages come one by one */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

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

int store_past_process_limit(uint64_t bytes) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           bytes > limit.rlim_cur;
}

int store_write_all(int fd, const uint8_t *bytes, size_t count) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_from_errno(errno);
    if (store_past_process_limit((uint64_t)status.st_size + count))
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
    store->head = mmap(NULL, store_with_page(store->head_bytes), PROT_READ | PROT_WRITE, MAP_SHARED,
                       store->fd, 0);
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

int store_fd_is_ours(const struct store *store) {
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
    if (store->head ? store_fd_is_ours(store) : store->fd >= 0)
        close(store->fd);
    if (store->head)
        munmap(store->head, store_with_page(store->head_bytes));
    free(store);
}

static int reopen(struct store *store) {
    int fd = open_for_append(store->path, 0);
    if (fd < 0)
        return fd;
    store->fd = fd;
    if (store_fd_is_ours(store))
        return 0;
    close(fd); /* the file was moved away and another stands in its place */
    store->fd = -1;
    return MAREY_ENOENT;
}

int store_reopen_if_lost(struct store *store) {
    if (store_fd_is_ours(store))
        return 0;
    pthread_mutex_lock(&store->reopening);
    int code = store_fd_is_ours(store) ? 0 : reopen(store);
    pthread_mutex_unlock(&store->reopening);
    return code;
}
