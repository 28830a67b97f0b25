/* The first pages of the file: what every reader needs first, and what the session's processes share.
 *
 *   0     packet: clock snapshot REALTIME, MONOTONIC, BOOTTIME        page 0
 *         packet: trace uuid
 *         packet: opens sequence 1 with the absolute clock 65
 *   512   one place a kind of loss, LOSS_BYTES each: a filler until there is a loss, then three packets
 *         (a counter's descriptor, 0 at the first loss, the sum so far)
 *   ...   filler; at CONTROL_OFFSET within it stands struct control
 *   4096  ATTRIBUTE_SLOTS times ATTRIBUTE_BYTES: a filler, or a packet and a filler      page 1
 *   8192  ring only: filler; at 8192 + RING_SLOTS_OFFSET within it stand the slots        page 2
 *   head_bytes: the first chunk (a multiple of the system's page size)
 */
#ifndef MAREY_TRACE_HEAD_H
#define MAREY_TRACE_HEAD_H

#include <stdint.h>

#include "clock.h"
#include "store.h"

#define CONTROL_MAGIC "MAREY\r\n\x1a"
enum {
    CONTROL_VERSION = 1,
    HEAD_PAGE = 4096,
    LOSS_OFFSET = 512,
    LOSS_BYTES = 160,
    CONTROL_OFFSET = 2048,
    ATTRIBUTES_OFFSET = HEAD_PAGE,
    RING_OFFSET = 2 * HEAD_PAGE,
    RING_SLOTS_OFFSET = 64,
    RING_SLOTS_MAX = 240,
    RING_CHUNK_MAX = 1 << 27, /* what a filler's length can say, halved */
    LOSS_SEQUENCE = 1,
    FIRST_SEQUENCE = 2,
    PROCESS_CLOCK = 65, /* absolute, from the session's origin */
};

enum state { STATE_OPEN = 1, STATE_ENDED = 2 };

struct control {
    char magic[8];
    uint32_t version;
    uint32_t head_bytes;
    struct clock_pair origin;
    uint64_t ring_bytes;  /* of all slots together; 0: a file that grows */
    uint64_t chunk_bytes; /* of a ring's slot */
    uint64_t limit_bytes;
    uint64_t pid_namespace;
    uint32_t slots;
    /* under way: the file must not get shorter; written atomically, as what follows */
    uint32_t snapshots;
    /* from here on written by all processes, atomically */
    uint64_t cursor; /* bytes claimed from the file's start; of a ring: slots claimed so far */
    uint64_t next_uuid;
    uint32_t next_sequence;
    uint32_t state;
    uint32_t attributes_used;
    uint32_t said; /* bit a kind of loss: it stands on standard error */
    uint64_t lost[LOSS_KINDS];
};

/* A place of the ring. Claims are numbered, from 1 on. */
struct ring_slot {
    uint32_t owner;    /* process id of the thread that has it; 0: free */
    uint32_t previous; /* number of the claim of the thread's chunk before this; 0: none */
    uint64_t claim;    /* twice its number; odd while what stands there is being replaced */
};
enum { SLOT_CHANGING = 1 };

/* Fills `head` (control->head_bytes long, zero) with all of the above. */
void head_build(uint8_t *head, const struct control *control);

/* 1 where these bytes are the head of a session of this version and `file_bytes` is a size it can have. */
int head_valid(const uint8_t *head, uint64_t file_bytes);

/* Adds to a kind's count, at this time (nanoseconds since the origin). Any process, any thread. */
void head_count_loss(uint8_t *head, enum loss kind, uint64_t count, uint64_t time_ns);

static inline struct control *head_control(uint8_t *head) {
    return (struct control *)(void *)(head + CONTROL_OFFSET);
}

static inline struct ring_slot *head_slots(uint8_t *head) {
    return (struct ring_slot *)(void *)(head + RING_OFFSET + RING_SLOTS_OFFSET);
}

#endif
