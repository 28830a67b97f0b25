/* Each different text of a trace once, by a number. Number 0 is "no text". Texts are bytes as the file has them: not
 * always UTF-8, but without NUL (a reader stops there) and NUL-terminated. */
#ifndef MAREY_MODEL_STRINGS_H
#define MAREY_MODEL_STRINGS_H

#include "format/wire.h"

enum {
    STRING_BYTES_MAX = 64 << 10, /* of one text; more is cut */
    STRINGS_MAX = 1 << 24,       /* different texts */
};

struct string {
    const char *text;
    uint32_t length;
    uint32_t hash;
};

/* All zero is an empty table. */
struct strings {
    struct string *all; /* by number; [0] is "no text" */
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots; /* numbers by hash, 0: free */
    uint32_t mask;
    struct string_block *blocks; /* newest first */
    uint32_t block_used, block_room;
    int full; /* STRINGS_MAX was reached, or memory is short */
};

/* The number of a text, new or known. 0 for an empty one, and where the table is full. */
uint32_t strings_add(struct strings *strings, struct bytes text);
uint32_t strings_add_text(struct strings *strings, const char *text);
/* NULL for 0. Valid as long as the table. */
const char *strings_text(const struct strings *strings, uint32_t number);
/* Forgets the texts that were added since there were so many (strings->count), last first. */
void strings_forget(struct strings *strings, uint32_t count);
void strings_free(struct strings *strings);

#endif
