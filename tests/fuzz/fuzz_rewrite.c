/* Any bytes are a trace file that is to become part of another: what is made of it is whole, in the numbers that were given
 * out, and as many events as were read. */
#include <stdio.h>
#include <stdlib.h>

#include "marey.h"
#include "model/trace.h"
#include "output/packets.h"
#include "output/renaming.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* What a file's first reading finds. */
static int plan(struct renaming *renaming, struct timebase *timebase, const uint8_t *data,
                size_t size) {
    static const struct listener nobody;
    struct reader reader;
    struct source source;
    uint32_t machine = 0;
    int failed = 0;
    reader_init(&reader);
    reader.listener = &nobody;
    source_open_memory(&source, data, size);
    failed |= reader_read(&reader, &source);
    for (uint32_t i = 0; i < reader.sequence_count; i++) {
        const struct sequence *sequence = &reader.sequences[i];
        failed |=
            map_put(&renaming->sequences, renaming_key(sequence->machine, sequence->id), i + 1);
        if (map_get(&renaming->machines, sequence->machine) == MAP_NONE)
            failed |= map_put(&renaming->machines, sequence->machine, machine++);
    }
    *timebase = reader.timebase;
    timebase_init(&reader.timebase);
    failed |= timebase_settle(timebase);
    reader_free(&reader);
    return failed;
}

static void copy(struct renaming *renaming, const uint8_t *data, size_t size,
                 struct packet_writer *to) {
    static const struct listener nobody;
    struct text message = {.bytes = NULL};
    struct reader reader;
    struct source source;
    struct walker walker;
    struct packet packet;
    reader_init(&reader);
    reader.listener = &nobody;
    source_open_memory(&source, data, size);
    walker_open(&walker, &source, &reader.damage);
    while (reader_next(&reader, &walker, &packet))
        if (renaming_packet(renaming, &reader, &packet, &message) > 0)
            packets_put(to, message_all(&message));
    walker_close(&walker);
    reader_free(&reader);
    text_free(&message);
}

static void check(const char *bytes, size_t size, uint64_t packets, uint32_t sequences) {
    static const enum damage_kind never[] = {DAMAGE_CUT,    DAMAGE_BYTES, DAMAGE_ZEROS,
                                             DAMAGE_PACKET, DAMAGE_SIZE,  DAMAGE_INFLATE};
    struct trace trace;
    int error = trace_read_memory(&trace, bytes, size, TRACE_ARGUMENTS);
    require(!error || error == MAREY_ENOTRACE || error == MAREY_ENOMEM, "it cannot be read");
    require(error || trace.reader.packets == packets, "packets are lost");
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        require(!trace.reader.damage.count[never[i]], "what was written is damaged");
    for (uint32_t i = 0; i < trace.reader.sequence_count; i++)
        require(trace.reader.sequences[i].id <= sequences, "a sequence has no number of ours");
    trace_free(&trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct timebase timebase;
    uint32_t last_track = 0;
    struct renaming renaming = {.timebase = &timebase,
                                .last_track = &last_track,
                                .add_ns = (int64_t)size * 1000,
                                .flow_key = size,
                                .label = size % 2 ? "label" : NULL};
    struct packet_writer writer;
    char *bytes = NULL;
    size_t written = 0;
    FILE *to = open_memstream(&bytes, &written);
    if (to && plan(&renaming, &timebase, data, size) == 0) {
        packets_open(&writer, to, size % 4);
        copy(&renaming, data, size, &writer);
        require(packets_close(&writer) == 0, "memory is short");
        fflush(to);
        if (size % 4 == 0)
            check(bytes, written, writer.packets, renaming.sequences.count);
    }
    timebase_free(&timebase);
    renaming_free(&renaming);
    if (to)
        fclose(to);
    free(bytes);
    return 0;
}
