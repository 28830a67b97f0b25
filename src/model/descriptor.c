/* See packet.h: messages that say what there is: tracks, processes, threads, facts about the trace. */
#include "model/grow.h"
#include "model/packet.h"

/* What a descriptor says, before it is known which track it describes. */
struct description {
    uint64_t uuid, parent;
    int64_t pid, tid, multiplier;
    uint32_t kind, name, command_line, unit;
    uint8_t incremental, has_parent;
};

static int read_process(struct reader *reader, struct description *to, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    char line[4096];
    size_t length = 0;
    struct field field;
    int state;
    to->kind = TRACK_PROCESS;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number == PROCESS__pid && field.wire == WIRE_VARINT) {
            to->pid = (int32_t)field.value;
        } else if (field.number == PROCESS__process_name && field.wire == WIRE_BYTES) {
            to->name = strings_add(&reader->strings, field.bytes);
        } else if (field.number == PROCESS__cmdline && field.wire == WIRE_BYTES) {
            size_t room = sizeof line - length;
            if (field.bytes.size + 1 > room)
                continue;
            if (length)
                line[length++] = ' ';
            memcpy(line + length, field.bytes.at, field.bytes.size);
            length += field.bytes.size;
        }
    }
    to->command_line = strings_add(&reader->strings, (struct bytes){(const uint8_t *)line, length});
    return state;
}

static int read_thread(struct reader *reader, struct description *to, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    to->kind = TRACK_THREAD;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(THREAD__pid, WIRE_VARINT): to->pid = (int32_t)field.value; break;
        case TAG(THREAD__tid, WIRE_VARINT): to->tid = (int64_t)field.value; break;
        case TAG(THREAD__thread_name, WIRE_BYTES):
            to->name = strings_add(&reader->strings, field.bytes);
            break;
        default: break;
        }
    }
    return state;
}

/* "ns", "count", "bytes": Perfetto's units by number. */
static uint32_t unit_of(struct reader *reader, uint64_t unit) {
    static const char *const units[] = {"", "ns", "count", "bytes"};
    return unit < sizeof units / sizeof *units ? strings_add_text(&reader->strings, units[unit])
                                               : 0;
}

static int read_counter(struct reader *reader, struct description *to, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    to->kind = TRACK_COUNTER;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(COUNTER__unit, WIRE_VARINT): to->unit = unit_of(reader, field.value); break;
        case TAG(COUNTER__unit_name, WIRE_BYTES):
            to->unit = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(COUNTER__unit_multiplier, WIRE_VARINT):
            to->multiplier = (int64_t)field.value;
            break;
        case TAG(COUNTER__is_incremental, WIRE_VARINT): to->incremental = field.value != 0; break;
        default: break;
        }
    }
    return state;
}

static int split(struct reader *reader, struct description *to, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        int inner = 0;
        switch (field.number << 3 | field.wire) {
        case TAG(TRACK_DESCRIPTOR__uuid, WIRE_VARINT): to->uuid = field.value; break;
        case TAG(TRACK_DESCRIPTOR__parent_uuid, WIRE_VARINT):
            to->parent = field.value;
            to->has_parent = 1;
            break;
        case TAG(TRACK_DESCRIPTOR__name, WIRE_BYTES):
        case TAG(TRACK_DESCRIPTOR__static_name, WIRE_BYTES):
        case TAG(TRACK_DESCRIPTOR__atrace_name, WIRE_BYTES):
            if (to->kind == TRACK_CUSTOM || to->kind == TRACK_COUNTER)
                to->name = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(TRACK_DESCRIPTOR__process, WIRE_BYTES):
            inner = read_process(reader, to, field.bytes);
            break;
        case TAG(TRACK_DESCRIPTOR__thread, WIRE_BYTES):
            inner = read_thread(reader, to, field.bytes);
            break;
        case TAG(TRACK_DESCRIPTOR__counter, WIRE_BYTES):
            inner = read_counter(reader, to, field.bytes);
            break;
        default: break;
        }
        if (inner)
            return -1;
    }
    return state;
}

/* A later descriptor renames a track; it does not make another thread of it. Returns 0, or -1 where it would. */
static int apply(struct track *track, const struct description *from, uint32_t machine) {
    int has_identity = track->kind == TRACK_PROCESS || track->kind == TRACK_THREAD;
    if (has_identity && (from->kind == TRACK_PROCESS || from->kind == TRACK_THREAD) &&
        (track->kind != from->kind || track->pid != from->pid || track->tid != from->tid))
        return -1;
    if (from->kind != TRACK_CUSTOM || track->kind == TRACK_UNKNOWN)
        track->kind = from->kind;
    track->machine = machine;
    if (from->kind == TRACK_PROCESS || from->kind == TRACK_THREAD) {
        track->pid = from->pid;
        track->tid = from->tid;
    }
    if (from->kind == TRACK_COUNTER) {
        track->multiplier = from->multiplier;
        track->incremental = from->incremental;
        track->unit = from->unit ? from->unit : track->unit;
    }
    if (from->has_parent)
        track->parent_uuid = from->parent;
    track->name = from->name ? from->name : track->name;
    track->command_line = from->command_line ? from->command_line : track->command_line;
    return 0;
}

int descriptor_read(struct reader *reader, const struct packet *packet) {
    struct description description = {.kind = TRACK_CUSTOM};
    if (split(reader, &description, packet->descriptor))
        return -1;
    if (!description.uuid) /* 0 is the trace itself: it only says how tracks are ordered */
        return description.kind == TRACK_CUSTOM ? 0 : -1;
    uint32_t place = tracks_find(&reader->tracks, description.uuid);
    if (place == MAP_NONE)
        damage_add(&reader->damage, LOSS_LIMIT, packet->offset);
    else if (apply(&reader->tracks.all[place], &description, reader->machine))
        damage_add(&reader->damage, LOSS_IDENTITY, packet->offset);
    return 0;
}

static int attribute_split(struct reader *reader, struct bytes bytes, struct attribute *attribute) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    *attribute = (struct attribute){0};
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(ATTRIBUTE__key, WIRE_BYTES):
            attribute->key = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(ATTRIBUTE__string_value, WIRE_BYTES):
            attribute->text = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(ATTRIBUTE__long_value, WIRE_VARINT):
            attribute->number = (int64_t)field.value;
            attribute->is_number = 1;
            break;
        default: break;
        }
    }
    return state;
}

/* Of a key that is given twice the later value counts. */
static void attribute_set(struct reader *reader, const struct attribute *attribute) {
    for (uint32_t i = 0; i < reader->attribute_count; i++)
        if (reader->attributes[i].key == attribute->key) {
            reader->attributes[i] = *attribute;
            return;
        }
    if (reader->attribute_count >= ATTRIBUTES_MAX)
        damage_add(&reader->damage, LOSS_LIMIT, 0);
    else if (GROW(reader->attributes, reader->attribute_count, reader->attribute_capacity))
        reader_out_of_memory(reader);
    else
        reader->attributes[reader->attribute_count++] = *attribute;
}

int attributes_read(struct reader *reader, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct attribute attribute;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number != TRACE_ATTRIBUTES__attribute || field.wire != WIRE_BYTES)
            continue;
        if (attribute_split(reader, field.bytes, &attribute))
            return -1;
        if (attribute.key)
            attribute_set(reader, &attribute);
    }
    return state;
}
