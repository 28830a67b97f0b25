/* The table of spans, as text and as JSON. */
#ifndef MAREY_OUTPUT_SUMMARY_TABLE_H
#define MAREY_OUTPUT_SUMMARY_TABLE_H

#include "model/summary.h"
#include "output/json.h"
#include "output/table.h"

/* The first `rows` rows (0: all), and how many more there are. */
void summary_table_print(const struct summary *summary, const struct trace *trace, FILE *to,
                         uint32_t rows, const struct table_style *style);
/* The same as an array of objects under `key`; durations in nanoseconds, null where no span has ended. */
void summary_table_json(const struct summary *summary, const struct trace *trace, struct json *json,
                        const char *key, uint32_t rows);

/* "1,234 spans, 3 threads, 2 processes, 1.23s": what a trace holds, for a line of text. Threads and processes are those
 * that recorded something. */
void summary_sentence(const struct trace *trace, struct text *text);

#endif
