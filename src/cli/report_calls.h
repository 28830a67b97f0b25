/* Inside the reports: the calls of a trace, by function. */
#ifndef MAREY_CLI_REPORT_CALLS_H
#define MAREY_CLI_REPORT_CALLS_H

#include "cli/report.h"
#include "model/call_stats.h"

struct report_calls {
    struct calls calls; /* call_count is 0 where there are none */
    struct call_stats stats;
};

/* The calls on the tracks that are wanted. Returns 0 or MAREY_ENOMEM. report_calls_free in every case. */
int report_calls_make(struct report_calls *report, struct trace *trace,
                      const struct report_request *request);
void report_calls_free(struct report_calls *report);
/* Takes the calls out of a table of spans: they have a table of their own. */
void report_calls_take_out(struct summary *spans, const struct trace *trace);

#endif
