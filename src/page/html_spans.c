/* See html_spans.h. */
#define _GNU_SOURCE
#include "page/html_spans.h"

#include <stdlib.h>

#include "marey.h"

static int longest_first(const void *a, const void *b, void *context) {
    const struct trace *trace = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct span *one = &trace->spans[left], *other = &trace->spans[right];
    int64_t one_ns = span_end_ns(trace, one) - one->begin_ns;
    int64_t other_ns = span_end_ns(trace, other) - other->begin_ns;
    return one_ns != other_ns ? (one_ns > other_ns ? -1 : 1) : (left > right) - (left < right);
}

int html_choose_spans(struct chosen_spans *spans, const struct trace *trace,
                      const struct trace_filter *filter, uint32_t most) {
    uint8_t *tracks = filter_tracks(filter, trace);
    spans->all = malloc(((size_t)trace->span_count + 1) * sizeof *spans->all);
    if (!tracks || !spans->all) {
        free(tracks);
        return MAREY_ENOMEM;
    }
    for (uint32_t i = 0; i < trace->span_count; i++) {
        int64_t begin_ns, end_ns;
        if (tracks[trace->spans[i].track] &&
            filter_clip_span(filter, trace, &trace->spans[i], &begin_ns, &end_ns))
            spans->all[spans->count++] = i;
    }
    free(tracks);
    qsort_r(spans->all, spans->count, sizeof *spans->all, longest_first, (void *)trace);
    if (spans->count > most) {
        spans->left_out = spans->count - most;
        spans->count = most;
    }
    return 0;
}

/* Numbers the names that are used, in the order in which they are met, and writes them. places: by string, its number and
 * one. */
static void write_names(struct json *json, const struct chosen_spans *spans,
                        const struct trace *trace, uint32_t *places) {
    uint32_t count = 0;
    json_array(json, "names");
    for (uint32_t i = 0; i < spans->count; i++) {
        uint32_t name = trace->spans[spans->all[i]].name;
        if (places[name])
            continue;
        places[name] = ++count;
        json_text(json, NULL, trace_text(trace, name));
    }
    json_end(json);
}

int html_write_spans(struct json *json, const struct chosen_spans *spans, const struct page *page) {
    const struct trace *trace = &page->trace;
    uint32_t *places = calloc((size_t)trace->reader.strings.count + 1, sizeof *places);
    uint32_t count = spans->count;
    if (!places)
        return MAREY_ENOMEM;
#define SPAN (&trace->spans[spans->all[i]])
    json_object(json, NULL);
    write_names(json, spans, trace, places);
    COLUMN(json_integer, json, "id", count, spans->all[i]);
    COLUMN(json_integer, json, "track", count, SPAN->track);
    COLUMN(json_integer, json, "begin", count, SPAN->begin_ns - trace->first_ns);
    COLUMN(json_integer, json, "end", count, span_end_ns(trace, SPAN) - trace->first_ns);
    COLUMN(json_integer, json, "depth", count, page->index.lane_of[spans->all[i]]);
    COLUMN(json_integer, json, "name", count, places[SPAN->name] - 1);
    COLUMN(json_integer, json, "failed", count, SPAN->failed);
    COLUMN(json_integer, json, "open", count, SPAN->duration_ns < 0);
#undef SPAN
    json_count(json, "left_out", spans->left_out);
    json_end(json);
    free(places);
    return 0;
}
