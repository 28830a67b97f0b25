/* See report.h: the tables as text and as JSON. */
#include "cli/report_data.h"
#include "output/function_table.h"
#include "output/hot_table.h"
#include "output/span_tables.h"
#include "output/thread_table.h"

struct printing {
    const struct report_data *data;
    const struct report_request *request;
    FILE *to;
    const char *indent;
    int any; /* something was printed */
};

/* An empty line before each part but the first. */
static void part(struct printing *self) {
    if (self->any)
        fputc('\n', self->to);
    self->any = 1;
}

/* ------------------------------------------------------------------ samples */

static void print_head(struct printing *self) {
    const struct report_data *data = self->data;
    struct text line = {0};
    part(self);
    sampling_sentence(&line, &data->sampling, data->all.count);
    fprintf(self->to, "%s%s\n", self->indent, text_of(&line));
    text_free(&line);
    line = (struct text){0};
    if (data->all.ns[SAMPLE_WALL] && data->sampling.known) {
        sample_states(&line, &data->all);
        fprintf(self->to, "%s%s\n", self->indent, text_of(&line));
    }
    text_free(&line);
}

/* Who did little themselves and had much done: below a table by self, which does not reach them. */
static int print_own_callers(struct printing *self) {
    enum { OWN_ROWS = 10 };
    const struct report_data *data = self->data;
    struct hot callers;
    uint32_t rows = self->request->rows;
    int is_by_self = self->request->order == ORDER_USUAL || self->request->order == ORDER_SELF;
    if (!is_by_self || data->grouping != GROUP_FUNCTIONS || !rows || rows >= data->hot.count)
        return 0;
    int error = hot_own_callers(&callers, &data->hot, data->profile, self->request->own, rows);
    if (!error && callers.count) {
        callers.count = callers.count < OWN_ROWS ? callers.count : OWN_ROWS;
        fprintf(self->to, "\n%sYour own functions that call these:\n", self->indent);
        hot_table_print(&callers, data->profile, data->grouping, self->request->own, self->to, 0,
                        &self->request->style);
    }
    hot_free(&callers);
    return error;
}

static uint32_t sampled_threads(const struct busy_list *busy) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < busy->count; i++)
        count += busy->rows[i].times.count > 0;
    return count;
}

static int print_samples(struct printing *self) {
    const struct report_data *data = self->data;
    const struct report_request *request = self->request;
    if (data->all.count)
        print_head(self);
    int threads = data->all.count && sampled_threads(&data->busy) > 1;
    if (data->busy.count && (threads || report_is_by_thread(request))) {
        part(self);
        thread_table_print(&data->busy, data->trace, request->by == REPORT_BY_PROCESS, self->to,
                           request->rows, &request->style);
    }
    if (!data->all.count || report_is_by_thread(request))
        return 0;
    if (request->by == REPORT_BY_SPAN) {
        part(self);
        span_samples_print(&data->by_span, data->trace, self->to, request->rows, &request->style);
        return 0;
    }
    if (!data->hot.count)
        return 0;
    part(self);
    hot_table_print(&data->hot, data->profile, data->grouping, request->own, self->to,
                    request->rows, &request->style);
    return print_own_callers(self);
}

/* --------------------------------------------------------- calls and spans */

static void print_pauses(struct printing *self) {
    const struct report_gc *gc = &self->data->gc;
    char count[DISPLAY_ROOM], total[DISPLAY_ROOM], longest[DISPLAY_ROOM];
    double share =
        self->data->length_ns ? 100.0 * (double)gc->total_ns / (double)self->data->length_ns : 0;
    if (!gc->count)
        return;
    display_count(count, sizeof count, gc->count);
    display_duration(total, sizeof total, gc->total_ns);
    display_duration(longest, sizeof longest, gc->max_ns);
    part(self);
    fprintf(self->to, "%sgarbage collection: %s %s, %s in all (%.1f%% of the time), longest %s\n",
            self->indent, count, gc->count == 1 ? "pause" : "pauses", total, share, longest);
}

static void print_spans(struct printing *self) {
    const struct report_data *data = self->data;
    const struct report_request *request = self->request;
    if (data->functions.call_count && data->calls.count) {
        part(self);
        function_table_print(&data->calls, &data->functions, self->to, request->rows,
                             &request->style);
    }
    if (data->spans.count) {
        part(self);
        summary_table_print(&data->spans, data->trace, self->to, request->rows, &request->style);
    }
    print_pauses(self);
    if (data->slowest.count) {
        part(self);
        slowest_print(&data->slowest, data->trace, self->to, &request->style);
    }
}

static const char *why_nothing(const struct report_data *data) {
    const struct trace *trace = data->trace;
    if (trace->samples || trace->span_count)
        return "nothing of that: 'marey info' shows which processes and threads there are";
    if (data->sampling.known)
        return "no samples: no thread was seen that did what is sampled; --idle takes those that "
               "sleep, too";
    return "no spans and no samples";
}

static int print_all(struct printing *self) {
    int error = print_samples(self);
    if (!error)
        print_spans(self);
    if (!error && !self->any)
        fprintf(self->to, "%s%s\n", self->indent, why_nothing(self->data));
    return error;
}

int report_tables(struct trace *trace, const struct report_request *request, FILE *to) {
    struct report_data data;
    struct printing printing = {.data = &data,
                                .request = request,
                                .to = to,
                                .indent = request->style.indent ? request->style.indent : ""};
    int error = report_data_make(&data, trace, request);
    if (!error)
        error = print_all(&printing);
    report_data_free(&data);
    return error;
}

/* --------------------------------------------------------------------- JSON */

static void sampling_json(struct json *json, const struct report_data *data) {
    const struct sampling *sampling = &data->sampling;
    json_object(json, "sampling");
    sample_times_json(json, "times", &data->all);
    if (sampling->known) {
        json_count(json, "interval_ns", sampling->interval_ns);
        json_double(json, "samples_per_second", sampling->rate);
        json_count(json, "taken", sampling->taken);
        json_count(json, "torn", sampling->torn);
        json_count(json, "missed", sampling->missed);
        json_count(json, "cpu_ns", sampling->cpu_ns);
    }
    json_count(json, "not_in_table", profile_lost(data->profile));
    json_end(json);
}

static void samples_json(struct json *json, const struct report_data *data) {
    static const char *const keys[] = {[GROUP_FUNCTIONS] = "function_table",
                                       [GROUP_LINES] = "line_table",
                                       [GROUP_FILES] = "file_table",
                                       [GROUP_MODULES] = "module_table"};
    const struct report_request *request = data->request;
    if (data->profile)
        sampling_json(json, data);
    thread_table_json(&data->busy, data->trace, request->by == REPORT_BY_PROCESS, json,
                      request->by == REPORT_BY_PROCESS ? "process_table" : "thread_table",
                      request->rows);
    if (data->profile && report_is_by_place(request))
        hot_table_json(&data->hot, data->profile, data->grouping, request->own, json,
                       keys[data->grouping], request->rows);
    if (data->profile && request->by == REPORT_BY_SPAN)
        span_samples_json(&data->by_span, data->trace, json, "sampled_spans", request->rows);
}

static void pauses_json(struct json *json, const struct report_data *data) {
    json_object(json, "gc");
    json_count(json, "count", data->gc.count);
    json_integer(json, "total_ns", data->gc.total_ns);
    json_integer(json, "max_ns", data->gc.max_ns);
    json_end(json);
}

int report_tables_json(struct trace *trace, const struct report_request *request,
                       struct json *json) {
    struct report_data data;
    int error = report_data_make(&data, trace, request);
    if (!error) {
        samples_json(json, &data);
        if (data.functions.call_count)
            function_table_json(&data.calls, &data.functions, json, "call_table", request->rows);
        summary_table_json(&data.spans, trace, json, "span_table", request->rows);
        if (data.gc.count)
            pauses_json(json, &data);
        if (data.slowest.count)
            slowest_json(&data.slowest, trace, json, "slowest_spans");
    }
    report_data_free(&data);
    return error;
}
