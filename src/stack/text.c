#include "stack/text.h"

#include <stdio.h>
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

enum { CHARACTER_BYTES = 8 };

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

int text_escape(char *out, uint8_t byte) {
    static const char short_ones[] = "n\nt\tr\r\\\\''";
    for (const char *one = short_ones; *one; one += 2)
        if (byte == (uint8_t)one[1]) {
            out[0] = '\\';
            out[1] = one[0];
            return 2;
        }
    if (byte >= 0x20 && byte < 0x7f) {
        out[0] = (char)byte;
        return 1;
    }
    char digits[8];
    snprintf(digits, sizeof digits, "\\x%02x", byte);
    memcpy(out, digits, 4);
    return 4;
}

static int put_quoted(char *out, uint32_t c) {
    bool surrogate = c >= 0xd800 && c < 0xe000;
    if (c < 0x80)
        return text_escape(out, (uint8_t)c);
    if (!surrogate)
        return put(out, c);
    char digits[CHARACTER_BYTES];
    snprintf(digits, sizeof digits, "\\u%04x", (unsigned)c);
    memcpy(out, digits, 6);
    return 6;
}

/* Characters as text that the caller frees, at most `max` bytes of it. */
static char *encode(const uint8_t *data, uint64_t count, int kind, uint32_t max,
                    int (*put_one)(char *out, uint32_t c)) {
    char *text = malloc(count * CHARACTER_BYTES + 1);
    uint32_t used = 0;
    for (uint64_t i = 0; text && i < count; i++) {
        char bytes[CHARACTER_BYTES];
        int n = put_one(bytes, character(data, i, kind));
        if (used + (uint32_t)n > max)
            break;
        memcpy(text + used, bytes, (size_t)n);
        used += (uint32_t)n;
    }
    if (text)
        text[used] = '\0';
    return text;
}

/* The characters of a str, as they are in memory; at most `max` of them. The caller frees them. */
static int read_characters(struct memory *memory, const struct layout *layout, uint64_t address,
                           uint32_t max, uint8_t **raw, uint64_t *count, int *kind) {
    uint64_t bytes;
    uint64_t data = text_data(memory, layout, address, &bytes, kind);
    if (!data)
        return MAREY_ETORN;
    *count = bytes / (uint64_t)*kind;
    if (bytes > (uint64_t)max * (uint64_t)*kind)
        bytes = (uint64_t)max * (uint64_t)*kind;
    *raw = malloc(bytes + 1);
    if (!*raw)
        return MAREY_ENOMEM;
    return bytes ? memory_read(memory, data, *raw, bytes) : 0;
}

int text_read(struct memory *memory, const struct layout *layout, uint64_t address, uint32_t max,
              char **text) {
    uint8_t *raw = NULL;
    uint64_t count = 0;
    int kind;
    *text = NULL;
    int error = read_characters(memory, layout, address, max, &raw, &count, &kind);
    if (!error) {
        *text = encode(raw, count < max ? count : max, kind, max, put);
        error = *text ? 0 : MAREY_ENOMEM;
    }
    free(raw);
    return error;
}

int text_read_quoted(struct memory *memory, const struct layout *layout, uint64_t address,
                     uint32_t max, char **text) {
    uint8_t *raw = NULL;
    uint64_t count = 0;
    int kind;
    char *quoted = NULL;
    *text = NULL;
    int error = read_characters(memory, layout, address, max, &raw, &count, &kind);
    if (!error)
        quoted = encode(raw, count < max ? count : max, kind, CHARACTER_BYTES * max, put_quoted);
    size_t size = quoted ? strlen(quoted) + sizeof "''..." : 0;
    if (size)
        *text = malloc(size);
    if (*text)
        snprintf(*text, size, "'%s'%s", quoted, count > max ? "..." : "");
    else if (!error)
        error = MAREY_ENOMEM;
    free(quoted);
    free(raw);
    return error;
}
