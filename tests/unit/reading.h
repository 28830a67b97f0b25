/* A file made of packets, and the trace that the reader makes of it. */
#ifndef MAREY_TESTS_READING_H
#define MAREY_TESTS_READING_H

#include "packets.h"

#include "model/trace.h"

static struct message file;

static inline int set_up(void **state) {
    (void)state;
    file.size = 0;
    return 0;
}

static inline void read_file(struct trace *trace) {
    assert_int_equal(trace_read_memory(trace, file.bytes, file.size, 0), 0);
}

static inline uint64_t damaged(const struct trace *trace) {
    return damage_total(&trace->reader.damage, HARM_DAMAGE);
}

#endif
