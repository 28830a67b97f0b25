/* See writer.h. */
#include "writer.h"

#include <string.h>

enum {
    OPENING_BYTES = 1024, /* room that the opening packets take at most */
    INTERN_PACKET = 40,   /* an interning packet without its text */
    GENERATION_STEP = 1 << 16,
};

/* ------------------------------------------------------------------ commit */

static void set_spare(struct writer *writer) {
    writer->spare = varint_spread28((uint32_t)(writer->end - writer->at) - FILLER_HEAD);
}

void writer_commit(struct writer *writer, const uint8_t *packet, size_t bytes) {
    uint8_t *at = writer->at;
    uint64_t first;
    memcpy(&first, packet, 8);
    memcpy(at + 8, packet + 8, bytes - 8);
    store_u64(at + bytes, filler_head((size_t)(writer->end - at) - bytes));
    store_publish(at, first);
    writer->at = at + bytes;
    set_spare(writer);
}

uint8_t *writer_packet_open(struct writer *writer, struct pack *pack) {
    uint8_t *packet = pack_open(pack, TRACE__packet);
    pack_varint(pack, PACKET__trusted_packet_sequence_id, writer->sequence);
    return packet;
}

void writer_packet_time(struct writer *writer, struct pack *pack, uint64_t time) {
    pack_varint(pack, PACKET__timestamp, time - writer->last);
    writer->last = time;
}

static void commit_pack(struct writer *writer, struct pack *pack, uint8_t *packet,
                        uint8_t *buffer) {
    pack_close(pack, packet);
    if (!pack->full)
        writer_commit(writer, buffer, (size_t)(pack->at - buffer));
}

/* ------------------------------------------------------------------ opening */

static void pack_sequence_clock(struct pack *pack, unsigned id, uint64_t ns, int incremental) {
    uint8_t *clock = pack_open(pack, CLOCK_SNAPSHOT__clocks);
    pack_varint(pack, CLOCK__id, id);
    pack_varint(pack, CLOCK__timestamp, ns);
    if (incremental)
        pack_varint(pack, CLOCK__is_incremental, 1);
    pack_close(pack, clock);
}

/* Forgets what the sequence said before, starts its clock at the origin (the same in each chunk: a snapshot that goes back
 * in time would disable the clock), and names the thread's track as the one that events are on. */
static void write_sequence_start(struct writer *writer) {
    uint8_t buffer[128];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    pack_varint(&pack, PACKET__sequence_flags, SEQUENCE_STATE_CLEARED);
    uint8_t *snapshot = pack_open(&pack, PACKET__clock_snapshot);
    pack_sequence_clock(&pack, CLOCK_ID_MONOTONIC, writer->clock.origin_ns, 0);
    pack_sequence_clock(&pack, CLOCK_ID_SEQUENCE, 0, 1);
    pack_close(&pack, snapshot);
    uint8_t *defaults = pack_open(&pack, PACKET__trace_packet_defaults);
    pack_varint(&pack, DEFAULTS__timestamp_clock_id, CLOCK_ID_SEQUENCE);
    uint8_t *event = pack_open(&pack, DEFAULTS__track_event_defaults);
    pack_varint(&pack, EVENT__track_uuid, writer->thread_uuid);
    pack_close(&pack, event);
    pack_close(&pack, defaults);
    commit_pack(writer, &pack, packet, buffer);
}

void writer_describe_process(struct writer *writer, uint64_t time) {
    const struct process *process = writer->process;
    uint8_t buffer[DESCRIPTOR_BYTES];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    writer_packet_time(writer, &pack, time);
    uint8_t *descriptor = pack_open(&pack, PACKET__track_descriptor);
    pack_varint(&pack, TRACK_DESCRIPTOR__uuid, process->uuid);
    uint8_t *body = pack_open(&pack, TRACK_DESCRIPTOR__process);
    pack_varint(&pack, PROCESS__pid, (uint64_t)process->pid);
    size_t used = 0;
    while (used < process->command_line_bytes) {
        size_t bytes = strlen(process->command_line + used);
        pack_text(&pack, PROCESS__cmdline, process->command_line + used, bytes, PROCESS_TEXT);
        used += bytes + 1;
    }
    pack_text(&pack, PROCESS__process_name, writer->process_name, strlen(writer->process_name),
              sizeof writer->process_name);
    pack_close(&pack, body);
    pack_close(&pack, descriptor);
    commit_pack(writer, &pack, packet, buffer);
}

void writer_describe_thread(struct writer *writer, uint64_t time) {
    uint8_t buffer[192];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    writer_packet_time(writer, &pack, time);
    uint8_t *descriptor = pack_open(&pack, PACKET__track_descriptor);
    pack_varint(&pack, TRACK_DESCRIPTOR__uuid, writer->thread_uuid);
    uint8_t *body = pack_open(&pack, TRACK_DESCRIPTOR__thread);
    pack_varint(&pack, THREAD__pid, (uint64_t)writer->process->pid);
    pack_varint(&pack, THREAD__tid, (uint64_t)writer->tid);
    pack_text(&pack, THREAD__thread_name, writer->thread_name, strlen(writer->thread_name),
              sizeof writer->thread_name);
    pack_close(&pack, body);
    pack_close(&pack, descriptor);
    commit_pack(writer, &pack, packet, buffer);
}

/* Names, tracks and sources of the former chunk are forgotten by the new number alone, but for every 65535th time. */
static void next_generation(struct writer *writer) {
    writer->generation += GENERATION_STEP;
    if (writer->generation == 0) {
        memset(writer->names, 0, sizeof writer->names);
        memset(writer->functions, 0, sizeof writer->functions);
        memset(writer->tracks_seen, 0, sizeof writer->tracks_seen);
        memset(writer->sources_seen, 0, sizeof writer->sources_seen);
        writer->generation = GENERATION_STEP;
    }
    memset(writer->iids_used, 0, sizeof writer->iids_used);
    writer->sources_used = 0;
    writer->call_bytes = 0;
}

/* The constant bytes of the short packets, drawn at the head of event.c. A sequence's number takes 1 to 3 bytes; what
 * comes behind it stands so much later. */
static void make_templates(struct writer *writer) {
    static const uint8_t begin[] = {TAG(PACKET__track_event, WIRE_BYTES), 4,
                                    TAG(EVENT__type, WIRE_VARINT),        EVENT_BEGIN,
                                    TAG(EVENT__name_iid, WIRE_VARINT),    0};
    static const uint8_t end[] = {TAG(PACKET__track_event, WIRE_BYTES), 2,
                                  TAG(EVENT__type, WIRE_VARINT), EVENT_END};
    uint8_t bytes[16] = {TAG(TRACE__packet, WIRE_BYTES),
                         0,
                         TAG(PACKET__timestamp, WIRE_VARINT),
                         0x80,
                         0,
                         TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT)};
    uint8_t *event = varint_put(bytes + 6, writer->sequence);
    unsigned at = (unsigned)(event - bytes);
    memcpy(event, end, sizeof end);
    bytes[1] = (uint8_t)(at + sizeof end - 2);
    memcpy(&writer->end_head, bytes, 8);
    memcpy(&writer->end_tail, bytes + 8, 8);
    writer->end_bytes = at + sizeof end;
    memcpy(event, begin, sizeof begin);
    bytes[1] = (uint8_t)(at + sizeof begin - 2);
    memcpy(&writer->begin_head, bytes, 8);
    memcpy(&writer->begin_tail, bytes + 8, 8);
    writer->begin_bytes = at + sizeof begin;
    writer->length_shift = 8 * (at + 1 - 8);
    writer->iid_shift = 8 * (at + 5 - 8);
}

static void set_limit(struct writer *writer) {
    int fast =
        writer->end && writer->clock.rate; /* the fast way reads the counter and nothing else */
    uint8_t *limit = fast ? writer->end - ROOM : NULL;
    __atomic_store_n(&writer->limit, limit, __ATOMIC_RELAXED);
}

/* The time, set anew by the system's clock, not before the writer's last packet. */
static uint64_t clock_read_after(struct writer *writer) {
    clock_correct(&writer->clock, writer->last);
    uint64_t now = clock_now(&writer->clock);
    return now > writer->last ? now : writer->last;
}

static void start_chunk(struct writer *writer, const struct chunk *chunk, size_t used) {
    writer->chunk = *chunk;
    writer->chunk_number = chunk->number;
    writer->at = chunk->base + used;
    writer->end = chunk->base + chunk->size;
    next_generation(writer);
    make_templates(writer);
    uint64_t opened = clock_read_after(writer);
    writer->last = 0; /* where the sequence's clock starts in each chunk */
    write_sequence_start(writer);
    writer_describe_process(writer, opened);
    writer_describe_thread(writer, opened);
    set_limit(writer);
}

int writer_open_chunk(struct writer *writer, size_t need) {
    size_t used;
    struct chunk old = writer_leave_chunk(writer, &used), chunk;
    store_release(writer->store, &old);
    size_t want = writer->next_bytes < CHUNK_MIN ? CHUNK_MIN : writer->next_bytes;
    int code =
        store_claim(writer->store, need + OPENING_BYTES + ROOM, want, writer->chunk_number, &chunk);
    if (code)
        return code;
    writer->next_bytes = want * 2 < CHUNK_MAX ? want * 2 : CHUNK_MAX;
    start_chunk(writer, &chunk, 0);
    return 0;
}

void writer_adopt_chunk(struct writer *writer, const struct chunk *chunk, size_t used) {
    start_chunk(writer, chunk, used);
}

struct chunk writer_leave_chunk(struct writer *writer, size_t *used) {
    struct chunk chunk = writer->chunk;
    *used = chunk.size ? (size_t)(writer->at - chunk.base) : 0;
    writer->chunk = (struct chunk){0};
    writer->at = writer->end = NULL;
    set_limit(writer);
    return chunk;
}

/* -------------------------------------------------------------- interning */

static void pack_entry_name(struct pack *pack, enum interned kind, uint32_t iid,
                            const struct name *name) {
    static const unsigned field[INTERNED_KINDS] = {
        [INTERNED_NAME] = INTERNED__event_names,
        [INTERNED_ARGUMENT] = INTERNED__debug_annotation_names,
        [INTERNED_CATEGORY] = INTERNED__event_categories,
    };
    uint8_t *entry = pack_open(pack, field[kind]);
    pack_varint(pack, INTERNED_ENTRY__iid, iid);
    pack_bytes(pack, INTERNED_ENTRY__name, name->text, name->bytes);
    pack_close(pack, entry);
}

static int intern_new(struct writer *writer, enum interned kind, uint32_t id) {
    const struct name *name = names_get(id);
    uint8_t buffer[MAREY_NAME_MAX + INTERN_PACKET + PACK_HEAD_MAX];
    if (!writer_has_room(writer, sizeof buffer) || writer->iids_used[kind] + 1 == IIDS_MAX)
        return 0;
    uint32_t iid = ++writer->iids_used[kind];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *interned = pack_open(&pack, PACKET__interned_data);
    pack_entry_name(&pack, kind, iid, name);
    pack_close(&pack, interned);
    commit_pack(writer, &pack, packet, buffer);
    uint32_t varint = iid < 0x80 ? iid : (iid & 0x7f) | 0x80 | (iid >> 7) << 8;
    writer->names[kind][id] = writer->generation | varint;
    return 1;
}

int writer_intern(struct writer *writer, enum interned kind, uint32_t id) {
    return writer->names[kind][id] - writer->generation < GENERATION_STEP ||
           intern_new(writer, kind, id);
}

static uint32_t intern_new_source(struct writer *writer, const marey_source *source,
                                  uint64_t *seen) {
    uint8_t buffer[2 * MAREY_NAME_MAX + 2 * INTERN_PACKET + 2 * PACK_HEAD_MAX];
    if (!writer_has_room(writer, sizeof buffer))
        return 0;
    const char *file = source->file ? source->file : "";
    const char *function = __atomic_load_n(&source->function, __ATOMIC_RELAXED);
    function = function ? function : "";
    uint32_t iid = ++writer->sources_used;
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *interned = pack_open(&pack, PACKET__interned_data);
    uint8_t *entry = pack_open(&pack, INTERNED__source_locations);
    pack_varint(&pack, SOURCE_LOCATION__iid, iid);
    pack_text(&pack, SOURCE_LOCATION__file, file, strlen(file), MAREY_NAME_MAX);
    pack_text(&pack, SOURCE_LOCATION__function, function, strlen(function), MAREY_NAME_MAX);
    pack_varint(&pack, SOURCE_LOCATION__line, source->line);
    pack_close(&pack, entry);
    pack_close(&pack, interned);
    commit_pack(writer, &pack, packet, buffer);
    *seen = (uint64_t)source->id << 32 | writer->generation | iid;
    return iid;
}

uint32_t writer_intern_source(struct writer *writer, const marey_source *source) {
    uint64_t *seen = &writer->sources_seen[source->id % SOURCES_SEEN];
    uint64_t known = *seen - ((uint64_t)source->id << 32 | writer->generation);
    return known < GENERATION_STEP && known ? (uint32_t)known
                                            : intern_new_source(writer, source, seen);
}

/* Both of its entries. */
static void pack_function(struct pack *pack, uint32_t iid, const struct function *function) {
    const struct name *file = names_get(function->file);
    const char *name = function->qualified + function->name_at;
    size_t bytes = function->qualified_bytes - function->name_at;
    uint8_t *entry = pack_open(pack, INTERNED__event_names);
    pack_varint(pack, INTERNED_ENTRY__iid, iid);
    pack_bytes(pack, INTERNED_ENTRY__name, name, bytes);
    pack_close(pack, entry);
    entry = pack_open(pack, INTERNED__source_locations);
    pack_varint(pack, SOURCE_LOCATION__iid, iid);
    if (function->file)
        pack_bytes(pack, SOURCE_LOCATION__file, file->text, file->bytes);
    pack_bytes(pack, SOURCE_LOCATION__function, function->qualified, function->qualified_bytes);
    if (function->line)
        pack_varint(pack, SOURCE_LOCATION__line, function->line);
    pack_close(pack, entry);
}

static int intern_new_function(struct writer *writer, uint32_t id) {
    uint8_t buffer[4 * FUNCTION_TEXT_MAX + 4 * INTERN_PACKET + 4 * PACK_HEAD_MAX];
    uint32_t *names = &writer->iids_used[INTERNED_NAME], *sources = &writer->sources_used;
    uint32_t iid = (*names > *sources ? *names : *sources) + 1;
    if (!writer_has_room(writer, sizeof buffer) || iid >= IIDS_MAX)
        return 0;
    *names = *sources = iid;
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *interned = pack_open(&pack, PACKET__interned_data);
    pack_function(&pack, iid, function_get(id));
    pack_close(&pack, interned);
    commit_pack(writer, &pack, packet, buffer);
    writer->functions[id] = writer->generation | (iid & 0x7f) | 0x80 | (iid >> 7) << 8;
    return 1;
}

/* The first one of the chunk brings the category of calls with it. */
static int intern_call_category(struct writer *writer) {
    uint32_t category = call_category();
    if (!writer_intern(writer, INTERNED_CATEGORY, category))
        return 0;
    writer_make_call(writer, writer_iid(writer, INTERNED_CATEGORY, category));
    return 1;
}

int writer_intern_function(struct writer *writer, uint32_t id) {
    return writer->functions[id] - writer->generation < GENERATION_STEP ||
           ((writer->call_bytes || intern_call_category(writer)) &&
            intern_new_function(writer, id));
}

int writer_track_is_new(struct writer *writer, uint64_t uuid) {
    uint64_t *seen = &writer->tracks_seen[uuid % TRACKS_SEEN];
    uint64_t mark = uuid << 16 | writer->generation >> 16;
    if (*seen == mark)
        return 0;
    *seen = mark;
    return 1;
}
