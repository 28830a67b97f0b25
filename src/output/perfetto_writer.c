/* See perfetto_writer.h. */
#include "output/perfetto_writer.h"

#include "marey.h"

static void begin_anew(struct perfetto *writer) {
    const struct reader *reader = &writer->trace->reader;
    memset(writer->texts, 0, reader->strings.count + 1u);
    memset(writer->sources, 0, reader->arguments.source_count + 1u);
    memset(writer->frames, 0, reader->samples.frame_count + 1u);
    memset(writer->stacks, 0, reader->samples.stack_count + 1u);
    map_free(&writer->contexts);
}

static void put_clock(struct text *snapshot, uint64_t id, int64_t time_ns, int incremental) {
    struct text clock = {0};
    message_number(&clock, CLOCK__id, id);
    message_number(&clock, CLOCK__timestamp, (uint64_t)time_ns);
    if (incremental)
        message_number(&clock, CLOCK__is_incremental, 1);
    message_within(snapshot, CLOCK_SNAPSHOT__clocks, &clock);
    text_free(&clock);
}

/* Ends the packet: who writes it. */
static void finish(struct perfetto *writer, uint64_t flags) {
    struct text *packet = &writer->packet;
    message_number(packet, PACKET__trusted_packet_sequence_id, writer->sequence);
    if (flags)
        message_number(packet, PACKET__sequence_flags, flags);
    if (writer->machine)
        message_number(packet, PACKET__machine_id, writer->machine);
    if (packet->failed)
        writer->error = MAREY_ENOMEM;
    else
        packets_put(&writer->packets, (struct bytes){(uint8_t *)packet->bytes, packet->size});
    packet->size = 0;
}

void perfetto_start(struct perfetto *writer, uint32_t sequence, uint32_t machine,
                    struct text *defaults) {
    struct text snapshot = {0};
    int anew = !writer->started || writer->sequence != sequence || writer->machine != machine;
    writer->sequence = sequence;
    writer->machine = machine;
    writer->started = 1;
    writer->time_ns = writer->trace->first_ns;
    if (anew)
        begin_anew(writer);
    put_clock(&snapshot, writer->clock, writer->time_ns, 0);
    put_clock(&snapshot, CLOCK_ID_SEQUENCE, 0, 1);
    message_within(&writer->packet, PACKET__clock_snapshot, &snapshot);
    message_number(defaults, DEFAULTS__timestamp_clock_id, CLOCK_ID_SEQUENCE);
    message_within(&writer->packet, PACKET__trace_packet_defaults, defaults);
    finish(writer, anew ? SEQUENCE_STATE_CLEARED : SEQUENCE_NEEDS_STATE);
    text_free(&snapshot);
    text_free(defaults);
}

void perfetto_put_alone(struct perfetto *writer) {
    writer->sequence = EVENT_SEQUENCE;
    finish(writer, 0);
}

void perfetto_put(struct perfetto *writer, int64_t time_ns) {
    message_number(&writer->packet, PACKET__timestamp, (uint64_t)(time_ns - writer->time_ns));
    writer->time_ns = time_ns;
    if (writer->interned.size)
        message_within(&writer->packet, PACKET__interned_data, &writer->interned);
    finish(writer, SEQUENCE_NEEDS_STATE);
}

void perfetto_clean(struct text *to, unsigned field, const char *text) {
    const char *end = text + strlen(text), *at = text;
    while (at < end) {
        struct character one = character_at(at, end);
        if (one.code < 0)
            break;
        at += one.bytes;
    }
    if (at == end) {
        message_bytes(to, field, text, (size_t)(end - text));
        return;
    }
    struct text clean = {0};
    for (at = text; at < end;) {
        struct character one = character_at(at, end);
        if (one.code < 0)
            text_add(&clean, "\xef\xbf\xbd");
        else
            text_add_bytes(&clean, at, one.bytes);
        at += one.bytes;
    }
    message_within(to, field, &clean);
    text_free(&clean);
}

uint32_t perfetto_text(struct perfetto *writer, uint32_t string, enum said as, unsigned field) {
    if (writer->texts[string] & as)
        return string;
    writer->texts[string] |= (uint8_t)as;
    message_number(&writer->entry, INTERNED_ENTRY__iid, string);
    perfetto_clean(&writer->entry, INTERNED_ENTRY__name, trace_text(writer->trace, string));
    message_within(&writer->interned, field, &writer->entry);
    return string;
}
