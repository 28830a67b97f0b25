/* Inside the tree: which rows it has. A row is a call, or calls that were folded into one; the rows that are shown are
 * those that took longest, opened from the top, until there are enough. */
#ifndef MAREY_OUTPUT_TREE_ROWS_H
#define MAREY_OUTPUT_TREE_ROWS_H

#include "model/calls.h"

enum {
    TREE_ROWS_USUAL = 250, /* rows of a tree where nobody says how many */
    TREE_FOLD_USUAL = 3,   /* calls of one function in a row that become one row */
    TREE_DEPTH_MAX = 1000, /* levels, whatever is asked for */
    /* rows below one; beyond them all calls of a function become one row */
    TREE_CHILDREN_MANY = 24,
};

struct tree_limits {
    uint32_t rows;  /* 0: all */
    uint32_t depth; /* levels; 0: all, up to TREE_DEPTH_MAX */
    uint32_t fold;  /* so many become one; 0: none do */
    int64_t min_ns; /* calls that together took less are not shown */
};

struct tree_row {
    /* the first of its calls; CALL_NONE: a section, what ran on one track or on several alike */
    uint32_t call;
    uint32_t members; /* its calls, by next_member */
    uint32_t calls;   /* how many */
    uint32_t track;   /* of a section; of a call whose section has many: its own; else CALL_NONE */
    uint32_t tracks;  /* of a section: how many */
    uint32_t depth;
    /* places in the rows; 0: none (that is the row around all) */
    uint32_t parent, first_row, next_row;
    uint32_t failed, open;                                 /* of its calls */
    uint64_t skipped;                                      /* calls inside that limits left out */
    int64_t total_ns, self_ns, waiting_ns, min_ns, max_ns; /* elapsed times */
    /* calls below that are not shown: beside its rows, or, if it has none, all inside */
    uint64_t hidden;
    int64_t hidden_ns;
};

struct tree_rows {
    const struct calls *calls;
    struct tree_row *all; /* [0] is around all others */
    uint32_t count, capacity;
    uint32_t *next_member; /* of a call: the next one in the same row; CALL_NONE: none */
};

/* Returns 0 or MAREY_ENOMEM. tree_rows_free in every case. */
int tree_rows_make(struct tree_rows *rows, const struct calls *calls,
                   const struct tree_limits *limits);
/* The same level by level: first the rows below the one around all (place 0), then those below a row that has none yet. Limits
 * of depth do not count, and `rows` is for this level. tree_rows_top: as tree_rows_make; tree_rows_open returns 0 or
 * MAREY_ENOMEM. */
int tree_rows_top(struct tree_rows *rows, const struct calls *calls,
                  const struct tree_limits *limits);
int tree_rows_open(struct tree_rows *rows, uint32_t row, const struct tree_limits *limits);
void tree_rows_free(struct tree_rows *rows);
/* The row below `row`, behind it, or behind one that it is below of; 0 at the end. */
uint32_t tree_rows_next(const struct tree_rows *rows, uint32_t row);

#endif
