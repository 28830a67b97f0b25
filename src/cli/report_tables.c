/* See report.h: the tables. */
#include "cli/report.h"

#include <stdlib.h>

#include "cli/report_calls.h"
#include "marey.h"
#include "output/function_table.h"
#include "output/hot_table.h"

/* What the samples that are wanted come to. */
struct sampled_report {
    struct sampling sampling;
    struct sample_times *times; /* of each sampled thread */
    struct sample_times all;
    uint32_t threads; /* that have samples */
    enum sample_grouping grouping;
    struct profile *profile;
    struct hot hot;
};

static enum sample_grouping grouping_of(enum report_by by) {
    return by == REPORT_BY_LINE   ? GROUP_LINES
           : by == REPORT_BY_FILE ? GROUP_FILES
                                  : GROUP_FUNCTIONS;
}

static void add_up(struct sampled_report *report, const struct trace *trace) {
    for (uint32_t i = 0; i < trace->reader.samples.thread_count; i++) {
        const struct sample_times *times = &report->times[i];
        report->threads += times->count > 0;
        report->all.count += times->count;
        for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
            if (__builtin_add_overflow(report->all.ns[weight], times->ns[weight],
                                       &report->all.ns[weight]))
                report->all.ns[weight] = UINT64_MAX;
    }
}

/* Returns 0 or MAREY_ENOMEM. sampled_free in every case. */
static int sampled_make(struct sampled_report *report, const struct trace *trace,
                        const struct report_request *request) {
    *report = (struct sampled_report){.grouping = grouping_of(request->by)};
    sampling_find(&report->sampling, trace);
    report->times = calloc(trace->reader.samples.thread_count + 1, sizeof *report->times);
    if (!report->times)
        return MAREY_ENOMEM;
    sampling_times(trace, &request->filter, report->times);
    add_up(report, trace);
    int error = sampling_profile(&report->profile, trace, &request->filter, report->grouping);
    return error ? error : hot_make(&report->hot, report->profile, request->order);
}

static void sampled_free(struct sampled_report *report) {
    hot_free(&report->hot);
    profile_close(report->profile);
    free(report->times);
}

/* --------------------------------------------------------------------- text */

static void print_head(const struct sampled_report *report, const struct report_request *request,
                       FILE *to) {
    const char *indent = request->style.indent ? request->style.indent : "";
    struct text line = {0};
    sampling_sentence(&line, &report->sampling, report->all.count);
    fprintf(to, "%s%s\n", indent, text_of(&line));
    text_free(&line);
    line = (struct text){0};
    if (report->all.ns[SAMPLE_WALL] && report->sampling.known) {
        sample_states(&line, &report->all);
        fprintf(to, "%s%s\n", indent, text_of(&line));
    }
    text_free(&line);
}

/* Who did little themselves and had much done: below a table by self, which does not reach them. */
static int print_own_callers(const struct sampled_report *report,
                             const struct report_request *request, FILE *to) {
    enum { OWN_ROWS = 10 };
    struct hot callers;
    uint32_t rows = request->rows;
    if (request->order != HOT_BY_SELF || report->grouping != GROUP_FUNCTIONS || !rows ||
        rows >= report->hot.count)
        return 0;
    int error = hot_own_callers(&callers, &report->hot, report->profile, request->own, rows);
    if (!error && callers.count) {
        const char *indent = request->style.indent ? request->style.indent : "";
        callers.count = callers.count < OWN_ROWS ? callers.count : OWN_ROWS;
        fprintf(to, "\n%sYour own functions that call these:\n", indent);
        hot_table_print(&callers, report->profile, report->grouping, request->own, to, 0,
                        &request->style);
    }
    hot_free(&callers);
    return error;
}

/* *any: whether there were some. */
static int print_samples(const struct trace *trace, const struct report_request *request, FILE *to,
                         int *any) {
    struct sampled_report report;
    int error = sampled_make(&report, trace, request);
    *any = !error && report.all.count > 0;
    if (*any) {
        print_head(&report, request, to);
        if (request->by == REPORT_BY_THREAD || report.threads > 1) {
            fputc('\n', to);
            thread_table_print(trace, report.times, to, request->rows, &request->style);
        }
        if (request->by != REPORT_BY_THREAD && report.hot.count) {
            fputc('\n', to);
            hot_table_print(&report.hot, report.profile, report.grouping, request->own, to,
                            request->rows, &request->style);
            error = print_own_callers(&report, request, to);
        }
    }
    sampled_free(&report);
    return error;
}

/* The spans that are wanted. Returns 0 or MAREY_ENOMEM. summary_free in every case. */
static int make_spans(struct summary *spans, const struct trace *trace,
                      const struct report_request *request) {
    int error = summary_make_part(spans, trace, &request->filter);
    report_calls_take_out(spans, trace);
    return error;
}

/* An empty line before each table but the first. */
static void part(FILE *to, int *any) {
    if (*any)
        fputc('\n', to);
    *any = 1;
}

static int print_calls(struct trace *trace, const struct report_request *request, FILE *to,
                       int *any) {
    struct report_calls report;
    int error = report_calls_make(&report, trace, request);
    if (!error && report.calls.call_count) {
        part(to, any);
        function_table_print(&report.stats, &report.calls, to, request->rows, &request->style);
    }
    report_calls_free(&report);
    return error;
}

static int print_spans(const struct trace *trace, const struct report_request *request, FILE *to,
                       int *any) {
    struct summary spans;
    int error = make_spans(&spans, trace, request);
    if (!error && spans.count) {
        part(to, any);
        summary_table_print(&spans, trace, to, request->rows, &request->style);
    }
    summary_free(&spans);
    return error;
}

int report_tables(struct trace *trace, const struct report_request *request, FILE *to) {
    const char *indent = request->style.indent ? request->style.indent : "";
    int any = 0;
    int error = trace->samples ? print_samples(trace, request, to, &any) : 0;
    if (!error)
        error = print_calls(trace, request, to, &any);
    if (!error)
        error = print_spans(trace, request, to, &any);
    if (!error && !any) {
        int is_part = trace->samples || trace->span_count;
        fprintf(to, "%s%s\n", indent,
                is_part
                    ? "nothing of that: 'marey info' shows which processes and threads there are"
                    : "no spans and no samples");
    }
    return error;
}

/* --------------------------------------------------------------------- JSON */

static void sampling_json(struct json *json, const struct sampled_report *report) {
    const struct sampling *sampling = &report->sampling;
    json_object(json, "sampling");
    sample_times_json(json, "times", &report->all);
    if (sampling->known) {
        json_count(json, "interval_ns", sampling->interval_ns);
        json_double(json, "samples_per_second", sampling->rate);
        json_count(json, "taken", sampling->taken);
        json_count(json, "torn", sampling->torn);
        json_count(json, "missed", sampling->missed);
        json_count(json, "cpu_ns", sampling->cpu_ns);
    }
    json_count(json, "not_in_table", profile_lost(report->profile));
    json_end(json);
}

static int samples_json(const struct trace *trace, const struct report_request *request,
                        struct json *json) {
    static const char *const keys[] = {[GROUP_FUNCTIONS] = "function_table",
                                       [GROUP_LINES] = "line_table",
                                       [GROUP_FILES] = "file_table"};
    struct sampled_report report;
    int error = sampled_make(&report, trace, request);
    if (!error) {
        sampling_json(json, &report);
        thread_table_json(trace, report.times, json, "thread_table", request->rows);
        if (request->by != REPORT_BY_THREAD)
            hot_table_json(&report.hot, report.profile, request->own, json, keys[report.grouping],
                           request->rows);
    }
    sampled_free(&report);
    return error;
}

static int calls_json(struct trace *trace, const struct report_request *request,
                      struct json *json) {
    struct report_calls report;
    int error = report_calls_make(&report, trace, request);
    if (!error && report.calls.call_count)
        function_table_json(&report.stats, &report.calls, json, "call_table", request->rows);
    report_calls_free(&report);
    return error;
}

int report_tables_json(struct trace *trace, const struct report_request *request,
                       struct json *json) {
    struct summary spans = {0};
    int error = trace->samples ? samples_json(trace, request, json) : 0;
    if (!error)
        error = calls_json(trace, request, json);
    if (!error)
        error = make_spans(&spans, trace, request);
    if (!error)
        summary_table_json(&spans, trace, json, "span_table", request->rows);
    summary_free(&spans);
    return error;
}
