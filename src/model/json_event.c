/* See json_event.h: one event, what it says and its time. */
#include "model/json_event.h"

#include <stdio.h>

#include "model/grow.h"

/* ------------------------------------------------------------- splitting */

static void set(struct json_value *to, uint8_t *is_there, const struct json_value *value) {
    *to = *value;
    *is_there = 1;
}

/* {"local": ...} counts within a process, {"global": ...} as "id" does. */
static void take_id2(struct json_said *said, struct bytes members) {
    struct bytes key;
    struct json_value value;
    while (json_scan_member(&members, &key, &value) > 0) {
        if (json_scan_is(key, "local"))
            set(&said->local_id, &said->has_local_id, &value);
        else if (json_scan_is(key, "global"))
            set(&said->id, &said->has_id, &value);
    }
}

static void take_text(struct json_said *said, struct bytes key, const struct json_value *value) {
    if (json_scan_is(key, "name"))
        said->name = value->bytes;
    else if (json_scan_is(key, "cat"))
        said->category = value->bytes;
    else if (json_scan_is(key, "ph"))
        said->phase = value->bytes;
    else if (json_scan_is(key, "s"))
        said->scope = value->bytes;
    else if (json_scan_is(key, "bp"))
        said->bind = value->bytes;
}

static void take_member(struct json_said *said, struct bytes key, const struct json_value *value) {
    if (json_scan_is(key, "ts"))
        set(&said->time, &said->has_time, value);
    else if (json_scan_is(key, "dur"))
        set(&said->duration, &said->has_duration, value);
    else if (json_scan_is(key, "pid"))
        set(&said->pid, &said->has_pid, value);
    else if (json_scan_is(key, "tid"))
        set(&said->tid, &said->has_tid, value);
    else if (json_scan_is(key, "id"))
        set(&said->id, &said->has_id, value);
    else if (json_scan_is(key, "args"))
        set(&said->arguments, &said->has_arguments, value);
    else if (json_scan_is(key, "id2") && value->kind == JSON_OBJECT)
        take_id2(said, value->bytes);
    else if (json_scan_is(key, "bind_id"))
        set(&said->flow, &said->has_flow, value);
    else if (json_scan_is(key, "flow_in"))
        said->flow_in = value->kind == JSON_TRUE;
    else if (json_scan_is(key, "flow_out"))
        said->flow_out = value->kind == JSON_TRUE;
    else if (value->kind == JSON_TEXT)
        take_text(said, key, value);
}

/* Returns 0, or -1 where it is broken. */
static int split(struct json_said *said, struct bytes event) {
    struct bytes key;
    struct json_value value;
    int state;
    while ((state = json_scan_member(&event, &key, &value)) > 0)
        take_member(said, key, &value);
    return state;
}

/* ---------------------------------------------------------------- events */

static void broken(struct json_reader *self) {
    damage_add(&self->reader->damage, DAMAGE_EVENT, self->offset);
}

/* A time or a duration, a number or a text that is one. */
static int time_of(const struct json_value *value, int64_t *time_ns) {
    if (value->kind != JSON_NUMBER && value->kind != JSON_TEXT)
        return -1;
    return json_scan_nanoseconds(value->bytes, time_ns);
}

/* The number of a flow, new or known: of what its steps have in common. */
static uint64_t flow_of(struct json_reader *self, uint64_t names, const struct json_value *id) {
    uint64_t key = map_spread(names, json_string(self, id->bytes));
    uint32_t number = map_get(&self->flow_ids, key);
    if (number == MAP_NONE) {
        number = self->flow_ids.count;
        if (map_put(&self->flow_ids, key, number))
            reader_out_of_memory(self->reader);
    }
    return (uint64_t)number + 1;
}

/* The new way: an event says itself which flow it is a step of, and whether that goes on. One id is one flow. */
static void add_own_flow(struct json_reader *self, const struct json_said *said) {
    enum { NO_NAMES = -1 };
    if (!said->has_flow || !(said->flow_in || said->flow_out))
        return;
    uint64_t id = flow_of(self, (uint64_t)NO_NAMES, &said->flow);
    flow_count(self->reader, id);
    if (arguments_flow(&self->reader->arguments, id, !said->flow_out))
        damage_add(&self->reader->damage, LOSS_LIMIT, self->offset);
}

/* Its name, category, arguments and flow. Returns whether these say that the span failed. */
static int describe(struct json_reader *self, const struct json_said *said, struct event *event) {
    struct arguments *arguments = &self->reader->arguments;
    struct arguments_mark before = arguments_mark(arguments);
    int failed = said->has_arguments && json_arguments_read(self, &said->arguments);
    add_own_flow(self, said);
    event->name = json_string(self, said->name);
    event->category = json_string(self, said->category);
    event->detail = arguments_detail(arguments, before, 0);
    return failed;
}

static void append(struct json_reader *self, uint32_t track, const struct event *event) {
    if (track == MAP_NONE)
        return;
    self->reader->events++;
    event_append(self->reader, track, event);
}

static void read_event(struct json_reader *self, const struct json_said *said, struct event *event,
                       int kind) {
    int is_async = strchr("bne", *said->phase.at) != NULL;
    int failed = describe(self, said, event);
    uint32_t name = event->name;
    event->kind = (uint8_t)kind;
    if (kind == EVENT_END) {
        event->name = event->category = 0; /* a name that differs is not to leave the span open */
        event->flags = failed ? EVENT_FAILED : 0;
    }
    if (is_async && !said->has_id && !said->has_local_id) {
        broken(self);
        return;
    }
    append(self,
           is_async                ? json_async_track(self, said, name)
           : kind == EVENT_INSTANT ? json_instant_track(self, said)
                                   : json_thread_track(self, said),
           event);
}

static void read_complete(struct json_reader *self, const struct json_said *said,
                          struct event *event) {
    int64_t duration_ns, end_ns;
    if (!said->has_duration || time_of(&said->duration, &duration_ns) || duration_ns < 0 ||
        __builtin_add_overflow(event->time_ns, duration_ns, &end_ns)) {
        broken(self);
        return;
    }
    uint32_t track = json_thread_track(self, said);
    if (track == MAP_NONE)
        return;
    describe(self, said, event);
    const struct complete complete = {.begin_ns = event->time_ns,
                                      .duration_ns = duration_ns,
                                      .name = event->name,
                                      .category = event->category,
                                      .detail = event->detail};
    self->reader->events += 2;
    json_complete_add(self, track, &complete);
}

/* "queue" for {"value": 3}, "memory rss" for {"rss": 3}: each number is a counter of its own. */
static uint32_t counter_name(struct json_reader *self, const struct json_said *said,
                             struct bytes key) {
    char joined[1024];
    struct strings *strings = &self->reader->strings;
    uint32_t name = json_string(self, said->name), part = json_string(self, key);
    if (part == name || json_scan_is(key, "value"))
        return name;
    const char *first = name ? strings_text(strings, name) : "",
               *second = part ? strings_text(strings, part) : "";
    snprintf(joined, sizeof joined, "%s %s", first, second);
    return strings_add_text(strings, joined);
}

static int counter_value(const struct json_value *value, double *number) {
    if (value->kind == JSON_TRUE || value->kind == JSON_FALSE) {
        *number = value->kind == JSON_TRUE;
        return 0;
    }
    return value->kind == JSON_NUMBER || value->kind == JSON_TEXT
               ? json_scan_real(value->bytes, number)
               : -1;
}

static void read_counters(struct json_reader *self, const struct json_said *said,
                          struct event *event) {
    struct bytes rest = said->arguments.bytes, key;
    struct json_value value;
    if (!said->has_arguments || said->arguments.kind != JSON_OBJECT) {
        broken(self);
        return;
    }
    uint32_t process = json_process_track(self, said);
    while (json_scan_member(&rest, &key, &value) > 0) {
        struct event counter = {.time_ns = event->time_ns, .kind = EVENT_COUNTER};
        if (counter_value(&value, &counter.value)) {
            damage_add(&self->reader->damage, LOSS_COUNTER, self->offset);
            continue;
        }
        uint32_t name = counter_name(self, said, key);
        append(self, json_counter_track(self, process, name), &counter);
    }
}

/* Keeps the step for its span, which may come later in the file. */
static void add_loose(struct json_reader *self, const struct json_said *said, int64_t time_ns,
                      uint64_t id) {
    struct loose_flows *flows = &self->reader->loose_flows;
    int ends = *said->phase.at == 'f';
    const struct loose_flow flow = {
        .time_ns = time_ns,
        .id = id,
        .track = json_thread_track(self, said),
        .ends = (uint8_t)ends,
        .place = ends && !json_scan_is(said->bind, "e") ? FLOW_IN_NEXT : FLOW_IN_ENCLOSING};
    if (!self->reader->arguments.flows_wanted || flow.track == MAP_NONE)
        return;
    if (GROW(flows->all, flows->count, flows->capacity))
        reader_out_of_memory(self->reader);
    else
        flows->all[flows->count++] = flow;
}

/* What belongs together has one name, category and id. */
static void read_flow(struct json_reader *self, const struct json_said *said, int64_t time_ns) {
    if (!said->has_id && !said->has_local_id) {
        broken(self);
        return;
    }
    uint64_t names =
        (uint64_t)json_string(self, said->category) << 32 | json_string(self, said->name);
    uint64_t id = flow_of(self, names, said->has_id ? &said->id : &said->local_id);
    self->reader->events++;
    flow_count(self->reader, id);
    add_loose(self, said, time_ns, id);
}

/* ------------------------------------------------------------------ names */

static uint32_t argument_text(struct json_reader *self, const struct json_said *said,
                              const char *name) {
    struct bytes rest = said->arguments.bytes, key;
    struct json_value value;
    if (!said->has_arguments || said->arguments.kind != JSON_OBJECT)
        return 0;
    while (json_scan_member(&rest, &key, &value) > 0)
        if (json_scan_is(key, name) && value.kind == JSON_TEXT)
            return json_string(self, value.bytes);
    return 0;
}

/* Names of processes and threads; how they are to be sorted is left to who shows them. */
static void read_metadata(struct json_reader *self, const struct json_said *said) {
    int is_process = json_scan_is(said->name, "process_name");
    if (!is_process && !json_scan_is(said->name, "thread_name"))
        return;
    uint32_t name = argument_text(self, said, "name");
    uint32_t track = is_process ? json_process_track(self, said) : json_thread_track(self, said);
    if (track != MAP_NONE && name)
        self->reader->tracks.all[track].name = name;
}

/* -------------------------------------------------------------------- all */

static void read_timed(struct json_reader *self, const struct json_said *said) {
    struct event event = {0};
    if (!said->has_time || time_of(&said->time, &event.time_ns)) {
        broken(self);
        return;
    }
    switch (*said->phase.at) {
    case 'B':
    case 'b': read_event(self, said, &event, EVENT_BEGIN); break;
    case 'E':
    case 'e': read_event(self, said, &event, EVENT_END); break;
    case 'i':
    case 'I':
    case 'R':
    case 'n': read_event(self, said, &event, EVENT_INSTANT); break;
    case 'X': read_complete(self, said, &event); break;
    case 'C': read_counters(self, said, &event); break;
    case 's':
    case 't':
    case 'f': read_flow(self, said, event.time_ns); break;
    default: break;
    }
}

int json_event_read(struct json_reader *self, struct bytes event) {
    struct json_said said = {0};
    struct damage *damage = &self->reader->damage;
    if (split(&said, event))
        return -1;
    if (!said.phase.size) {
        if (said.name.size || said.has_time) /* "{}" is how some end their list */
            damage_add(damage, NOTE_TYPE, self->offset);
        return 0;
    }
    self->reader->packets++;
    if (said.phase.size > 1 || !strchr("BEXiIRCMbnestfSTFPOND", *said.phase.at))
        damage_add(damage, NOTE_TYPE, self->offset);
    else if (strchr("STFPOND", *said.phase.at))
        damage_add(damage, LOSS_LEGACY, self->offset);
    else if (*said.phase.at == 'M')
        read_metadata(self, &said);
    else
        read_timed(self, &said);
    return 0;
}
