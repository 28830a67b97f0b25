/* See reader.h: the file as a whole. */
#include "model/reader.h"

#include "model/foreign.h"
#include "model/grow.h"
#include "model/json.h"
#include "model/packet.h"
#include "model/walker.h"

void reader_init(struct reader *self) {
    *self = (struct reader){0};
    timebase_init(&self->timebase);
    self->error_key = strings_add_text(&self->strings, "error");
    self->exception_key = strings_add_text(&self->strings, "exception");
}

void reader_free(struct reader *self) {
    for (uint32_t i = 0; i < self->sequence_count; i++)
        sequence_free(&self->sequences[i]);
    free(self->sequences);
    free(self->attributes);
    free(self->flows);
    free(self->loose_flows.all);
    map_free(&self->sequence_places);
    strings_free(&self->strings);
    tracks_free(&self->tracks);
    samples_free(&self->samples);
    process_tree_free(&self->tree);
    timebase_free(&self->timebase);
    arguments_free(&self->arguments);
    *self = (struct reader){0};
}

/* Returns 1 where it was read; compressed packets are entered, and a broken one is counted. */
static int read_packet(struct reader *self, struct walker *walker, struct bytes bytes,
                       struct packet *packet) {
    if (packet_split(packet, bytes, walker->offset)) {
        walker_lose(walker, DAMAGE_PACKET);
        return 0;
    }
    self->damage_epoch = walker->gaps;
    self->packets++;
    self->is_trace |= packet->compressed.at || packet->zstd;
    if (packet->compressed.at) {
        walker_enter(walker, packet->compressed);
        return 0;
    }
    packet_read(self, packet);
    return 1;
}

static void finish(struct reader *self, const struct walker *walker) {
    if (!self->error)
        self->error = walker->error;
    self->damage_epoch = walker->gaps;
}

/* The texts that the packet alone has said, since there were so many. */
static void forget_texts(struct reader *self, const struct packet *packet, uint32_t strings) {
    const struct arguments *arguments = &self->arguments;
    int is_event = packet->event.at && !packet->interned.at && !packet->descriptor.at &&
                   !packet->attributes.at && !packet->process_tree.at;
    if (is_event && arguments->source_count == self->known_sources)
        strings_forget(&self->strings, strings);
    self->known_sources = arguments->source_count;
}

void reader_forget(struct reader *self, const struct packet *packet, uint32_t strings) {
    struct arguments *arguments = &self->arguments;
    forget_texts(self, packet, strings);
    arguments->value_count = 0;
    if (arguments->detail_count)
        arguments->detail_count = 1;
}

/* Of a packet that was read where there were so many texts, and so much was kept. */
static void forget_unkept(struct reader *self, const struct packet *packet, uint32_t strings,
                          uint64_t kept) {
    if (self->listener)
        reader_forget(self, packet, strings);
    else if (self->chooser && self->kept == kept)
        forget_texts(self, packet, strings);
}

int reader_next(struct reader *self, struct walker *walker, struct packet *packet) {
    struct bytes bytes;
    while (!self->error && walker_next(walker, &bytes))
        if (read_packet(self, walker, bytes, packet))
            return 1;
    finish(self, walker);
    return 0;
}

int reader_is_trace(const struct reader *self) {
    return self->is_trace || self->events || self->samples.count || self->sequence_count ||
           self->timebase.snapshot_count || self->attribute_count || self->tree.process_count ||
           self->tracks.count;
}

void reader_look(struct reader *self, struct source *source) {
    size_t have = source_have(source, FOREIGN_HEAD_BYTES);
    if (!have && source->compressed && source->error) {
        self->looks_like = "a gzip'ed file that is damaged at its beginning";
        return;
    }
    self->looks_like = foreign_kind(
        (struct bytes){source->at, have < FOREIGN_HEAD_BYTES ? have : FOREIGN_HEAD_BYTES});
}

int reader_read(struct reader *self, struct source *source) {
    uint64_t from = source->offset;
    struct walker walker;
    struct packet packet;
    struct bytes bytes;
    reader_look(self, source);
    if (json_is_next(source))
        return json_read(self, source);
    walker_open(&walker, source, &self->damage);
    while (!self->error && walker_next(&walker, &bytes)) {
        self->damage_epoch = walker.gaps;
        uint32_t strings = self->strings.count;
        uint64_t kept = self->kept;
        if (packet_read_short(self, bytes, walker.offset))
            self->packets++;
        else if (read_packet(self, &walker, bytes, &packet))
            forget_unkept(self, &packet, strings, kept);
    }
    finish(self, &walker);
    self->compressed |= source->compressed != 0;
    self->filler_bytes += walker.filler_bytes;
    self->file_bytes += source->offset - from;
    walker_close(&walker);
    return self->error;
}
