/* See packet.h: a TrackEvent becomes events of tracks. */
#include <stdio.h>

#include "model/grow.h"
#include "model/matching.h"
#include "model/packet.h"

enum { LEAN_EVENTS = 1024 }; /* kept of a track before they are thinned out */

/* What a TrackEvent says. Of categories, flows and annotations the first few are kept in mind. */
struct said {
    uint64_t type;
    uint64_t name_id;
    uint64_t track_uuid;
    struct bytes name, callstack;
    uint64_t callstack_id;
    uint32_t category;
    uint32_t source;              /* of the reader's arguments */
    struct arguments_mark before; /* of its arguments and flows */
    uint8_t has_track, has_value, failed, legacy, unknown_name, unknown_category;
    double value;
    struct extra_counters counters, double_counters;
    uint32_t extra_count, extra_double_count;
    double extra[EXTRA_COUNTERS_MAX], extra_double[EXTRA_COUNTERS_MAX];
};

static double as_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Several categories become one text, joined by commas. */
static void add_category(struct reader *reader, struct said *said, uint32_t category) {
    char joined[1024];
    if (!said->category) {
        said->category = category;
    } else if (category) {
        int length =
            snprintf(joined, sizeof joined, "%s,%s", strings_text(&reader->strings, said->category),
                     strings_text(&reader->strings, category));
        if (length > 0 && length < (int)sizeof joined)
            said->category = strings_add_text(&reader->strings, joined);
    }
}

void flow_count(struct reader *reader, uint64_t id) {
    if (reader->flow_count >= FLOWS_MAX)
        damage_add(&reader->damage, LOSS_LIMIT, 0);
    else if (GROW(reader->flows, reader->flow_count, reader->flow_capacity))
        reader_out_of_memory(reader);
    else
        reader->flows[reader->flow_count++] = id;
}

static void add_flow(struct reader *reader, uint64_t id, int ends) {
    if (reader->listener)
        return;
    if (arguments_flow(&reader->arguments, id, ends))
        damage_add(&reader->damage, LOSS_LIMIT, 0);
    if (!reader->chooser)
        flow_count(reader, id);
}

static void add_extra(double *values, uint32_t *count, double value) {
    if (*count < EXTRA_COUNTERS_MAX)
        values[(*count)++] = value;
}

static void add_extra_track(struct extra_counters *counters, uint64_t uuid) {
    if (counters->count < EXTRA_COUNTERS_MAX)
        counters->tracks[counters->count++] = uuid;
}

static void take_category(struct reader *reader, const struct sequence *sequence, struct said *said,
                          uint64_t id) {
    uint32_t category = interned_get(&sequence->categories, sequence->generation, id);
    if (category == MAP_NONE)
        said->unknown_category = 1;
    else
        add_category(reader, said, category);
}

static int take_source(struct reader *reader, const struct sequence *sequence, struct said *said,
                       const struct field *field) {
    uint64_t unused;
    if (!reader->arguments.wanted)
        return 0;
    uint32_t place = field->wire == WIRE_BYTES
                         ? source_read(reader, field->bytes, &unused)
                         : interned_get(&sequence->sources, sequence->generation, field->value);
    said->source = place == MAP_NONE ? 0 : place;
    return 0;
}

/* The fields that few events have. */
static int take_rare(struct reader *reader, const struct sequence *sequence, struct said *said,
                     const struct field *field) {
    switch (field->number << 3 | field->wire) {
    case TAG(EVENT__category_iids, WIRE_VARINT):
        take_category(reader, sequence, said, field->value);
        break;
    case TAG(EVENT__categories, WIRE_BYTES):
        add_category(reader, said, strings_add(&reader->strings, field->bytes));
        break;
    case TAG(EVENT__debug_annotations, WIRE_BYTES): {
        int failed = annotation_read(reader, sequence, field->bytes);
        if (failed < 0)
            return -1;
        said->failed |= (uint8_t)failed;
        break;
    }
    case TAG(EVENT__source_location_iid, WIRE_VARINT):
    case TAG(EVENT__source_location, WIRE_BYTES): return take_source(reader, sequence, said, field);
    case TAG(EVENT__legacy_event, WIRE_BYTES): said->legacy = 1; break;
    case TAG(EVENT__flow_ids_old, WIRE_VARINT):
    case TAG(EVENT__flow_ids, WIRE_FIXED64): add_flow(reader, field->value, 0); break;
    case TAG(EVENT__terminating_flow_ids_old, WIRE_VARINT):
    case TAG(EVENT__terminating_flow_ids, WIRE_FIXED64): add_flow(reader, field->value, 1); break;
    case TAG(EVENT__callstack, WIRE_BYTES): said->callstack = field->bytes; break;
    case TAG(EVENT__callstack_iid, WIRE_VARINT): said->callstack_id = field->value; break;
    case TAG(EVENT__extra_counter_values, WIRE_VARINT):
        add_extra(said->extra, &said->extra_count, (double)(int64_t)field->value);
        break;
    case TAG(EVENT__extra_double_counter_values, WIRE_FIXED64):
        add_extra(said->extra_double, &said->extra_double_count, as_double(field->value));
        break;
    case TAG(EVENT__extra_counter_track_uuids, WIRE_VARINT):
        add_extra_track(&said->counters, field->value);
        break;
    case TAG(EVENT__extra_double_counter_track_uuids, WIRE_VARINT):
        add_extra_track(&said->double_counters, field->value);
        break;
    default: break;
    }
    return 0;
}

static int split(struct reader *reader, const struct sequence *sequence, struct said *said,
                 struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(EVENT__type, WIRE_VARINT): said->type = field.value; break;
        case TAG(EVENT__name_iid, WIRE_VARINT): said->name_id = field.value; break;
        case TAG(EVENT__name, WIRE_BYTES): said->name = field.bytes; break;
        case TAG(EVENT__track_uuid, WIRE_VARINT):
            said->track_uuid = field.value;
            said->has_track = 1;
            break;
        case TAG(EVENT__counter_value, WIRE_VARINT):
            said->value = (double)(int64_t)field.value;
            said->has_value = 1;
            break;
        case TAG(EVENT__double_counter_value, WIRE_FIXED64):
            said->value = as_double(field.value);
            said->has_value = 1;
            break;
        default:
            if (take_rare(reader, sequence, said, &field))
                return -1;
        }
    }
    return state;
}

static uint32_t event_name(struct reader *reader, const struct sequence *sequence,
                           struct said *said) {
    if (!said->name_id)
        return strings_add(&reader->strings, said->name);
    uint32_t name = interned_get(&sequence->names, sequence->generation, said->name_id);
    if (name != MAP_NONE)
        return name;
    said->unknown_name = 1;
    return 0;
}

/* Keeps what is no span. */
static int keep(const struct reader *reader, struct track *track, const struct event *event) {
    if (reader->lean && track->count >= LEAN_EVENTS && track->count == track->capacity)
        track_thin(track);
    return track_add(track, event);
}

void event_append(struct reader *reader, uint32_t place, const struct event *event) {
    struct track *track = &reader->tracks.all[place];
    int left = 0;
    if (reader->listener) {
        if (reader->listener->event)
            reader->listener->event(reader->listener->context, place, event);
        return;
    }
    if (!track_note(track, event) && !track->disordered) {
        track->disordered = 1;
        left = matching_undo(track, &reader->arguments);
    }
    if (reader->chooser && !reader->chooser->event(reader->chooser->context, place, event)) {
        arguments_drop(&reader->arguments, event->detail);
        return;
    }
    if (reader->kept++ >= EVENTS_MAX) {
        damage_add(&reader->damage, LOSS_LIMIT, 0);
        return;
    }
    if (track->disordered || !event_is_paired(event)) {
        left |= keep(reader, track, event);
    } else {
        left = matching_take(track, event, &reader->arguments);
        if (left > 0) {
            struct event stray = *event;
            stray.flags |= (uint8_t)left;
            left = keep(reader, track, &stray);
        }
    }
    if (left < 0)
        reader_out_of_memory(reader);
}

static void append_counter(struct reader *reader, const struct sequence *sequence, uint32_t place,
                           const struct event *event, double value) {
    struct track *track = &reader->tracks.all[place];
    struct event counter = *event;
    if (track->incremental) {
        uint64_t owner = (uint64_t)sequence->id << 32 | sequence->generation;
        track->sum = (track->sum_of == owner ? track->sum : 0) + value;
        track->sum_of = owner;
        value = track->sum;
    }
    counter.kind = EVENT_COUNTER;
    counter.flags = 0;
    counter.detail = 0;
    counter.value = track->multiplier > 0 ? value * (double)track->multiplier : value;
    event_append(reader, place, &counter);
}

/* Values of further counters, which ride on any event. */
static void append_extra(struct reader *reader, const struct sequence *sequence,
                         const struct extra_counters *said, const struct extra_counters *defaults,
                         const double *values, uint32_t count, const struct event *event) {
    const struct extra_counters *tracks = said->count ? said : defaults;
    for (uint32_t i = 0; i < count && i < tracks->count; i++) {
        uint32_t place = tracks_find(&reader->tracks, tracks->tracks[i]);
        if (place != MAP_NONE)
            append_counter(reader, sequence, place, event, values[i]);
    }
}

static void append_extras(struct reader *reader, const struct sequence *sequence,
                          const struct said *said, const struct event *event) {
    append_extra(reader, sequence, &said->counters, &sequence->counters, said->extra,
                 said->extra_count, event);
    append_extra(reader, sequence, &said->double_counters, &sequence->double_counters,
                 said->extra_double, said->extra_double_count, event);
}

/* What is kept of an event beside its name. */
static uint32_t take_detail(struct reader *reader, const struct said *said) {
    struct arguments *arguments = &reader->arguments;
    uint32_t detail = arguments_detail(arguments, said->before, said->source);
    if (!detail && (said->source || arguments->value_count > said->before.value))
        reader_out_of_memory(reader);
    return detail;
}

void event_read(struct reader *reader, struct sequence *sequence, const struct packet *packet,
                struct event *event) {
    struct said said;
    /* The arrays need no first value: their counts say what is in them. */
    memset(&said, 0, offsetof(struct said, counters));
    said.counters.count = said.double_counters.count = said.extra_count = said.extra_double_count =
        0;
    said.before = arguments_mark(&reader->arguments);
    if (split(reader, sequence, &said, packet->event)) {
        arguments_forget(&reader->arguments, said.before);
        damage_add(&reader->damage, DAMAGE_EVENT, packet->offset);
        return;
    }
    uint32_t place =
        said.has_track ? tracks_find(&reader->tracks, said.track_uuid) : sequence->track;
    if (place == MAP_NONE) {
        damage_add(&reader->damage, LOSS_LIMIT, packet->offset);
        return;
    }
    if (said.type < EVENT_BEGIN || said.type > EVENT_STATE) {
        damage_add(&reader->damage, said.legacy ? LOSS_LEGACY : NOTE_TYPE, packet->offset);
        return;
    }
    reader->events++;
    if (said.type == EVENT_COUNTER) {
        if (said.has_value)
            append_counter(reader, sequence, place, event, said.value);
        else if (!said.extra_count && !said.extra_double_count)
            damage_add(&reader->damage, LOSS_COUNTER, packet->offset);
    } else {
        event->kind = (uint8_t)said.type;
        event->flags = said.failed ? EVENT_FAILED : 0;
        event->name = event_name(reader, sequence, &said);
        event->category = said.category;
        event->detail = take_detail(reader, &said);
        event_append(reader, place, event);
    }
    if (said.unknown_name)
        damage_add(&reader->damage, DAMAGE_NAME, packet->offset);
    if (said.unknown_category)
        damage_add(&reader->damage, NOTE_CATEGORY, packet->offset);
    append_extras(reader, sequence, &said, event);
    if (said.callstack.at || said.callstack_id)
        sample_of_event(reader, sequence, &reader->tracks.all[place], said.callstack,
                        said.callstack_id, event, packet->offset);
}
