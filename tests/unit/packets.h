/* Packets for tests of the reader, byte by byte: no writer of ours is asked. */
#ifndef MAREY_TESTS_PACKETS_H
#define MAREY_TESTS_PACKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "format/wire.h"

enum { MESSAGE_ROOM = 1 << 20 };

struct message {
    size_t size;
    uint8_t bytes[MESSAGE_ROOM];
};

static inline void put_varint(struct message *to, uint64_t value) {
    assert_true(to->size + VARINT_MAX <= MESSAGE_ROOM);
    to->size = (size_t)(varint_put(to->bytes + to->size, value) - to->bytes);
}

static inline void put_number(struct message *to, uint32_t field, uint64_t value) {
    put_varint(to, TAG(field, WIRE_VARINT));
    put_varint(to, value);
}

static inline void put_raw(struct message *to, const void *bytes, size_t size) {
    assert_true(to->size + size <= MESSAGE_ROOM);
    if (size)
        memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static inline void put_bytes(struct message *to, uint32_t field, const void *bytes, size_t size) {
    put_varint(to, TAG(field, WIRE_BYTES));
    put_varint(to, size);
    put_raw(to, bytes, size);
}

static inline void put_text(struct message *to, uint32_t field, const char *text) {
    put_bytes(to, field, text, strlen(text));
}

/* A message within: everything from `start` (the size before it) on becomes the content of `field`. */
static inline void put_within(struct message *to, uint32_t field, size_t start) {
    static uint8_t inner[MESSAGE_ROOM];
    size_t size = to->size - start;
    memcpy(inner, to->bytes + start, size);
    to->size = start;
    put_bytes(to, field, inner, size);
}

/* What the packets of a test have in common: one sequence with a delta clock, one thread's track. */
enum { TEST_SEQUENCE = 1, TEST_TRACK = 7, TEST_PID = 10, TEST_TID = 11, TEST_START_NS = 1000 };

static inline size_t packet_begin(struct message *to) {
    size_t start = to->size;
    put_number(to, PACKET__trusted_packet_sequence_id, TEST_SEQUENCE);
    return start;
}

static inline void packet_end(struct message *to, size_t start) {
    put_within(to, TRACE__packet, start);
}

static inline void put_clock(struct message *to, uint64_t id, uint64_t time, int incremental) {
    size_t start = to->size;
    put_number(to, CLOCK__id, id);
    put_number(to, CLOCK__timestamp, time);
    if (incremental)
        put_number(to, CLOCK__is_incremental, 1);
    put_within(to, CLOCK_SNAPSHOT__clocks, start);
}

/* Opens a chunk: the state is cleared, deltas start at TEST_START_NS of BOOTTIME, events are on the thread's track. */
static inline void put_chunk_start(struct message *to) {
    size_t packet = packet_begin(to);
    put_number(to, PACKET__sequence_flags, SEQUENCE_STATE_CLEARED);
    size_t snapshot = to->size;
    put_clock(to, CLOCK_ID_BOOTTIME, TEST_START_NS, 0);
    put_clock(to, CLOCK_ID_SEQUENCE, 0, 1);
    put_within(to, PACKET__clock_snapshot, snapshot);
    size_t defaults = to->size;
    put_number(to, DEFAULTS__timestamp_clock_id, CLOCK_ID_SEQUENCE);
    size_t event = to->size;
    put_number(to, EVENT_DEFAULTS__track_uuid, TEST_TRACK);
    put_within(to, DEFAULTS__track_event_defaults, event);
    put_within(to, PACKET__trace_packet_defaults, defaults);
    packet_end(to, packet);
}

static inline void put_thread(struct message *to, uint64_t uuid, uint64_t tid) {
    size_t packet = packet_begin(to), descriptor = to->size;
    put_number(to, TRACK_DESCRIPTOR__uuid, uuid);
    size_t thread = to->size;
    put_number(to, THREAD__pid, TEST_PID);
    put_number(to, THREAD__tid, tid);
    put_text(to, THREAD__thread_name, "worker");
    put_within(to, TRACK_DESCRIPTOR__thread, thread);
    put_within(to, PACKET__track_descriptor, descriptor);
    packet_end(to, packet);
}

/* An event `delta_ns` after the one before; name NULL: none. */
static inline void put_event(struct message *to, uint64_t delta_ns, int type, const char *name) {
    size_t packet = packet_begin(to);
    put_number(to, PACKET__timestamp, delta_ns);
    size_t event = to->size;
    put_number(to, EVENT__type, (uint64_t)type);
    if (name)
        put_text(to, EVENT__name, name);
    put_within(to, PACKET__track_event, event);
    packet_end(to, packet);
}

static inline void put_filler(struct message *to, size_t payload) {
    static const uint8_t nothing[4096];
    put_bytes(to, TRACE__filler, nothing, payload);
}

#endif
