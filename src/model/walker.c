/* See walker.h. */
#include "model/walker.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/inflate.h"

enum {
    ROOT_HEAD_BYTES = 2 * VARINT_MAX, /* tag and length */
    SEARCH_BYTES = 64 << 10,          /* looked at in one piece, behind damage */
    CHAIN = 3,                        /* packets in a row that nothing but packets look like */
    CHAIN_FIELDS = 64,                /* fields looked at in each */
};

void walker_open(struct walker *self, struct source *source, struct damage *damage) {
    *self = (struct walker){.file = source, .damage = damage};
}

static void leave(struct walker *self) {
    free(self->plain);
    self->plain = NULL;
    self->nested = 0;
    self->inner_packet_bytes = 0;
}

void walker_close(struct walker *self) {
    leave(self);
}

/* Where in the file it stands. */
static uint64_t here(const struct walker *self, const struct source *source) {
    return self->nested ? self->nested_offset : source->offset;
}

static void lose(struct walker *self, enum damage_kind kind, uint64_t offset) {
    damage_add(self->damage, kind, offset);
    self->gaps++;
}

void walker_lose(struct walker *self, enum damage_kind kind) {
    lose(self, kind, self->offset);
}

/* Whether a packet's frame is right: whole fields, the known ones of their type, one of them there. */
static int is_packet(struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state, known = 0;
    for (int i = 0; i < CHAIN_FIELDS && (state = wire_next(&at, end, &field)) != 0; i++) {
        if (state < 0)
            return 0;
        switch (field.number) {
        case PACKET__timestamp:
        case PACKET__trusted_packet_sequence_id:
        case PACKET__sequence_flags:
            if (field.wire != WIRE_VARINT)
                return 0;
            known++;
            break;
        case PACKET__track_event:
        case PACKET__interned_data:
        case PACKET__track_descriptor:
        case PACKET__clock_snapshot:
        case PACKET__compressed_packets:
            if (field.wire != WIRE_BYTES)
                return 0;
            known++;
            break;
        default: break;
        }
    }
    return known > 0;
}

/* Whether packets begin at `at`: a few in a row, or as many as there are until a filler or the end. */
static int begins_packets(const uint8_t *at, const uint8_t *end, int is_end) {
    struct field field;
    for (int found = 0; found < CHAIN; found++) {
        if (at == end)
            return is_end && found > 0;
        if (*at == TAG(TRACE__filler, WIRE_BYTES))
            return found > 0;
        if (*at != TAG(TRACE__packet, WIRE_BYTES) || wire_next(&at, end, &field) <= 0 ||
            !is_packet(field.bytes))
            return 0;
    }
    return 1;
}

/* How many bytes from `at` on are no beginning of packets. */
static size_t search(const uint8_t *at, const uint8_t *end, int is_end) {
    const uint8_t *next = at;
    while ((next = memchr(next, TAG(TRACE__packet, WIRE_BYTES), (size_t)(end - next)))) {
        if (begins_packets(next, end, is_end))
            return (size_t)(next - at);
        next++;
    }
    return (size_t)(end - at);
}

/* Steps over at least one byte, to the next place where packets begin, or to the end. Returns how far it went. */
static uint64_t resynchronise(struct walker *self, struct source *source) {
    uint64_t from = source->offset;
    source_skip(source, 1);
    for (;;) {
        size_t have = source_have(source, SEARCH_BYTES);
        size_t look = have < SEARCH_BYTES ? have : SEARCH_BYTES;
        int is_end = source->ended && look == have;
        size_t skip = search(source->at, source->at + look, is_end);
        if (skip < look || is_end) {
            source_skip(source, skip);
            break;
        }
        /* A chain may begin in what was looked at and go on behind it: look at the second half again. */
        source_skip(source, SEARCH_BYTES / 2);
    }
    self->damage->skipped_bytes += source->offset - from;
    return source->offset - from;
}

static void lose_bytes(struct walker *self, struct source *source) {
    lose(self, DAMAGE_BYTES, here(self, source));
    resynchronise(self, source);
}

/* A packet that says it is longer than what is left. Behind a wrong length there may be more; a file that was cut off
 * has nothing behind. */
static void lose_end(struct walker *self, struct source *source) {
    uint64_t offset = here(self, source), skipped = self->damage->skipped_bytes;
    resynchronise(self, source);
    if (source->at != source->end) {
        lose(self, DAMAGE_BYTES, offset);
        return;
    }
    self->damage->skipped_bytes = skipped;
    lose(self, DAMAGE_CUT, offset);
}

static void skip_zeros(struct walker *self, struct source *source) {
    uint64_t from = source->offset, offset = here(self, source);
    while (source_have(source, 1)) {
        const uint8_t *at = source->at;
        while (at < source->end && *at == 0)
            at++;
        source_skip(source, (uint64_t)(at - source->at));
        if (source->at < source->end)
            break;
        source_skip_hole(source);
    }
    if (source->at == source->end) {
        damage_add(self->damage, NOTE_TAIL, offset);
        return;
    }
    lose(self, DAMAGE_ZEROS, offset);
    self->damage->skipped_bytes += source->offset - from;
}

/* A field of the root that is no packet: a filler, or something newer than this reader. */
static void skip_other(struct walker *self, struct source *source, size_t head, uint64_t length) {
    uint64_t from = source->offset, offset = here(self, source);
    source_skip(source, head);
    if (source_skip(source, length) < length)
        lose(self, DAMAGE_CUT, offset);
    if (!self->nested)
        self->filler_bytes += source->offset - from;
}

/* One field of the root. Returns 1 where it is a packet, of which *packet is the payload. */
static int take_root(struct walker *self, struct source *source, struct bytes *packet) {
    size_t have = source_have(source, ROOT_HEAD_BYTES);
    uint64_t tag, length = 0;
    if (*source->at == 0) {
        skip_zeros(self, source);
        return 0;
    }
    const uint8_t *next = wire_number(source->at, source->end, &tag);
    if (next && (tag & 7) == WIRE_BYTES && tag >> 3 && tag >> 3 <= FIELD_NUMBER_MAX)
        next = wire_number(next, source->end, &length);
    else if (next || have >= VARINT_MAX) {
        lose_bytes(self, source);
        return 0;
    }
    if (!next) {
        lose_end(self, source);
        return 0;
    }
    size_t head = (size_t)(next - source->at);
    if (tag != TAG(TRACE__packet, WIRE_BYTES)) {
        skip_other(self, source, head, length);
    } else if (length > PACKET_BYTES_MAX) {
        lose(self, DAMAGE_SIZE, here(self, source));
        resynchronise(self, source);
    } else if (source_have(source, head + length) < head + length) {
        lose_end(self, source);
    } else {
        *packet = (struct bytes){source->at + head, (size_t)length};
        return 1;
    }
    return 0;
}

/* The next packet of one level. Returns 0 at its end. */
static int next_of(struct walker *self, struct source *source, uint64_t *taken,
                   struct bytes *packet) {
    source_skip(source, *taken);
    *taken = 0;
    while (source_have(source, 1)) {
        if (take_root(self, source, packet)) {
            self->offset = here(self, source);
            *taken = (uint64_t)(packet->at + packet->size - source->at);
            return 1;
        }
    }
    return 0;
}

/* A short packet behind the one before, in the window: what most calls find. */
static int next_short(struct walker *self, struct bytes *packet) {
    struct source *file = self->file;
    const uint8_t *at = file->at + self->packet_bytes;
    if (self->nested || file->end - at < 2 || at[0] != TAG(TRACE__packet, WIRE_BYTES) ||
        at[1] >= 0x80 || at[1] > file->end - at - 2)
        return 0;
    file->at = at;
    self->offset = file->offset += self->packet_bytes;
    self->packet_bytes = 2 + (uint64_t)at[1];
    *packet = (struct bytes){at + 2, at[1]};
    return 1;
}

int walker_next(struct walker *self, struct bytes *packet) {
    struct source *file = self->file;
    if (next_short(self, packet))
        return 1;
    if (self->nested && next_of(self, &self->inner, &self->inner_packet_bytes, packet))
        return 1;
    leave(self);
    if (next_of(self, file, &self->packet_bytes, packet))
        return 1;
    if (file->compressed && file->error == MAREY_EINVAL)
        lose(self, DAMAGE_GZIP, file->offset);
    else
        self->error = file->error;
    return 0;
}

void walker_enter(struct walker *self, struct bytes compressed) {
    size_t size;
    if (self->nested) {
        damage_add(self->damage, LOSS_NESTED, self->offset);
    } else if (inflate_bytes(compressed, &self->plain, &size)) {
        lose(self, DAMAGE_INFLATE, self->offset);
    } else {
        source_open_memory(&self->inner, self->plain, size);
        self->nested = 1;
        self->nested_offset = self->offset;
    }
}
