/* See packet.h: messages that say how others are to be read: names by number, defaults, clocks. */
#include "model/packet.h"

int interned_text(struct reader *reader, struct sequence *sequence, struct interned *table,
                  struct bytes bytes, uint64_t offset) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    struct bytes text = {NULL, 0};
    uint64_t id = 0;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number == INTERNED_ENTRY__iid && field.wire == WIRE_VARINT)
            id = field.value;
        else if (field.number == INTERNED_ENTRY__name && field.wire == WIRE_BYTES)
            text = field.bytes;
    }
    if (state < 0)
        return -1;
    uint32_t number = strings_add(&reader->strings, text);
    int known = interned_put(table, sequence->generation, id, number);
    if (known < 0)
        reader_out_of_memory(reader);
    else if (known && interned_get(table, sequence->generation, id) != number)
        damage_add(&reader->damage, NOTE_TWICE, offset);
    return 0;
}

/* A source location by number. */
static int interned_source(struct reader *reader, struct sequence *sequence, struct bytes bytes) {
    uint64_t id = 0;
    uint32_t place = source_read(reader, bytes, &id);
    if (place == MAP_NONE)
        return -1;
    if (interned_put(&sequence->sources, sequence->generation, id, place) < 0)
        reader_out_of_memory(reader);
    return 0;
}

/* What is needed for arguments alone. */
static int interned_detail(struct reader *reader, struct sequence *sequence,
                           const struct packet *packet, const struct field *field) {
    if (!reader->arguments.wanted || field->wire != WIRE_BYTES)
        return 0;
    if (field->number == INTERNED__source_locations)
        return interned_source(reader, sequence, field->bytes);
    if (field->number == INTERNED__debug_annotation_string_values)
        return interned_text(reader, sequence, &sequence->texts, field->bytes, packet->offset);
    return 0;
}

int interned_read(struct reader *reader, struct sequence *sequence, const struct packet *packet) {
    const uint8_t *at = packet->interned.at, *end = at + packet->interned.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        struct interned *table;
        switch (field.number << 3 | field.wire) {
        case TAG(INTERNED__event_categories, WIRE_BYTES): table = &sequence->categories; break;
        case TAG(INTERNED__event_names, WIRE_BYTES): table = &sequence->names; break;
        case TAG(INTERNED__debug_annotation_names, WIRE_BYTES): table = &sequence->keys; break;
        default:
            if (interned_detail(reader, sequence, packet, &field) ||
                sample_interned_read(reader, sequence, &field, packet->offset))
                return -1;
            continue;
        }
        if (interned_text(reader, sequence, table, field.bytes, packet->offset))
            return -1;
    }
    return state;
}

static void extra_counter(struct extra_counters *counters, uint64_t uuid) {
    if (counters->count < EXTRA_COUNTERS_MAX)
        counters->tracks[counters->count++] = uuid;
}

static int event_defaults(struct reader *reader, struct sequence *sequence, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(EVENT_DEFAULTS__track_uuid, WIRE_VARINT): {
            uint32_t track = tracks_find(&reader->tracks, field.value);
            if (track != MAP_NONE)
                sequence->track = track;
            break;
        }
        case TAG(EVENT_DEFAULTS__extra_counter_track_uuids, WIRE_VARINT):
            extra_counter(&sequence->counters, field.value);
            break;
        case TAG(EVENT_DEFAULTS__extra_double_counter_track_uuids, WIRE_VARINT):
            extra_counter(&sequence->double_counters, field.value);
            break;
        default: break;
        }
    }
    return state;
}

/* Defaults replace the former ones as a whole. */
int defaults_read(struct reader *reader, struct sequence *sequence, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    sequence->clock_id = 0;
    sequence->track = tracks_find(&reader->tracks, 0);
    sequence->counters.count = sequence->double_counters.count = 0;
    sample_defaults_clear(sequence);
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (sample_defaults_read(reader, sequence, &field))
            return -1;
        if (field.number == DEFAULTS__timestamp_clock_id && field.wire == WIRE_VARINT)
            sequence->clock_id = field.value <= UINT32_MAX ? (uint32_t)field.value : 0;
        if (field.number == DEFAULTS__track_event_defaults && field.wire == WIRE_BYTES &&
            event_defaults(reader, sequence, field.bytes))
            return -1;
    }
    return state;
}

/* One clock of a snapshot. */
struct reading {
    uint64_t id, time, incremental, unit;
};

static int reading_split(struct bytes bytes, struct reading *reading) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    *reading = (struct reading){.unit = 1};
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.wire != WIRE_VARINT)
            continue;
        switch (field.number) {
        case CLOCK__id: reading->id = field.value; break;
        case CLOCK__timestamp: reading->time = field.value; break;
        case CLOCK__is_incremental: reading->incremental = field.value; break;
        case CLOCK__unit_multiplier_ns: reading->unit = field.value ? field.value : 1; break;
        default: break;
        }
    }
    return state;
}

static int is_of_sequence(const struct reading *reading) {
    return reading->id >= CLOCK_ID_SEQUENCE && reading->id < CLOCK_ID_GLOBAL;
}

/* The clock that a sequence's own ones are counted from: any global one, BOOTTIME where there is a choice. */
static const struct reading *choose_partner(const struct reading *readings, uint32_t count) {
    const struct reading *best = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (!is_of_sequence(&readings[i]) && (!best || readings[i].id == CLOCK_ID_BOOTTIME))
            best = &readings[i];
    return best;
}

static void set_sequence_clocks(struct reader *reader, struct sequence *sequence,
                                const struct reading *readings, uint32_t count) {
    const struct reading *partner = choose_partner(readings, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct reading *reading = &readings[i];
        struct sequence_clock *clock;
        if (!is_of_sequence(reading))
            continue;
        clock = sequence_clock(sequence, (uint32_t)reading->id);
        if (!clock) {
            damage_add(&reader->damage, LOSS_LIMIT, 0);
            continue;
        }
        clock->incremental = reading->incremental != 0;
        clock->damage = reader->damage_epoch;
        clock->unit_ns = reading->unit;
        clock->value = reading->time * reading->unit;
        clock->partner = CLOCK_UNKNOWN;
        if (partner && partner->id <= UINT32_MAX) {
            clock->partner = timebase_clock(&reader->timebase, (uint32_t)partner->id);
            clock->offset = partner->time * partner->unit - clock->value;
        }
    }
}

static void set_global_clocks(struct reader *reader, const struct reading *readings,
                              uint32_t count) {
    struct clock_reading all[SNAPSHOT_CLOCKS_MAX];
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_of_sequence(&readings[i]) || !readings[i].id || readings[i].id > UINT32_MAX)
            continue;
        uint32_t clock = timebase_clock(&reader->timebase, (uint32_t)readings[i].id);
        if (clock == CLOCK_UNKNOWN)
            damage_add(&reader->damage, LOSS_LIMIT, 0);
        else
            all[found++] =
                (struct clock_reading){clock, (int64_t)(readings[i].time * readings[i].unit)};
    }
    if (found > 1 && timebase_add(&reader->timebase, all, found))
        damage_add(&reader->damage, LOSS_LIMIT, 0);
}

int snapshot_read(struct reader *reader, struct sequence *sequence, struct bytes bytes) {
    struct reading readings[SNAPSHOT_CLOCKS_MAX];
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    uint32_t count = 0;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number == CLOCK_SNAPSHOT__clocks && field.wire == WIRE_BYTES &&
            count < SNAPSHOT_CLOCKS_MAX) {
            if (reading_split(field.bytes, &readings[count++]))
                return -1;
        } else if (field.number == CLOCK_SNAPSHOT__primary_trace_clock &&
                   field.wire == WIRE_VARINT) {
            uint32_t clock = timebase_clock(&reader->timebase, (uint32_t)field.value);
            reader->timebase.primary = clock == CLOCK_UNKNOWN ? 0 : clock;
        }
    }
    set_global_clocks(reader, readings, count);
    if (sequence)
        set_sequence_clocks(reader, sequence, readings, count);
    return state;
}
