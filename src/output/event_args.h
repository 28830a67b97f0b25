/* What an event was given, as one JSON object: the arguments of a span's begin and end, and where in the source it
 * stands, as "(source)" (names of arguments are never in brackets but for those that Marey gives, docs/FORMAT.md). */
#ifndef MAREY_OUTPUT_EVENT_ARGS_H
#define MAREY_OUTPUT_EVENT_ARGS_H

#include "output/value_text.h"

#define EVENT_SOURCE "(source)"

/* Nothing where there is nothing to say. `detail`: of a span or event. Returns whether it wrote. */
int event_args_json(struct json *json, const struct trace *trace, const char *key, uint32_t detail);

#endif
