/* See value_text.h. What is inside a value follows it, so that a few open brackets are all there is to remember. */
#include "output/value_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The dicts and arrays that a walk is inside of. */
struct nesting {
    const struct value *ends[ARGUMENT_NESTING_MAX + 1]; /* behind the last value inside */
    char brackets[ARGUMENT_NESTING_MAX + 1];
    int depth;
};

static int is_nested(const struct value *value) {
    return value->kind == VALUE_DICT || value->kind == VALUE_ARRAY;
}

static void add_quoted(struct text *text, const char *string) {
    text_add(text, "'");
    display_add(text, string, 0);
    text_add(text, "'");
}

/* As Python writes a float: 1.0, 1e+16, nan. */
static void add_double(struct text *text, double value) {
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_add(text, isnan(value) ? "nan" : digits);
    if (isfinite(value) && !strpbrk(digits, ".e"))
        text_add(text, ".0");
}

static void add_scalar(struct text *text, const struct trace *trace, const struct value *value,
                       enum value_style style) {
    switch ((enum value_kind)value->kind) {
    case VALUE_BOOL: text_add(text, value->number ? "True" : "False"); break;
    case VALUE_INT: text_addf(text, "%" PRId64, value->integer); break;
    case VALUE_UINT: text_addf(text, "%" PRIu64, value->number); break;
    case VALUE_POINTER: text_addf(text, "0x%" PRIx64, value->number); break;
    case VALUE_DOUBLE: add_double(text, value->real); break;
    case VALUE_TEXT:
        if (style == VALUE_QUOTED)
            add_quoted(text, trace_text(trace, value->text));
        else
            display_add(text, trace_text(trace, value->text), 0);
        break;
    case VALUE_CUT: text_add(text, "..."); break;
    case VALUE_NOTHING:
    case VALUE_DICT:
    case VALUE_ARRAY: text_add(text, "-"); break;
    }
}

static void close_brackets(struct text *text, struct nesting *nesting, const struct value *next) {
    while (nesting->depth && nesting->ends[nesting->depth - 1] <= next) {
        nesting->depth--;
        text_add_bytes(text, &nesting->brackets[nesting->depth], 1);
    }
}

static void open_bracket(struct text *text, struct nesting *nesting, const struct value *value) {
    int is_dict = value->kind == VALUE_DICT;
    text_add(text, is_dict ? "{" : "[");
    nesting->brackets[nesting->depth] = is_dict ? '}' : ']';
    nesting->ends[nesting->depth++] = value + 1 + value->inside;
}

void value_add(struct text *text, const struct trace *trace, const struct value *value,
               enum value_style style) {
    struct nesting nesting = {.depth = 0};
    const struct value *end = value + 1 + value->inside;
    for (const struct value *at = value; at < end; at++) {
        int opens = is_nested(at) && nesting.depth <= ARGUMENT_NESTING_MAX;
        if (nesting.depth && at[-1].inside == 0)
            text_add(text, ", ");
        if (nesting.depth && nesting.brackets[nesting.depth - 1] == '}') {
            add_quoted(text, trace_text(trace, at->key));
            text_add(text, ": ");
        }
        if (opens)
            open_bracket(text, &nesting, at);
        else
            add_scalar(text, trace, at, style);
        close_brackets(text, &nesting, at + 1);
    }
}

static void scalar_json(struct json *json, const struct trace *trace, const char *key,
                        const struct value *value) {
    struct text text = {0};
    switch ((enum value_kind)value->kind) {
    case VALUE_BOOL: json_bool(json, key, value->number != 0); break;
    case VALUE_INT: json_integer(json, key, value->integer); break;
    case VALUE_UINT: json_count(json, key, value->number); break;
    case VALUE_NOTHING: json_null(json, key); break;
    case VALUE_TEXT: json_text(json, key, trace_text(trace, value->text)); break;
    case VALUE_DOUBLE:
    case VALUE_POINTER:
    case VALUE_DICT:
    case VALUE_ARRAY:
    case VALUE_CUT:
        if (value->kind == VALUE_DOUBLE && isfinite(value->real)) {
            json_double(json, key, value->real);
            break;
        }
        add_scalar(&text, trace, value, VALUE_WRITTEN);
        json_text(json, key, text_of(&text));
        text_free(&text);
        break;
    }
}

void value_json(struct json *json, const struct trace *trace, const char *key,
                const struct value *value) {
    struct nesting nesting = {.depth = 0};
    const struct value *end = value + 1 + value->inside;
    for (const struct value *at = value; at < end; at++) {
        int in_dict = nesting.depth && nesting.brackets[nesting.depth - 1] == '}';
        const char *name = at == value ? key : in_dict ? trace_text(trace, at->key) : NULL;
        if (is_nested(at) && nesting.depth <= ARGUMENT_NESTING_MAX) {
            (at->kind == VALUE_DICT ? json_object : json_array)(json, name);
            nesting.brackets[nesting.depth] = at->kind == VALUE_DICT ? '}' : ']';
            nesting.ends[nesting.depth++] = at + 1 + at->inside;
        } else {
            scalar_json(json, trace, name, at);
        }
        for (; nesting.depth && nesting.ends[nesting.depth - 1] <= at + 1; nesting.depth--)
            json_end(json);
    }
}

int value_equal(const struct value *a, const struct value *b) {
    if (a->inside != b->inside)
        return 0;
    for (uint32_t i = 0; i <= a->inside; i++)
        if (a[i].key != b[i].key || a[i].kind != b[i].kind || a[i].inside != b[i].inside ||
            (!is_nested(&a[i]) && a[i].number != b[i].number))
            return 0;
    return 1;
}
