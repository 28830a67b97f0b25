/* Inside the tables of differences: which rows they have, and what these are called. */
#ifndef MAREY_OUTPUT_DIFFERENCE_ROWS_H
#define MAREY_OUTPUT_DIFFERENCE_ROWS_H

#include "output/difference_table.h"

int share_is_shown(const struct changed_share *row, const struct difference_style *style);
int span_is_shown(const struct changed_span *row, const struct difference_style *style);
/* certainty_word, or "new", "gone", or "counted" where the durations are alike and the counts are not. */
const char *span_certainty(const struct changed_span *row);
const char *span_name(const struct difference *difference, const struct changed_span *row);

#endif
