/* Calls into a trace in memory: see call.h.
 *
 * A log is one sequence, whatever threads and tasks its events are of: which track they are on is said once, by a packet of
 * new defaults, whenever that changes (and in each chunk). So events of one lane that follow one another are short packets.
 *
 * A full log takes no more begins, but the ends of what is begun: the limit is raised by what these can take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call_packet.h"

enum {
    ENDS_BYTES = 256 << 10, /* MAREY_DEPTH_MAX ends of a dozen lanes, with short arguments */
    LANE_NAME = 128,
    LANE_BYTES = 256, /* a lane's descriptor at most */
    LANE_LEVELS = 3,  /* thread, "asyncio", task */
    DEFAULTS_BYTES = 64,
};

struct call_lane {
    struct call_lane *above, *next;
    uint64_t uuid;
    int32_t tid; /* 0: no thread's */
    char name[LANE_NAME];
};

struct call_log {
    struct writer *writer;
    struct process process;
    struct call_lane *lanes; /* all of them */
    struct call_lane *lane;  /* that the events are on which come next ... */
    uint32_t generation;     /* ... in this chunk */
    int full;
};

/* ------------------------------------------------------------------- making */

struct call_log *marey__call_log_open(uint64_t limit_bytes) {
    struct call_log *log = calloc(1, sizeof *log);
    struct writer *writer = log ? session_writer_take() : NULL;
    if (!writer || store_create_memory(limit_bytes, &writer->store) != 0) {
        if (writer)
            session_writer_give(writer);
        free(log);
        return NULL;
    }
    struct store *store = writer->store;
    session_describe(&log->process);
    log->process.uuid = store_new_uuid(store);
    log->writer = writer;
    writer->process = &log->process;
    memcpy(writer->process_name, log->process.name, sizeof writer->process_name);
    writer->sequence = store_new_sequence(store);
    writer->nesting = (struct nesting){0, MAREY_DEPTH_MAX, 0};
    writer->last = 0;
    writer->chunk_number = 0;
    writer->next_bytes = CHUNK_MIN;
    clock_init(&writer->clock, store_origin(store));
    return log;
}

void marey__call_log_close(struct call_log *log) {
    size_t used;
    writer_leave_chunk(log->writer, &used); /* the store has it */
    store_drop(log->writer->store);
    log->writer->store = NULL;
    session_writer_give(log->writer);
    while (log->lanes) {
        struct call_lane *lane = log->lanes;
        log->lanes = lane->next;
        free(lane);
    }
    free(log);
}

/* -------------------------------------------------------------------- lanes */

struct call_lane *marey__call_lane(struct call_log *log, struct call_lane *above, int32_t tid,
                                   const char *name) {
    struct call_lane *lane = calloc(1, sizeof *lane);
    struct writer *writer = log->writer;
    if (!lane)
        return NULL;
    lane->uuid = store_new_uuid(writer->store);
    lane->above = above;
    lane->tid = tid;
    snprintf(lane->name, sizeof lane->name, "%s", name);
    if (!log->lanes) { /* it describes itself at the head of each chunk, and is the default there */
        writer->thread_uuid = lane->uuid;
        writer->tid = tid;
        snprintf(writer->thread_name, sizeof writer->thread_name, "%s", name);
    }
    lane->next = log->lanes;
    log->lanes = lane;
    return lane;
}

static void commit(struct writer *writer, struct pack *pack, uint8_t *packet, uint8_t *buffer) {
    pack_close(pack, packet);
    if (!pack->full)
        writer_commit(writer, buffer, (size_t)(pack->at - buffer));
}

static void describe(struct writer *writer, const struct call_lane *lane) {
    uint8_t buffer[LANE_BYTES];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *descriptor = pack_open(&pack, PACKET__track_descriptor);
    pack_varint(&pack, TRACK_DESCRIPTOR__uuid, lane->uuid);
    size_t bytes = strlen(lane->name);
    if (lane->tid) {
        uint8_t *thread = pack_open(&pack, TRACK_DESCRIPTOR__thread);
        pack_varint(&pack, THREAD__pid, (uint64_t)writer->process->pid);
        pack_varint(&pack, THREAD__tid, (uint64_t)lane->tid);
        pack_text(&pack, THREAD__thread_name, lane->name, bytes, LANE_NAME);
        pack_close(&pack, thread);
    } else {
        uint64_t above = lane->above ? lane->above->uuid : writer->process->uuid;
        pack_varint(&pack, TRACK_DESCRIPTOR__parent_uuid, above);
        pack_text(&pack, TRACK_DESCRIPTOR__name, lane->name, bytes, LANE_NAME);
        pack_varint(&pack, TRACK_DESCRIPTOR__sibling_merge_behavior, SIBLING_MERGE_NONE);
    }
    pack_close(&pack, descriptor);
    commit(writer, &pack, packet, buffer);
}

/* Who is above first. The writer's own is described with the chunk. */
static void describe_line(struct writer *writer, const struct call_lane *lane) {
    if (lane->above)
        describe_line(writer, lane->above);
    if (lane->uuid != writer->thread_uuid && writer_track_is_new(writer, lane->uuid))
        describe(writer, lane);
}

static void write_defaults(struct writer *writer, const struct call_lane *lane) {
    uint8_t buffer[DEFAULTS_BYTES];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *defaults = pack_open(&pack, PACKET__trace_packet_defaults);
    pack_varint(&pack, DEFAULTS__timestamp_clock_id, CLOCK_ID_SEQUENCE);
    uint8_t *event = pack_open(&pack, DEFAULTS__track_event_defaults);
    pack_varint(&pack, EVENT_DEFAULTS__track_uuid, lane->uuid);
    pack_close(&pack, event);
    pack_close(&pack, defaults);
    commit(writer, &pack, packet, buffer);
}

static inline int is_on(const struct call_log *log, const struct call_lane *lane) {
    return log->lane == lane && log->generation == log->writer->generation;
}

/* Sees to it that what comes next is on the lane. 0 where the chunk has no room for that. */
static int enter(struct call_log *log, struct call_lane *lane) {
    struct writer *writer = log->writer;
    if (is_on(log, lane))
        return 1;
    if (!writer_has_room(writer, LANE_LEVELS * LANE_BYTES + DEFAULTS_BYTES))
        return 0;
    describe_line(writer, lane);
    write_defaults(writer, lane);
    log->lane = lane;
    log->generation = writer->generation;
    return 1;
}

/* ------------------------------------------------------------------ writing */

/* In this chunk, in the next, in one that is large, without arguments. */
static int write_long(struct call_log *log, struct call_lane *lane, const struct event *event) {
    enum { TRIES = 4 };
    struct event trial = *event;
    struct writer *writer = log->writer;
    size_t kept;
    for (int try = 0; try < TRIES; try++) {
        if ((try || !writer->end) &&
            writer_open_chunk(writer, try < 2 ? EVENT_ROOM : store_event_room(writer->store)) != 0)
            return 0;
        if (try == TRIES - 1)
            trial.count = 0;
        if (!enter(log, lane) || !event_write_into_chunk(writer, &trial, &kept))
            continue;
        if (kept < event->count)
            store_lost(writer->store, LOSS_ARGUMENTS, 1);
        return 1;
    }
    return 0;
}

/* From now on ends alone. */
static int refuse(struct call_log *log) {
    if (!log->full)
        store_raise_limit(log->writer->store, ENDS_BYTES);
    log->full = 1;
    return 0;
}

static __attribute__((noinline)) int begin_slow(struct call_log *log, struct call_lane *lane,
                                                const struct call_event *call) {
    struct event event = call_to_event(EVENT_BEGIN, call);
    return (!log->full && write_long(log, lane, &event)) || refuse(log);
}

int marey__log_begin_bare(struct call_log *log, struct call_lane *lane, uint32_t function,
                          uint64_t stamp) {
    if (LIKELY(is_on(log, lane)) && LIKELY(call_begin_fast(log->writer, function, stamp)))
        return 1;
    return begin_slow(log, lane, &(struct call_event){.function = function, .stamp = stamp});
}

int marey__log_begin(struct call_log *log, struct call_lane *lane, const struct call_event *call) {
    if (LIKELY(is_on(log, lane)) && LIKELY(call_begin_any(log->writer, call)))
        return 1;
    return begin_slow(log, lane, call);
}

static __attribute__((noinline)) void end_slow(struct call_log *log, struct call_lane *lane,
                                               const struct call_event *call) {
    struct event event = call_to_event(EVENT_END, call);
    if (write_long(log, lane, &event))
        return;
    refuse(log);
    if (!write_long(log, lane, &event))
        store_lost(log->writer->store, LOSS_LIMIT, 1);
}

void marey__log_end_bare(struct call_log *log, struct call_lane *lane, uint64_t stamp) {
    if (UNLIKELY(!is_on(log, lane)) || UNLIKELY(!call_end_fast(log->writer, stamp)))
        end_slow(log, lane, &(struct call_event){.stamp = stamp});
}

void marey__log_end(struct call_log *log, struct call_lane *lane, const struct call_event *call) {
    if (UNLIKELY(!is_on(log, lane)) || UNLIKELY(!call_end_any(log->writer, call)))
        end_slow(log, lane, call);
}

int marey__log_whole(struct call_log *log, struct call_lane *lane, const struct call_event *begin,
                     const struct call_event *end) {
    struct event first = call_to_timed(EVENT_BEGIN, begin, log->writer);
    struct event last = call_to_timed(EVENT_END, end, log->writer);
    if (log->full || !write_long(log, lane, &first))
        return refuse(log);
    if (!write_long(log, lane, &last)) {
        refuse(log);
        write_long(log, lane, &last);
    }
    return 1;
}

/* ------------------------------------------------------------------ reading */

/* What is handed out ends soon behind the last packet, however large its chunk is: so much is left away. */
static size_t spare_bytes(const struct writer *writer) {
    const struct chunk *chunk = &writer->chunk;
    size_t room = writer->end ? (size_t)(chunk->base + chunk->size - writer->at) : 0;
    return room < ROOM ? 0 : (room - ROOM) / STORE_SPARE * STORE_SPARE;
}

size_t marey__log_bytes(const struct call_log *log) {
    return store_bytes(log->writer->store) - spare_bytes(log->writer);
}

void marey__log_copy(const struct call_log *log, uint8_t *out) {
    const struct writer *writer = log->writer;
    size_t spare = spare_bytes(writer);
    store_copy_memory(writer->store, spare, out);
    if (spare) {
        size_t left = (size_t)(writer->chunk.base + writer->chunk.size - writer->at) - spare;
        store_publish(out + marey__log_bytes(log) - left, filler_head(left));
    }
}

void marey__log_losses(const struct call_log *log, marey_losses *losses) {
    store_losses(log->writer->store, losses);
}
