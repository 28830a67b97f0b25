/* Inside the store: what its files share (store.c, store_open.c, store_ring.c, store_loss.c, store_memory.c, snapshot.c). */
#ifndef MAREY_TRACE_STORE_FILE_H
#define MAREY_TRACE_STORE_FILE_H

#include <limits.h>
#include <pthread.h>
#include <sys/types.h>
#include <unistd.h>

#include "head.h"
#include "store.h"

struct memory_chunk {
    uint8_t *base;
    size_t size;
};

struct store {
    int is_memory; /* store_memory.c: no file, no path */
    struct memory_chunk *memory;
    size_t memory_count, memory_room;
    int fd; /* O_APPEND */
    pthread_mutex_t reopening;
    dev_t device;
    ino_t inode;
    uint8_t *head;
    size_t head_bytes;
    uint32_t references;
    int populate;          /* advice for a chunk's new mapping */
    int foreign_namespace; /* process ids of the ring's slots mean nothing here */
    char path[PATH_MAX];
};

static inline struct control *store_control(const struct store *store) {
    return head_control(store->head);
}

/* All is mapped with a page more than is used, so that no mapping is the continuation of another: valgrind 3.19 joins two
 * such, and dies when one of them goes. */
static inline size_t store_with_page(size_t bytes) {
    return bytes + (size_t)sysconf(_SC_PAGESIZE);
}

/* The path of the directory, resolved, and the last part as given: the file itself need not exist. `out`: PATH_MAX. */
int store_absolute_path(const char *path, char *out);
/* 0 where nothing stands there, or a file that may be written: it is replaced, never cut, for another process may have it
 * mapped. */
int store_may_replace(const char *path);
enum { TEMPORARY_MAX = PATH_MAX + 64 };
/* A name in the same folder, for a file that becomes `path` when it is whole. `out`: TEMPORARY_MAX. */
void store_temporary_path(const char *path, char *out);
/* The program may have closed our descriptor (daemons close them all) and opened something else under its number. */
int store_fd_is_ours(const struct store *store);
/* Then opens the file again. Returns 0, or why that cannot be. */
int store_reopen_if_lost(struct store *store);
/* Past the process's own file size limit a write raises SIGXFSZ: to be asked before. */
int store_past_process_limit(uint64_t bytes);
int store_write_all(int fd, const uint8_t *bytes, size_t count);
int store_file_bytes(const struct store *store, uint64_t *bytes);

/* Sees to it that the file is long enough, and maps the piece of `size` bytes from `offset` on. */
int store_prepare(struct store *store, uint64_t offset, size_t size, struct chunk *chunk);
/* store_claim, of a ring and of memory. */
int store_claim_of_ring(struct store *store, uint32_t previous, struct chunk *chunk);
int store_claim_memory(struct store *store, size_t need, size_t want, struct chunk *chunk);
void store_free_memory(struct store *store);

#endif
