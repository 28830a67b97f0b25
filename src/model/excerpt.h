/* A trace of which only a part is kept in memory, and what the part needs of the rest: spans that reach into it from before,
 * the ends of those that reach beyond it, the values that counters had.
 *
 *     excerpt_open(&excerpt, &from, keep);      excerpt.trace: tracks, clocks, processes, its first and last time
 *     excerpt_read(&excerpt, &filter);          excerpt.trace: the part's events, too
 *     ...
 *     excerpt_close(&excerpt);
 *
 * Packets are read three times: to see what there is and how its clocks relate; to match begins and ends, by their numbers
 * alone; to keep what is needed. JSON is kept whole, and what cannot be read again (a pipe), or is written meanwhile. So are
 * the spans of tracks whose events are not in the order of time. */
#ifndef MAREY_MODEL_EXCERPT_H
#define MAREY_MODEL_EXCERPT_H

#include "model/filter.h"

struct excerpt_source {
    const char *path; /* "-": the standard input; NULL: the bytes */
    const void *bytes;
    size_t size;
    const struct source_watch *watch; /* of a path; NULL: nobody */
};

enum { EXCERPT_TIMES = 3 }; /* packets are read so often */

/* What it was made from outlives it. */
struct excerpt {
    struct trace trace;
    struct excerpt_source from;
    unsigned keep; /* enum trace_keep */
    int is_whole;  /* all of the trace is kept */
    struct excerpt_times {
        int any;
        int64_t first_ns, last_ns; /* of the events of one clock, as written */
    } times[CLOCKS_MAX];
};

/* Returns 0 or an enum marey_error, as trace_read. excerpt_close in every case. */
int excerpt_open(struct excerpt *excerpt, const struct excerpt_source *from, unsigned keep);
/* Once. The filter's times are of the trace's clock. Returns as above. */
int excerpt_read(struct excerpt *excerpt, const struct trace_filter *filter);
void excerpt_close(struct excerpt *excerpt);

#endif
