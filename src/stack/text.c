#include "stack/text.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"

uint64_t text_data(struct memory *memory, const struct layout *layout, uint64_t address,
                   uint64_t *bytes, int *kind) {
    int64_t length = 0;
    uint32_t state = 0;
    struct piece pieces[] = {{address + layout->str_length, &length, sizeof length},
                             {address + layout->str_state, &state, sizeof state}};
    if (!address || memory_read_pieces(memory, pieces, 2) || length < 0 || length > INT32_MAX)
        return 0;
    state >>= layout->str_kind_shift;
    *kind = state & 7;
    bool compact = state >> 3 & 1, ascii = state >> 4 & 1;
    if (!compact || (*kind != 1 && *kind != 2 && *kind != 4) || (ascii && *kind != 1))
        return 0;
    *bytes = (uint64_t)length * (uint64_t)*kind;
    return address + (ascii ? layout->str_ascii_data : layout->str_data);
}

/* Writes a character as UTF-8; returns how many bytes. */
static int put(char *out, uint32_t c) {
    if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = '?';
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static uint32_t character(const uint8_t *data, uint64_t index, int kind) {
    if (kind == 1)
        return data[index];
    if (kind == 2) {
        uint16_t c;
        memcpy(&c, data + 2 * index, sizeof c);
        return c;
    }
    uint32_t c;
    memcpy(&c, data + 4 * index, sizeof c);
    return c;
}

static char *encode(const uint8_t *data, uint64_t count, int kind, uint32_t max) {
    char *text = malloc(count * 4 + 1);
    uint32_t used = 0;
    for (uint64_t i = 0; text && i < count; i++) {
        char bytes[4];
        int n = put(bytes, character(data, i, kind));
        if (used + (uint32_t)n > max)
            break;
        memcpy(text + used, bytes, (size_t)n);
        used += (uint32_t)n;
    }
    if (text)
        text[used] = '\0';
    return text;
}

int text_read(struct memory *memory, const struct layout *layout, uint64_t address, uint32_t max,
              char **text) {
    uint64_t bytes;
    int kind;
    *text = NULL;
    uint64_t data = text_data(memory, layout, address, &bytes, &kind);
    if (!data)
        return MAREY_ETORN;
    if (bytes > (uint64_t)max * (uint64_t)kind)
        bytes = (uint64_t)max * (uint64_t)kind;
    uint8_t *raw = malloc(bytes + 1);
    if (!raw)
        return MAREY_ENOMEM;
    int error = bytes ? memory_read(memory, data, raw, bytes) : 0;
    if (!error) {
        *text = encode(raw, bytes / (uint64_t)kind, kind, max);
        error = *text ? 0 : MAREY_ENOMEM;
    }
    free(raw);
    return error;
}
