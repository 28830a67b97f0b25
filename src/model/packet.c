/* See packet.h: a packet's frame, the state of its sequence, its time. */
#include "model/packet.h"

#include "model/grow.h"

static void take_number(struct packet *packet, const struct field *field) {
    switch (field->number) {
    case PACKET__timestamp:
        packet->timestamp = field->value;
        packet->has_timestamp = 1;
        break;
    case PACKET__trusted_packet_sequence_id: packet->sequence_id = field->value; break;
    case PACKET__sequence_flags: packet->flags = field->value; break;
    case PACKET__incremental_state_cleared: packet->cleared = field->value != 0; break;
    case PACKET__previous_packet_dropped: packet->dropped_before = field->value != 0; break;
    case PACKET__machine_id: packet->machine = (uint32_t)field->value; break;
    case PACKET__timestamp_clock_id:
        packet->clock_id = field->value;
        packet->has_clock_id = 1;
        break;
    default: break;
    }
}

static void take_bytes(struct packet *packet, const struct field *field) {
    switch (field->number) {
    case PACKET__track_event: packet->event = field->bytes; break;
    case PACKET__interned_data: packet->interned = field->bytes; break;
    case PACKET__trace_packet_defaults: packet->defaults = field->bytes; break;
    case PACKET__clock_snapshot: packet->snapshot = field->bytes; break;
    case PACKET__track_descriptor: packet->descriptor = field->bytes; break;
    case PACKET__trace_attributes: packet->attributes = field->bytes; break;
    case PACKET__compressed_packets: packet->compressed = field->bytes; break;
    case PACKET__zstd_compressed_packets: packet->zstd = 1; break;
    case PACKET__perf_sample: packet->perf_sample = field->bytes; break;
    case PACKET__stack_sample: packet->stack_sample = field->bytes; break;
    case PACKET__process_tree: packet->process_tree = field->bytes; break;
    default: break;
    }
}

int packet_split(struct packet *packet, struct bytes bytes, uint64_t offset) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    *packet = (struct packet){.offset = offset, .all = bytes};
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.wire == WIRE_VARINT)
            take_number(packet, &field);
        else if (field.wire == WIRE_BYTES)
            take_bytes(packet, &field);
    }
    return state;
}

void reader_out_of_memory(struct reader *reader) {
    if (!reader->error)
        reader->error = MAREY_ENOMEM;
}

/* The state of a sequence, new or known. NULL where there are too many or memory is short. */
static struct sequence *find_sequence(struct reader *reader, uint64_t id) {
    struct sequence *recent = reader->recent_sequence < reader->sequence_count
                                  ? &reader->sequences[reader->recent_sequence]
                                  : NULL;
    uint64_t key = (uint64_t)reader->machine << 32 | id; /* each machine counts its own */
    if (recent && recent->id == id && recent->machine == reader->machine)
        return recent;
    uint32_t place = map_get(&reader->sequence_places, key);
    if (place == MAP_NONE) {
        if (reader->sequence_count >= SEQUENCES_MAX)
            return NULL;
        uint32_t track = tracks_find(&reader->tracks, 0);
        place = reader->sequence_count;
        if (track == MAP_NONE || GROW(reader->sequences, place, reader->sequence_capacity) ||
            map_put(&reader->sequence_places, key, place)) {
            reader_out_of_memory(reader);
            return NULL;
        }
        reader->sequences[place] =
            (struct sequence){.id = (uint32_t)id, .machine = reader->machine, .track = track};
        reader->sequence_count++;
    }
    reader->recent_sequence = place;
    return &reader->sequences[place];
}

static void update_state(struct reader *reader, struct sequence *sequence,
                         const struct packet *packet) {
    if (packet->dropped_before)
        sequence->valid = 0;
    if (packet->flags & SEQUENCE_STATE_CLEARED || packet->cleared)
        sequence_clear(sequence, tracks_find(&reader->tracks, 0));
    if (packet->interned.at && sequence->valid && interned_read(reader, sequence, packet))
        damage_add(&reader->damage, DAMAGE_INTERNED, packet->offset);
    if (packet->defaults.at && defaults_read(reader, sequence, packet->defaults))
        damage_add(&reader->damage, DAMAGE_CLOCK, packet->offset);
}

/* The time of a packet on a clock of its sequence. Deltas count on, whatever becomes of the packet. */
static int sequence_time(struct reader *reader, struct sequence *sequence, uint32_t id,
                         struct event *event, uint64_t timestamp) {
    struct sequence_clock *clock = sequence_clock(sequence, id);
    if (!clock || !clock->unit_ns)
        return reader->damage_epoch ? DAMAGE_TIME : DAMAGE_NO_CLOCK;
    clock->value = (clock->incremental ? clock->value : 0) + timestamp * clock->unit_ns;
    if (clock->incremental && clock->damage != reader->damage_epoch)
        return DAMAGE_TIME;
    if (clock->partner == CLOCK_UNKNOWN)
        return DAMAGE_NO_CLOCK;
    event->time_ns = (int64_t)(clock->value + clock->offset);
    event->clock = (uint8_t)clock->partner;
    return -1;
}

int packet_time(struct reader *reader, struct sequence *sequence, uint64_t id, uint64_t timestamp,
                struct event *event) {
    if (id >= CLOCK_ID_SEQUENCE && id < CLOCK_ID_GLOBAL && sequence)
        return sequence_time(reader, sequence, (uint32_t)id, event, timestamp);
    uint32_t clock = id <= UINT32_MAX ? timebase_clock(&reader->timebase, (uint32_t)id)
                                      : (uint32_t)CLOCK_UNKNOWN;
    if (clock == CLOCK_UNKNOWN)
        return LOSS_LIMIT;
    event->time_ns = (int64_t)timestamp;
    event->clock = (uint8_t)clock;
    return -1;
}

/* Whether an event can be understood. Returns -1, or what is wrong. */
static int check_state(const struct reader *reader, const struct sequence *sequence,
                       const struct packet *packet) {
    if (!packet->sequence_id)
        return DAMAGE_SEQUENCE;
    if (!sequence)
        return LOSS_LIMIT;
    if (packet->flags & SEQUENCE_NEEDS_STATE && !sequence->valid)
        return DAMAGE_STATE;
    if (reader->damage_epoch && !sequence->generation && !packet->has_clock_id)
        return DAMAGE_STATE; /* the packet that said what its times mean may be missing */
    return packet->has_timestamp ? -1 : DAMAGE_TIME;
}

static void read_timed(struct reader *reader, struct sequence *sequence,
                       const struct packet *packet, struct event *event, int time_wrong) {
    int wrong = check_state(reader, sequence, packet);
    if (wrong < 0)
        wrong = time_wrong;
    if (wrong >= 0)
        damage_add(&reader->damage, (enum damage_kind)wrong, packet->offset);
    else if (packet->event.at)
        event_read(reader, sequence, packet, event);
    else
        sample_read(reader, sequence, packet, event);
}

static uint64_t packet_clock(const struct packet *packet, const struct sequence *sequence) {
    return packet->has_clock_id ? packet->clock_id : sequence ? sequence->clock_id : 0;
}

void packet_read(struct reader *reader, const struct packet *packet) {
    struct event event = {0};
    struct sequence *sequence = NULL;
    int time_wrong = -1;
    reader->machine = packet->machine;
    reader->taken = NULL;
    if (packet->sequence_id && packet->sequence_id <= UINT32_MAX)
        sequence = find_sequence(reader, packet->sequence_id);
    if (sequence)
        update_state(reader, sequence, packet);
    reader->taken = sequence;
    if (packet->snapshot.at) {
        /* As trace_processor: nothing else in such a packet counts. */
        if (snapshot_read(reader, sequence, packet->snapshot))
            damage_add(&reader->damage, DAMAGE_CLOCK, packet->offset);
        return;
    }
    if (packet->has_timestamp)
        time_wrong = packet_time(reader, sequence, packet_clock(packet, sequence),
                                 packet->timestamp, &event);
    if (packet->descriptor.at && descriptor_read(reader, packet))
        damage_add(&reader->damage, DAMAGE_DESCRIPTOR, packet->offset);
    if (packet->attributes.at && attributes_read(reader, packet->attributes))
        damage_add(&reader->damage, DAMAGE_PACKET, packet->offset);
    if (packet->process_tree.at && process_tree_read(reader, packet->process_tree))
        damage_add(&reader->damage, DAMAGE_DESCRIPTOR, packet->offset);
    if (packet->zstd)
        damage_add(&reader->damage, LOSS_ZSTD, packet->offset);
    if (packet->event.at || packet->stack_sample.at || packet->perf_sample.at)
        read_timed(reader, sequence, packet, &event, time_wrong);
}
