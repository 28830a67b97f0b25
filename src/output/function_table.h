/* The table of functions, as text and as JSON. */
#ifndef MAREY_OUTPUT_FUNCTION_TABLE_H
#define MAREY_OUTPUT_FUNCTION_TABLE_H

#include "model/call_stats.h"
#include "output/json.h"
#include "output/table.h"

/* The first `rows` functions (0: all), and how many more there are. Spans are left out where there are calls. */
void function_table_print(const struct call_stats *stats, const struct calls *calls, FILE *to,
                          uint32_t rows, const struct table_style *style);
/* The same as an array of objects under `key`; times in nanoseconds. */
void function_table_json(const struct call_stats *stats, const struct calls *calls,
                         struct json *json, const char *key, uint32_t rows);

#endif
