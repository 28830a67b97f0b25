/* Inside the page: what its questions share. */
#ifndef MAREY_PAGE_PARTS_H
#define MAREY_PAGE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "model/calls.h"
#include "model/profile.h"
#include "output/json.h"
#include "page/page.h"
#include "page/query.h"

enum part_kind { PART_CALLS, PART_SPANS, PARTS };

/* Of the time and threads that a filter says: calls, or the profile of spans. */
struct page_part {
    struct calls calls;
    struct profile *profile;
    int64_t from_ns, to_ns;
    uint8_t *threads; /* as the filter's; NULL: all */
    uint32_t users;   /* behind the lock */
};

/* The one made last. */
struct page_kept {
    pthread_mutex_t lock;
    struct page_part *part;
};

struct page {
    struct trace trace;
    struct index index;
    char *name; /* of the file, for people */
    int has_perfetto;
    uint64_t call_count; /* spans that are calls */
    /* Held for reading by who answers. To put calls together adds texts to the trace, but only the first time: that is done
     * once, held for writing. */
    pthread_rwlock_t texts;
    atomic_int texts_known;
    struct page_kept kept[PARTS];
};

/* A question, while it is answered. */
struct asked {
    struct page *page;
    const struct trace *trace;
    const struct index *index;
    const struct query *query;
    struct json *json; /* where the answer goes */
    int without_spans; /* of the timeline: who asks has them */
    char why[160];     /* it cannot be answered: the reason */
    int status;        /* then: 400 or 404 */
};

/* As page_answer; a timeline comes without its spans. */
void page_answer_without_spans(struct page *page, const char *path, const char *query,
                               struct page_answer *answer);

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

/* The members flows_in and flows_out of an event, which ends at end_ns: the steps before and behind its own. */
void write_flows_of(struct asked *asked, uint32_t detail, const struct flow_point *event,
                    int64_t end_ns);

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

/* What profiles are weighed by: an enum sample_weight, or PROFILE_COUNT. */
unsigned asked_weight(const struct asked *asked);
/* The profile that is asked about. */
struct asked_profile {
    struct profile *profile;
    struct page_part *part; /* whose it is; NULL: its own */
};
/* lines: told apart, where it is of samples. Returns as answers do; asked_profile_free in every case. */
int asked_profile(struct asked *asked, int lines, struct asked_profile *profile);
void asked_profile_free(struct asked *asked, struct asked_profile *profile);

/* What is made of a part of the trace, kept for the next question about the same part: NULL where memory is short. Shared;
 * part: NULL is fine. */
struct page_part *part_take(struct asked *asked, enum part_kind kind);
void part_give(struct page *page, enum part_kind kind, struct page_part *part);

#endif
