/* JSON from anybody, value by value, without a tree of it: where each value ends, what a text says, what a number is.
 *
 * Takes what writers of traces write: NaN and Infinity as Python does, any commas, bytes that are no UTF-8. Nothing recurses;
 * what is inside an object or an array is looked at when it is asked for. Source: RFC 8259. */
#ifndef MAREY_MODEL_JSON_SCAN_H
#define MAREY_MODEL_JSON_SCAN_H

#include "format/wire.h"

enum json_kind {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_TEXT,
    JSON_NUMBER, /* NaN and Infinity are some */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_value {
    enum json_kind kind;
    /* of a text without its quotes, of an object or array without its brackets */
    struct bytes bytes;
};

/* How far into a value one is. All zero before its first byte. */
struct json_extent {
    uint64_t depth;
    uint8_t in_text, escaped;
};

/* Steps on, over the value's bytes or up to `end`. Returns where the value ends, which is an object, an array or a text;
 * NULL: not before `end`. */
const uint8_t *json_scan_extent(struct json_extent *extent, const uint8_t *at, const uint8_t *end);

/* The next member of an object or element of an array, taken off the front of `rest`. Returns 1; 0 at the end; -1 where
 * it is broken. The key is a text as in struct json_value. */
int json_scan_member(struct bytes *rest, struct bytes *key, struct json_value *value);
int json_scan_element(struct bytes *rest, struct json_value *value);

/* Room for texts with escapes in them. All zero at first. */
struct json_room {
    uint8_t *bytes; /* owned */
    size_t size;
};

/* What a text says: itself, or a copy in the room, valid until the next. A lone surrogate and NUL become U+FFFD, and what
 * is no escape stays as it is. `at` is NULL where memory is short. */
struct bytes json_scan_text(struct bytes text, struct json_room *room);
void json_room_free(struct json_room *room);
/* Whether a text is that one; neither has escapes. */
int json_scan_is(struct bytes text, const char *word);

/* A whole number. Returns 0, or -1 where it is none, or too large. */
int json_scan_integer(struct bytes number, int64_t *value);
/* Returns 0, or -1 where it is none. */
int json_scan_real(struct bytes number, double *value);
/* A number of microseconds, in nanoseconds, rounded. Returns 0, or -1 where it is none, or too large. */
int json_scan_nanoseconds(struct bytes number, int64_t *value_ns);

#endif
