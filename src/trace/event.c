/* Spans and instants.
 *
 * The fast way, for what a busy thread records: BEGIN and END of a name that the chunk knows, less than 16 microseconds
 * after the packet before. Such a packet is a constant of the chunk but for the time and the name's number:
 *
 *   begin   0A len 40 tt tt 50 ss 5A | 04 48 01 50 ii            13 bytes; 14 where the name's number is over 127
 *   end     0A len 40 tt tt 50 ss 5A | 02 48 02                  11 bytes; one or two more where the sequence's is
 *
 * with the time as a varint of always two bytes. It is three stores: the second eight bytes, the head of the filler behind,
 * and the first eight bytes, which publish it. All else takes event_write: the same packet, by fields. */
#include "event.h"

#include <string.h>

#include "argument.h"
#include "fast.h"

/* --------------------------------------------------------------- fast way */

/* iid: as a varint. Where it takes two bytes, both lengths are one more. */
static inline void put_short_begin(struct writer *writer, uint64_t delta, uint64_t iid) {
    uint64_t wide = iid >> 7 & 1;
    store_u64(writer->at + 8,
              writer->begin_tail + (wide << writer->length_shift) + (iid << writer->iid_shift));
    short_commit(writer, writer->begin_head + (wide << 8) + short_time(delta),
                 writer->begin_bytes + (uint32_t)wide);
}

/* Returns 1 if that was possible. */
static inline int begin_fast(struct writer *writer, uint32_t name) {
    if (UNLIKELY(!writer || at_limit(writer)))
        return 0;
    uint32_t iid = writer->names[INTERNED_NAME][name] - writer->generation;
    if (UNLIKELY(iid >= IID_NONE || writer->nesting.depth >= writer->nesting.cap))
        return 0;
    uint64_t time = clock_at(&writer->clock, clock_ticks()), delta = time - writer->last;
    if (UNLIKELY(delta - 1 >=
                 SHORT_DELTA - 1)) /* 0 too: begin times increase, or parent and child would swap */
        return 0;
    put_short_begin(writer, delta, iid);
    writer->last = time;
    writer->nesting.depth++;
    return 1;
}

static inline int end_fast(struct writer *writer) {
    if (UNLIKELY(!writer || at_limit(writer)))
        return 0;
    if (UNLIKELY(writer->nesting.depth - 1 >= writer->nesting.cap))
        return 0;
    uint64_t time = clock_at(&writer->clock, clock_ticks()), delta = time - writer->last;
    if (UNLIKELY(delta >= SHORT_DELTA))
        return 0;
    put_short_end(writer, delta);
    writer->last = time;
    writer->nesting.depth--;
    return 1;
}

/* --------------------------------------------------------------- by fields */

/* The time of an event that happens now; for a begin later than all before. A thread that records seldom comes by here: its
 * clock is set anew now and then. (A busy one's is at each chunk.) */
static uint64_t time_now(struct writer *writer, const struct event *event) {
    uint64_t stamp = event->stamp ? event->stamp : clock_stamp();
    uint64_t now = clock_stamped(&writer->clock, stamp);
    if (!clock_is_fresh(&writer->clock, now)) {
        clock_correct(&writer->clock, writer->last);
        stamp = event->stamp ? event->stamp : clock_stamp();
        now = clock_stamped(&writer->clock, stamp);
    }
    uint64_t least = writer->last + (event->type == EVENT_BEGIN);
    return now > least ? now : least;
}

static void pack_time(struct pack *pack, struct writer *writer, const struct event *event) {
    if (event->time_ns == MAREY_NOW) {
        writer_packet_time(writer, pack, time_now(writer, event));
    } else { /* an absolute time does not move the sequence's clock */
        pack_varint(pack, PACKET__timestamp, event->time_ns);
        pack_varint(pack, PACKET__timestamp_clock_id, CLOCK_ID_MONOTONIC);
    }
}

static void pack_fields(struct pack *pack, struct writer *writer, const struct event *event) {
    pack_varint(pack, EVENT__type, event->type);
    if (event->has_name)
        pack_varint(pack, EVENT__name_iid, writer_iid(writer, INTERNED_NAME, event->name));
    if (event->text)
        pack_text(pack, EVENT__name, event->text, strlen(event->text), MAREY_NAME_MAX);
    if (event->category)
        pack_varint(pack, EVENT__category_iids,
                    writer_iid(writer, INTERNED_CATEGORY, event->category));
    if (event->is_call) {
        uint32_t iid = writer_function_iid(writer, event->function);
        pack_varint(pack, EVENT__name_iid, iid);
        pack_varint(pack, EVENT__source_location_iid, iid);
    }
    if (event->track)
        pack_varint(pack, EVENT__track_uuid, event->track->uuid);
    if (event->type == EVENT_COUNTER && event->is_double)
        pack_fixed64(pack, EVENT__double_counter_value, event->value);
    else if (event->type == EVENT_COUNTER)
        pack_varint(pack, EVENT__counter_value, event->value);
}

/* Sees to it that the chunk knows what the event refers to. 0 where it has not room for that. */
static int prepare(struct writer *writer, const struct event *event) {
    if (event->has_name && !writer_intern(writer, INTERNED_NAME, event->name))
        return 0;
    if (event->category && !writer_intern(writer, INTERNED_CATEGORY, event->category))
        return 0;
    if (event->is_call && !writer_intern_function(writer, event->function))
        return 0;
    if (event->track && !track_is_ready(event->track, writer)) {
        if (!writer_has_room(writer, track_room(event->track)))
            return 0;
        track_enter(event->track, writer);
        track_describe(event->track, writer);
    }
    return arguments_intern(writer, event->args, event->count);
}

int event_write_into_chunk(struct writer *writer, const struct event *event, size_t *kept) {
    if (!prepare(writer, event))
        return 0;
    uint64_t last = writer->last;
    size_t most = store_packet_max(writer->store) - EVENT_ROOM;
    struct pack pack = pack_into(writer->scratch, most);
    uint8_t *packet = writer_packet_open(writer, &pack);
    pack_time(&pack, writer, event);
    uint8_t *body = pack_open(&pack, PACKET__track_event);
    pack_fields(&pack, writer, event);
    *kept = arguments_pack(&pack, writer, event->args, event->count);
    pack.end += EVENT_ROOM; /* so that closing has room in any case */
    pack_close(&pack, body);
    pack_close(&pack, packet);
    size_t bytes = (size_t)(pack.at - writer->scratch);
    if (!writer_has_room(writer, bytes)) {
        writer->last = last;
        return 0;
    }
    writer_commit(writer, writer->scratch, bytes);
    return 1;
}

static void pay_owed_ends(struct writer *writer, struct marey_track *track);

/* What the event refers to may not fit into what is left of the chunk, and its arguments into no chunk at all. */
enum try { THIS_CHUNK, SMALL_CHUNK, LARGE_CHUNK, WITHOUT_ARGUMENTS, TRIES };

static struct writer *writer_for(enum try number) {
    struct writer *writer = number == THIS_CHUNK ? session_writer(EVENT_ROOM) : session_attach();
    if (!writer || number == THIS_CHUNK)
        return writer;
    if (!store_is_ring(writer->store))
        return session_fresh_writer(number == LARGE_CHUNK ? store_event_room(writer->store)
                                                          : CHUNK_MIN);
    return number == LARGE_CHUNK ? writer : session_fresh_writer(store_event_room(writer->store));
}

int event_write(const struct event *event) {
    struct event trial = *event;
    size_t kept = 0;
    for (enum try number = THIS_CHUNK; number < TRIES; number++) {
        struct writer *writer = writer_for(number);
        if (!writer)
            return 0;
        if (event->session && event->session != session_number(writer))
            return 1;
        pay_owed_ends(writer, event->track);
        if (number == WITHOUT_ARGUMENTS)
            trial.count = 0;
        if (event_write_into_chunk(writer, &trial, &kept)) {
            if (kept < event->count)
                session_lost(LOSS_ARGUMENTS, 1);
            return 1;
        }
    }
    session_lost_for_room(1);
    return 0;
}

/* ----------------------------------------------------------------- nesting */

static struct nesting *nesting_of(struct writer *writer, struct marey_track *track) {
    return track ? &track->nesting : &writer->nesting;
}

/* Ends that were lost while there was no room; without them those after would end the wrong spans. */
static void pay_owed_ends(struct writer *writer, struct marey_track *track) {
    struct nesting *nesting = nesting_of(writer, track);
    struct event end = {.type = EVENT_END, .track = track};
    size_t kept;
    while (UNLIKELY(nesting->owed) && event_write_into_chunk(writer, &end, &kept))
        nesting->owed--;
}

/* Returns the span's depth: 1 for an outermost one. Writing may take the thread into a new session, where nothing is open:
 * so the depth is counted afterwards. */
static uint32_t begin_in(struct nesting *nesting, const struct event *event) {
    if (nesting->depth >= nesting->cap && nesting->cap == MAREY_DEPTH_MAX)
        session_lost(LOSS_DEPTH, 1);
    else if (nesting->depth >= nesting->cap) /* inside a span that had no room */
        session_lost_for_room(1);
    else if (!event_write(event))
        nesting->cap = nesting->depth;
    return ++nesting->depth;
}

static void end_in(struct nesting *nesting, const struct event *event) {
    if (nesting->depth == 0)
        return; /* of a span begun before the recording, or of none */
    uint32_t depth = nesting->depth--;
    if (depth <= nesting->cap) {
        if (!event_write(event))
            nesting->owed++;
        return;
    }
    if (nesting->cap != MAREY_DEPTH_MAX)
        session_lost_for_room(1);
    if (nesting->depth == nesting->cap)
        nesting->cap = MAREY_DEPTH_MAX;
}

/* A span on the calling thread's own track, or on one that is given. Returns its depth, 0 where nothing records. */
static uint32_t begin_slow(const struct event *event) {
    struct writer *writer = session_attach();
    if (!writer)
        return 0;
    if (event->track)
        track_enter(event->track, writer);
    return begin_in(nesting_of(writer, event->track), event);
}

static void end_slow(const struct event *event) {
    struct writer *writer = session_attach();
    if (!writer)
        return;
    if (event->track)
        track_enter(event->track, writer);
    struct event end = *event;
    end.session = session_number(writer);
    end_in(nesting_of(writer, event->track), &end);
}

/* ------------------------------------------------------------------ marey.h */

void marey__begin_args(uint32_t name, const marey_arg *args, size_t count) {
    if (!recording_enter())
        return;
    begin_slow(&(struct event){
        .type = EVENT_BEGIN, .has_name = 1, .name = name, .args = args, .count = count});
    recording_leave();
}

static __attribute__((noinline, cold)) void begin_plain_slow(uint32_t name) {
    begin_slow(&(struct event){.type = EVENT_BEGIN, .has_name = 1, .name = name});
    recording_leave();
}

void marey__begin(uint32_t name) {
    if (!recording_enter())
        return;
    if (UNLIKELY(!begin_fast(marey__thread.writer, name)))
        begin_plain_slow(name);
    else
        recording_leave();
}

void marey__end_args(const marey_arg *args, size_t count) {
    if (!recording_enter())
        return;
    end_slow(&(struct event){.type = EVENT_END, .args = args, .count = count});
    recording_leave();
}

static __attribute__((noinline, cold)) void end_plain_slow(void) {
    end_slow(&(struct event){.type = EVENT_END});
    recording_leave();
}

void marey__end(void) {
    if (!recording_enter())
        return;
    if (UNLIKELY(!end_fast(marey__thread.writer)))
        end_plain_slow();
    else
        recording_leave();
}

void event_span_begin(marey_span *span, const struct event *event) {
    span->depth = begin_slow(event);
    span->track = event->track;
    if (span->depth)
        span->owner =
            event->track ? session_number(marey__thread.writer) : marey__thread.writer->number;
}

static __attribute__((noinline)) void span_begin_slow(marey_span *span, const struct event *event) {
    event_span_begin(span, event);
    recording_leave();
}

static __attribute__((noinline)) void span_begin_full(marey_span *span, marey_category *category,
                                                      marey_track *track, uint32_t name,
                                                      const marey_arg *args, size_t count) {
    span_begin_slow(span, &(struct event){.type = EVENT_BEGIN,
                                          .track = track,
                                          .has_name = 1,
                                          .name = name,
                                          .category = category ? category->name : 0,
                                          .args = args,
                                          .count = count});
}

void marey__span_begin(marey_span *span, marey_category *category, marey_track *track,
                       uint32_t name, const marey_arg *args, size_t count) {
    *span = (marey_span){0};
    if (!recording_enter())
        return;
    struct writer *writer = marey__thread.writer;
    if (UNLIKELY(category || track || count) || UNLIKELY(!begin_fast(writer, name))) {
        span_begin_full(span, category, track, name, args, count);
        return;
    }
    span->depth = writer->nesting.depth;
    span->owner = writer->number;
    recording_leave();
}

/* Begun by another thread, whose track is not ours to write. That thread ends it with the span around it. */
static void note_foreign_end(const struct event *end) {
    static uint32_t cached;
    uint32_t name = __atomic_load_n(&cached, __ATOMIC_RELAXED);
    if (!name) {
        name = marey_name_id("span of another thread ended");
        __atomic_store_n(&cached, name, __ATOMIC_RELAXED);
    }
    event_write(&(struct event){.type = EVENT_INSTANT,
                                .has_name = 1,
                                .name = name,
                                .args = end->args,
                                .count = end->count});
}

void event_span_end(const marey_span *span, const struct event *event) {
    struct writer *writer = session_attach();
    if (!writer)
        return;
    if (span->track ? span->owner != session_number(writer) : span->owner != writer->number) {
        if (!span->track &&
            span->owner > session_number(writer)) /* else it is of another session */
            note_foreign_end(event);
        return;
    }
    struct nesting *nesting = nesting_of(writer, span->track);
    struct event end = *event;
    end.type = EVENT_END;
    end.track = span->track;
    end.session = session_number(writer);
    end.count = 0;
    while (nesting->depth > span->depth) /* left open inside */
        end_in(nesting, &end);
    end.count = event->count;
    if (nesting->depth == span->depth)
        end_in(nesting, &end);
}

static __attribute__((noinline)) void span_end_full(const marey_span *span, const marey_arg *args,
                                                    size_t count) {
    event_span_end(span, &(struct event){.args = args, .count = count});
    recording_leave();
}

void marey__span_end_args(marey_span *span, const marey_arg *args, size_t count) {
    if (!span->depth || !recording_enter())
        return;
    struct writer *writer = marey__thread.writer;
    marey_span was = *span;
    span->depth = 0;
    int simple = !count && writer && !was.track && was.owner == writer->number &&
                 writer->nesting.depth == was.depth;
    if (UNLIKELY(!simple) || UNLIKELY(!end_fast(writer)))
        span_end_full(&was, args, count);
    else
        recording_leave();
}

void marey__span_end(marey_span *span) {
    marey__span_end_args(span, NULL, 0);
}

void marey__instant(marey_category *category, marey_track *track, uint32_t name,
                    const marey_arg *args, size_t count) {
    struct event event = {.type = EVENT_INSTANT,
                          .track = track,
                          .has_name = 1,
                          .name = name,
                          .category = category ? category->name : 0,
                          .args = args,
                          .count = count};
    if (!recording_enter())
        return;
    event_write(&event);
    recording_leave();
}

void marey__track_event(marey_track *track, int type, uint64_t time_ns, uint32_t name,
                        const marey_arg *args, size_t count) {
    struct event event = {.type = (enum event_type)type,
                          .track = track,
                          .has_name = type != EVENT_END,
                          .name = name,
                          .time_ns = time_ns,
                          .args = args,
                          .count = count};
    if (!track || track == MAREY_OF_THREAD || track == MAREY_OF_NOBODY || !recording_enter())
        return;
    if (type == EVENT_INSTANT || time_ns != MAREY_NOW)
        event_write(
            &event); /* times of one's own come in any order: nesting is the reader's to find */
    else if (type == EVENT_BEGIN)
        begin_slow(&event);
    else
        end_slow(&event);
    recording_leave();
}

/* ------------------------------------------------------------------- flows */

static void flow_instant(const char *text, uint64_t flow, enum marey_kind kind) {
    if (!marey_recording())
        return;
    marey_arg arg = {.kind = (uint16_t)kind, .u64 = flow};
    marey__instant(NULL, NULL, marey_name_id(text), &arg, 1);
}

void marey_flow_out(uint64_t flow) {
    flow_instant("flow out", flow, MAREY_KIND_FLOW);
}

void marey_flow_in(uint64_t flow) {
    flow_instant("flow in", flow, MAREY_KIND_FLOW);
}

void marey_flow_end(uint64_t flow) {
    flow_instant("flow end", flow, MAREY_KIND_FLOW_END);
}
