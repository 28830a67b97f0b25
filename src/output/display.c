/* See display.h. */
#include "output/display.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- texts */

static int make_room(struct text *text, size_t more) {
    if (text->failed || more >= SIZE_MAX / 2 - text->size) {
        text->failed = 1;
        return -1;
    }
    if (text->size + more < text->capacity)
        return 0;
    size_t capacity = (text->size + more + 1) * 2;
    char *larger = realloc(text->bytes, capacity);
    if (!larger) {
        text->failed = 1;
        return -1;
    }
    text->bytes = larger;
    text->capacity = capacity;
    return 0;
}

void text_add_bytes(struct text *text, const char *bytes, size_t size) {
    if (make_room(text, size))
        return;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = 0;
}

void text_add(struct text *text, const char *string) {
    text_add_bytes(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size > 0 && !make_room(text, (size_t)size)) {
        vsnprintf(text->bytes + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
}

void text_free(struct text *text) {
    free(text->bytes);
    *text = (struct text){0};
}

const char *text_of(const struct text *text) {
    return text->bytes ? text->bytes : "";
}

/* ------------------------------------------------------------ characters */

static int is_tail(const char *at) {
    return ((unsigned char)*at & 0xc0) == 0x80;
}

size_t character_cut(const char *at, size_t size, size_t most) {
    if (size <= most)
        return size;
    while (most && is_tail(at + most))
        most--;
    return most;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
struct character character_at(const char *at, const char *end) {
    unsigned char first = (unsigned char)*at;
    unsigned bytes = first < 0x80   ? 1
                     : first < 0xc2 ? 0
                     : first < 0xe0 ? 2
                     : first < 0xf0 ? 3
                     : first < 0xf5 ? 4
                                    : 0;
    static const int32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (bytes == 1)
        return (struct character){1, first};
    if (!bytes || (size_t)(end - at) < bytes)
        return (struct character){1, -1};
    int32_t code = first & (0x7f >> bytes);
    for (unsigned i = 1; i < bytes; i++) {
        if (!is_tail(at + i))
            return (struct character){1, -1};
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < smallest[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return (struct character){1, -1};
    return (struct character){bytes, code};
}

struct range {
    int32_t first, last;
};

/* Unicode 15, the blocks that matter: combining marks, joiners, variation selectors. */
static const struct range no_columns[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},     {0x5bf, 0x5c7},     {0x610, 0x61a},
    {0x64b, 0x65f},   {0x670, 0x670},   {0x6d6, 0x6dc},     {0x6df, 0x6e4},     {0x6e7, 0x6ed},
    {0x730, 0x74a},   {0x900, 0x902},   {0x93a, 0x93a},     {0x93c, 0x93c},     {0x941, 0x948},
    {0x94d, 0x94d},   {0xe31, 0xe31},   {0xe34, 0xe3a},     {0xe47, 0xe4e},     {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x200d, 0x200d}, {0x20d0, 0x20ff},   {0x302a, 0x302d},   {0x3099, 0x309a},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef},
};

/* East Asian wide and full-width ones, and emoji. */
static const struct range two_columns[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2ff},
    {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
    {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
    {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
    {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d},
    {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596},
    {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc},
    {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec},
    {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a},
    {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

/* Controls, and what changes the direction or hides: a name must look like what it is. */
static const struct range harmful[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},     {0x115f, 0x1160},
    {0x180e, 0x180e}, {0x200b, 0x200c}, {0x200e, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xfff0, 0xfffc}, {0xe0000, 0xe007f},
};

static int is_in(const struct range *ranges, size_t count, int32_t code) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && code >= ranges[low].first;
}

#define IS_IN(ranges, code) is_in(ranges, sizeof(ranges) / sizeof *(ranges), code)

/* Columns of a terminal: 0 for a mark that combines with what is before it, 2 for wide ones, else 1. */
static unsigned columns_of(int32_t code) {
    if (code < 0x300)
        return 1;
    return IS_IN(no_columns, code) ? 0 : IS_IN(two_columns, code) ? 2 : 1;
}

int character_is_harmful(int32_t code) {
    return code < 0 || IS_IN(harmful, code);
}

/* --------------------------------------------------------------- display */

enum { PIECE_ROOM = 16 };

/* One character as it is shown: itself, or "\x1b", "\u202e". Returns its columns. */
static unsigned show(char piece[PIECE_ROOM], const char *at, struct character one) {
    if (one.code < 0)
        return (unsigned)snprintf(piece, PIECE_ROOM, "\\x%02x", (unsigned char)*at);
    if (character_is_harmful(one.code))
        return (unsigned)snprintf(piece, PIECE_ROOM, one.code < 0x100 ? "\\x%02x" : "\\u%04x",
                                  (unsigned)one.code);
    memcpy(piece, at, one.bytes);
    piece[one.bytes] = 0;
    return columns_of(one.code);
}

size_t display_columns(const char *string) {
    const char *end = string + strlen(string);
    size_t columns = 0;
    while (string < end) {
        struct character one = character_at(string, end);
        columns += one.code < 0 ? 1 : columns_of(one.code);
        string += one.bytes;
    }
    return columns;
}

/* Columns of the whole text when shown. */
static size_t shown_columns(const char *string, const char *end) {
    char piece[PIECE_ROOM];
    size_t columns = 0;
    while (string < end) {
        struct character one = character_at(string, end);
        columns += show(piece, string, one);
        string += one.bytes;
    }
    return columns;
}

size_t display_add(struct text *text, const char *string, size_t columns) {
    static const char ellipsis[] = "...";
    enum { ELLIPSIS_COLUMNS = 3 };
    const char *end = string + strlen(string);
    char piece[PIECE_ROOM];
    size_t used = 0, room = SIZE_MAX;
    int cut = columns && shown_columns(string, end) > columns;
    if (cut)
        room = columns > ELLIPSIS_COLUMNS ? columns - ELLIPSIS_COLUMNS : 0;
    while (string < end) {
        struct character one = character_at(string, end);
        unsigned width = show(piece, string, one);
        if (used + width > room)
            break;
        text_add(text, piece);
        used += width;
        string += one.bytes;
    }
    if (!cut)
        return used;
    size_t dots = columns < ELLIPSIS_COLUMNS ? columns : ELLIPSIS_COLUMNS;
    text_add_bytes(text, ellipsis, dots);
    return used + dots;
}

/* What is left of a shown text without its first columns. */
static const char *skip_columns(const char *at, const char *end, size_t columns) {
    while (columns && at < end) {
        struct character one = character_at(at, end);
        size_t width = columns_of(one.code);
        columns -= width < columns ? width : columns;
        at += one.bytes;
    }
    return at;
}

size_t display_add_end(struct text *text, const char *path, size_t columns) {
    struct text shown = {0};
    size_t used = display_add(&shown, path, 0);
    const char *at = text_of(&shown);
    if (columns && used > columns) {
        text_add_bytes(text, "...", columns < 3 ? columns : 3);
        at = skip_columns(at, at + shown.size, columns > 3 ? used - columns + 3 : used);
        const char *slash = strchr(at, '/');
        at = slash && slash[1] ? slash : at;
        used = (columns < 3 ? columns : 3) + display_columns(at);
    }
    text_add(text, at);
    text_free(&shown);
    return used;
}

/* --------------------------------------------------------------- numbers */

/* Three digits that count: 1.23, 12.3, 123. */
static void three_digits(char *to, size_t room, double value, const char *unit) {
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(to, room, "%.*f%s", decimals, value, unit);
}

void display_duration(char *to, size_t room, int64_t ns) {
    if (ns < 0)
        snprintf(to, room, "-");
    else if (ns < 1000)
        snprintf(to, room, "%dns", (int)ns);
    else if (ns < 999500)
        three_digits(to, room, (double)ns / 1e3, "us");
    else if (ns < 999500000)
        three_digits(to, room, (double)ns / 1e6, "ms");
    else if (ns < 100000000000)
        three_digits(to, room, (double)ns / 1e9, "s");
    else if (ns < 3600000000000)
        snprintf(to, room, "%dm%02ds", (int)(ns / 60000000000), (int)(ns / 1000000000 % 60));
    else
        snprintf(to, room, "%lldh%02dm", (long long)(ns / 3600000000000),
                 (int)(ns / 60000000000 % 60));
}

void display_size(char *to, size_t room, uint64_t bytes) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(to, room, "%d B", (int)bytes);
        return;
    }
    double value = (double)bytes / 1024;
    unsigned unit = 0;
    for (; value >= 1023.5 && unit < 5; unit++)
        value /= 1024;
    snprintf(to, room, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void display_count(char *to, size_t room, uint64_t count) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < room; i++) {
        if (i && (length - i) % 3 == 0)
            to[used++] = ',';
        to[used++] = digits[i];
    }
    to[used] = 0;
}
