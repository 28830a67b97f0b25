/* See event_args.h. */
#include "output/event_args.h"

enum { COMPARED_MAX = 256 }; /* values at an end that are looked for among those at the begin */

/* NULL where it has none. */
static const struct value *values_of(const struct arguments *arguments, uint32_t detail) {
    const struct detail *of = &arguments->details[detail];
    return of->size ? arguments->values + of->first : NULL;
}

/* Whether the end has an argument of that name: it counts, a name stands once in an object. */
static int has_key(const struct arguments *arguments, uint32_t detail, uint32_t key) {
    const struct value *values = values_of(arguments, detail);
    uint32_t size = arguments->details[detail].size;
    for (uint32_t i = 0; i < size && i < COMPARED_MAX; i += 1 + values[i].inside)
        if (values[i].key == key)
            return 1;
    return 0;
}

static void put_values(struct json *json, const struct trace *trace, uint32_t detail,
                       uint32_t later) {
    const struct arguments *arguments = &trace->reader.arguments;
    const struct value *values = values_of(arguments, detail);
    for (uint32_t i = 0; i < arguments->details[detail].size; i += 1 + values[i].inside)
        if (!later || !has_key(arguments, later, values[i].key))
            value_json(json, trace, trace_text(trace, values[i].key), &values[i]);
}

static void put_source(struct json *json, const struct trace *trace, uint32_t source) {
    const struct source_place *place = &trace->reader.arguments.sources[source];
    struct text text = {0};
    text_add(&text, trace_text(trace, place->file ? place->file : place->function));
    if (place->line)
        text_addf(&text, ":%u", place->line);
    json_text(json, EVENT_SOURCE, text_of(&text));
    text_free(&text);
}

int event_args_json(struct json *json, const struct trace *trace, const char *key,
                    uint32_t detail) {
    if (!detail)
        return 0;
    const struct detail *said = &trace->reader.arguments.details[detail];
    uint32_t end = said->end;
    if (!said->size && !said->source && !(end && trace->reader.arguments.details[end].size))
        return 0;
    json_object(json, key);
    put_values(json, trace, detail, end);
    if (end)
        put_values(json, trace, end, 0);
    if (said->source)
        put_source(json, trace, said->source);
    json_end(json);
    return 1;
}
