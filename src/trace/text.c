/* See text.h. */
#include "text.h"

#include <stdint.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
static const char nul_picture[] = "\xe2\x90\x80"; /* U+2400 */
static const char ellipsis[] = "...";
enum { SUBSTITUTE_BYTES = 3, ELLIPSIS_BYTES = 3 };

/* Length of the leading part that is ASCII without NUL, eight bytes at a time. */
static size_t ascii_prefix(const char *text, size_t bytes) {
    size_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        uint64_t zero = (word - 0x0101010101010101u) & ~word;
        if ((word | zero) & 0x8080808080808080u)
            break;
    }
    while (i < bytes && text[i] != 0 && (unsigned char)text[i] < 0x80)
        i++;
    return i;
}

static int is_tail(unsigned char byte) {
    return (byte & 0xc0) == 0x80;
}

/* Length of the valid UTF-8 character at `at`, 0 if there is none. RFC 3629: no overlong forms, no surrogates. */
static size_t character(const unsigned char *at, size_t bytes) {
    unsigned char first = at[0];
    if (first == 0)
        return 0;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return bytes >= 2 && is_tail(at[1]) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        if (bytes < 3 || !is_tail(at[1]) || !is_tail(at[2]))
            return 0;
        if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f))
            return 0;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (bytes < 4 || !is_tail(at[1]) || !is_tail(at[2]) || !is_tail(at[3]))
            return 0;
        if ((first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

struct sink {
    char *out;
    size_t at;
    size_t room;
};

/* Takes the piece whole or not at all. */
static int take(struct sink *sink, const char *piece, size_t bytes) {
    if (bytes > sink->room - sink->at)
        return 0;
    memcpy(sink->out + sink->at, piece, bytes);
    sink->at += bytes;
    return 1;
}

/* Copies the text made fit until the sink is full. Returns 1 if all of it went in. */
static int clean(struct sink *sink, const char *text, size_t bytes) {
    size_t i = 0;
    while (i < bytes) {
        size_t room = sink->room - sink->at;
        size_t plain = ascii_prefix(text + i, bytes - i < room ? bytes - i : room);
        if (plain) {
            take(sink, text + i, plain);
            i += plain;
            continue;
        }
        size_t length = character((const unsigned char *)text + i, bytes - i);
        const char *piece = length ? text + i : text[i] ? replacement : nul_picture;
        if (!take(sink, piece, length ? length : SUBSTITUTE_BYTES))
            return 0;
        i += length ? length : 1;
    }
    return 1;
}

size_t text_fit(char *out, size_t room, const char *text, size_t bytes) {
    struct sink sink = {out, 0, room};
    if (clean(&sink, text, bytes))
        return sink.at;
    sink = (struct sink){out, 0, room - ELLIPSIS_BYTES};
    clean(&sink, text, bytes);
    memcpy(out + sink.at, ellipsis, ELLIPSIS_BYTES);
    return sink.at + ELLIPSIS_BYTES;
}
