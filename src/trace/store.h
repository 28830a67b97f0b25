/* The file of a session: made, joined, grown, shared by processes. docs/FORMAT.md draws it.
 *
 * Invariants
 *   - At every instant the file is a valid trace: what is not yet used stands in the payload of filler fields. It grows
 *     only by appending pages that consist of fillers (O_APPEND: the kernel orders the appends of all processes).
 *   - A chunk belongs to one thread until it is released. Claiming one is an atomic add on the control block's cursor.
 *   - The control block is shared memory of all processes of the session; a field is written atomically or once.
 * Everything here may be called from any thread; nothing here is on the path of an event. */
#ifndef MAREY_TRACE_STORE_H
#define MAREY_TRACE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "marey.h"

enum loss {
    LOSS_DISK,
    LOSS_LIMIT,
    LOSS_DEPTH,
    LOSS_REENTRY,
    LOSS_RING,
    LOSS_ARGUMENTS,
    LOSS_KINDS
};

enum {
    CHUNK_MIN = 8 << 10,
    CHUNK_MAX = 1 << 20,
    STORE_SPARE = 4 << 10,
    FILLER_HEAD = 5, /* bytes: tag and a length of four */
    FILLER_STORE = 8 /* bytes that writing one touches */
};

struct store;

/* A piece of the file that one thread writes. size 0: none. */
struct chunk {
    uint8_t *base;
    size_t size;
    uint64_t offset; /* in the file */
    uint32_t slot;   /* of the ring */
    uint32_t number; /* of its claim there */
};

/* What a filler that takes `bytes` (>= FILLER_STORE) begins with, as a little-endian number. */
uint64_t filler_head(size_t bytes);

/* The path is made absolute. On success *out holds a reference. */
int store_create(const char *path, const marey_options *options, struct store **out);
int store_join(const char *path, struct store **out);
/* One in memory, which may have so many bytes. It has no path, is no ring, and never ends. store_memory.c. */
int store_create_memory(uint64_t limit_bytes, struct store **out);
void store_raise_limit(struct store *store, uint64_t by_bytes);
/* Of memory only: all of it but the last `spare` bytes, which are free; a multiple of STORE_SPARE. */
void store_copy_memory(const struct store *store, size_t spare, uint8_t *out);
struct store *store_hold(struct store *store);
/* Gives a reference back; the last one unmaps. */
void store_drop(struct store *store);

const char *store_path(const struct store *store);
struct clock_pair store_origin(const struct store *store);
int store_is_ring(const struct store *store);
/* The longest packet that a chunk can be asked to hold. */
size_t store_packet_max(const struct store *store);
/* What a new chunk can be asked to have room for. */
size_t store_event_room(const struct store *store);
uint64_t store_new_uuid(struct store *store);
uint32_t store_new_sequence(struct store *store);
/* 1 once the process that opened the session has closed it. */
int store_ended(const struct store *store);

/* A chunk of `want` bytes, or less, but at least `need`. MAREY_ENOSPC, MAREY_ELIMIT, MAREY_ENOMEM, MAREY_ECLOSED, ...;
 * then *chunk is all zero. It begins with a filler over all of it. previous: the number of the chunk before of the same
 * thread, for the ring; 0: none. */
int store_claim(struct store *store, size_t need, size_t want, uint32_t previous,
                struct chunk *chunk);
/* Before the process records into it, and before its threads claim anything there: a process that has just become this
 * program (exec), or that got the number of one that is gone, holds no slot of the ring, whatever stands there. */
void store_arrive(struct store *store);
/* Unmaps it, and no more: in a forked child the slot is the parent's. */
void store_unmap(const struct chunk *chunk);
/* The thread is done with it: unmaps, and gives the ring its slot back. */
void store_release(struct store *store, struct chunk *chunk);

/* Counts what could not be kept, in the trace itself; of disk and limit it says so once on standard error. */
void store_lost(struct store *store, enum loss kind, uint64_t count);
void store_losses(const struct store *store, marey_losses *losses);
uint64_t store_bytes(const struct store *store);
uint64_t store_ring_bytes(const struct store *store);

/* A place for one packet that no ring overwrites, at most ATTRIBUTE_BYTES - FILLER_STORE bytes long. Returns 0, or
 * MAREY_ELIMIT when all are taken. */
enum { ATTRIBUTE_SLOTS = 4, ATTRIBUTE_BYTES = 1024 };
int store_attribute(struct store *store, const uint8_t *packet, size_t bytes);

/* Copies what is recorded so far. */
int store_snapshot(struct store *store, const char *path);
/* See marey__snapshot_into. */
int store_snapshot_into(struct store *store, int fd, uint64_t from_ns, uint64_t to_ns,
                        int *is_whole);

/* The session is over for all processes. `last` is a chunk of the caller's of which bytes from `used` on are not used, or
 * all zero: if it is the file's last, the file ends in the page where that ends. */
void store_end(struct store *store, struct chunk *last, size_t used);

/* Eight bytes anywhere, in one instruction. */
typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_u64;

static inline void store_u64(uint8_t *at, uint64_t value) {
    *(volatile unaligned_u64 *)at = value;
}

/* Stores the first eight bytes of a packet, which make it part of the file, after all that was stored before. */
static inline void store_publish(uint8_t *at, uint64_t value) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    store_u64(at, value);
}

#endif
