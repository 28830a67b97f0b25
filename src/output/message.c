/* See message.h. */
#include "output/message.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 512, NUMBER_MAX = 2 * VARINT_MAX };

/* Room for so many more bytes. Returns where they go, or NULL. */
static uint8_t *room(struct message *self, size_t bytes) {
    size_t capacity = self->capacity ? self->capacity : FIRST_CAPACITY;
    if (self->failed)
        return NULL;
    while (capacity - self->size < bytes)
        capacity *= 2;
    if (capacity != self->capacity) {
        uint8_t *larger = realloc(self->bytes, capacity);
        if (!larger) {
            self->failed = 1;
            return NULL;
        }
        self->bytes = larger;
        self->capacity = capacity;
    }
    return self->bytes + self->size;
}

void message_number(struct message *self, uint32_t field, uint64_t value) {
    uint8_t *at = room(self, NUMBER_MAX);
    if (at)
        self->size =
            (size_t)(varint_put(varint_put(at, TAG(field, WIRE_VARINT)), value) - self->bytes);
}

static void add_fixed(struct message *self, uint32_t tag, uint64_t value, size_t size) {
    uint8_t *at = room(self, NUMBER_MAX);
    if (!at)
        return;
    at = varint_put(at, tag);
    memcpy(at, &value, size); /* little endian, as wire_fixed */
    self->size = (size_t)(at + size - self->bytes);
}

void message_fixed64(struct message *self, uint32_t field, uint64_t value) {
    add_fixed(self, TAG(field, WIRE_FIXED64), value, 8);
}

void message_bytes(struct message *self, uint32_t field, struct bytes bytes) {
    uint8_t *at = room(self, NUMBER_MAX + bytes.size);
    if (!at)
        return;
    at = varint_put(varint_put(at, TAG(field, WIRE_BYTES)), bytes.size);
    if (bytes.size)
        memcpy(at, bytes.at, bytes.size);
    self->size = (size_t)(at + bytes.size - self->bytes);
}

void message_text(struct message *self, uint32_t field, const char *text) {
    message_bytes(self, field, (struct bytes){(const uint8_t *)text, strlen(text)});
}

void message_field(struct message *self, const struct field *field) {
    switch (field->wire) {
    case WIRE_VARINT: message_number(self, field->number, field->value); break;
    case WIRE_FIXED64: message_fixed64(self, field->number, field->value); break;
    case WIRE_FIXED32: add_fixed(self, TAG(field->number, WIRE_FIXED32), field->value, 4); break;
    default: message_bytes(self, field->number, field->bytes); break;
    }
}

size_t message_open(struct message *self, uint32_t field) {
    uint8_t *at = room(self, NUMBER_MAX);
    if (!at)
        return 0;
    at = varint_put(at, TAG(field, WIRE_BYTES));
    *at++ = 0; /* the length; what follows is moved up where it needs more than a byte */
    self->size = (size_t)(at - self->bytes);
    return self->size;
}

void message_close(struct message *self, size_t opened) {
    size_t size = self->size - opened;
    unsigned more = varint_size(size) - 1;
    if (self->failed || (more && !room(self, more)))
        return;
    memmove(self->bytes + opened + more, self->bytes + opened, size);
    varint_put(self->bytes + opened - 1, size);
    self->size += more;
}

void message_free(struct message *self) {
    free(self->bytes);
    *self = (struct message){0};
}
