/* A trace file, written packet by packet: as they are, or many together as one packet of compressed packets, each a
 * complete zlib stream of whole packets (trace_packet.proto, compressed_packets), never one inside another. */
#ifndef MAREY_OUTPUT_PACKETS_H
#define MAREY_OUTPUT_PACKETS_H

#include <stdint.h>
#include <stdio.h>

#include "format/wire.h"

enum {
    /* before compression; Perfetto wants less than 512 KB of each */
    PACKED_BLOCK_BYTES = 500 << 10,
    PACKETS_PLAIN = 0, /* a level: not compressed; others are zlib's 1 to 9 */
};

struct packet_writer {
    FILE *to;
    int level;
    uint64_t packets;     /* put so far */
    uint64_t bytes;       /* written so far */
    uint64_t plain_bytes; /* what they take without compression */
    int error; /* 0, or MAREY_ENOMEM: then nothing more is written. What the file says stays with it */
    uint8_t *block, *packed;
    size_t used;
};

void packets_open(struct packet_writer *writer, FILE *to, int level);
/* One packet's payload. */
void packets_put(struct packet_writer *writer, struct bytes packet);
/* Writes what is left, and frees. Returns 0 or MAREY_ENOMEM; whether the file took it all, the file says. */
int packets_close(struct packet_writer *writer);

#endif
