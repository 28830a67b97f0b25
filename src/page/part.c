/* See parts.h: what is made of a part of the trace, and takes long enough that it is kept for the next question. */
#include <stdlib.h>
#include <string.h>

#include "model/span_profile.h"
#include "page/parts.h"

static void part_free(struct page_part *part) {
    calls_free(&part->calls);
    profile_close(part->profile);
    free(part->threads);
    free(part);
}

static int is_same(const struct page_part *part, const struct asked *asked) {
    const struct trace_filter *filter = &asked->query->filter;
    return part->from_ns == filter->from_ns && part->to_ns == filter->to_ns &&
           !part->threads == !filter->only_threads &&
           (!part->threads ||
            !memcmp(part->threads, filter->only_threads, asked->trace->thread_count));
}

static int fill(struct page_part *part, enum part_kind kind, const struct asked *asked) {
    const struct trace_filter *filter = &asked->query->filter;
    struct trace *trace = &asked->page->trace;
    size_t threads = (size_t)trace->thread_count + 1;
    part->from_ns = filter->from_ns;
    part->to_ns = filter->to_ns;
    if (filter->only_threads) {
        part->threads = malloc(threads);
        if (!part->threads)
            return -1;
        memcpy(part->threads, filter->only_threads, threads);
    }
    return kind == PART_CALLS ? calls_make_part(&part->calls, trace, filter)
                              : span_profile(&part->profile, trace, filter, NULL);
}

static struct page_part *part_make(enum part_kind kind, const struct asked *asked) {
    struct page_part *part = calloc(1, sizeof *part);
    if (part && fill(part, kind, asked)) {
        part_free(part);
        return NULL;
    }
    if (part)
        part->users = 1; /* the page itself */
    return part;
}

struct page_part *part_take(struct asked *asked, enum part_kind kind) {
    struct page_kept *kept = &asked->page->kept[kind];
    pthread_mutex_lock(&kept->lock);
    if (!kept->part || !is_same(kept->part, asked)) {
        if (kept->part && !--kept->part->users)
            part_free(kept->part);
        kept->part = part_make(kind, asked);
    }
    struct page_part *part = kept->part;
    if (part)
        part->users++;
    pthread_mutex_unlock(&kept->lock);
    return part;
}

void part_give(struct page *page, enum part_kind kind, struct page_part *part) {
    struct page_kept *kept = &page->kept[kind];
    pthread_mutex_lock(&kept->lock);
    int unused = part && !--part->users;
    pthread_mutex_unlock(&kept->lock);
    if (unused)
        part_free(part);
}
