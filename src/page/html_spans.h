/* Inside the page: the spans of a trace as the page that is one file has them. */
#ifndef MAREY_PAGE_HTML_SPANS_H
#define MAREY_PAGE_HTML_SPANS_H

#include "page/parts.h"

/* Spans that are wanted, the longest first. */
struct chosen_spans {
    uint32_t *all; /* places in the trace's spans */
    uint32_t count, left_out;
};

/* At most `most` of those that a filter wants. Returns 0 or MAREY_ENOMEM; free(spans->all) in every case. */
int html_choose_spans(struct chosen_spans *spans, const struct trace *trace,
                      const struct trace_filter *filter, uint32_t most);
/* Writes them as columns, the value of "spans". Returns 0 or MAREY_ENOMEM. */
int html_write_spans(struct json *json, const struct chosen_spans *spans, const struct page *page);

#endif
