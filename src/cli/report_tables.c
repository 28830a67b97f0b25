/* See report.h: the tables. */
#include "cli/report.h"
#include "marey.h"

int report_tables(const struct trace *trace, const struct report_request *request, FILE *to) {
    struct summary spans;
    int error = summary_make(&spans, trace);
    if (!error && spans.count)
        summary_table_print(&spans, trace, to, request->rows, &request->style);
    summary_free(&spans);
    return error;
}

int report_tables_json(const struct trace *trace, const struct report_request *request,
                       struct json *json) {
    struct summary spans;
    int error = summary_make(&spans, trace);
    if (!error)
        summary_table_json(&spans, trace, json, "span_table", request->rows);
    summary_free(&spans);
    return error;
}
