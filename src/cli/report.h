/* What is said of a trace in more than one command. */
#ifndef MAREY_CLI_REPORT_H
#define MAREY_CLI_REPORT_H

#include "output/summary_table.h"

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

#endif
