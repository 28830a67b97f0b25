/* What changed from one trace to another: functions by their samples, functions by their calls, spans.
 *
 * Each trace is taken in by itself and may be freed then: what is kept of it is a row for each name, and of durations some
 * thousand. What has the same name in both is the same: a function by its name and the end of its file's path, so that other
 * folders, lines and versions of Python make no difference. */
#ifndef MAREY_MODEL_DIFFERENCE_H
#define MAREY_MODEL_DIFFERENCE_H

#include "model/chance.h"
#include "model/filter.h"
#include "model/patterns.h"
#include "model/sample_profile.h"

enum {
    DIFFERENCE_DURATIONS = 4096,        /* of a name and side, spread over all there are */
    DIFFERENCE_DURATIONS_ALL = 1 << 24, /* of a side */
};

/* How sure it is that there is a difference: what share of such rows is by chance. */
enum certainty {
    CERTAINTY_NOISE,
    CERTAINTY_LIKELY, /* less than one in twenty */
    CERTAINTY_SURE,   /* less than one in a hundred */
};

enum { BEFORE, AFTER, SIDES };

/* A function in samples. */
struct changed_share {
    uint32_t name, file; /* strings of the difference */
    int32_t line;        /* 0: not told apart by line */
    struct {
        struct chance_share self;
        double total; /* weight on the stack at all */
        uint64_t samples;
    } side[SIDES];
    double chance; /* corrected */
    enum certainty certainty;
};

/* What durations come to; all 0 where there are none. */
struct changed_times {
    uint64_t count; /* exact; those without an end included */
    uint64_t ended;
    int64_t total_ns, mean_ns, p50_ns, p99_ns, max_ns; /* of those that ended */
    int64_t *durations;                                /* some of them, in order of time */
    uint32_t duration_count;
};

/* Spans of a name, or calls of a function. */
struct changed_span {
    uint32_t name, category; /* strings; of a call the category is its module */
    int is_call;
    struct changed_times side[SIDES];
    double chance;
    enum certainty certainty;
};

/* All zero is empty. */
struct difference {
    struct strings strings;
    struct map share_places, span_places; /* by key: place in the rows */
    struct changed_share *shares;         /* once settled: the largest change first */
    uint32_t share_count, share_capacity;
    struct changed_span *spans; /* likewise, calls and spans mixed */
    uint32_t span_count, span_capacity;
    struct chance_whole whole[SIDES]; /* of all samples; their weight is time if `timed` */
    int timed[SIDES];
    uint64_t samples[SIDES];
    int64_t length_ns[SIDES]; /* of the part of the trace that is wanted */
};

/* Takes in a trace as one side. It was read with TRACE_CALLS. grouping: what rows of samples are. Returns 0 or MAREY_ENOMEM.
 * difference_free in every case. */
int difference_take(struct difference *difference, int side, struct trace *trace,
                    const struct trace_filter *filter, enum sample_grouping grouping);
/* Both are taken: finds how sure each row is, over those whose names are wanted (the others are taken out), and sorts them.
 * Returns as above. */
int difference_settle(struct difference *difference, const struct patterns *names);
void difference_free(struct difference *difference);

const char *difference_text(const struct difference *difference, uint32_t string);
/* The share of a side that a function itself had, and it with what it called: 0 to 1. */
double difference_self(const struct difference *difference, const struct changed_share *row,
                       int side);
double difference_total(const struct difference *difference, const struct changed_share *row,
                        int side);
/* By how much durations of it are longer on the average, as a part of what they were; 0 where a side has none. */
double difference_growth(const struct changed_span *row);
/* How much time all of it took more, in nanoseconds. */
int64_t difference_cost(const struct changed_span *row);

/* Whether something surely grew by more than `part`: the share of a function itself by more than that part of the whole
 * (0.05: from 10 % to more than 15 %); or the mean of a span or call by more than that part of what it was, if it costs at least
 * a hundredth of the length of the trace. */
int difference_share_grew(const struct difference *difference, const struct changed_share *row,
                          double part);
int difference_span_grew(const struct difference *difference, const struct changed_span *row,
                         double part);

#endif
