/* The packets of a trace file, one after the other: plain ones, those in compressed packets, and what is left behind
 * damage. Fillers are stepped over. Memory is one window, or one field of compressed packets, however large the file.
 *
 *     walker_open(&walker, &source, &damage);
 *     while (walker_next(&walker, &bytes)) {
 *         ... split the packet; walker_enter(&walker, compressed) where it is one of compressed packets ...
 *     }
 *     walker_close(&walker);
 */
#ifndef MAREY_MODEL_WALKER_H
#define MAREY_MODEL_WALKER_H

#include "format/wire.h"
#include "model/damage.h"
#include "model/source.h"

enum { PACKET_BYTES_MAX = (1 << 28) - 1 }; /* trace_processor's limit of a message */

struct walker {
    struct source *file;
    struct damage *damage; /* counts what is wrong */
    /* in the file, of the packet: of its compressed packets where it came in some */
    uint64_t offset;
    uint64_t filler_bytes;  /* of the file: space not used */
    uint32_t gaps;          /* counts the places where packets are missing */
    int error;              /* at the end: 0, or why reading stopped before it (enum marey_error) */
    int nested;             /* within compressed packets, */
    uint64_t nested_offset; /* which stand there */
    /* Inside: */
    struct source inner;
    uint8_t *plain;                            /* what `inner` reads, owned */
    uint64_t packet_bytes, inner_packet_bytes; /* of the packets handed out: to be skipped */
};

/* The source and the damage stay the caller's. */
void walker_open(struct walker *walker, struct source *source, struct damage *damage);
void walker_close(struct walker *walker);
/* Returns 1 and the next packet's bytes, valid until the next call; 0 at the end. */
int walker_next(struct walker *walker, struct bytes *packet);
/* The next packets are those in this field of the packet just handed out. Not twice in one another: that is a loss. */
void walker_enter(struct walker *walker, struct bytes compressed);
/* The packet just handed out is broken: it counts as missing. */
void walker_lose(struct walker *walker, enum damage_kind kind);

#endif
