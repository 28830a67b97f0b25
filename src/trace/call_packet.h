/* The packets of calls, in whatever chunk: what the session (call.c) and logs (call_log.c) share. */
#ifndef MAREY_TRACE_CALL_PACKET_H
#define MAREY_TRACE_CALL_PACKET_H

#include "call.h"
#include "event.h"
#include "fast.h"

/* The long way, by fields. */
struct event call_to_event(enum event_type type, const struct call_event *call);
/* The same with an absolute time, that of the stamp by this writer's clock. */
struct event call_to_timed(enum event_type type, const struct call_event *call,
                           const struct writer *writer);

static inline uint64_t call_time(const struct writer *writer, uint64_t stamp) {
    return clock_at(&writer->clock, stamp);
}

/* A call's begin, without arguments, as a short packet (20 bytes where the sequence's number takes one):
 *
 *   0A len 40 tt tt 50 ss 5A | 0B 48 01 18 cc 50 ii ii | 90 02 ii ii
 *
 * Returns 1 if that was possible. */
static inline int call_begin_fast(struct writer *writer, uint32_t function, uint64_t stamp) {
    if (UNLIKELY(at_limit(writer)))
        return 0;
    uint32_t iid = writer->functions[function] - writer->generation;
    if (UNLIKELY(iid >= IID_NONE || !writer->call_bytes))
        return 0;
    uint64_t time = call_time(writer, stamp), delta = time - writer->last;
    if (UNLIKELY(delta - 1 >= SHORT_DELTA - 1)) /* also what is older than the clock, or no later */
        return 0;
    uint8_t *at = writer->at;
    uint16_t number = (uint16_t)iid;
    store_u64(at + 8, writer->call_tail[0]);
    store_u64(at + 16, writer->call_tail[1]);
    __builtin_memcpy(at + writer->call_name_at, &number, sizeof number);
    __builtin_memcpy(at + writer->call_source_at, &number, sizeof number);
    short_commit(writer, writer->call_head | short_time(delta), writer->call_bytes);
    writer->last = time;
    return 1;
}

/* The end of any slice, likewise. */
static inline int call_end_fast(struct writer *writer, uint64_t stamp) {
    if (UNLIKELY(at_limit(writer)))
        return 0;
    uint64_t time = call_time(writer, stamp), delta = time - writer->last;
    if (UNLIKELY(delta >= SHORT_DELTA))
        return 0;
    put_short_end(writer, delta);
    writer->last = time;
    return 1;
}

/* The same with arguments, where they are numbers and short texts, in names that the chunk knows. call_args.c. */
int call_put_with_args(struct writer *writer, enum event_type type, const struct call_event *call);

static inline int call_begin_any(struct writer *writer, const struct call_event *call) {
    if (call->count)
        return call_put_with_args(writer, EVENT_BEGIN, call);
    return LIKELY(writer && !call->text) && call_begin_fast(writer, call->function, call->stamp);
}

static inline int call_end_any(struct writer *writer, const struct call_event *call) {
    if (call->count)
        return call_put_with_args(writer, EVENT_END, call);
    return LIKELY(writer != NULL) && call_end_fast(writer, call->stamp);
}

#endif
