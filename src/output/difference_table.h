/* What changed between two traces, as text, JSON and comma-separated values. */
#ifndef MAREY_OUTPUT_DIFFERENCE_TABLE_H
#define MAREY_OUTPUT_DIFFERENCE_TABLE_H

#include "model/difference.h"
#include "output/json.h"
#include "output/table.h"

struct difference_style {
    uint32_t rows; /* of each table; 0: all */
    int all;       /* rows, too, of which it is not sure that they changed */
    enum sample_grouping grouping;
    struct table_style table;
};

/* "sure", "likely", "noise". */
const char *certainty_word(enum certainty certainty);
/* Samples by function, calls by function, spans: those that changed, those with the largest effect first, and how many are
 * alike. */
void difference_print(const struct difference *difference, FILE *to,
                      const struct difference_style *style);
/* The same as arrays "samples", "calls" and "spans" of an object. */
void difference_json(const struct difference *difference, struct json *json,
                     const struct difference_style *style);
/* The same with one heading. */
void difference_csv(const struct difference *difference, FILE *to,
                    const struct difference_style *style);

#endif
