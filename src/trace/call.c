/* Calls into the session: on the calling thread's writer, nested among its spans. See call.h. */
#include "call.h"

#include <string.h>

#include "call_packet.h"

/* -------------------------------------------------------------------- time */

uint64_t marey__stamp(void) {
    return clock_stamp();
}

/* A clock for the rate alone, which no session needs to be on for. */
static const struct clock *clock_of_rate(void) {
    static _Thread_local struct clock clock;
    if (!clock.rate)
        clock_init(&clock, clock_pair_now());
    return &clock;
}

uint64_t marey__stamp_ns(uint64_t from, uint64_t to) {
    if (to <= from || !clock_counter_usable())
        return to > from ? to - from : 0;
    const struct clock *clock = clock_of_rate();
    return (uint64_t)(((unsigned __int128)((to - from) << clock->shift) * clock->rate) >> 64);
}

uint64_t marey__stamp_after(uint64_t from, uint64_t ns) {
    if (!clock_counter_usable())
        return from + ns;
    const struct clock *clock = clock_of_rate();
    unsigned __int128 ticks = (((unsigned __int128)ns << 64) / clock->rate) >> clock->shift;
    return from + (uint64_t)ticks;
}

/* ----------------------------------------------------------------- packets */

static uint32_t category_named(uint32_t *cached, const char *name) {
    uint32_t id = __atomic_load_n(cached, __ATOMIC_RELAXED);
    if (!id) {
        id = marey_name_id(name);
        __atomic_store_n(cached, id, __ATOMIC_RELAXED);
    }
    return id;
}

uint32_t call_category(void) {
    static uint32_t id;
    return category_named(&id, "call");
}

static uint32_t category_of(const struct call_event *call) {
    static uint32_t scope, c;
    if (call->text)
        return category_named(&scope, "calls");
    return function_get(call->function)->line ? call_category() : category_named(&c, "call,c");
}

void writer_make_call(struct writer *writer, uint32_t category_iid) {
    static const uint8_t event[] = {TAG(PACKET__track_event, WIRE_BYTES), 11,
                                    TAG(EVENT__type, WIRE_VARINT), EVENT_BEGIN,
                                    TAG(EVENT__category_iids, WIRE_VARINT)};
    if (category_iid >= 0x80)
        return; /* it takes two bytes: the long way */
    uint8_t bytes[24] = {TAG(TRACE__packet, WIRE_BYTES),
                         0,
                         TAG(PACKET__timestamp, WIRE_VARINT),
                         0x80,
                         0,
                         TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT)};
    uint8_t *at = varint_put(bytes + 6, writer->sequence);
    memcpy(at, event, sizeof event);
    at += sizeof event;
    *at++ = writer->call_category_iid = (uint8_t)category_iid;
    *at++ = TAG(EVENT__name_iid, WIRE_VARINT);
    writer->call_name_at = (uint32_t)(at - bytes);
    at = varint_put(at + 2, TAG(EVENT__source_location_iid, WIRE_VARINT));
    writer->call_source_at = (uint32_t)(at - bytes);
    writer->call_bytes = writer->call_source_at + 2;
    bytes[1] = (uint8_t)(writer->call_bytes - 2);
    memcpy(&writer->call_head, bytes, 8);
    memcpy(writer->call_tail, bytes + 8, 16);
}

struct event call_to_event(enum event_type type, const struct call_event *call) {
    struct event event = {
        .type = type, .stamp = call->stamp, .args = call->args, .count = call->count};
    if (type != EVENT_BEGIN)
        return event;
    event.category = category_of(call);
    event.text = call->text;
    event.is_call = !call->text;
    event.function = call->function;
    return event;
}

struct event call_to_timed(enum event_type type, const struct call_event *call,
                           const struct writer *writer) {
    struct event event = call_to_event(type, call);
    event.time_ns = writer->clock.origin_ns + clock_stamped(&writer->clock, call->stamp);
    return event;
}

/* ----------------------------------------------------------------- session */

static __attribute__((noinline)) void begin_slow(marey_span *span, marey_track *track,
                                                 const struct call_event *call) {
    struct event event = call_to_event(EVENT_BEGIN, call);
    event.track = track;
    event_span_begin(span, &event);
}

void marey__call_begin(marey_span *span, marey_track *track, const struct call_event *call) {
    *span = (marey_span){0};
    if (!recording_enter())
        return;
    struct writer *writer = marey__thread.writer;
    if (LIKELY(!track && writer && writer->nesting.depth < writer->nesting.cap) &&
        LIKELY(call_begin_any(writer, call))) {
        span->depth = ++writer->nesting.depth;
        span->owner = writer->number;
    } else {
        begin_slow(span, track, call);
    }
    recording_leave();
}

static __attribute__((noinline)) void end_slow(const marey_span *span,
                                               const struct call_event *call) {
    struct event event = call_to_event(EVENT_END, call);
    event_span_end(span, &event);
}

void marey__call_end(marey_span *span, const struct call_event *call) {
    if (!span->depth || !recording_enter())
        return;
    struct writer *writer = marey__thread.writer;
    int simple = !span->track && writer && span->owner == writer->number &&
                 writer->nesting.depth == span->depth && span->depth <= writer->nesting.cap;
    if (LIKELY(simple) && LIKELY(call_end_any(writer, call)))
        writer->nesting.depth--;
    else
        end_slow(span, call);
    span->depth = 0;
    recording_leave();
}

void marey__call_whole(marey_track *track, const struct call_event *begin,
                       const struct call_event *end) {
    if (!recording_enter())
        return;
    struct writer *writer = session_attach();
    if (writer) {
        struct event first = call_to_timed(EVENT_BEGIN, begin, writer);
        struct event last = call_to_timed(EVENT_END, end, writer);
        first.track = last.track = track;
        if (event_write(&first))
            event_write(&last);
    }
    recording_leave();
}
