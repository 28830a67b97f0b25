/* How the clocks of a trace relate. Conversion is by offset only, from the last snapshot before a time, as
 * trace_processor does it; a snapshot counts wherever in the file it stands.
 *
 * Clocks have a small number here: 0 is the trace's own time ("no clock said"), others in order of appearance. */
#ifndef MAREY_MODEL_TIMEBASE_H
#define MAREY_MODEL_TIMEBASE_H

#include <stdint.h>

enum {
    CLOCKS_MAX = 16,          /* different global clocks of a trace, clock 0 included */
    SNAPSHOT_CLOCKS_MAX = 16, /* of one snapshot */
    SNAPSHOTS_MAX = 1 << 20,
    CLOCK_UNKNOWN = 255,
};

struct clock_reading {
    uint32_t clock; /* number as above */
    int64_t time_ns;
};

struct clock_snapshot {
    uint32_t count;
    uint32_t first; /* of its readings */
};

/* From a time of one clock on, what is added to come to another. */
struct clock_step {
    int64_t from_ns;
    int64_t add_ns;
};

/* The way from a clock to the next on its way to the trace's clock. */
struct clock_way {
    int32_t to;                    /* -1: none */
    uint32_t first, count, recent; /* steps; the one used last */
};

struct timebase {
    uint32_t ids[CLOCKS_MAX]; /* Perfetto's ids */
    uint32_t clocks;
    uint32_t primary; /* number of the clock that a snapshot calls the primary one; 0: none did */
    struct clock_snapshot *snapshots;
    uint32_t snapshot_count, snapshot_capacity;
    struct clock_reading *readings;
    uint32_t reading_count, reading_capacity;
    struct clock_step *steps;
    uint32_t step_count, step_capacity;
    struct clock_way ways[CLOCKS_MAX];
    uint32_t trace_clock; /* known after timebase_settle */
};

void timebase_init(struct timebase *timebase);
void timebase_free(struct timebase *timebase);
/* The number of a clock id, new or known; CLOCK_UNKNOWN where there are too many. */
uint32_t timebase_clock(struct timebase *timebase, uint32_t id);
/* Readings taken at one moment. Returns 0, or -1 where there are too many or memory is short. */
int timebase_add(struct timebase *timebase, const struct clock_reading *readings, uint32_t count);
/* Chooses the trace's clock and finds the way there from every other. After the last snapshot. Returns 0 or -1. */
int timebase_settle(struct timebase *timebase);
/* A time in the trace's clock. Returns 0, or -1 where no snapshot leads there. After timebase_settle. */
int timebase_convert(struct timebase *timebase, uint32_t clock, int64_t *time_ns);
/* What timebase_convert adds to any time of that clock. Returns 0, or -1 where that is not one and the same. */
int timebase_offset(const struct timebase *timebase, uint32_t clock, int64_t *add_ns);
/* A time in the trace's clock as one of another (Perfetto's id), by the first snapshot that has both. Returns 0, or -1
 * where none has. After timebase_settle. */
int timebase_back(const struct timebase *timebase, uint32_t id, int64_t *time_ns);
/* Wall-clock time (since 1970) of a time in the trace's clock, 0 where not known. */
int64_t timebase_wall_ns(const struct timebase *timebase, int64_t time_ns);
/* "MONOTONIC", "BOOTTIME", ... of the trace's clock. */
const char *timebase_name(const struct timebase *timebase);

#endif
