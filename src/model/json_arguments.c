/* See json_event.h: what stands in an event's "args", as typed arguments. */
#include "model/grow.h"
#include "model/json_event.h"

/* One argument of an event. */
struct reading {
    struct json_reader *json;
    uint32_t first; /* its own value */
};

uint32_t json_string(struct json_reader *self, struct bytes text) {
    struct bytes plain = json_scan_text(text, &self->room);
    if (!plain.at && text.size)
        reader_out_of_memory(self->reader);
    return plain.at ? strings_add(&self->reader->strings, plain) : 0;
}

/* A place for one more value. MAP_NONE where there is none. */
static uint32_t make_room(const struct reading *reading) {
    struct reader *reader = reading->json->reader;
    struct arguments *arguments = &reader->arguments;
    if (arguments->value_count >= ARGUMENTS_MAX ||
        arguments->value_count - reading->first >= ARGUMENT_VALUES_MAX) {
        damage_add(&reader->damage, LOSS_LIMIT, 0);
        return MAP_NONE;
    }
    if (GROW(arguments->values, arguments->value_count, arguments->value_capacity)) {
        reader_out_of_memory(reader);
        return MAP_NONE;
    }
    return arguments->value_count++;
}

/* Whole numbers are kept as such; one that is too large for that is a double. */
static void take_number(struct bytes number, struct value *value) {
    double real = 0;
    value->kind = VALUE_INT;
    if (json_scan_integer(number, &value->integer) == 0)
        return;
    (void)json_scan_real(number, &real);
    value->kind = VALUE_DOUBLE;
    value->real = real;
}

static struct value value_of(const struct reading *reading, const struct json_value *json) {
    struct value value = {.kind = VALUE_NOTHING};
    switch (json->kind) {
    case JSON_OBJECT: value.kind = VALUE_DICT; break;
    case JSON_ARRAY: value.kind = VALUE_ARRAY; break;
    case JSON_NUMBER: take_number(json->bytes, &value); break;
    case JSON_TEXT:
        value.kind = VALUE_TEXT;
        value.text = json_string(reading->json, json->bytes);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value.kind = VALUE_BOOL;
        value.number = json->kind == JSON_TRUE;
        break;
    default: break;
    }
    return value;
}

static void read_value(const struct reading *reading, uint32_t key, const struct json_value *json,
                       int level);

/* What is inside an object or an array. Recursion ends at ARGUMENT_NESTING_MAX. */
static void read_inside(const struct reading *reading, const struct json_value *json, int level) {
    struct bytes rest = json->bytes, key = {NULL, 0};
    struct json_value inside;
    while ((json->kind == JSON_OBJECT ? json_scan_member(&rest, &key, &inside)
                                      : json_scan_element(&rest, &inside)) > 0)
        read_value(reading, key.size ? json_string(reading->json, key) : 0, &inside, level + 1);
}

static void read_value(const struct reading *reading, uint32_t key, const struct json_value *json,
                       int level) {
    struct arguments *arguments = &reading->json->reader->arguments;
    struct value value = value_of(reading, json);
    uint32_t place = make_room(reading);
    int is_nested = value.kind == VALUE_DICT || value.kind == VALUE_ARRAY;
    if (place == MAP_NONE)
        return;
    if (is_nested && level >= ARGUMENT_NESTING_MAX) {
        value.kind = VALUE_CUT;
        is_nested = 0;
    }
    value.key = key;
    arguments->values[place] = value;
    if (!is_nested)
        return;
    read_inside(reading, json, level);
    arguments->values[place].inside = arguments->value_count - place - 1;
}

static int is_mark(struct bytes key) {
    return key.size && *key.at == '(';
}

int json_arguments_read(struct json_reader *self, const struct json_value *arguments) {
    uint32_t wanted = self->reader->arguments.wanted;
    struct bytes rest = arguments->bytes, key;
    struct json_value value;
    int failed = 0;
    if (arguments->kind != JSON_OBJECT)
        return 0;
    while (json_scan_member(&rest, &key, &value) > 0) {
        failed |= json_scan_is(key, "error") || json_scan_is(key, "exception");
        if (wanted == ARGUMENTS_ALL || (wanted == ARGUMENTS_MARKS && is_mark(key))) {
            const struct reading reading = {self, self->reader->arguments.value_count};
            read_value(&reading, json_string(self, key), &value, 0);
        }
    }
    return failed;
}
