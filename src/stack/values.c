#include "stack/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "marey.h"
#include "stack/pages.h"
#include "stack/raw_frame.h"
#include "stack/text.h"
#include "stack/value_text.h"

struct values {
    struct process *process;
    struct pages pages; /* objects are read by way of them */
    struct objects objects;
};

/* A place of the frame, in the order in which they are. */
struct place {
    uint64_t name; /* str */
    enum variable_kind kind;
};

struct places {
    struct place list[VALUES_VARIABLES_MAX];
    int count;
    bool cut;
};

int values_open(struct values **out, struct process *process) {
    struct values *values = calloc(1, sizeof *values);
    *out = NULL;
    if (!values)
        return MAREY_ENOMEM;
    if (pages_init(&values->pages, &process->memory)) {
        free(values);
        return MAREY_ENOMEM;
    }
    values->process = process;
    objects_init(&values->objects, &process->layout, &values->pages.memory);
    *out = values;
    return 0;
}

void values_close(struct values *values) {
    if (!values)
        return;
    pages_fini(&values->pages);
    free(values);
}

/* ---- which places a code object has */

static void add_names(struct values *values, struct places *places, uint64_t names,
                      enum variable_kind kind) {
    struct object_entries entries = {0};
    if (object_sequence(&values->objects, names, VALUES_VARIABLES_MAX, &entries) == 0)
        for (uint32_t i = 0; i < entries.count && places->count < VALUES_VARIABLES_MAX; i++)
            places->list[places->count++] = (struct place){entries.list[i].key, kind};
    places->cut |= entries.total > entries.count || places->count == VALUES_VARIABLES_MAX;
    object_entries_free(&entries);
}

/* The first of them are arguments: positional, by keyword, then *args and **kwargs. */
static int arguments_of(struct values *values, uint64_t code) {
    enum { POSITIONAL, POSITIONAL_ONLY, BY_KEYWORD, NUMBERS, ALL_MAX = 1 << 16 };
    enum { FLAG_ARGS = 4, FLAG_KWARGS = 8, FLAGS_OLD = 20, FLAGS_NEW = 32 };
    const struct layout *layout = &values->process->layout;
    int32_t number[NUMBERS] = {0}, flags = 0;
    uint64_t at = code + layout->code_arguments;
    uint64_t flags_at =
        layout->version < 0x030b ? at + FLAGS_OLD : code + layout->object_bytes + FLAGS_NEW;
    if (memory_read(&values->pages.memory, at, number, sizeof number) ||
        memory_read(&values->pages.memory, flags_at, &flags, sizeof flags) ||
        number[POSITIONAL] < 0 || number[POSITIONAL] > ALL_MAX || number[BY_KEYWORD] < 0 ||
        number[BY_KEYWORD] > ALL_MAX)
        return 0;
    return number[POSITIONAL] + number[BY_KEYWORD] + ((flags & FLAG_ARGS) != 0) +
           ((flags & FLAG_KWARGS) != 0);
}

/* 3.11 and later: one byte for each place says what it is (internal/pycore_code.h, CO_FAST_...). */
static void mark_kinds(struct values *values, struct places *places, uint64_t kinds) {
    enum { HIDDEN = 0x10, CELL = 0x40, FREE = 0x80 };
    uint8_t kind[VALUES_VARIABLES_MAX] = {0};
    if (places->count == 0 ||
        memory_read(&values->pages.memory, kinds + values->process->layout.bytes_data, kind,
                    (size_t)places->count))
        return;
    for (int i = 0; i < places->count; i++) {
        if (kind[i] & FREE)
            places->list[i].kind = VARIABLE_FREE;
        else if (kind[i] & CELL)
            places->list[i].kind = VARIABLE_CELL;
    }
}

static void places_of(struct values *values, uint64_t code, struct places *places) {
    const struct layout *layout = &values->process->layout;
    struct memory *memory = &values->pages.memory;
    places->count = 0;
    places->cut = false;
    add_names(values, places, memory_pointer(memory, code + layout->code_variables),
              VARIABLE_LOCAL);
    if (layout->code_kinds != LAYOUT_NONE) {
        mark_kinds(values, places, memory_pointer(memory, code + layout->code_kinds));
    } else {
        add_names(values, places, memory_pointer(memory, code + layout->code_cells), VARIABLE_CELL);
        add_names(values, places, memory_pointer(memory, code + layout->code_free), VARIABLE_FREE);
    }
    int arguments = arguments_of(values, code);
    for (int i = 0; i < arguments && i < places->count; i++)
        if (places->list[i].kind == VARIABLE_LOCAL)
            places->list[i].kind = VARIABLE_ARGUMENT;
}

/* ---- their values */

/* Room for a text of so many bytes and its NUL; NULL: the frame has had its share. */
static char *text_room(struct variables *variables, uint32_t bytes) {
    if (bytes >= VALUES_TEXT_BYTES - variables->text_bytes) {
        variables->cut = true;
        return NULL;
    }
    return variables->text + variables->text_bytes;
}

static const char *add_name(struct values *values, struct variables *variables, uint64_t str) {
    char *name;
    if (text_read(&values->pages.memory, &values->process->layout, str, SECRET_NAME_MAX, &name))
        return NULL;
    char *text = text_room(variables, (uint32_t)strlen(name));
    if (text) {
        strcpy(text, name); /* NOLINT: there is room */
        variables->text_bytes += (uint32_t)strlen(name) + 1;
    }
    free(name);
    return text;
}

static void add_variable(struct values *values, struct variables *variables,
                         const struct place *place, uint64_t object) {
    uint64_t content = object;
    if (place->kind >= VARIABLE_CELL && object_kind(&values->objects, object) == OBJECT_CELL)
        content = object_first(&values->objects, object);
    if (!content)
        return;
    const char *name = add_name(values, variables, place->name);
    char *value = name ? text_room(variables, VALUES_ONE_BYTES) : NULL;
    if (!value)
        return;
    if (marey__secret_is(name))
        strcpy(value, "***"); /* NOLINT: there is room */
    else
        value_text(&values->objects, content, value, VALUES_ONE_BYTES);
    variables->text_bytes += (uint32_t)strlen(value) + 1;
    variables->list[variables->count++] =
        (struct variable){.name = name, .value = value, .kind = place->kind};
}

/* Does this frame still run this code? Asked of the memory itself, not of the pages. */
static int check_frame(struct values *values, const struct frame *frame) {
    uint64_t code = 0;
    const struct layout *layout = &values->process->layout;
    int error = memory_read(&values->process->memory, frame->address + layout->frame_code, &code,
                            sizeof code);
    if (error)
        return error == MAREY_EADDRESS ? MAREY_ETORN : error;
    return (code & ~(uint64_t)7) == frame->code_address ? 0 : MAREY_ETORN;
}

static int read_all(struct values *values, const struct frame *frame, struct variables *variables) {
    const struct layout *layout = &values->process->layout;
    struct places places;
    uint64_t slots[VALUES_VARIABLES_MAX];
    places_of(values, frame->code_address, &places);
    variables->cut = places.cut;
    if (places.count && memory_read(&values->pages.memory, frame->address + layout->frame_locals,
                                    slots, (size_t)places.count * sizeof *slots))
        return MAREY_ETORN;
    for (int i = 0; i < places.count; i++) {
        uint64_t object = object_untagged(layout, slots[i]);
        if (object && object % 8 == 0)
            add_variable(values, variables, &places.list[i], object);
    }
    return check_frame(values, frame);
}

int values_read(struct values *values, const struct frame *frame, struct variables *variables) {
    variables->count = 0;
    variables->text_bytes = 0;
    variables->cut = false;
    pages_forget(&values->pages);
    objects_tick(&values->objects);
    int error = check_frame(values, frame);
    if (!error)
        error = read_all(values, frame, variables);
    if (error)
        variables->count = 0;
    return error;
}
