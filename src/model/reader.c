/* See reader.h: the file as a whole. */
#include "model/reader.h"

#include "model/grow.h"
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
    map_free(&self->sequence_places);
    strings_free(&self->strings);
    tracks_free(&self->tracks);
    samples_free(&self->samples);
    process_tree_free(&self->tree);
    timebase_free(&self->timebase);
    arguments_free(&self->arguments);
    *self = (struct reader){0};
}

int reader_next(struct reader *self, struct walker *walker, struct packet *packet) {
    struct bytes bytes;
    while (!self->error && walker_next(walker, &bytes)) {
        if (packet_split(packet, bytes, walker->offset)) {
            walker_lose(walker, DAMAGE_PACKET);
            continue;
        }
        self->damage_epoch = walker->gaps;
        self->packets++;
        if (!packet->compressed.at) {
            packet_read(self, packet);
            return 1;
        }
        walker_enter(walker, packet->compressed);
    }
    if (!self->error)
        self->error = walker->error;
    self->damage_epoch = walker->gaps;
    return 0;
}

int reader_read(struct reader *self, struct source *source) {
    uint64_t from = source->offset;
    struct walker walker;
    struct packet packet;
    walker_open(&walker, source, &self->damage);
    while (reader_next(self, &walker, &packet)) {
    }
    self->compressed |= source->compressed != 0;
    self->filler_bytes += walker.filler_bytes;
    self->file_bytes += source->offset - from;
    walker_close(&walker);
    return self->error;
}
