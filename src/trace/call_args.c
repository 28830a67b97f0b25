/* A call's begin or end with arguments that are numbers and short ASCII texts, straight into the chunk: what most of them are.
 *
 *   0A LL LL 40 tt tt 50 ss | 5A LL LL 48 01 18 cc 50 ii ii 90 02 ii ii | 22 LL 08 nn .. 20 vv | 22 LL 08 nn .. 32 LL text | ...
 *
 * Lengths of two bytes where they are not known before. The bytes from the ninth on are written in place, in the payload of
 * the filler that stands there, and become part of the trace with the first eight, as all packets. */
#include <string.h>

#include "call_packet.h"

enum {
    HEAD_BYTES = 8,
    EVENT_BYTES = 16, /* the event's own fields at most */
    ARGUMENT_MAX = 127,
    TEXT_MAX = ARGUMENT_MAX - 8, /* of a text; then all fits a length of one byte */
    PACKET_BYTES = 2048,         /* that all arguments may take together */
};

/* Valid as it is: no NUL, nothing that need be looked at closer. */
static int is_plain(const char *text, size_t bytes) {
    const uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
    uint64_t word, bad = 0;
    for (; bytes >= 8; text += 8, bytes -= 8) {
        memcpy(&word, text, 8);
        bad |= word | (word - ones);
    }
    for (; bytes; text++, bytes--)
        bad |= (uint64_t)(*(const signed char *)text <= 0) << 7;
    return !(bad & high);
}

static inline uint8_t *put_name(uint8_t *at, uint32_t iid) {
    *at++ = TAG(ANNOTATION__name_iid, WIRE_VARINT);
    *at++ = (uint8_t)iid;
    if (iid >> 7 & 1)
        *at++ = (uint8_t)(iid >> 8);
    return at;
}

static inline uint8_t *put_text(uint8_t *at, const char *text, size_t bytes) {
    *at++ = TAG(ANNOTATION__string_value, WIRE_BYTES);
    *at++ = (uint8_t)bytes;
    memcpy(at, text, bytes);
    return at + bytes;
}

/* The value. NULL: that takes the long way. */
static inline uint8_t *put_value(uint8_t *at, const marey_arg *arg) {
    switch (arg->kind) {
    case MAREY_KIND_I64:
        *at++ = TAG(ANNOTATION__int_value, WIRE_VARINT);
        return varint_put(at, arg->u64);
    case MAREY_KIND_BOOL:
        *at++ = TAG(ANNOTATION__bool_value, WIRE_VARINT);
        *at++ = arg->i64 != 0;
        return at;
    case MAREY_KIND_F64:
        *at++ = TAG(ANNOTATION__double_value, WIRE_FIXED64);
        memcpy(at, &arg->u64, 8);
        return at + 8;
    case MAREY_KIND_TEXT:
        if (arg->count > TEXT_MAX || !is_plain(arg->text, arg->count))
            return NULL;
        return put_text(at, arg->text, arg->count);
    default: return NULL;
    }
}

/* All of them. NULL: that takes the long way. */
static uint8_t *put_arguments(const struct writer *writer, uint8_t *at,
                              const struct call_event *call) {
    const uint8_t *limit = at + PACKET_BYTES - (size_t)2 * ARGUMENT_MAX;
    for (size_t i = 0; i < call->count; i++) {
        const marey_arg *arg = &call->args[i];
        uint32_t iid = writer->names[INTERNED_ARGUMENT][arg->name] - writer->generation;
        if (UNLIKELY(iid >= IID_NONE || !arg->name || at > limit))
            return NULL;
        *at++ = TAG(EVENT__debug_annotations, WIRE_BYTES);
        uint8_t *body = at + 1;
        uint8_t *end = put_value(put_name(body, iid), arg);
        if (UNLIKELY(!end))
            return NULL;
        *at = (uint8_t)(end - body);
        at = end;
    }
    return at;
}

/* A number as a varint of always two bytes. */
static inline uint64_t two_bytes(uint64_t number) {
    return (number & 0x7f) | 0x80 | (number >> 7) << 8;
}

/* What a begin says of its function. NULL: the chunk does not know it. */
static uint8_t *put_function(const struct writer *writer, uint8_t *at, uint32_t function) {
    uint32_t iid = writer->functions[function] - writer->generation;
    if (UNLIKELY(iid >= IID_NONE || !writer->call_bytes))
        return NULL;
    uint16_t number = (uint16_t)iid;
    *at++ = TAG(EVENT__category_iids, WIRE_VARINT);
    *at++ = writer->call_category_iid;
    *at++ = TAG(EVENT__name_iid, WIRE_VARINT);
    memcpy(at, &number, 2);
    at = varint_put(at + 2, TAG(EVENT__source_location_iid, WIRE_VARINT));
    memcpy(at, &number, 2);
    return at + 2;
}

int call_put_with_args(struct writer *writer, enum event_type type, const struct call_event *call) {
    if (UNLIKELY(!writer || at_limit(writer) || call->text || writer->sequence >= 0x80))
        return 0;
    uint64_t time = call_time(writer, call->stamp), delta = time - writer->last;
    size_t room = (size_t)(writer->end - writer->at);
    uint64_t later = type == EVENT_BEGIN; /* begins are later than what was before */
    if (UNLIKELY(delta - later >= SHORT_DELTA - later ||
                 room < PACKET_BYTES + HEAD_BYTES + EVENT_BYTES + ROOM))
        return 0;
    uint8_t *start = writer->at, *at = start + HEAD_BYTES;
    *at = TAG(PACKET__track_event, WIRE_BYTES);
    uint8_t *length = at + 1, *body = at + 3;
    body[0] = TAG(EVENT__type, WIRE_VARINT);
    body[1] = (uint8_t)type;
    at = type == EVENT_BEGIN ? put_function(writer, body + 2, call->function) : body + 2;
    at = at ? put_arguments(writer, at, call) : NULL;
    if (!at)
        return 0;
    uint16_t event_length = (uint16_t)two_bytes((size_t)(at - body));
    memcpy(length, &event_length, 2);
    uint64_t head = TAG(TRACE__packet, WIRE_BYTES) | two_bytes((size_t)(at - start) - 3) << 8 |
                    (uint64_t)TAG(PACKET__timestamp, WIRE_VARINT) << 24 | two_bytes(delta) << 32 |
                    (uint64_t)TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT) << 48 |
                    (uint64_t)writer->sequence << 56;
    short_commit(writer, head, (uint32_t)(at - start));
    writer->last = time;
    return 1;
}
