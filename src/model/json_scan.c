/* See json_scan.h. */
#include "model/json_scan.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 512, REPLACEMENT = 0xfffd };

/* --------------------------------------------------------------- extents */

/* Within a text: steps to its closing quote or to the end. */
static const uint8_t *cross_text(struct json_extent *self, const uint8_t *at, const uint8_t *end) {
    for (; at < end; at++) {
        if (self->escaped) {
            self->escaped = 0;
        } else if (*at == '\\') {
            self->escaped = 1;
        } else if (*at == '"') {
            self->in_text = 0;
            return at + 1;
        }
    }
    return at;
}

const uint8_t *json_scan_extent(struct json_extent *self, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        if (self->in_text) {
            at = cross_text(self, at, end);
            if (!self->in_text && !self->depth)
                return at;
            continue;
        }
        switch (*at++) {
        case '"': self->in_text = 1; break;
        case '{':
        case '[': self->depth++; break;
        case '}':
        case ']':
            if (self->depth <= 1)
                return at;
            self->depth--;
            break;
        default: break;
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- values */

static void skip_space(struct bytes *rest, const char *space) {
    while (rest->size && *rest->at && strchr(space, *rest->at)) {
        rest->at++;
        rest->size--;
    }
}

static void skip(struct bytes *rest, size_t bytes) {
    rest->at += bytes;
    rest->size -= bytes;
}

static int ends_word(uint8_t byte) {
    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
    case ':':
    case ']':
    case '}':
    case '[':
    case '{':
    case '"':
    case 0: return 1;
    default: return 0;
    }
}

static int begins_number(struct bytes word) {
    return word.size &&
           ((*word.at >= '0' && *word.at <= '9') || (*word.at && strchr("-+.NI", *word.at)));
}

/* A word: true, null, a number. Which number it is, if it is one, is left to who wants it. */
static int take_word(struct bytes *rest, struct json_value *value) {
    size_t size = 0;
    while (size < rest->size && !ends_word(rest->at[size]))
        size++;
    value->bytes = (struct bytes){rest->at, size};
    skip(rest, size);
    if (begins_number(value->bytes))
        value->kind = JSON_NUMBER;
    else if (json_scan_is(value->bytes, "true"))
        value->kind = JSON_TRUE;
    else if (json_scan_is(value->bytes, "false"))
        value->kind = JSON_FALSE;
    else if (json_scan_is(value->bytes, "null"))
        value->kind = JSON_NULL;
    else
        return -1;
    return 1;
}

/* Returns 1, or -1 where there is none, or it is broken. */
static int take_value(struct bytes *rest, struct json_value *value) {
    struct json_extent extent = {0};
    if (!rest->size)
        return -1;
    switch (*rest->at) {
    case '{': value->kind = JSON_OBJECT; break;
    case '[': value->kind = JSON_ARRAY; break;
    case '"': value->kind = JSON_TEXT; break;
    default: return take_word(rest, value);
    }
    const uint8_t *end = json_scan_extent(&extent, rest->at, rest->at + rest->size);
    if (!end || (value->kind != JSON_TEXT && end[-1] != *rest->at + 2)) /* as '{' + 2 is '}' */
        return -1;
    value->bytes = (struct bytes){rest->at + 1, (size_t)(end - rest->at) - 2};
    skip(rest, (size_t)(end - rest->at));
    return 1;
}

int json_scan_element(struct bytes *rest, struct json_value *value) {
    skip_space(rest, " \t\r\n,");
    return rest->size ? take_value(rest, value) : 0;
}

int json_scan_member(struct bytes *rest, struct bytes *key, struct json_value *value) {
    struct json_value name;
    int state = json_scan_element(rest, &name);
    if (state <= 0)
        return state;
    skip_space(rest, " \t\r\n");
    if (name.kind != JSON_TEXT || !rest->size || *rest->at != ':')
        return -1;
    skip(rest, 1);
    skip_space(rest, " \t\r\n");
    *key = name.bytes;
    return take_value(rest, value);
}

/* ----------------------------------------------------------------- texts */

int json_scan_is(struct bytes text, const char *word) {
    return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

static int hex_digit(uint8_t digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The four digits behind "\u". Returns -1 where they are none. */
static int32_t unit_at(const uint8_t *at, const uint8_t *end) {
    int32_t unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t point) {
    if (point < 0x80) {
        *to++ = (uint8_t)point;
    } else if (point < 0x800) {
        *to++ = (uint8_t)(0xc0 | point >> 6);
        *to++ = (uint8_t)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (uint8_t)(0xe0 | point >> 12);
        *to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (point & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | point >> 18);
        *to++ = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (point & 0x3f));
    }
    return to;
}

/* "\u...": a character, or the first half of one whose other half follows. Never longer than what it is made of. */
static const uint8_t *put_unit(uint8_t **to, const uint8_t *at, const uint8_t *end) {
    int32_t unit = unit_at(at, end);
    uint32_t point = (uint32_t)unit;
    if (unit < 0) {
        *(*to)++ = *at;
        return at + 1;
    }
    at += 6;
    if (point >= 0xd800 && point < 0xdc00) {
        int32_t low = unit_at(at, end);
        int is_pair = low >= 0xdc00 && low < 0xe000;
        point =
            is_pair ? 0x10000 + ((point - 0xd800) << 10) + ((uint32_t)low - 0xdc00) : REPLACEMENT;
        at += is_pair ? 6 : 0;
    } else if (!point || (point >= 0xdc00 && point < 0xe000)) {
        point = REPLACEMENT;
    }
    *to = put_utf8(*to, point);
    return at;
}

/* One escape. Returns what is behind it. */
static const uint8_t *put_escape(uint8_t **to, const uint8_t *at, const uint8_t *end) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = end - at > 1 && at[1] ? strchr(letters, at[1]) : NULL;
    if (!letter)
        return put_unit(to, at, end);
    *(*to)++ = (uint8_t)meanings[letter - letters];
    return at + 2;
}

struct bytes json_scan_text(struct bytes text, struct json_room *room) {
    const uint8_t *at = text.size ? memchr(text.at, '\\', text.size) : NULL;
    if (!at)
        return text;
    if (room->size < text.size) {
        uint8_t *larger = realloc(room->bytes, text.size);
        if (!larger)
            return (struct bytes){NULL, 0};
        room->bytes = larger;
        room->size = text.size;
    }
    const uint8_t *end = text.at + text.size;
    uint8_t *to = room->bytes;
    for (at = text.at; at < end;) {
        if (*at == '\\')
            at = put_escape(&to, at, end);
        else
            *to++ = *at++;
    }
    return (struct bytes){room->bytes, (size_t)(to - room->bytes)};
}

void json_room_free(struct json_room *room) {
    free(room->bytes);
    *room = (struct json_room){0};
}

/* --------------------------------------------------------------- numbers */

/* A number's digits as one whole number, in units of 10^-places; further digits round it. Returns 0, or -1 where it is
 * no such number, or too large. */
static int scaled(struct bytes number, int places, int64_t *value) {
    const uint8_t *at = number.at, *end = number.at + number.size;
    int negative = at < end && *at == '-', digits = 0, fraction = 0, left = places;
    uint64_t sum = 0;
    for (at += negative; at < end; at++) {
        if (*at == '.' && !fraction) {
            fraction = 1;
            continue;
        }
        if (*at < '0' || *at > '9')
            return -1;
        digits++;
        if (fraction && left-- <= 0) {
            sum += left == -1 && *at >= '5';
            continue;
        }
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, *at - '0', &sum))
            return -1;
    }
    for (; left > 0; left--)
        if (__builtin_mul_overflow(sum, 10, &sum))
            return -1;
    if (!digits || sum > (uint64_t)INT64_MAX)
        return -1;
    *value = negative ? -(int64_t)sum : (int64_t)sum;
    return 0;
}

int json_scan_integer(struct bytes number, int64_t *value) {
    if (memchr(number.at, '.', number.size))
        return -1;
    return scaled(number, 0, value);
}

int json_scan_real(struct bytes number, double *value) {
    char text[NUMBER_BYTES_MAX + 1], *end;
    if (!number.size || number.size > NUMBER_BYTES_MAX ||
        !strchr("-+.0123456789NI", number.at[0]) || memchr(number.at, 'x', number.size) ||
        memchr(number.at, 0, number.size))
        return -1;
    memcpy(text, number.at, number.size);
    text[number.size] = 0;
    *value = strtod(text, &end);
    return *end || end == text ? -1 : 0;
}

int json_scan_nanoseconds(struct bytes number, int64_t *value_ns) {
    double real;
    if (!number.size)
        return -1;
    if (scaled(number, 3, value_ns) == 0)
        return 0;
    if (json_scan_real(number, &real) || !(fabs(real) < 9e15))
        return -1;
    *value_ns = llround(real * 1000);
    return 0;
}
