/* See packet.h: begins, ends and instants without arguments, which are most of the packets of most traces, in one go.
 *
 * Whatever is unusual is left to the general way, before anything has changed. */
#include "model/packet.h"

/* What such a packet says. */
struct said {
    uint64_t timestamp, sequence_id, flags;
    uint64_t type, name_id, category_id, source_id, track_uuid;
    uint8_t has_time, has_name, has_category, has_source, has_track;
};

/* Every tag here is of a varint, and most are one byte. Returns 0, or -1 where there is any other field. */
static int split_event(struct said *said, const uint8_t *at, const uint8_t *end) {
    uint64_t tag;
    while (at && at < end) {
        at = wire_number(at, end, &tag);
        if (!at)
            return -1;
        switch (tag) {
        case TAG(EVENT__type, WIRE_VARINT): at = wire_number(at, end, &said->type); break;
        case TAG(EVENT__name_iid, WIRE_VARINT):
            at = wire_number(at, end, &said->name_id);
            said->has_name = 1;
            break;
        case TAG(EVENT__category_iids, WIRE_VARINT):
            if (said->has_category)
                return -1;
            at = wire_number(at, end, &said->category_id);
            said->has_category = 1;
            break;
        case TAG(EVENT__source_location_iid, WIRE_VARINT):
            at = wire_number(at, end, &said->source_id);
            said->has_source = 1;
            break;
        case TAG(EVENT__track_uuid, WIRE_VARINT):
            at = wire_number(at, end, &said->track_uuid);
            said->has_track = 1;
            break;
        default: return -1;
        }
    }
    return at ? 0 : -1;
}

/* Returns 0, or -1 where there is any other field. */
static int split_packet(struct said *said, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    int has_event = 0;
    while (at && at < end) {
        switch (*at++) {
        case TAG(PACKET__timestamp, WIRE_VARINT):
            at = wire_number(at, end, &said->timestamp);
            said->has_time = 1;
            break;
        case TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT):
            at = wire_number(at, end, &said->sequence_id);
            break;
        case TAG(PACKET__sequence_flags, WIRE_VARINT):
            at = wire_number(at, end, &said->flags);
            break;
        case TAG(PACKET__track_event, WIRE_BYTES):
            if (has_event++ || at == end || *at >= 0x80 || *at > end - at - 1 ||
                split_event(said, at + 1, at + 1 + *at))
                return -1;
            at += 1 + *at;
            break;
        default: return -1;
        }
    }
    return at && has_event && said->has_time ? 0 : -1;
}

/* The number of an interned text. Returns 0, or -1 where it is not known. */
static int look_up(const struct sequence *sequence, const struct interned *table, int is_said,
                   uint64_t id, uint32_t *number) {
    *number = is_said ? interned_get(table, sequence->generation, id) : 0;
    return *number == MAP_NONE ? -1 : 0;
}

/* Returns 0, or -1 where something is not known. */
static int make_event(struct reader *reader, const struct sequence *sequence,
                      const struct said *said, uint32_t *track, struct event *event) {
    uint32_t source = 0;
    event->kind = (uint8_t)said->type;
    *track = said->has_track ? map_get(&reader->tracks.by_uuid, said->track_uuid) : sequence->track;
    if (*track == MAP_NONE ||
        look_up(sequence, &sequence->names, said->has_name, said->name_id, &event->name) ||
        look_up(sequence, &sequence->categories, said->has_category, said->category_id,
                &event->category))
        return -1;
    if (!said->has_source || !reader->arguments.wanted)
        return 0;
    if (look_up(sequence, &sequence->sources, 1, said->source_id, &source))
        return -1;
    event->detail =
        arguments_detail(&reader->arguments, arguments_mark(&reader->arguments), source);
    return event->detail ? 0 : -1;
}

int packet_read_short(struct reader *reader, struct bytes bytes, uint64_t offset) {
    struct said said = {0};
    struct event event = {0};
    uint32_t track;
    if (reader->recent_sequence >= reader->sequence_count)
        return 0;
    struct sequence *sequence = &reader->sequences[reader->recent_sequence];
    if (split_packet(&said, bytes) || said.sequence_id != sequence->id || sequence->machine ||
        !sequence->valid || said.flags & ~(uint64_t)SEQUENCE_NEEDS_STATE ||
        said.type < EVENT_BEGIN || said.type > EVENT_INSTANT ||
        make_event(reader, sequence, &said, &track, &event))
        return 0;
    reader->taken = sequence;
    reader->machine = 0;
    int wrong = packet_time(reader, sequence, sequence->clock_id, said.timestamp, &event);
    if (wrong >= 0) {
        damage_add(&reader->damage, (enum damage_kind)wrong, offset);
        return 1;
    }
    reader->events++;
    event_append(reader, track, &event);
    return 1;
}
