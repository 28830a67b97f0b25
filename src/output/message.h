/* A protobuf message, built field by field in memory. */
#ifndef MAREY_OUTPUT_MESSAGE_H
#define MAREY_OUTPUT_MESSAGE_H

#include <string.h>

#include "format/wire.h"
#include "output/display.h"

static inline void message_varint(struct text *to, uint64_t value) {
    uint8_t bytes[VARINT_MAX];
    text_add_bytes(to, (char *)bytes, (size_t)(varint_put(bytes, value) - bytes));
}

static inline void message_number(struct text *to, unsigned field, uint64_t value) {
    uint8_t bytes[2 * VARINT_MAX];
    uint8_t *end = varint_put(varint_put(bytes, TAG(field, WIRE_VARINT)), value);
    text_add_bytes(to, (char *)bytes, (size_t)(end - bytes));
}

static inline void message_fixed64(struct text *to, unsigned field, const void *eight_bytes) {
    message_varint(to, TAG(field, WIRE_FIXED64));
    text_add_bytes(to, eight_bytes, 8); /* little endian, as the machines that we run on */
}

static inline void message_bytes(struct text *to, unsigned field, const char *bytes, size_t size) {
    uint8_t head[2 * VARINT_MAX];
    uint8_t *end = varint_put(varint_put(head, TAG(field, WIRE_BYTES)), size);
    text_add_bytes(to, (char *)head, (size_t)(end - head));
    text_add_bytes(to, bytes, size);
}

static inline void message_string(struct text *to, unsigned field, const char *string) {
    message_bytes(to, field, string, strlen(string));
}

/* A message within another one; it is empty afterwards, and its memory serves again. */
static inline void message_within(struct text *to, unsigned field, struct text *inner) {
    message_bytes(to, field, inner->size ? inner->bytes : "", inner->size);
    to->failed |= inner->failed;
    inner->size = 0;
}

/* A field of another message, as it is. */
static inline void message_field(struct text *to, const struct field *field) {
    uint32_t tag = TAG(field->number, field->wire);
    if (field->wire == WIRE_BYTES) {
        message_bytes(to, field->number, (const char *)field->bytes.at, field->bytes.size);
        return;
    }
    message_varint(to, tag);
    if (field->wire == WIRE_VARINT)
        message_varint(to, field->value);
    else
        text_add_bytes(to, (const char *)&field->value, field->wire == WIRE_FIXED32 ? 4 : 8);
}

/* What is added until message_close(what this returned) is inside the field. */
static inline size_t message_open(struct text *to, unsigned field) {
    message_varint(to, TAG(field, WIRE_BYTES));
    text_add_bytes(to, "",
                   1); /* the length; what follows is moved up where it needs more than a byte */
    return to->size;
}

static inline void message_close(struct text *to, size_t opened) {
    static const char more[VARINT_MAX];
    size_t size = to->size - opened;
    unsigned longer = varint_size(size) - 1;
    text_add_bytes(to, more, longer);
    if (to->failed)
        return;
    if (longer)
        memmove(to->bytes + opened + longer, to->bytes + opened, size);
    varint_put((uint8_t *)to->bytes + opened - 1, size);
}

static inline struct bytes message_all(const struct text *message) {
    return (struct bytes){(const uint8_t *)message->bytes, message->size};
}

#endif
