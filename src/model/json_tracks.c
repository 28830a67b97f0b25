/* See json_event.h: which track an event is on. */
#include "model/json_event.h"

#include <math.h>

/* Processes and threads that are named instead of numbered get numbers beyond those that systems give (2^22). */
enum { NAMED_ID = (1 << 22) + 1 };

/* What tracks are for. Each kind is a space of keys of its own. */
enum track_use { FOR_PROCESS = 1, FOR_THREAD, FOR_COUNTER, FOR_ASYNC, FOR_ALL };

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
            reader_out_of_memory(self->reader);
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

uint32_t json_process_track(struct json_reader *self, const struct json_said *said) {
    uint32_t name = 0;
    int64_t pid = said->has_pid ? id_of(self, &said->pid, &name) : 0;
    return process_track(self, pid, name);
}

uint32_t json_thread_track(struct json_reader *self, const struct json_said *said) {
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

uint32_t json_counter_track(struct json_reader *self, uint32_t process, uint32_t name) {
    int is_new;
    uint32_t place = inner_track(self, process, FOR_COUNTER, name, &is_new);
    if (is_new) {
        self->reader->tracks.all[place].kind = TRACK_COUNTER;
        self->reader->tracks.all[place].name = name;
    }
    return place;
}

uint32_t json_async_track(struct json_reader *self, const struct json_said *said, uint32_t name) {
    const struct json_value *id = said->has_local_id ? &said->local_id : &said->id;
    uint64_t key = (uint64_t)json_string(self, said->category) << 32 | json_string(self, id->bytes);
    uint32_t process = json_process_track(self, said);
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

uint32_t json_instant_track(struct json_reader *self, const struct json_said *said) {
    int is_new;
    if (json_scan_is(said->scope, "p"))
        return json_process_track(self, said);
    if (!json_scan_is(said->scope, "g"))
        return json_thread_track(self, said);
    uint32_t place = find_track(self, FOR_ALL, 0, 0, &is_new);
    if (is_new) {
        self->reader->tracks.all[place].kind = TRACK_CUSTOM;
        self->reader->tracks.all[place].name =
            strings_add_text(&self->reader->strings, "all processes");
    }
    return place;
}
