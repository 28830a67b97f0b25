/* What store.c and snapshot.c share. */
#ifndef MAREY_TRACE_STORE_FILE_H
#define MAREY_TRACE_STORE_FILE_H

#include <limits.h>
#include <pthread.h>
#include <sys/types.h>

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

/* The path of the directory, resolved, and the last part as given: the file itself need not exist. `out`: PATH_MAX. */
int store_absolute_path(const char *path, char *out);
/* 0 where nothing stands there, or a file that may be written: it is replaced, never cut, for another process may have it
 * mapped. */
int store_may_replace(const char *path);
enum { TEMPORARY_MAX = PATH_MAX + 64 };
/* A name in the same folder, for a file that becomes `path` when it is whole. `out`: TEMPORARY_MAX. */
void store_temporary_path(const char *path, char *out);
/* The program may have closed our descriptor: then opens the file again. Returns 0, or why that cannot be. */
int store_reopen_if_lost(struct store *store);
int store_write_all(int fd, const uint8_t *bytes, size_t count);
int store_file_bytes(const struct store *store, uint64_t *bytes);

/* What store.c hands on to store_memory.c. */
int store_claim_memory(struct store *store, size_t need, size_t want, struct chunk *chunk);
void store_free_memory(struct store *store);

#endif
