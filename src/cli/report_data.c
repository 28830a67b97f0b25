/* See report_data.h. */
#include "cli/report_data.h"

#include <string.h>

#include "marey.h"
#include "model/sums.h"

int report_is_by_place(const struct report_request *request) {
    return request->by == REPORT_BY_FUNCTION || request->by == REPORT_BY_LINE ||
           request->by == REPORT_BY_FILE || request->by == REPORT_BY_MODULE;
}

int report_is_by_thread(const struct report_request *request) {
    return request->by == REPORT_BY_THREAD || request->by == REPORT_BY_PROCESS;
}

/* ------------------------------------------------------------------ samples */

static enum sample_grouping grouping_of(enum report_by by) {
    switch (by) {
    case REPORT_BY_LINE: return GROUP_LINES;
    case REPORT_BY_FILE: return GROUP_FILES;
    case REPORT_BY_MODULE: return GROUP_MODULES;
    default: return GROUP_FUNCTIONS;
    }
}

static enum hot_order hot_order_of(enum order order) {
    return order == ORDER_TOTAL ? HOT_BY_TOTAL : order == ORDER_NAME ? HOT_BY_NAME : HOT_BY_SELF;
}

static void add_up(struct report_data *data) {
    for (uint32_t i = 0; i < data->busy.count; i++)
        sample_times_add(&data->all, &data->busy.rows[i].times);
}

static int find_samples(struct report_data *data) {
    const struct report_request *request = data->request;
    const struct trace_filter *filter = &request->filter;
    sampling_find(&data->sampling, data->trace); /* there may have been nothing to take */
    if (!data->trace->samples)
        return 0;
    int error = sample_profile(&data->profile, data->trace, filter, data->grouping, NULL);
    if (!error)
        error = hot_make(&data->hot, data->profile, hot_order_of(request->order));
    if (!error)
        hot_choose(&data->hot, data->profile, &request->names);
    if (!error && request->by == REPORT_BY_SPAN)
        error = span_samples_make(&data->by_span, data->trace, filter);
    if (!error)
        span_samples_choose(&data->by_span, data->trace, &request->names);
    return error;
}

/* --------------------------------------------------------- calls and spans */

static int find_calls(struct report_data *data, struct trace *trace) {
    const struct report_request *request = data->request;
    if (!calls_are_there(trace))
        return 0;
    int error = call_stats_of_spans(&data->calls, &data->functions, trace, &request->filter);
    if (error)
        return error;
    call_stats_choose(&data->calls, &data->functions, &request->names);
    if (request->order != ORDER_USUAL)
        call_stats_sort(&data->calls, &data->functions, request->order);
    return 0;
}

/* Calls have a table of their own. */
static void take_out_calls(struct summary *spans, const struct trace *trace) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < spans->count; i++)
        if (!calls_is_call(trace, spans->rows[i].category))
            spans->rows[kept++] = spans->rows[i];
    spans->count = kept;
}

static void find_pauses(struct report_data *data) {
    for (uint32_t i = 0; i < data->spans.count; i++) {
        const struct summary_row *row = &data->spans.rows[i];
        if (strcmp(trace_text(data->trace, row->category), "gc") != 0)
            continue;
        data->gc.count += row->count;
        sum_add_ns(&data->gc.total_ns, row->total_ns);
        if (row->max_ns > data->gc.max_ns)
            data->gc.max_ns = row->max_ns;
    }
}

static int find_spans(struct report_data *data) {
    const struct report_request *request = data->request;
    int error = summary_make_part(&data->spans, data->trace, &request->filter);
    if (error)
        return error;
    take_out_calls(&data->spans, data->trace);
    find_pauses(data);
    summary_choose(&data->spans, data->trace, &request->names);
    if (request->order != ORDER_USUAL)
        summary_sort(&data->spans, data->trace, request->order);
    return slowest_find(&data->slowest, data->trace, &request->filter, &request->names,
                        request->slowest);
}

/* ---------------------------------------------------------------------- all */

static int64_t length_of(const struct trace *trace, const struct trace_filter *filter) {
    int64_t begin_ns = trace->first_ns, end_ns = trace->last_ns;
    return filter_clip(filter, &begin_ns, &end_ns) ? end_ns - begin_ns : 0;
}

int report_data_make(struct report_data *data, struct trace *trace,
                     const struct report_request *request) {
    *data = (struct report_data){.trace = trace,
                                 .request = request,
                                 .length_ns = length_of(trace, &request->filter),
                                 .grouping = grouping_of(request->by)};
    int error = busy_make(&data->busy, trace, &request->filter, request->by == REPORT_BY_PROCESS);
    add_up(data);
    if (!error)
        error = find_samples(data);
    if (!error)
        error = find_calls(data, trace);
    return error ? error : find_spans(data);
}

void report_data_free(struct report_data *data) {
    busy_free(&data->busy);
    hot_free(&data->hot);
    profile_close(data->profile);
    span_samples_free(&data->by_span);
    call_stats_free(&data->calls);
    calls_free(&data->functions);
    summary_free(&data->spans);
    slowest_free(&data->slowest);
}
