/* See json.h. */
#include "output/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/digits.h"

enum { INDENTED_MAX = 64 }; /* levels; what is deeper is indented no more */

void json_init(struct json *json, FILE *to, int indent) {
    *json = (struct json){.to = to, .indent = indent};
}

void json_finish(struct json *json) {
    putc_unlocked('\n', json->to);
}

static void new_line(struct json *json) {
    if (!json->indent)
        return;
    int blanks = json->indent * (json->depth < INDENTED_MAX ? json->depth : INDENTED_MAX);
    fprintf(json->to, "\n%*s", blanks, "");
}

static void put_character(FILE *to, const char *at, struct character one) {
    if (one.code < 0)
        fputs_unlocked("\xef\xbf\xbd", to);
    else if (one.code == '"' || one.code == '\\')
        fprintf(to, "\\%c", (char)one.code);
    else if (one.code == '\n')
        fputs_unlocked("\\n", to);
    else if (one.code == '\t')
        fputs_unlocked("\\t", to);
    else if (character_is_harmful(one.code) && one.code < 0x10000)
        fprintf(to, "\\u%04x", (unsigned)one.code);
    else
        fwrite_unlocked(at, 1, one.bytes, to);
}

/* How many characters from `text` on stand for themselves, one byte each. */
static size_t plain(const char *text, const char *end) {
    const char *at = text;
    while (at < end && *at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - text);
}

void json_put_text(FILE *to, const char *text) {
    const char *end = text + strlen(text);
    putc_unlocked('"', to);
    while (text < end) {
        size_t run = plain(text, end);
        fwrite_unlocked(text, 1, run, to);
        text += run;
        if (text == end)
            break;
        struct character one = character_at(text, end);
        put_character(to, text, one);
        text += one.bytes;
    }
    putc_unlocked('"', to);
}

/* What stands before each value: a comma, a new line, its key. */
static void before(struct json *json, const char *key) {
    if (json->depth) {
        if (!json->empty[json->depth])
            fputs_unlocked(json->indent ? "," : ", ", json->to);
        json->empty[json->depth] = 0;
        new_line(json);
    }
    if (key) {
        json_put_text(json->to, key);
        fputs_unlocked(": ", json->to);
    }
}

static void open_bracket(struct json *json, const char *key, char bracket, char close) {
    before(json, key);
    putc_unlocked(bracket, json->to);
    if (json->depth + 1 < JSON_DEPTH_MAX)
        json->depth++;
    json->empty[json->depth] = 1;
    json->close[json->depth] = close;
}

void json_object(struct json *json, const char *key) {
    open_bracket(json, key, '{', '}');
}

void json_array(struct json *json, const char *key) {
    open_bracket(json, key, '[', ']');
}

void json_end(struct json *json) {
    int level = json->depth--;
    if (!json->empty[level])
        new_line(json);
    putc_unlocked(json->close[level], json->to);
}

void json_text(struct json *json, const char *key, const char *text) {
    before(json, key);
    json_put_text(json->to, text);
}

void json_integer(struct json *json, const char *key, int64_t value) {
    before(json, key);
    char digits[DIGITS_MAX];
    fwrite_unlocked(digits, 1, (size_t)(digits_integer(digits, value) - digits), json->to);
}

void json_count(struct json *json, const char *key, uint64_t value) {
    before(json, key);
    char digits[DIGITS_MAX];
    fwrite_unlocked(digits, 1, (size_t)(digits_count(digits, value) - digits), json->to);
}

void json_double(struct json *json, const char *key, double value) {
    char digits[40] = "null";
    before(json, key);
    for (int precision = 15; isfinite(value) && precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    fputs_unlocked(digits, json->to);
}

void json_raw(struct json *json, const char *key, const char *value) {
    before(json, key);
    fputs_unlocked(value, json->to);
}

void json_bool(struct json *json, const char *key, int value) {
    before(json, key);
    fputs_unlocked(value ? "true" : "false", json->to);
}

void json_null(struct json *json, const char *key) {
    before(json, key);
    fputs_unlocked("null", json->to);
}
