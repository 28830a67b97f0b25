/* See json_event.h: one event, its track and its time. */
#include "model/json_event.h"

#include <math.h>
#include <stdio.h>

#include "model/grow.h"

/* Processes and threads that are named instead of numbered get numbers beyond those that systems give (2^22). */
enum { NAMED_ID = (1 << 22) + 1 };

/* What tracks are for. Each kind is a space of keys of its own. */
enum track_use { FOR_PROCESS = 1, FOR_THREAD, FOR_COUNTER, FOR_ASYNC, FOR_ALL };

/* What an event says. Kinds are -1 where something is not said. */
struct said {
    struct bytes name, category, phase, scope, bind;
    struct json_value time, duration, pid, tid, id, local_id, arguments, flow;
    uint8_t has_time, has_duration, has_pid, has_tid, has_id, has_local_id, has_arguments, has_flow;
    uint8_t flow_in, flow_out;
};

/* ------------------------------------------------------------- splitting */

static void set(struct json_value *to, uint8_t *is_there, const struct json_value *value) {
    *to = *value;
    *is_there = 1;
}

/* {"local": ...} counts within a process, {"global": ...} as "id" does. */
static void take_id2(struct said *said, struct bytes members) {
    struct bytes key;
    struct json_value value;
    while (json_scan_member(&members, &key, &value) > 0) {
        if (json_scan_is(key, "local"))
            set(&said->local_id, &said->has_local_id, &value);
        else if (json_scan_is(key, "global"))
            set(&said->id, &said->has_id, &value);
    }
}

static void take_text(struct said *said, struct bytes key, const struct json_value *value) {
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

static void take_member(struct said *said, struct bytes key, const struct json_value *value) {
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
static int split(struct said *said, struct bytes event) {
    struct bytes key;
    struct json_value value;
    int state;
    while ((state = json_scan_member(&event, &key, &value)) > 0)
        take_member(said, key, &value);
    return state;
}

/* ---------------------------------------------------------------- tracks */

static void out_of_memory(struct json_reader *self) {
    reader_out_of_memory(self->reader);
}

/* The number of a process or a thread. *name: what it is called instead, or 0. */
static int64_t id_of(struct json_reader *self, const struct json_value *value, uint32_t *name) {
    int64_t id;
    double real;
    *name = 0;
    if (value->kind != JSON_NUMBER && value->kind != JSON_TEXT)
        return 0;
    if (json_scan_integer(value->bytes, &id) == 0)
        return id;
    if (value->kind == JSON_NUMBER)
        return json_scan_real(value->bytes, &real) == 0 && fabs(real) < 9e18 ? (int64_t)real : 0;
    *name = json_string(self, value->bytes);
    uint32_t known = map_get(&self->named_ids, *name);
    if (known == MAP_NONE) {
        known = self->named_ids.count;
        if (map_put(&self->named_ids, *name, known))
            out_of_memory(self);
    }
    return NAMED_ID + (int64_t)known;
}

/* The track of that use, new or known. is_new says which. MAP_NONE where there are too many or memory is short. */
static uint32_t find_track(struct json_reader *self, enum track_use use, uint64_t a, uint64_t b,
                           int *is_new) {
    struct tracks *tracks = &self->reader->tracks;
    uint64_t key = map_spread(map_spread(a, (uint32_t)use) ^ b, (uint32_t)use);
    uint32_t place = map_get(&self->tracks, key);
    *is_new = 0;
    if (place != MAP_NONE)
        return place;
    place = tracks_find(tracks, (uint64_t)tracks->count + 1);
    if (place == MAP_NONE || map_put(&self->tracks, key, place)) {
        damage_add(&self->reader->damage, LOSS_LIMIT, self->offset);
        return MAP_NONE;
    }
    *is_new = 1;
    return place;
}

static uint32_t process_track(struct json_reader *self, int64_t pid, uint32_t name) {
    int is_new;
    uint32_t place = find_track(self, FOR_PROCESS, (uint64_t)pid, 0, &is_new);
    if (is_new) {
        struct track *track = &self->reader->tracks.all[place];
        track->kind = TRACK_PROCESS;
        track->pid = track->tid = pid;
        track->name = name;
    }
    return place;
}

/* A track within a process. */
static uint32_t inner_track(struct json_reader *self, uint32_t process, enum track_use use,
                            uint64_t key, int *is_new) {
    uint32_t place = find_track(self, use, key, process, is_new);
    if (*is_new && process != MAP_NONE)
        self->reader->tracks.all[place].parent_uuid = self->reader->tracks.all[process].uuid;
    return place;
}

static uint32_t process_of(struct json_reader *self, const struct said *said) {
    uint32_t name = 0;
    int64_t pid = said->has_pid ? id_of(self, &said->pid, &name) : 0;
    return process_track(self, pid, name);
}

/* An event that names no thread is its process's main one's. */
static uint32_t thread_of(struct json_reader *self, const struct said *said) {
    uint32_t process_name = 0, name = 0;
    int is_new;
    int64_t pid = said->has_pid ? id_of(self, &said->pid, &process_name) : 0;
    int64_t tid = said->has_tid ? id_of(self, &said->tid, &name) : pid;
    if (self->thread != MAP_NONE && pid == self->pid && tid == self->tid)
        return self->thread;
    uint32_t process = process_track(self, pid, process_name);
    uint32_t place = inner_track(self, process, FOR_THREAD, (uint64_t)tid, &is_new);
    if (is_new) {
        struct track *track = &self->reader->tracks.all[place];
        track->kind = TRACK_THREAD;
        track->pid = pid;
        track->tid = tid;
        track->name = name;
    }
    self->pid = pid;
    self->tid = tid;
    self->thread = place;
    return place;
}

/* What an id says, be it a number or a text. */
static uint32_t id_string(struct json_reader *self, const struct json_value *id) {
    return json_string(self, id->bytes);
}

/* Spans of one id, one category are in one row, whichever thread they come from. */
static uint32_t async_track(struct json_reader *self, const struct said *said, uint32_t name) {
    const struct json_value *id = said->has_local_id ? &said->local_id : &said->id;
    uint64_t key = (uint64_t)json_string(self, said->category) << 32 | id_string(self, id);
    uint32_t process = process_of(self, said);
    int is_new;
    uint32_t place = said->has_local_id ? inner_track(self, process, FOR_ASYNC, key, &is_new)
                                        : find_track(self, FOR_ASYNC, key, MAP_NONE, &is_new);
    if (is_new) {
        struct track *track = &self->reader->tracks.all[place];
        track->kind = TRACK_CUSTOM;
        track->name = name;
        if (process != MAP_NONE)
            track->parent_uuid = self->reader->tracks.all[process].uuid;
    }
    return place;
}

static uint32_t instant_track(struct json_reader *self, const struct said *said) {
    int is_new;
    if (json_scan_is(said->scope, "p"))
        return process_of(self, said);
    if (!json_scan_is(said->scope, "g"))
        return thread_of(self, said);
    uint32_t place = find_track(self, FOR_ALL, 0, 0, &is_new);
    if (is_new) {
        self->reader->tracks.all[place].kind = TRACK_CUSTOM;
        self->reader->tracks.all[place].name =
            strings_add_text(&self->reader->strings, "all processes");
    }
    return place;
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
    uint64_t key = map_spread(names, id_string(self, id));
    uint32_t number = map_get(&self->flow_ids, key);
    if (number == MAP_NONE) {
        number = self->flow_ids.count;
        if (map_put(&self->flow_ids, key, number))
            out_of_memory(self);
    }
    return (uint64_t)number + 1;
}

/* The new way: an event says itself which flow it is a step of, and whether that goes on. One id is one flow. */
static void add_own_flow(struct json_reader *self, const struct said *said) {
    enum { NO_NAMES = -1 };
    if (!said->has_flow || !(said->flow_in || said->flow_out))
        return;
    uint64_t id = flow_of(self, (uint64_t)NO_NAMES, &said->flow);
    flow_count(self->reader, id);
    if (arguments_flow(&self->reader->arguments, id, !said->flow_out))
        damage_add(&self->reader->damage, LOSS_LIMIT, self->offset);
}

/* Its name, category, arguments and flow. Returns whether these say that the span failed. */
static int describe(struct json_reader *self, const struct said *said, struct event *event) {
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

static void read_event(struct json_reader *self, const struct said *said, struct event *event,
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
           is_async                ? async_track(self, said, name)
           : kind == EVENT_INSTANT ? instant_track(self, said)
                                   : thread_of(self, said),
           event);
}

static void read_complete(struct json_reader *self, const struct said *said, struct event *event) {
    int64_t duration_ns, end_ns;
    if (!said->has_duration || time_of(&said->duration, &duration_ns) || duration_ns < 0 ||
        __builtin_add_overflow(event->time_ns, duration_ns, &end_ns)) {
        broken(self);
        return;
    }
    uint32_t track = thread_of(self, said);
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
static uint32_t counter_name(struct json_reader *self, const struct said *said, struct bytes key) {
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

static void read_counters(struct json_reader *self, const struct said *said, struct event *event) {
    struct bytes rest = said->arguments.bytes, key;
    struct json_value value;
    int is_new;
    if (!said->has_arguments || said->arguments.kind != JSON_OBJECT) {
        broken(self);
        return;
    }
    uint32_t process = process_of(self, said);
    while (json_scan_member(&rest, &key, &value) > 0) {
        struct event counter = {.time_ns = event->time_ns, .kind = EVENT_COUNTER};
        if (counter_value(&value, &counter.value)) {
            damage_add(&self->reader->damage, LOSS_COUNTER, self->offset);
            continue;
        }
        uint32_t name = counter_name(self, said, key);
        uint32_t track = inner_track(self, process, FOR_COUNTER, name, &is_new);
        if (is_new) {
            self->reader->tracks.all[track].kind = TRACK_COUNTER;
            self->reader->tracks.all[track].name = name;
        }
        append(self, track, &counter);
    }
}

/* Keeps the step for its span, which may come later in the file. */
static void add_loose(struct json_reader *self, const struct said *said, int64_t time_ns,
                      uint64_t id) {
    struct loose_flows *flows = &self->reader->loose_flows;
    int ends = *said->phase.at == 'f';
    const struct loose_flow flow = {
        .time_ns = time_ns,
        .id = id,
        .track = thread_of(self, said),
        .ends = (uint8_t)ends,
        .place = ends && !json_scan_is(said->bind, "e") ? FLOW_IN_NEXT : FLOW_IN_ENCLOSING};
    if (!self->reader->arguments.flows_wanted || flow.track == MAP_NONE)
        return;
    if (GROW(flows->all, flows->count, flows->capacity))
        out_of_memory(self);
    else
        flows->all[flows->count++] = flow;
}

/* What belongs together has one name, category and id. */
static void read_flow(struct json_reader *self, const struct said *said, int64_t time_ns) {
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

static uint32_t argument_text(struct json_reader *self, const struct said *said, const char *name) {
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
static void read_metadata(struct json_reader *self, const struct said *said) {
    int is_process = json_scan_is(said->name, "process_name");
    if (!is_process && !json_scan_is(said->name, "thread_name"))
        return;
    uint32_t name = argument_text(self, said, "name");
    uint32_t track = is_process ? process_of(self, said) : thread_of(self, said);
    if (track != MAP_NONE && name)
        self->reader->tracks.all[track].name = name;
}

/* -------------------------------------------------------------------- all */

static void read_timed(struct json_reader *self, const struct said *said) {
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
    struct said said = {0};
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
