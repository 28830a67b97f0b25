#include "stack/lines.h"

#include <stdbool.h>

/* Arithmetic that wraps where a hostile table asks for it. */
static int32_t plus(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* 3.9, Objects/lnotab_notes.txt: pairs of bytes passed (unsigned) and lines passed (signed). */
static int find_lnotab(const uint8_t *table, uint32_t bytes, int line, int32_t index) {
    int32_t at = 0;
    for (uint32_t i = 0; i + 1 < bytes; i += 2) {
        at += table[i];
        if (at > index)
            break;
        line = plus(line, (int8_t)table[i + 1]);
    }
    return line;
}

/* 3.10, PEP 626: pairs of a range's length in bytes and of lines passed before it; -128: the range has no line. */
static int find_table(const uint8_t *table, uint32_t bytes, int line, int32_t index) {
    int32_t end = 0;
    for (uint32_t i = 0; i + 1 < bytes; i += 2) {
        int8_t passed = (int8_t)table[i + 1];
        end += table[i];
        if (passed != -128)
            line = plus(line, passed);
        if (index < end)
            return passed == -128 ? 0 : line;
    }
    return 0;
}

/* 3.11 and later, Objects/locations.md: an entry is 1 | kind (4 bits) | units - 1 (3 bits), then what the kind needs;
 * the first byte of an entry alone has its highest bit set. */
enum {
    KIND_ONE_LINE_0 = 10,
    KIND_ONE_LINE_2 = 12,
    KIND_NO_COLUMNS = 13,
    KIND_LONG = 14,
    KIND_NONE
};

static int32_t signed_varint(const uint8_t *table, uint32_t bytes, uint32_t at) {
    uint32_t value = 0;
    for (uint32_t shift = 0; at < bytes && shift < 32; at++, shift += 6) {
        value |= (uint32_t)(table[at] & 63) << shift;
        if (!(table[at] & 64))
            break;
    }
    return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

static int find_location(const uint8_t *table, uint32_t bytes, int line, int32_t index) {
    int64_t end = 0;
    for (uint32_t i = 0; i < bytes;) {
        int kind = table[i] >> 3 & 15;
        end += 2 * (int64_t)((table[i] & 7) + 1);
        if (kind == KIND_NO_COLUMNS || kind == KIND_LONG)
            line = plus(line, signed_varint(table, bytes, i + 1));
        else if (kind >= KIND_ONE_LINE_0 && kind <= KIND_ONE_LINE_2)
            line = plus(line, kind - KIND_ONE_LINE_0);
        if (index < end)
            return kind == KIND_NONE ? 0 : line;
        do
            i++;
        while (i < bytes && !(table[i] & 128));
    }
    return 0;
}

int lines_find(enum layout_lines how, const uint8_t *table, uint32_t bytes, int first_line,
               int32_t index) {
    if (index < 0 || bytes == 0)
        return first_line;
    switch (how) {
    case LINES_LNOTAB: return find_lnotab(table, bytes, first_line, index);
    case LINES_TABLE: return find_table(table, bytes, first_line, index);
    default: return find_location(table, bytes, first_line, index);
    }
}
