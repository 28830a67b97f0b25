/* See json.h: the file as a whole: where its events stand, and finding back behind damage. */
#include "model/json.h"

#include <stdlib.h>

#include "model/json_event.h"

enum {
    LOOK_BYTES = 4096, /* blanks before the first bracket */
    KEY_BYTES_MAX = 4096,
    /* so often an event without an end is left for the next one: each costs its bytes again */
    RESUMES_MAX = 16,
};

enum state { GO_ON, LIST_ENDED, FILE_ENDED };

struct walk {
    struct json_reader json;
    struct source *source;
    uint32_t resumes;
};

/* ------------------------------------------------------------------ bytes */

static int is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The next byte that is no blank (nor a comma), which is not taken; -1 at the end. */
static int peek(struct source *source, int commas) {
    while (source_have(source, 1)) {
        if (!is_space(*source->at) && !(commas && *source->at == ','))
            return *source->at;
        source_skip(source, 1);
    }
    return -1;
}

static size_t skip_mark(const uint8_t *at, size_t size) {
    return size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* A packet may begin as a blank does (0A), so two characters have to be right. */
int json_is_next(struct source *source) {
    size_t have = source_have(source, LOOK_BYTES);
    const uint8_t *at = source->at + skip_mark(source->at, have), *end = source->at + have;
    while (at < end && is_space(*at))
        at++;
    if (at == end || (*at != '[' && *at != '{'))
        return 0;
    uint8_t bracket = *at++;
    while (at < end && is_space(*at))
        at++;
    if (at == end)
        return source->ended;
    return bracket == '[' ? *at == '{' || *at == ']' || *at == ',' : *at == '"' || *at == '}';
}

/* Finds the end of the object, array or text that begins here; up to `most` bytes. Returns its size; 0: it has no end
 * so far. */
static size_t find_end(struct source *source, size_t most) {
    struct json_extent extent = {0};
    size_t looked = 0;
    while (looked < most) {
        size_t have = source_have(source, looked + 1);
        if (have <= looked)
            return 0;
        const uint8_t *end = json_scan_extent(&extent, source->at + looked, source->at + have);
        if (end)
            return (size_t)(end - source->at);
        looked = have;
    }
    return 0;
}

/* Steps over a value of any size. Returns 0, or -1 where the file ends in it. */
static int skip_value(struct source *source) {
    struct json_extent extent = {0};
    int byte = peek(source, 0);
    if (byte != '{' && byte != '[' && byte != '"') {
        while ((byte = peek(source, 0)) >= 0 && !strchr(",]}", byte))
            source_skip(source, 1);
        return byte < 0 ? -1 : 0;
    }
    while (source_have(source, 1)) {
        const uint8_t *end = json_scan_extent(&extent, source->at, source->end);
        source_skip(source, (uint64_t)((end ? end : source->end) - source->at));
        if (end)
            return 0;
    }
    return -1;
}

static void lose(struct walk *self, enum damage_kind kind, uint64_t offset) {
    damage_add(&self->json.reader->damage, kind, offset);
}

/* ------------------------------------------------------------------ events */

/* Where in the `size` bytes from here on the next event may begin, if this one is wrong; NULL: nowhere. A writer that
 * puts each on a line of its own tells it so. */
static const uint8_t *find_next(struct walk *self, size_t size) {
    const uint8_t *at = self->source->at;
    if (size < 2 || self->resumes++ >= RESUMES_MAX)
        return NULL;
    return memmem(at + 1, size - 1, "\n{", 2);
}

/* An event that is broken, or has no end (size 0), which may be because of one byte. */
static enum state skip_event(struct walk *self, size_t size) {
    struct source *source = self->source;
    uint64_t offset = source->offset;
    size_t have = (size_t)(source->end - source->at);
    const uint8_t *next = find_next(self, size ? size : have);
    if (next || size) {
        lose(self, DAMAGE_EVENT, offset);
        source_skip(source, next ? (uint64_t)(next - source->at) + 1 : size);
        return GO_ON;
    }
    lose(self, have > JSON_EVENT_BYTES_MAX ? DAMAGE_SIZE : DAMAGE_CUT, offset);
    source_skip(source, UINT64_MAX - offset);
    return FILE_ENDED;
}

static enum state take_event(struct walk *self) {
    struct source *source = self->source;
    size_t size = find_end(source, JSON_EVENT_BYTES_MAX);
    self->json.offset = source->offset;
    if (!size || source->at[size - 1] != '}' ||
        json_event_read(&self->json, (struct bytes){source->at + 1, size - 2}))
        return skip_event(self, size);
    source_skip(source, size);
    return GO_ON;
}

/* What is no event in a list of events, up to the next bracket. */
static void skip_foreign(struct walk *self) {
    uint64_t from = self->source->offset;
    do
        source_skip(self->source, 1);
    while (source_have(self->source, 1) && *self->source->at != '{' && *self->source->at != ']');
    lose(self, DAMAGE_BYTES, from);
    self->json.reader->damage.skipped_bytes += self->source->offset - from;
}

/* The list whose bracket comes next. */
static enum state read_list(struct walk *self) {
    enum state state = GO_ON;
    source_skip(self->source, 1);
    while (state == GO_ON && !self->json.reader->error) {
        int byte = peek(self->source, 1);
        if (byte == '{') {
            state = take_event(self);
        } else if (byte == ']') {
            source_skip(self->source, 1);
            state = LIST_ENDED;
        } else if (byte < 0) {
            state = FILE_ENDED;
        } else {
            skip_foreign(self);
        }
    }
    return state;
}

/* -------------------------------------------------------------------- file */

/* The key that comes next, and its colon. Returns 1 where it is "traceEvents", 0 where it is another, -1 where there is
 * none. */
static int take_key(struct walk *self) {
    struct source *source = self->source;
    size_t size = peek(source, 1) == '"' ? find_end(source, KEY_BYTES_MAX) : 0;
    if (!size)
        return -1;
    int is_list = json_scan_is((struct bytes){source->at + 1, size - 2}, "traceEvents");
    source_skip(source, size);
    if (peek(source, 0) != ':')
        return -1;
    source_skip(source, 1);
    return is_list;
}

/* An object with a list of events; what else it says is about the writer. */
static void read_object(struct walk *self) {
    struct source *source = self->source;
    source_skip(source, 1);
    while (!self->json.reader->error && peek(source, 1) != '}') {
        uint64_t offset = source->offset;
        int is_list = take_key(self);
        if (is_list > 0 && peek(source, 0) == '[') {
            self->json.reader->is_trace = 1;
            if (read_list(self) == FILE_ENDED) {
                if (!self->json.reader->damage.count[DAMAGE_CUT])
                    lose(self, DAMAGE_CUT, source->offset);
                return;
            }
        } else if (is_list < 0 || skip_value(source)) {
            lose(self, source->at == source->end ? DAMAGE_CUT : DAMAGE_BYTES, offset);
            return;
        }
    }
    source_skip(source, 1);
}

/* A list by itself may end anywhere: writers that are stopped do not close it. */
static void read_array(struct walk *self) {
    uint64_t gaps = damage_total(&self->json.reader->damage, HARM_DAMAGE);
    enum state state = read_list(self);
    if (damage_total(&self->json.reader->damage, HARM_DAMAGE) == gaps)
        self->json.reader->is_trace = 1;
    if (state == FILE_ENDED && !self->json.reader->damage.count[DAMAGE_CUT])
        lose(self, NOTE_OPEN_LIST, self->source->offset);
}

static void read_file(struct walk *self) {
    struct source *source = self->source;
    source_skip(source, skip_mark(source->at, source_have(source, 3)));
    if (peek(source, 0) == '[')
        read_array(self);
    else
        read_object(self);
    if (peek(source, 0) >= 0 && !self->json.reader->error) {
        uint64_t from = source->offset;
        lose(self, DAMAGE_BYTES, from);
        source_skip(source, UINT64_MAX - from);
        self->json.reader->damage.skipped_bytes += source->offset - from;
    }
}

int json_read(struct reader *reader, struct source *source) {
    struct walk self = {.json = {.reader = reader, .thread = MAP_NONE}, .source = source};
    uint64_t from = source->offset;
    reader->is_json = 1;
    reader->looks_like = "JSON without trace events";
    read_file(&self);
    json_complete_settle(&self.json);
    if (source->compressed && source->error == MAREY_EINVAL)
        damage_add(&reader->damage, DAMAGE_GZIP, source->offset);
    else if (!reader->error)
        reader->error = source->error;
    reader->compressed |= source->compressed != 0;
    reader->file_bytes += source->offset - from;
    json_room_free(&self.json.room);
    map_free(&self.json.tracks);
    map_free(&self.json.named_ids);
    map_free(&self.json.flow_ids);
    return reader->error;
}
