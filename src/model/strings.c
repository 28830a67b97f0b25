/* See strings.h. */
#include "model/strings.h"

#include "model/grow.h"
#include "model/map.h"

enum { BLOCK_BYTES = 256 << 10, FIRST_SLOTS = 256 };

struct string_block {
    struct string_block *next;
    uint32_t used_before; /* of the next one */
    uint32_t room_before;
    char text[];
};

static uint32_t hash_bytes(struct bytes text) {
    uint64_t hash = text.size;
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t word;
        memcpy(&word, text.at + i, 8);
        hash = map_mix(hash ^ word);
    }
    uint64_t rest = 0;
    if (i < text.size)
        memcpy(&rest, text.at + i, text.size - i);
    return (uint32_t)map_mix(hash ^ rest);
}

/* The slot of the text, or the free one where it belongs. */
static uint32_t *find(const struct strings *self, struct bytes text, uint32_t hash) {
    uint32_t at = hash & self->mask;
    for (;; at = (at + 1) & self->mask) {
        const struct string *known = &self->all[self->slots[at]];
        if (!self->slots[at])
            break;
        if (known->hash == hash && known->length == text.size &&
            !memcmp(known->text, text.at, text.size))
            break;
    }
    return &self->slots[at];
}

static int rehash(struct strings *self) {
    uint32_t capacity = self->slots ? (self->mask + 1) * 2 : FIRST_SLOTS;
    uint32_t *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return -1;
    free(self->slots);
    self->slots = slots;
    self->mask = capacity - 1;
    for (uint32_t number = 1; number < self->count; number++) {
        uint32_t at = self->all[number].hash & self->mask;
        while (slots[at])
            at = (at + 1) & self->mask;
        slots[at] = number;
    }
    return 0;
}

/* A copy that lives as long as the table. NULL where memory is short. */
static const char *keep(struct strings *self, struct bytes text) {
    uint32_t need = (uint32_t)text.size + 1;
    if (need > self->block_room - self->block_used) {
        uint32_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        struct string_block *block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        block->next = self->blocks;
        block->used_before = self->block_used;
        block->room_before = self->block_room;
        self->blocks = block;
        self->block_used = 0;
        self->block_room = room;
    }
    char *copy = self->blocks->text + self->block_used;
    memcpy(copy, text.at, text.size);
    copy[text.size] = 0;
    self->block_used += need;
    return copy;
}

static int prepare(struct strings *self) {
    if (self->count >= STRINGS_MAX || GROW(self->all, self->count, self->capacity))
        return -1;
    if (!self->count)
        self->all[self->count++] = (struct string){NULL, 0, 0};
    return !self->slots || self->count > self->mask / 2 ? rehash(self) : 0;
}

uint32_t strings_add(struct strings *self, struct bytes text) {
    if (!text.size)
        return 0;
    if (text.size > STRING_BYTES_MAX)
        text.size = STRING_BYTES_MAX;
    const uint8_t *nul = memchr(text.at, 0, text.size);
    if (nul)
        text.size = (size_t)(nul - text.at);
    if (!text.size)
        return 0;
    uint32_t hash = hash_bytes(text);
    if (self->slots) {
        uint32_t number = *find(self, text, hash);
        if (number)
            return number;
    }
    const char *copy = prepare(self) ? NULL : keep(self, text);
    if (!copy) {
        self->full = 1;
        return 0;
    }
    uint32_t number = self->count++;
    *find(self, text, hash) = number;
    self->all[number] = (struct string){copy, (uint32_t)text.size, hash};
    return number;
}

uint32_t strings_add_text(struct strings *self, const char *text) {
    return strings_add(self, (struct bytes){(const uint8_t *)text, strlen(text)});
}

const char *strings_text(const struct strings *self, uint32_t number) {
    return number && number < self->count ? self->all[number].text : NULL;
}

/* The last text in use gives its room back; so does a block that holds none. */
static void give_back(struct strings *self, const struct string *last) {
    struct string_block *block = self->blocks;
    self->block_used -= last->length + 1;
    if (self->block_used || !block->next)
        return;
    self->block_used = block->used_before;
    self->block_room = block->room_before;
    self->blocks = block->next;
    free(block);
}

/* Last first: a text that came later never stands in the way to one that came before. */
void strings_forget(struct strings *self, uint32_t count) {
    while (self->count > count && self->count > 1) {
        const struct string *last = &self->all[self->count - 1];
        uint32_t at = last->hash & self->mask;
        while (self->slots[at] != self->count - 1)
            at = (at + 1) & self->mask;
        self->slots[at] = 0;
        give_back(self, last);
        self->count--;
    }
}

void strings_free(struct strings *self) {
    struct string_block *next;
    for (struct string_block *block = self->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(self->all);
    free(self->slots);
    *self = (struct strings){0};
}
