/* See renaming.h. */
#include "output/renaming.h"

#include <stdio.h>
#include <string.h>

#include "output/display.h"

/* Fields that no reader of Marey's needs, by their numbers in trace_packet.proto. */
enum {
    PACKET__trace_stats = 35,
    PACKET__synchronization_marker = 36,
    PACKET__service_event = 69, /* flushes: behind one a viewer takes no older event */
};

enum { LABEL_ROOM = 512 };

/* A packet on its way. */
struct renamed {
    struct renaming *ids;
    const struct reader *reader;
    const struct packet *packet;
    struct text *out;
    int failed; /* memory is short, or there are too many tracks */
    int broken; /* the field at hand is */
    int has_content;
};

/* The next field of a message inside the packet. */
static int next(struct renamed *self, const uint8_t **at, const uint8_t *end, struct field *field) {
    int state = wire_next(at, end, field);
    self->broken |= state < 0;
    return state > 0;
}

uint64_t renaming_key(uint32_t machine, uint64_t id) {
    return machine ? map_spread(id, machine) : id;
}

/* Track 0 is the trace itself and stays that, where `of_trace` says so. */
static uint64_t rename_track(struct renamed *self, uint64_t uuid, int of_trace) {
    struct renaming *ids = self->ids;
    uint64_t key = renaming_key(self->packet->machine, uuid);
    if (!uuid && of_trace)
        return 0;
    uint32_t known = map_get(&ids->tracks, key);
    if (known != MAP_NONE)
        return known;
    if (*ids->last_track >= RENAMED_TRACKS_MAX ||
        map_put(&ids->tracks, key, *ids->last_track + 1)) {
        self->failed = 1;
        return 0;
    }
    return ++*ids->last_track;
}

static uint64_t rename_flow(const struct renamed *self, uint64_t id) {
    return self->ids->flow_key ? id ^ self->ids->flow_key : id;
}

/* A time of one of the trace's clocks (by Perfetto's number; 0: none said) in the common one. Returns 0 or -1. */
static int common_time(const struct renamed *self, uint64_t clock_id, int64_t time_ns,
                       uint64_t *to) {
    struct timebase *timebase = self->ids->timebase;
    uint32_t known = timebase->clocks;
    uint32_t clock = clock_id <= UINT32_MAX ? timebase_clock(timebase, (uint32_t)clock_id)
                                            : (uint32_t)CLOCK_UNKNOWN;
    timebase->clocks = known; /* one that came up since is related to no other */
    if (clock >= known || timebase_convert(timebase, clock, &time_ns))
        return -1;
    if (__builtin_add_overflow(time_ns, self->ids->add_ns, &time_ns) || time_ns < 0)
        return -1;
    *to = (uint64_t)time_ns;
    return 0;
}

static int is_of_sequence(uint64_t clock) {
    return clock >= CLOCK_ID_SEQUENCE && clock < CLOCK_ID_GLOBAL;
}

/* -------------------------------------------------------------------- times */

/* Returns 0, or -1 where an event has a time that cannot be told. */
static int put_time(struct renamed *self) {
    const struct packet *packet = self->packet;
    const struct sequence *sequence = self->reader->taken;
    uint64_t clock = packet->has_clock_id ? packet->clock_id : sequence ? sequence->clock_id : 0;
    uint64_t time;
    if (!packet->has_timestamp)
        return 0;
    if (is_of_sequence(clock)) {
        message_number(self->out, PACKET__timestamp, packet->timestamp);
        if (packet->has_clock_id)
            message_number(self->out, PACKET__timestamp_clock_id, clock);
        return 0;
    }
    if (common_time(self, clock, (int64_t)packet->timestamp, &time)) {
        int matters = packet->event.at || packet->stack_sample.at || packet->perf_sample.at;
        self->ids->lost += matters;
        return -matters;
    }
    message_number(self->out, PACKET__timestamp, time);
    if (sequence && is_of_sequence(sequence->clock_id))
        message_number(self->out, PACKET__timestamp_clock_id, CLOCK_ID_BOOTTIME);
    return 0;
}

/* The reading's clock, 0 where it says none. */
static uint64_t reading_clock(struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    uint64_t id = 0;
    while (wire_next(&at, end, &field) > 0)
        if (field.number == CLOCK__id && field.wire == WIRE_VARINT)
            id = field.value;
    return id;
}

/* When on the common clock a sequence's own clock was set, as the reader has it. Returns 0 or -1. */
static int anchor_of(const struct renamed *self, uint64_t id, uint64_t *time) {
    const struct sequence *sequence = self->reader->taken;
    for (int i = 0; i < SEQUENCE_CLOCKS_MAX; i++) {
        const struct sequence_clock *clock = &sequence->clocks[i];
        if (clock->id == id && clock->partner != CLOCK_UNKNOWN)
            return common_time(self, self->reader->timebase.ids[clock->partner],
                               (int64_t)(clock->value + clock->offset), time);
    }
    return -1;
}

/* Of a snapshot what belongs to its sequence. */
static void put_snapshot(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t before = self->out->size, opened = message_open(self->out, PACKET__clock_snapshot);
    int any = 0;
    while (self->reader->taken && next(self, &at, end, &field)) {
        uint64_t time, id = field.wire == WIRE_BYTES ? reading_clock(field.bytes) : 0;
        if (field.number != CLOCK_SNAPSHOT__clocks || !is_of_sequence(id))
            continue;
        if (!any && anchor_of(self, id, &time) == 0) {
            size_t reading = message_open(self->out, CLOCK_SNAPSHOT__clocks);
            message_number(self->out, CLOCK__id, CLOCK_ID_BOOTTIME);
            message_number(self->out, CLOCK__timestamp, time);
            message_close(self->out, reading);
            any = 1;
        }
        if (any)
            message_field(self->out, &field);
    }
    if (any)
        message_close(self->out, opened);
    else
        self->out->size = before;
    self->has_content |= any;
}

/* ------------------------------------------------------------------- tracks */

/* A message of which some numbers are ids of tracks. */
static void put_event_defaults(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, DEFAULTS__track_event_defaults);
    while (next(self, &at, end, &field)) {
        switch (field.number << 3 | field.wire) {
        case TAG(EVENT_DEFAULTS__track_uuid, WIRE_VARINT):
        case TAG(EVENT_DEFAULTS__extra_counter_track_uuids, WIRE_VARINT):
        case TAG(EVENT_DEFAULTS__extra_double_counter_track_uuids, WIRE_VARINT):
            field.value = rename_track(self, field.value, 0);
            break;
        default: break;
        }
        message_field(self->out, &field);
    }
    message_close(self->out, opened);
}

/* Of clocks only the sequence's own stay a default: times of the others are on the common clock, which is no default's
 * to name. */
static void put_defaults(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, PACKET__trace_packet_defaults);
    while (next(self, &at, end, &field)) {
        int is_clock = field.number == DEFAULTS__timestamp_clock_id && field.wire == WIRE_VARINT;
        if (field.number == DEFAULTS__track_event_defaults && field.wire == WIRE_BYTES)
            put_event_defaults(self, field.bytes);
        else if (!is_clock || is_of_sequence(field.value))
            message_field(self->out, &field);
    }
    message_close(self->out, opened);
}

/* "label: name". */
static void put_labelled(struct renamed *self, const struct field *field, const char *label) {
    char text[LABEL_ROOM];
    const char *name = (const char *)field->bytes.at;
    if (!label) {
        message_field(self->out, field);
        return;
    }
    int label_bytes = (int)character_cut(label, strlen(label), sizeof text / 2 - 3);
    size_t size = (size_t)snprintf(text, sizeof text / 2, "%.*s: ", label_bytes, label);
    size_t rest = character_cut(name, field->bytes.size, sizeof text - size);
    memcpy(text + size, name, rest);
    message_bytes(self->out, field->number, text, size + rest);
}

static void put_process(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, TRACK_DESCRIPTOR__process);
    while (next(self, &at, end, &field)) {
        switch (field.number << 3 | field.wire) {
        case TAG(PROCESS__process_name, WIRE_BYTES):
            put_labelled(self, &field, self->ids->label);
            break;
        case TAG(PROCESS__start_timestamp_ns, WIRE_VARINT):
            field.value += (uint64_t)self->ids->add_ns;
            if ((int64_t)field.value >= 0)
                message_field(self->out, &field);
            break;
        default: message_field(self->out, &field); break;
        }
    }
    message_close(self->out, opened);
}

static void put_descriptor(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, PACKET__track_descriptor);
    while (next(self, &at, end, &field)) {
        switch (field.number << 3 | field.wire) {
        case TAG(TRACK_DESCRIPTOR__uuid, WIRE_VARINT):
        case TAG(TRACK_DESCRIPTOR__parent_uuid, WIRE_VARINT):
            field.value = rename_track(self, field.value, 1);
            message_field(self->out, &field);
            break;
        case TAG(TRACK_DESCRIPTOR__process, WIRE_BYTES): put_process(self, field.bytes); break;
        default: message_field(self->out, &field); break;
        }
    }
    message_close(self->out, opened);
}

/* Where an event is that says nothing of it: on the default track of its sequence, else on one of its file's own. */
static void put_default_track(struct renamed *self) {
    const struct reader *reader = self->reader;
    if (!reader->taken || reader->tracks.all[reader->taken->track].uuid == 0)
        message_number(self->out, EVENT__track_uuid, rename_track(self, 0, 0));
}

static void put_event(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, PACKET__track_event);
    int has_track = 0, has_type = 0, is_legacy = 0;
    while (next(self, &at, end, &field)) {
        switch (field.number << 3 | field.wire) {
        case TAG(EVENT__track_uuid, WIRE_VARINT):
            has_track = 1;
            field.value = rename_track(self, field.value, 0);
            break;
        case TAG(EVENT__extra_counter_track_uuids, WIRE_VARINT):
        case TAG(EVENT__extra_double_counter_track_uuids, WIRE_VARINT):
            field.value = rename_track(self, field.value, 0);
            break;
        case TAG(EVENT__flow_ids, WIRE_FIXED64):
        case TAG(EVENT__terminating_flow_ids, WIRE_FIXED64):
        case TAG(EVENT__flow_ids_old, WIRE_VARINT):
        case TAG(EVENT__terminating_flow_ids_old, WIRE_VARINT):
            field.value = rename_flow(self, field.value);
            break;
        case TAG(EVENT__type, WIRE_VARINT): has_type = 1; break;
        case TAG(EVENT__legacy_event, WIRE_BYTES): is_legacy = 1; break;
        default: break;
        }
        message_field(self->out, &field);
    }
    if (!has_track && has_type && !is_legacy)
        put_default_track(self);
    message_close(self->out, opened);
}

/* ------------------------------------------------------------ other messages */

/* The first word of a process's command line is the name that is shown. */
static void put_listed_process(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, PROCESS_TREE__processes);
    int named = 0;
    while (next(self, &at, end, &field)) {
        if (field.number == TREE_PROCESS__cmdline && field.wire == WIRE_BYTES && !named++)
            put_labelled(self, &field, self->ids->label);
        else
            message_field(self->out, &field);
    }
    message_close(self->out, opened);
}

static void put_process_tree(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, PACKET__process_tree);
    while (next(self, &at, end, &field)) {
        if (field.number == PROCESS_TREE__processes && field.wire == WIRE_BYTES)
            put_listed_process(self, field.bytes);
        else
            message_field(self->out, &field);
    }
    message_close(self->out, opened);
}

static void put_attribute(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, TRACE_ATTRIBUTES__attribute);
    while (next(self, &at, end, &field)) {
        if (field.number == ATTRIBUTE__key && field.wire == WIRE_BYTES)
            put_labelled(self, &field, self->ids->attribute_label);
        else
            message_field(self->out, &field);
    }
    message_close(self->out, opened);
}

static void put_attributes(struct renamed *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    size_t opened = message_open(self->out, PACKET__trace_attributes);
    while (next(self, &at, end, &field)) {
        if (field.number == TRACE_ATTRIBUTES__attribute && field.wire == WIRE_BYTES)
            put_attribute(self, field.bytes);
        else
            message_field(self->out, &field);
    }
    message_close(self->out, opened);
}

static void put_content(struct renamed *self, const struct field *field) {
    switch (field->number << 3 | field->wire) {
    case TAG(PACKET__timestamp, WIRE_VARINT):
    case TAG(PACKET__timestamp_clock_id, WIRE_VARINT):
    case TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT):
    case TAG(PACKET__machine_id, WIRE_VARINT):
    case TAG(PACKET__trace_uuid, WIRE_BYTES):
    case TAG(PACKET__trace_stats, WIRE_BYTES):
    case TAG(PACKET__synchronization_marker, WIRE_BYTES):
    case TAG(PACKET__service_event, WIRE_BYTES):
    case TAG(PACKET__zstd_compressed_packets, WIRE_BYTES): return;
    case TAG(PACKET__clock_snapshot, WIRE_BYTES): put_snapshot(self, field->bytes); return;
    case TAG(PACKET__trace_packet_defaults, WIRE_BYTES): put_defaults(self, field->bytes); break;
    case TAG(PACKET__track_descriptor, WIRE_BYTES): put_descriptor(self, field->bytes); break;
    case TAG(PACKET__track_event, WIRE_BYTES): put_event(self, field->bytes); break;
    case TAG(PACKET__process_tree, WIRE_BYTES): put_process_tree(self, field->bytes); break;
    case TAG(PACKET__trace_attributes, WIRE_BYTES): put_attributes(self, field->bytes); break;
    default: message_field(self->out, field); break;
    }
    self->has_content = 1;
}

/* A field that is broken inside is left out. The packet stays: the times behind it count on from it. */
static void put_packet_field(struct renamed *self, const struct field *field) {
    size_t before = self->out->size;
    self->broken = 0;
    put_content(self, field);
    if (self->broken)
        self->out->size = before;
}

/* Whose packet it is: the fields in front. */
static int put_owner(struct renamed *self) {
    const struct packet *packet = self->packet;
    uint64_t key = renaming_key(packet->machine, packet->sequence_id);
    uint32_t machine = map_get(&self->ids->machines, packet->machine);
    if (packet->sequence_id) {
        uint32_t sequence = map_get(&self->ids->sequences, key);
        if (sequence == MAP_NONE)
            return -1; /* it came up while we were reading */
        message_number(self->out, PACKET__trusted_packet_sequence_id, sequence);
    }
    if (machine != MAP_NONE && machine)
        message_number(self->out, PACKET__machine_id, machine);
    return 0;
}

int renaming_packet(struct renaming *ids, const struct reader *reader, const struct packet *packet,
                    struct text *out) {
    struct renamed self = {.ids = ids, .reader = reader, .packet = packet, .out = out};
    const uint8_t *at = packet->all.at, *end = at + packet->all.size;
    struct field field;
    out->size = 0;
    if (put_owner(&self) || put_time(&self))
        return 0;
    while (wire_next(&at, end, &field) > 0)
        put_packet_field(&self, &field);
    if (self.failed || out->failed)
        return -1;
    return self.has_content;
}

void renaming_free(struct renaming *ids) {
    map_free(&ids->sequences);
    map_free(&ids->machines);
    map_free(&ids->tracks);
}
