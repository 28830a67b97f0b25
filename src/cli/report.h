/* What is said of a trace in more than one command. */
#ifndef MAREY_CLI_REPORT_H
#define MAREY_CLI_REPORT_H

#include "model/hot.h"
#include "model/order.h"
#include "model/own.h"
#include "model/sampling.h"
#include "output/summary_table.h"

/* What the rows of the table of samples are. */
enum report_by {
    REPORT_BY_FUNCTION,
    REPORT_BY_LINE,
    REPORT_BY_FILE,
    REPORT_BY_MODULE,
    REPORT_BY_THREAD,
    REPORT_BY_PROCESS,
    REPORT_BY_SPAN, /* the innermost open one of the sampled thread */
};

/* What a report is of, and how it looks. All zero but for the style: all of the trace, every row. */
struct report_request {
    uint32_t rows; /* of each table; 0: all */
    enum report_by by;
    enum order order;
    struct trace_filter filter;
    struct patterns names;       /* of functions and spans */
    uint32_t slowest;            /* single spans that took longest */
    const struct own_rules *own; /* before those that are built in; NULL: none */
    struct table_style style;
};

/* The tables of a report: samples by function, calls by function, spans, whichever the trace has. The trace has been read
 * with TRACE_CALLS. Returns 0 or MAREY_ENOMEM. */
int report_tables(struct trace *trace, const struct report_request *request, FILE *to);
/* The same as members of an object: "sampling", "thread_table" (or "process_table"), "function_table" (or "line_table",
 * "file_table", "module_table", "sampled_spans") where there are samples, "call_table" where there are calls,
 * "span_table", "gc" and "slowest_spans" where there are some. */
int report_tables_json(struct trace *trace, const struct report_request *request,
                       struct json *json);

/* The same as comma-separated values, one heading for all tables. */
int report_tables_csv(struct trace *trace, const struct report_request *request, FILE *to);

/* "1,234 spans, 3 threads, 2 processes, 1.23s, 234 KiB" */
void report_sentence(const struct trace *trace, struct text *text);

/* Sizes, counts, times of a trace, as members of an object. */
void report_counts_json(const struct trace *trace, struct json *json);

/* What is damaged, lost or odd: a line each, nothing where there is nothing. */
void report_damage(const struct trace *trace, FILE *to, const char *indent);
/* The same as arrays "damage", "not_shown" and "notes". */
void report_damage_json(const struct trace *trace, struct json *json);

/* What the recorder says it could not keep: a line each. */
void report_losses(const struct trace *trace, FILE *to, const char *indent);
void report_losses_json(const struct trace *trace, struct json *json);

/* What a trace's output begins with: its path, the sentence, damage, losses, an empty line. */
void report_head(const struct trace *trace, const char *path);

#endif
