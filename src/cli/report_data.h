/* Inside the reports: all that is said of a trace, found once, whatever it is written as. */
#ifndef MAREY_CLI_REPORT_DATA_H
#define MAREY_CLI_REPORT_DATA_H

#include "cli/report.h"
#include "model/busy.h"
#include "model/call_stats.h"
#include "model/sample_profile.h"
#include "model/slowest.h"
#include "model/span_samples.h"

/* Pauses of the garbage collector. */
struct report_gc {
    uint64_t count;
    int64_t total_ns, max_ns;
};

struct report_data {
    const struct trace *trace;
    const struct report_request *request;
    int64_t length_ns; /* of the part of the trace that is wanted */

    struct sampling sampling; /* of samples */
    struct sample_times all;
    struct busy_list busy;
    enum sample_grouping grouping;
    struct profile *profile; /* NULL: there are no samples */
    struct hot hot;
    struct span_samples by_span; /* of REPORT_BY_SPAN */

    struct calls functions; /* call_count is 0 where there are no calls */
    struct call_stats calls;
    struct summary spans; /* without calls */
    struct report_gc gc;
    struct slowest slowest;
};

/* Returns 0 or MAREY_ENOMEM. report_data_free in every case. The trace and the request outlive it. */
int report_data_make(struct report_data *data, struct trace *trace,
                     const struct report_request *request);
void report_data_free(struct report_data *data);

/* Whether the table of samples has rows of functions, lines, files or modules. */
int report_is_by_place(const struct report_request *request);
/* Whether the table of threads, or of processes, is wanted by name. */
int report_is_by_thread(const struct report_request *request);

#endif
