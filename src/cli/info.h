/* Inside `marey info`: what is in a trace, as text and as JSON. */
#ifndef MAREY_CLI_INFO_H
#define MAREY_CLI_INFO_H

#include "cli/report.h"

struct info_request {
    uint32_t rows; /* of each table; 0: all */
    int json, spans;
    struct table_style style;
};

void info_print_text(const struct trace *trace, const char *path,
                     const struct info_request *request, const struct summary *summary);
void info_print_json(const struct trace *trace, const char *path,
                     const struct info_request *request, const struct summary *summary);

/* Counters with values, without those that are shown as losses. */
int info_is_counter(const struct trace *trace, const struct track *track);
/* Tracks that are neither a thread nor a counter and have events. */
int info_is_other_track(const struct track *track);

#endif
