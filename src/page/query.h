/* Inside the page: what a question asks, read strictly. A parameter that is not known, not this question's, given twice or
 * not of its form is refused, with the reason in words. */
#ifndef MAREY_PAGE_QUERY_H
#define MAREY_PAGE_QUERY_H

#include "output/format.h"
#include "page/index.h"

enum {
    QUERY_BYTES_MAX = 32 << 10,
    QUERY_TEXT_MAX = 8 << 10, /* of one parameter, decoded */
    QUERY_IDS_MAX = 4096,     /* of a list */
    QUERY_WIDTH_MAX = 8192,   /* pixels */
};

/* The parameters, as bits: which ones a question takes. */
enum query_parameter {
    QUERY_FROM = 1 << 0,
    QUERY_TO = 1 << 1,
    QUERY_THREADS = 1 << 2,
    QUERY_OF = 1 << 3,
    QUERY_WEIGHT = 1 << 4,
    QUERY_TRACKS = 1 << 5,
    QUERY_WIDTH = 1 << 6,
    QUERY_LIMIT = 1 << 7,
    QUERY_OFFSET = 1 << 8,
    QUERY_ID = 1 << 9,
    QUERY_PARENT = 1 << 10,
    QUERY_MIN = 1 << 11,
    QUERY_SORT = 1 << 12,
    QUERY_NAME = 1 << 13,
    QUERY_CATEGORY = 1 << 14,
    QUERY_Q = 1 << 15,
    QUERY_FORMAT = 1 << 16,
    QUERY_TIME = QUERY_FROM | QUERY_TO,
    QUERY_PART = QUERY_TIME | QUERY_THREADS,
    QUERY_PROFILE = QUERY_PART | QUERY_OF | QUERY_WEIGHT,
};

enum query_weight { WEIGHT_COUNT = SAMPLE_WEIGHTS }; /* or an enum sample_weight */
enum query_sort { SORT_DURATION, SORT_BEGIN };

struct query {
    uint32_t given;             /* enum query_parameter: those that stood there */
    struct trace_filter filter; /* of the trace's clock */
    uint8_t *threads;           /* what the filter points to */
    enum stacks_of of;
    unsigned weight;
    uint32_t tracks[QUERY_IDS_MAX]; /* ids of tracks, each once, in the order given */
    uint32_t track_count;
    uint64_t width, limit, offset, id;
    int64_t parent, min_ns;
    enum query_sort sort;
    char name[QUERY_TEXT_MAX], category[QUERY_TEXT_MAX], q[QUERY_TEXT_MAX], format[QUERY_TEXT_MAX];
};

/* What a question takes. */
struct query_form {
    uint32_t takes, needs; /* enum query_parameter */
    uint64_t limit, limit_max;
};

/* text: what stands behind "?"; NULL is nothing. Returns 0, -1 with the reason in `why`, or MAREY_ENOMEM. query_free in
 * every case. */
int query_read(struct query *query, const struct query_form *form, const struct trace *trace,
               const char *text, char *why, size_t room);
void query_free(struct query *query);

/* How many ids of tracks there are: the reader's tracks, and behind them one a thread. */
uint64_t query_track_ids(const struct trace *trace);

#endif
