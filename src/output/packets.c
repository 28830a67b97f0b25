/* See packets.h. */
#include "output/packets.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "marey.h"

enum { HEAD_MAX = 1 + VARINT_MAX };

/* Head of a length-delimited field. Returns its size. */
static size_t put_head(uint8_t *to, uint32_t field, size_t size) {
    uint8_t *at = varint_put(to, TAG(field, WIRE_BYTES));
    return (size_t)(varint_put(at, size) - to);
}

static void write_bytes(struct packet_writer *self, const void *bytes, size_t size) {
    self->bytes += fwrite(bytes, 1, size, self->to);
}

void packets_open(struct packet_writer *self, FILE *to, int level) {
    *self = (struct packet_writer){.to = to, .level = level};
    if (level == PACKETS_PLAIN)
        return;
    self->block = malloc(PACKED_BLOCK_BYTES);
    self->packed = malloc(compressBound(PACKED_BLOCK_BYTES));
    if (!self->block || !self->packed)
        self->error = MAREY_ENOMEM;
}

static void write_plain(struct packet_writer *self, struct bytes packet) {
    uint8_t head[HEAD_MAX];
    size_t head_bytes = put_head(head, TRACE__packet, packet.size);
    write_bytes(self, head, head_bytes);
    write_bytes(self, packet.at, packet.size);
}

/* The block's packets as one. */
static void write_block(struct packet_writer *self) {
    uLongf size = compressBound(PACKED_BLOCK_BYTES);
    uint8_t inner[HEAD_MAX], outer[HEAD_MAX];
    if (!self->used)
        return;
    if (compress2(self->packed, &size, self->block, self->used, self->level) != Z_OK) {
        self->error = MAREY_ENOMEM;
        return;
    }
    size_t inner_size = put_head(inner, PACKET__compressed_packets, size);
    write_bytes(self, outer, put_head(outer, TRACE__packet, inner_size + size));
    write_bytes(self, inner, inner_size);
    write_bytes(self, self->packed, size);
    self->used = 0;
}

/* A packet larger than a block stands by itself, as it is. */
static void add_to_block(struct packet_writer *self, struct bytes packet) {
    size_t room = PACKED_BLOCK_BYTES - self->used;
    if (room < HEAD_MAX + packet.size) {
        write_block(self);
        room = PACKED_BLOCK_BYTES;
    }
    if (self->error)
        return;
    if (room < HEAD_MAX + packet.size) {
        write_plain(self, packet);
        return;
    }
    self->used += put_head(self->block + self->used, TRACE__packet, packet.size);
    memcpy(self->block + self->used, packet.at, packet.size);
    self->used += packet.size;
}

void packets_put(struct packet_writer *self, struct bytes packet) {
    if (self->error)
        return;
    self->packets++;
    self->plain_bytes += 1 + varint_size(packet.size) + packet.size;
    if (self->level == PACKETS_PLAIN)
        write_plain(self, packet);
    else
        add_to_block(self, packet);
}

int packets_close(struct packet_writer *self) {
    if (!self->error && self->level != PACKETS_PLAIN)
        write_block(self);
    free(self->block);
    free(self->packed);
    self->block = self->packed = NULL;
    return self->error;
}
