/* Tables about single spans, and about what spans were sampled doing: as text and as JSON. */
#ifndef MAREY_OUTPUT_SPAN_TABLES_H
#define MAREY_OUTPUT_SPAN_TABLES_H

#include "model/slowest.h"
#include "model/span_samples.h"
#include "output/json.h"
#include "output/table.h"

/* Samples by span: the first `rows` rows (0: all), and how many more there are. */
void span_samples_print(const struct span_samples *spans, const struct trace *trace, FILE *to,
                        uint32_t rows, const struct table_style *style);
void span_samples_json(const struct span_samples *spans, const struct trace *trace,
                       struct json *json, const char *key, uint32_t rows);

/* Single spans: how long, when (since the trace's first event), where, and what they were given, in short, if the trace was
 * read with its arguments. */
void slowest_print(const struct slowest *slowest, const struct trace *trace, FILE *to,
                   const struct table_style *style);
void slowest_json(const struct slowest *slowest, const struct trace *trace, struct json *json,
                  const char *key);

#endif
