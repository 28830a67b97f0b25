/* See packet.h: debug annotations, the arguments of events, and source locations. */
#include "model/grow.h"
#include "model/packet.h"

/* A value being read: its message's fields may stand in any order, what is inside it comes after it. */
struct reading {
    struct reader *reader;
    const struct sequence *sequence;
    uint32_t first; /* the argument's own value */
};

/* The key, which an argument has by number or in words. */
static int take_key(const struct reading *reading, const struct field *field, uint32_t *key) {
    const struct sequence *sequence = reading->sequence;
    if (field->number == ANNOTATION__name_iid && field->wire == WIRE_VARINT) {
        uint32_t known = interned_get(&sequence->keys, sequence->generation, field->value);
        *key = known == MAP_NONE ? 0 : known;
    } else if (field->number == ANNOTATION__name && field->wire == WIRE_BYTES) {
        *key = strings_add(&reading->reader->strings, field->bytes);
    } else {
        return 0;
    }
    return 1;
}

static void take_number(struct value *value, const struct field *field) {
    static const uint8_t kinds[] = {
        [ANNOTATION__bool_value] = VALUE_BOOL,
        [ANNOTATION__uint_value] = VALUE_UINT,
        [ANNOTATION__int_value] = VALUE_INT,
        [ANNOTATION__pointer_value] = VALUE_POINTER,
    };
    if (field->number >= sizeof kinds / sizeof *kinds || !kinds[field->number])
        return;
    value->kind = kinds[field->number];
    value->number = value->kind == VALUE_BOOL ? field->value != 0 : field->value;
}

static void take_value(const struct reading *reading, struct value *value,
                       const struct field *field) {
    const struct sequence *sequence = reading->sequence;
    switch (field->number << 3 | field->wire) {
    case TAG(ANNOTATION__double_value, WIRE_FIXED64):
        value->kind = VALUE_DOUBLE;
        value->number = field->value;
        break;
    case TAG(ANNOTATION__string_value, WIRE_BYTES):
    case TAG(ANNOTATION__json_value, WIRE_BYTES):
        value->kind = VALUE_TEXT;
        value->text = strings_add(&reading->reader->strings, field->bytes);
        break;
    case TAG(ANNOTATION__string_value_iid, WIRE_VARINT):
        value->text = interned_get(&sequence->texts, sequence->generation, field->value);
        value->kind = value->text == MAP_NONE ? VALUE_NOTHING : VALUE_TEXT;
        break;
    default:
        if (field->wire == WIRE_VARINT)
            take_number(value, field);
    }
}

/* Key and value of a message; what is inside it is left for later. Returns 0, or -1 where a field is broken. */
static int split(const struct reading *reading, struct bytes bytes, struct value *value) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    *value = (struct value){.kind = VALUE_NOTHING};
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (take_key(reading, &field, &value->key))
            continue;
        if (field.wire == WIRE_BYTES && field.number == ANNOTATION__dict_entries)
            value->kind = VALUE_DICT;
        else if (field.wire == WIRE_BYTES && field.number == ANNOTATION__array_values)
            value->kind = VALUE_ARRAY;
        else
            take_value(reading, value, &field);
    }
    return state;
}

/* A place for one more value. MAP_NONE where there is none. */
static uint32_t make_room(const struct reading *reading) {
    struct arguments *arguments = &reading->reader->arguments;
    if (arguments->value_count >= ARGUMENTS_MAX ||
        arguments->value_count - reading->first >= ARGUMENT_VALUES_MAX) {
        damage_add(&reading->reader->damage, LOSS_LIMIT, 0);
        return MAP_NONE;
    }
    if (GROW(arguments->values, arguments->value_count, arguments->value_capacity)) {
        reader_out_of_memory(reading->reader);
        return MAP_NONE;
    }
    return arguments->value_count++;
}

static int read_value(const struct reading *reading, struct bytes bytes, int level);

/* What is inside a dict or an array. Recursion ends at ARGUMENT_NESTING_MAX. */
static int read_inside(const struct reading *reading, struct bytes bytes, uint32_t kind,
                       int level) {
    uint32_t wanted = kind == VALUE_DICT ? ANNOTATION__dict_entries : ANNOTATION__array_values;
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0)
        if (field.number == wanted && field.wire == WIRE_BYTES &&
            read_value(reading, field.bytes, level + 1))
            return -1;
    return state;
}

static int read_value(const struct reading *reading, struct bytes bytes, int level) {
    struct arguments *arguments = &reading->reader->arguments;
    uint32_t place = make_room(reading);
    struct value value;
    if (place == MAP_NONE)
        return 0;
    if (split(reading, bytes, &value))
        return -1;
    uint32_t kind = value.kind;
    int is_nested = kind == VALUE_DICT || kind == VALUE_ARRAY;
    if (is_nested && level >= ARGUMENT_NESTING_MAX)
        value.kind = VALUE_CUT;
    arguments->values[place] = value;
    if (value.kind != kind || !is_nested)
        return 0;
    int broken = read_inside(reading, bytes, kind, level);
    arguments->values[place].inside = arguments->value_count - place - 1;
    return broken;
}

/* The key alone; of a long one only where it has a number: those that mean something are short. MAP_NONE: a field is
 * broken. */
static uint32_t read_key(const struct reading *reading, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    uint32_t key = 0;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0)
        if (field.number != ANNOTATION__name || field.bytes.size <= 16)
            take_key(reading, &field, &key);
    return state < 0 ? (uint32_t)MAP_NONE : key;
}

static int is_mark(const struct reader *reader, uint32_t key) {
    const char *text = strings_text(&reader->strings, key);
    return text && *text == '(';
}

int annotation_read(struct reader *reader, const struct sequence *sequence, struct bytes bytes) {
    struct arguments *arguments = &reader->arguments;
    const struct reading reading = {reader, sequence, arguments->value_count};
    uint32_t key = read_key(&reading, bytes);
    if (key == MAP_NONE)
        return -1;
    if (arguments->wanted == ARGUMENTS_ALL ||
        (arguments->wanted == ARGUMENTS_MARKS && is_mark(reader, key)))
        if (read_value(&reading, bytes, 0))
            return -1;
    return key && (key == reader->error_key || key == reader->exception_key);
}

uint32_t source_read(struct reader *reader, struct bytes bytes, uint64_t *id) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    uint32_t file = 0, function = 0, line = 0;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(SOURCE_LOCATION__iid, WIRE_VARINT): *id = field.value; break;
        case TAG(SOURCE_LOCATION__file, WIRE_BYTES):
            file = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(SOURCE_LOCATION__function, WIRE_BYTES):
            function = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(SOURCE_LOCATION__line, WIRE_VARINT):
            line = field.value <= INT32_MAX ? (uint32_t)field.value : 0;
            break;
        default: break;
        }
    }
    if (state < 0)
        return MAP_NONE;
    return arguments_source(&reader->arguments, file, function, line);
}
