/* See call_parts.h: what calls are calls of. */
#include "model/call_parts.h"

#include <string.h>

#include "model/grow.h"

static const char category_call[] = "call", category_c[] = "call,c";

int calls_is_call(const struct trace *trace, uint32_t category) {
    const char *text = trace_text(trace, category);
    return !strcmp(text, category_call) || !strcmp(text, category_c);
}

int calls_is_call_or_scope(const struct trace *trace, uint32_t category) {
    return calls_is_call(trace, category) ||
           !strcmp(trace_text(trace, category), CALL_SCOPE_CATEGORY);
}

int calls_are_there(const struct trace *trace) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < trace->span_count; i++) {
        uint32_t category = trace->spans[i].category;
        if (category != last && calls_is_call(trace, category))
            return 1;
        last = category;
    }
    return 0;
}

/* "app.models" of "app.models.User.save", where the name is "User.save". */
static uint32_t module_of(struct trace *trace, const char *function, const char *name) {
    size_t whole = strlen(function), tail = strlen(name);
    if (whole <= tail + 1 || strcmp(function + whole - tail, name) != 0 ||
        function[whole - tail - 1] != '.')
        return 0;
    return strings_add(&trace->reader.strings,
                       (struct bytes){(const uint8_t *)function, whole - tail - 1});
}

static struct call_function describe(const struct call_functions *self, const struct span *span,
                                     uint32_t source) {
    struct trace *trace = self->trace;
    struct call_function function = {
        .name = span->name, .category = span->category, .source = source, .kind = FUNCTION_SPAN};
    for (uint32_t kind = 0; kind < FUNCTION_SPAN; kind++)
        if (span->category && span->category == self->categories[kind])
            function.kind = kind;
    if (source) {
        const struct source_place *place = &trace->reader.arguments.sources[source];
        function.module =
            module_of(trace, trace_text(trace, place->function), trace_text(trace, span->name));
        function.file = place->file;
        function.line = place->line;
    }
    return function;
}

static int is_function(const struct call_function *known, const struct span *span,
                       uint32_t source) {
    return known->name == span->name && known->category == span->category &&
           known->source == source;
}

uint32_t call_functions_find(struct call_functions *self, const struct span *span) {
    struct calls *calls = self->calls;
    uint32_t source = span->detail ? self->trace->reader.arguments.details[span->detail].source : 0;
    uint64_t key = map_mix((uint64_t)span->name << 32 | span->category) + source;
    uint32_t place = map_get(&self->places, key);
    if (place != MAP_NONE && is_function(&calls->functions[place], span, source))
        return place;
    if (GROW(calls->functions, calls->function_count, calls->function_capacity))
        return CALL_NONE;
    /* Of two with the same key the first stays in the map: the second is a function anew each time. */
    if (place == MAP_NONE && map_put(&self->places, key, calls->function_count))
        return CALL_NONE;
    calls->functions[calls->function_count] = describe(self, span, source);
    return calls->function_count++;
}

void call_functions_init(struct call_functions *self, struct calls *calls, struct trace *trace) {
    struct strings *strings = &trace->reader.strings;
    *self = (struct call_functions){.calls = calls, .trace = trace};
    self->categories[FUNCTION_PYTHON] = strings_add_text(strings, category_call);
    self->categories[FUNCTION_C] = strings_add_text(strings, category_c);
}

void call_functions_free(struct call_functions *self) {
    map_free(&self->places);
}

uint64_t calls_invocation(const struct calls *calls, const struct span *span) {
    const struct value *number = calls_value(calls, span->detail, "(call)");
    if (!number || (number->kind != VALUE_INT && number->kind != VALUE_UINT))
        return 0;
    uint64_t key = map_mix(number->number) + calls->trace->reader.tracks.all[span->track].process;
    return key ? key : 1;
}
