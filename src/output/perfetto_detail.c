/* See perfetto_writer.h: what events say beside their name. */
#include "output/perfetto_writer.h"

static void put_scalar(struct perfetto *writer, struct text *to, const struct value *value) {
    switch (value->kind) {
    case VALUE_BOOL: message_number(to, ANNOTATION__bool_value, value->number); break;
    case VALUE_INT: message_number(to, ANNOTATION__int_value, value->number); break;
    case VALUE_UINT: message_number(to, ANNOTATION__uint_value, value->number); break;
    case VALUE_POINTER: message_number(to, ANNOTATION__pointer_value, value->number); break;
    case VALUE_DOUBLE: message_fixed64(to, ANNOTATION__double_value, &value->real); break;
    case VALUE_CUT: message_string(to, ANNOTATION__string_value, "..."); break;
    case VALUE_TEXT:
        if (value->text)
            message_number(to, ANNOTATION__string_value_iid,
                           perfetto_text(writer, value->text, SAID_VALUE,
                                         INTERNED__debug_annotation_string_values));
        else
            message_string(to, ANNOTATION__string_value, "");
        break;
    default: break;
    }
}

/* A value, and what is inside it: as many levels as the reader keeps. */
static void put_value(struct perfetto *writer, struct text *to, unsigned field,
                      const struct value *value, uint32_t level) {
    struct text *message = &writer->levels[level];
    int nested = value->kind == VALUE_DICT || value->kind == VALUE_ARRAY;
    if (value->key)
        message_number(
            message, ANNOTATION__name_iid,
            perfetto_text(writer, value->key, SAID_KEY, INTERNED__debug_annotation_names));
    if (nested && level <= ARGUMENT_NESTING_MAX) {
        unsigned inner =
            value->kind == VALUE_DICT ? ANNOTATION__dict_entries : ANNOTATION__array_values;
        for (uint32_t i = 1; i <= value->inside; i += 1 + value[i].inside)
            put_value(writer, message, inner, &value[i], level + 1);
    } else {
        put_scalar(writer, message, value);
    }
    message_within(to, field, message);
}

static uint32_t source_number(struct perfetto *writer, uint32_t source) {
    const struct source_place *place = &writer->trace->reader.arguments.sources[source];
    if (writer->sources[source])
        return source;
    writer->sources[source] = 1;
    message_number(&writer->entry, SOURCE_LOCATION__iid, source);
    if (place->file)
        perfetto_clean(&writer->entry, SOURCE_LOCATION__file,
                       trace_text(writer->trace, place->file));
    if (place->function)
        perfetto_clean(&writer->entry, SOURCE_LOCATION__function,
                       trace_text(writer->trace, place->function));
    if (place->line)
        message_number(&writer->entry, SOURCE_LOCATION__line, place->line);
    message_within(&writer->interned, INTERNED__source_locations, &writer->entry);
    return source;
}

static void put_clipping(struct perfetto *writer, struct text *event) {
    struct value value = {
        .key = writer->clipping.key, .kind = VALUE_INT, .integer = writer->clipping.ns};
    if (value.key)
        put_value(writer, event, EVENT__debug_annotations, &value, 0);
    writer->clipping = (struct clipping){0};
}

/* Whether the value is what was cut off before; then it counts in. */
static int is_clipping(struct clipping *clipping, const struct value *value) {
    return clipping->key && value->key == clipping->key && value->kind == VALUE_INT &&
           !__builtin_add_overflow(clipping->ns, value->integer, &clipping->ns);
}

static void put_said(struct perfetto *writer, struct text *event, const struct detail *said) {
    const struct arguments *arguments = &writer->trace->reader.arguments;
    const struct value *values = said->size ? arguments->values + said->first : NULL;
    for (uint32_t i = 0; i < said->size; i += 1 + values[i].inside)
        if (!is_clipping(&writer->clipping, &values[i]))
            put_value(writer, event, EVENT__debug_annotations, &values[i], 0);
    if (said->source)
        message_number(event, EVENT__source_location_iid, source_number(writer, said->source));
    for (uint32_t i = 0; i < said->flows; i++) {
        const struct flow_step *step = &arguments->flows[said->first_flow + i];
        message_fixed64(event, step->ends ? EVENT__terminating_flow_ids : EVENT__flow_ids,
                        &step->id);
    }
}

void perfetto_detail(struct perfetto *writer, struct text *event, uint32_t detail) {
    if (detail)
        put_said(writer, event, &writer->trace->reader.arguments.details[detail]);
    put_clipping(writer, event);
}
