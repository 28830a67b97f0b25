/* See report_calls.h. */
#include "cli/report_calls.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"

static int is_call(const struct trace *trace, uint32_t category) {
    const char *text = trace_text(trace, category);
    return !strcmp(text, "call") || !strcmp(text, "call,c");
}

static int has_calls(const struct trace *trace) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < trace->span_count; i++) {
        uint32_t category = trace->spans[i].category;
        if (category != last && is_call(trace, category))
            return 1;
        last = category;
    }
    return 0;
}

int report_calls_make(struct report_calls *report, struct trace *trace,
                      const struct report_request *request) {
    *report = (struct report_calls){0};
    if (!has_calls(trace))
        return 0;
    int error = call_stats_of_spans(&report->stats, &report->calls, trace, &request->filter);
    if (!error && request->order == HOT_BY_SELF)
        call_stats_sort_by_self(&report->stats);
    return error;
}

void report_calls_free(struct report_calls *report) {
    call_stats_free(&report->stats);
    calls_free(&report->calls);
}

void report_calls_take_out(struct summary *spans, const struct trace *trace) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < spans->count; i++)
        if (!is_call(trace, spans->rows[i].category))
            spans->rows[kept++] = spans->rows[i];
    spans->count = kept;
}
