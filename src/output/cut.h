/* A part of a trace as a trace: of some time, some processes, threads or tracks. It is whole by itself: spans that reach into
 * the part are clipped to it, with their names and arguments and what was cut off them (docs/FORMAT.md, Clipped spans); those
 * without an end stay open; counters begin with the value that they had; what the recorder lost is told. */
#ifndef MAREY_OUTPUT_CUT_H
#define MAREY_OUTPUT_CUT_H

#include "model/filter.h"

/* Cuts a trace in memory, such as a ring's snapshot, and writes the part to a descriptor, at its offset. The filter's times
 * are of the trace's clock: of CLOCK_BOOTTIME, if Marey recorded it. Returns 0 or an enum marey_error (MAREY_ENOTRACE: the
 * bytes are no trace); damaged parts are left out. Any thread may call it; it keeps nothing. */
int cut_bytes(int fd, const void *bytes, size_t size, const struct trace_filter *filter);
/* The same of a time by CLOCK_MONOTONIC, which is what marey_now_ns tells. */
int cut_moment(int fd, const void *bytes, size_t size, uint64_t from_ns, uint64_t to_ns);

#endif
