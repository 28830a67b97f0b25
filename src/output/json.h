/* JSON, written piece by piece. Always valid UTF-8: what is not becomes U+FFFD; emoji stand as they are, never as pairs
 * of surrogates; controls and direction marks are escaped, so that a terminal may show it. Source: RFC 8259.
 * One thread writes to the file. */
#ifndef MAREY_OUTPUT_JSON_H
#define MAREY_OUTPUT_JSON_H

#include <stdio.h>

#include "output/display.h"

enum { JSON_DEPTH_MAX = 2100 }; /* a tree of calls takes two levels each */

struct json {
    FILE *to;
    int indent; /* blanks a level; 0: all on one line */
    int depth;
    char empty[JSON_DEPTH_MAX]; /* nothing stands in this object or array yet */
    char close[JSON_DEPTH_MAX]; /* the bracket that ends it */
};

void json_init(struct json *json, FILE *to, int indent);
/* Ends the line. */
void json_finish(struct json *json);

/* key: NULL within an array and for the outermost value. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
/* Ends the innermost object or array. */
void json_end(struct json *json);
void json_text(struct json *json, const char *key, const char *text);
void json_integer(struct json *json, const char *key, int64_t value);
void json_count(struct json *json, const char *key, uint64_t value);
/* In as few digits as give the same number again; null where it is not finite: JSON has no other way. */
void json_double(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, int value);
void json_null(struct json *json, const char *key);
/* A value that is JSON already, on one line. */
void json_raw(struct json *json, const char *key, const char *value);

/* A text alone, in quotes; for formats that write the rest by themselves. */
void json_put_text(FILE *to, const char *text);

#endif
