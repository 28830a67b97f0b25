/* Inside the page: what its questions share. */
#ifndef MAREY_PAGE_PARTS_H
#define MAREY_PAGE_PARTS_H

#include <pthread.h>

#include "model/calls.h"
#include "output/json.h"
#include "page/page.h"
#include "page/query.h"

struct page {
    struct trace trace;
    struct index index;
    char *name; /* of the file, for people */
    /* Held for reading by whoever reads the trace's texts; for writing by calls_make, which adds some. */
    pthread_rwlock_t texts;
    pthread_mutex_t calls_lock;
    struct page_calls *calls; /* made last, shared by who looks at it; behind calls_lock */
};

/* A question, while it is answered. */
struct asked {
    struct page *page;
    const struct trace *trace;
    const struct index *index;
    const struct query *query;
    struct json *json; /* where the answer goes */
    char why[160];     /* it cannot be answered: the reason */
    int status;        /* then: 400 or 404 */
};

/* Says why there is no answer. Returns -1. */
int asked_refuse(struct asked *asked, int status, const char *why);

/* The questions. Each returns 0, -1 after asked_refuse, or an enum marey_error. */
int answer_trace(struct asked *asked);
int write_track_list(struct asked *asked);
int answer_timeline(struct asked *asked);
int answer_functions(struct asked *asked);
int answer_flame(struct asked *asked);
int answer_span_table(struct asked *asked);
int answer_slices(struct asked *asked);
int answer_span(struct asked *asked);
int answer_instant(struct asked *asked);
int answer_flows(struct asked *asked);
int answer_tree(struct asked *asked);
int answer_search(struct asked *asked);

/* A time of the trace's clock as the page has it: since the first event. */
static inline int64_t asked_since(const struct asked *asked, int64_t time_ns) {
    return time_ns - asked->trace->first_ns;
}

/* A column: an array of `count` values, each written by json_...; `value` may use i. */
#define COLUMN(write, json, key, count, value)                                                     \
    do {                                                                                           \
        json_array(json, key);                                                                     \
        for (uint32_t i = 0; i < (count); i++)                                                     \
            write(json, NULL, value);                                                              \
        json_end(json);                                                                            \
    } while (0)

/* The calls of a part of the trace, and the tree of them that is looked at. Shared: page_calls_take and _give. */
struct page_calls {
    struct calls calls;
    uint32_t users; /* behind the page's calls_lock */
    int64_t from_ns, to_ns;
    uint8_t *threads; /* as the filter's; NULL: all */
};
/* Returns 0 or MAREY_ENOMEM. Gives back with page_calls_give. The asker must not hold `texts`. */
int page_calls_take(struct page *page, const struct query *query, struct page_calls **calls);
void page_calls_give(struct page *page, struct page_calls *calls);

#endif
