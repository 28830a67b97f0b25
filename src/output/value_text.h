/* Arguments of events, as text and as JSON. */
#ifndef MAREY_OUTPUT_VALUE_TEXT_H
#define MAREY_OUTPUT_VALUE_TEXT_H

#include "model/trace.h"
#include "output/json.h"

/* How a text among the arguments reads: calls hold their values as Python would write them, other spans as they are. */
enum value_style { VALUE_WRITTEN, VALUE_QUOTED };

/* Adds a value and what is inside it: 42, 1.5, True, 'Alice', [1, 2], {'id': 42}. */
void value_add(struct text *text, const struct trace *trace, const struct value *value,
               enum value_style style);
/* The same as a value of JSON. What JSON has no number for becomes a text. */
void value_json(struct json *json, const struct trace *trace, const char *key,
                const struct value *value);
/* Whether two values say the same. */
int value_equal(const struct value *a, const struct value *b);

#endif
