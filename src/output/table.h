/* A table for a terminal: columns aligned, numbers to the right, the widest text column cut where it is too wide. */
#ifndef MAREY_OUTPUT_TABLE_H
#define MAREY_OUTPUT_TABLE_H

#include <stdio.h>

#include "output/display.h"

enum table_align { ALIGN_LEFT, ALIGN_RIGHT };

struct table_column {
    const char *title;
    enum table_align align;
    size_t min_columns; /* it may be cut down to this many; 0: never cut */
};

struct table {
    const struct table_column *columns;
    unsigned column_count;
    struct text *cells; /* row by row */
    size_t cell_count, cell_capacity;
    int failed; /* memory was short: rows are missing */
};

/* columns: `count` (at most TABLE_COLUMNS_MAX) of them, which outlive the table. */
void table_init(struct table *table, const struct table_column *columns, unsigned count);
void table_free(struct table *table);
/* The next cell, to be filled with text_add or display_add. Never NULL: memory that is short shows at table_print. */
struct text *table_cell(struct table *table);
/* Next cells: a text of a trace, a duration, a count ("" for 0 where blank is given). */
void table_text(struct table *table, const char *text);
void table_duration(struct table *table, int64_t ns);
void table_count(struct table *table, uint64_t count, int blank);

enum { TABLE_COLUMNS_MAX = 16 };

struct table_style {
    size_t width;       /* of the terminal in columns; 0: as wide as it gets */
    int colour;         /* ANSI sequences: the titles are bold */
    const char *indent; /* before each line */
    int untitled;
};

void table_print(struct table *table, FILE *to, const struct table_style *style);
/* "... and 12 more", nothing for 0. */
void table_print_more(uint64_t count, FILE *to, const struct table_style *style);
/* The columns of a terminal at `to`: $COLUMNS or what the terminal says; 0 where it is no terminal. */
size_t table_terminal_width(FILE *to);
/* Whether to write colours to `to`: a terminal, $NO_COLOR not set and $TERM not "dumb". */
int table_terminal_colour(FILE *to);

#endif
