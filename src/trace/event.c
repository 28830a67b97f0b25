/* Spans and instants.
 *
 * The fast way, for what a busy thread records: BEGIN and END of a name that the chunk knows, less than 16 microseconds
 * after the packet before. Such a packet is a constant of the chunk but for the time and the name's number:
 *
 *   begin   0A len 40 tt tt 50 ss 5A | 04 48 01 50 ii            13 bytes; 14 where the name's number is over 127
 *   end     0A len 40 tt tt 50 ss 5A | 02 48 02                  11 bytes; one or two more where the sequence's is
 *
 * with the time as a varint of always two bytes. It is three stores: the second eight bytes, the head of the filler behind,
 * and the first eight bytes, which publish it. All else takes event_write (event_write.c): the same packet, by fields. */
#include "event.h"

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
    /* Not 0 either: begin times increase, or parent and child would swap. */
    if (UNLIKELY(delta - 1 >= SHORT_DELTA - 1))
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

/* ----------------------------------------------------------------- nesting */

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
    return begin_in(event_nesting(writer, event->track), event);
}

static void end_slow(const struct event *event) {
    struct writer *writer = session_attach();
    if (!writer)
        return;
    if (event->track)
        track_enter(event->track, writer);
    struct event end = *event;
    end.session = session_number(writer);
    end_in(event_nesting(writer, event->track), &end);
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
        int is_of_session = span->owner > session_number(writer);
        if (!span->track && is_of_session)
            note_foreign_end(event);
        return;
    }
    struct nesting *nesting = event_nesting(writer, span->track);
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
    /* Times of one's own come in any order: nesting is the reader's to find. */
    if (type == EVENT_INSTANT || time_ns != MAREY_NOW)
        event_write(&event);
    else if (type == EVENT_BEGIN)
        begin_slow(&event);
    else
        end_slow(&event);
    recording_leave();
}
