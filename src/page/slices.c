/* api/slices: the single spans of one name; api/span-table: all spans by name. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/grow.h"
#include "model/map.h"
#include "model/summary.h"
#include "page/parts.h"

/* ---------------------------------------------------------------- the table */

static void write_counts(struct asked *asked, const struct summary_row *rows, uint32_t count) {
    struct json *json = asked->json;
    const struct trace *trace = asked->trace;
    COLUMN(json_text, json, "name", count, trace_text(trace, rows[i].name));
    COLUMN(json_text, json, "category", count, trace_text(trace, rows[i].category));
    COLUMN(json_count, json, "count", count, rows[i].count);
    COLUMN(json_count, json, "open", count, rows[i].open);
    COLUMN(json_count, json, "errors", count, rows[i].errors);
}

static void write_times(struct json *json, const struct summary_row *rows, uint32_t count) {
    COLUMN(json_integer, json, "total", count, rows[i].total_ns);
    COLUMN(json_integer, json, "mean", count, rows[i].mean_ns);
    COLUMN(json_integer, json, "p50", count, rows[i].p50_ns);
    COLUMN(json_integer, json, "p99", count, rows[i].p99_ns);
    COLUMN(json_integer, json, "max", count, rows[i].max_ns);
}

int answer_span_table(struct asked *asked) {
    struct summary summary;
    int error = summary_make_part(&summary, asked->trace, &asked->query->filter);
    if (!error) {
        json_object(asked->json, "rows");
        write_counts(asked, summary.rows, summary.count);
        write_times(asked->json, summary.rows, summary.count);
        json_end(asked->json);
    }
    summary_free(&summary);
    return error;
}

/* ---------------------------------------------------------------- the slices */

/* Those that are wanted: places of spans. */
struct found {
    const struct trace *trace;
    enum query_sort sort;
    uint32_t *places;
    uint32_t count, capacity;
};

/* The number of a text; 0 where the trace has no span of that name (or category). */
static uint32_t find_text(const struct trace *trace, const char *text) {
    const struct strings *strings = &trace->reader.strings;
    size_t length = strlen(text);
    for (uint32_t i = 1; i < strings->count; i++)
        if (strings->all[i].length == length && !memcmp(strings->all[i].text, text, length))
            return i;
    return 0;
}

static int is_before(const struct found *found, uint32_t a, uint32_t b) {
    const struct span *left = &found->trace->spans[a], *right = &found->trace->spans[b];
    if (found->sort == SORT_DURATION) {
        int64_t left_ns = span_end_ns(found->trace, left) - left->begin_ns;
        int64_t right_ns = span_end_ns(found->trace, right) - right->begin_ns;
        if (left_ns != right_ns)
            return left_ns > right_ns;
    }
    return left->begin_ns != right->begin_ns ? left->begin_ns < right->begin_ns : a < b;
}

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Puts the place that belongs at `at` there, those before it before, all others behind (quickselect; the pivot is the
 * middle of three, one of them by chance: no file can be made to be slow). */
static void select_place(const struct found *found, uint32_t from, uint32_t to, uint32_t at) {
    uint32_t *places = found->places;
    while (to - from > 1) {
        uint32_t middle = from + (uint32_t)(map_mix(from ^ (uint64_t)to << 32) % (to - from));
        uint32_t last = to - 1, kept = from;
        if (is_before(found, places[middle], places[from]))
            swap(&places[middle], &places[from]);
        if (is_before(found, places[last], places[from]))
            swap(&places[last], &places[from]);
        if (is_before(found, places[last], places[middle]))
            swap(&places[last], &places[middle]);
        swap(&places[middle], &places[last]);
        for (uint32_t i = from; i < last; i++)
            if (is_before(found, places[i], places[last]))
                swap(&places[i], &places[kept++]);
        swap(&places[kept], &places[last]);
        if (kept == at)
            return;
        if (at < kept)
            to = kept;
        else
            from = kept + 1;
    }
}

static int compare_places(const void *a, const void *b, void *found) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left == right ? 0 : is_before(found, left, right) ? -1 : 1;
}

/* Sorts what is between two ranks alone: of millions a few hundred are shown. */
static void sort_window(struct found *found, uint32_t from, uint32_t to) {
    if (from == to)
        return;
    if (from)
        select_place(found, 0, found->count, from);
    if (to < found->count)
        select_place(found, from, found->count, to);
    qsort_r(found->places + from, to - from, sizeof *found->places, compare_places, found);
}

static int find_spans(struct found *found, const struct asked *asked) {
    const struct trace *trace = asked->trace;
    const struct query *query = asked->query;
    uint32_t name = find_text(trace, query->name), category = find_text(trace, query->category);
    uint8_t *tracks = filter_tracks(&query->filter, trace);
    int failed = !tracks;
    int is_none = (!name && *query->name) || (!category && *query->category);
    for (uint32_t i = 0; !failed && !is_none && i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        int64_t begin_ns, end_ns;
        if (span->name != name || !tracks[span->track] ||
            (query->given & QUERY_CATEGORY && span->category != category) ||
            !filter_clip_span(&query->filter, trace, span, &begin_ns, &end_ns))
            continue;
        failed = GROW(found->places, found->count, found->capacity);
        if (!failed)
            found->places[found->count++] = i;
    }
    free(tracks);
    return failed ? MAREY_ENOMEM : 0;
}

static void write_duration(struct json *json, const char *key, int64_t duration_ns) {
    if (duration_ns < 0)
        json_null(json, key);
    else
        json_integer(json, key, duration_ns);
}

static void write_slices(struct asked *asked, const uint32_t *places, uint32_t count) {
    struct json *json = asked->json;
    const struct span *spans = asked->trace->spans;
    json_object(json, "rows");
    COLUMN(json_integer, json, "id", count, places[i]);
    COLUMN(json_integer, json, "track", count, spans[places[i]].track);
    COLUMN(json_integer, json, "begin", count, asked_since(asked, spans[places[i]].begin_ns));
    COLUMN(write_duration, json, "duration", count, spans[places[i]].duration_ns);
    COLUMN(json_bool, json, "failed", count, spans[places[i]].failed);
    json_end(json);
}

int answer_slices(struct asked *asked) {
    const struct query *query = asked->query;
    struct found found = {.trace = asked->trace, .sort = query->sort};
    int error = find_spans(&found, asked);
    if (!error) {
        uint32_t from = query->offset < found.count ? (uint32_t)query->offset : found.count;
        uint32_t to =
            found.count - from > query->limit ? from + (uint32_t)query->limit : found.count;
        sort_window(&found, from, to);
        json_count(asked->json, "count", found.count);
        write_slices(asked, found.places ? found.places + from : NULL,
                     found.places ? to - from : 0);
    }
    free(found.places);
    return error;
}
