/* The table of threads or processes, as text and as JSON. */
#ifndef MAREY_OUTPUT_THREAD_TABLE_H
#define MAREY_OUTPUT_THREAD_TABLE_H

#include "model/busy.h"
#include "output/json.h"
#include "output/table.h"

/* The first `rows` rows (0: all), and how many more there are. Of samples, what share of the time a thread was on a CPU (CPU), held
 * the GIL (GIL), waited for it (WAIT), or did neither (OFF); of spans, how many, and how long it was within them. */
void thread_table_print(const struct busy_list *list, const struct trace *trace, int processes,
                        FILE *to, uint32_t rows, const struct table_style *style);
void thread_table_json(const struct busy_list *list, const struct trace *trace, int processes,
                       struct json *json, const char *key, uint32_t rows);

#endif
