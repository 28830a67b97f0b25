/* Text and numbers for a person at a terminal. What comes from a trace is made harmless: no escape sequence, no
 * control character, no reversed direction, no invalid UTF-8 gets through. */
#ifndef MAREY_OUTPUT_DISPLAY_H
#define MAREY_OUTPUT_DISPLAY_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes; /* NUL-terminated, or NULL where empty */
    size_t size, capacity;
    int failed; /* memory was short: what came after is missing */
};

void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_add(struct text *text, const char *string);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);
/* What was added; "" for nothing. */
const char *text_of(const struct text *text);

/* A character of UTF-8 at `at`: its bytes (1 to 4) and code point; a byte that is not UTF-8 is one byte, -1. */
struct character {
    unsigned bytes;
    int32_t code;
};
struct character character_at(const char *at, const char *end);
/* How many of `size` bytes to take for at most `most` of them that do not end within a character. */
size_t character_cut(const char *at, size_t size, size_t most);
/* Whether it must not reach a terminal as it is: controls, direction marks, invisible ones, no character at all. */
int character_is_harmful(int32_t code);

/* Adds a text of a trace, made harmless, cut to at most `columns` columns (0: not cut). What is cut ends in "...".
 * Returns how many columns it takes. */
size_t display_add(struct text *text, const char *string, size_t columns);
/* The same for a path, cut at its front: "...", then its end from a slash on where there is one. */
size_t display_add_end(struct text *text, const char *path, size_t columns);
/* Columns of what display_add made. */
size_t display_columns(const char *string);

/* "812ns", "49.0us", "1.23ms", "2.50s", "3m05s", "2h10m". */
void display_duration(char *to, size_t room, int64_t ns);
/* "812 B", "1.2 MiB". */
void display_size(char *to, size_t room, uint64_t bytes);
/* "1,234,567". */
void display_count(char *to, size_t room, uint64_t count);
enum { DISPLAY_ROOM = 32 }; /* enough for each of these three */

#endif
