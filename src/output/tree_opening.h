/* Inside the tree's rows: those below one are made (tree_fold.c), and the one to open next is found (tree_rows.c). */
#ifndef MAREY_OUTPUT_TREE_OPENING_H
#define MAREY_OUTPUT_TREE_OPENING_H

#include "output/tree_rows.h"

/* While rows are opened. */
struct opening {
    struct tree_rows *rows;
    const struct tree_limits *limits;
    uint32_t left;  /* rows that may still be added */
    uint32_t share; /* of these, one opening may take the half (2) or all (1) */
    uint32_t *heap; /* rows that can be opened, the one that took longest first */
    uint32_t heap_count, heap_capacity;
    uint32_t *children; /* calls below the row that is being opened */
    uint32_t child_count, child_capacity;
    uint32_t *row_of; /* of a function, while calls are folded; 0: none yet */
    int64_t *times;   /* for choosing */
    uint32_t time_capacity;
    uint32_t deepest; /* rows at this level are not opened */
};

/* A row below another, without calls yet. 0 where memory is short. */
uint32_t tree_row_new(struct tree_rows *rows, uint32_t parent, uint32_t call);
/* Counts a call into its row. */
void tree_row_count(struct tree_rows *rows, struct tree_row *row, uint32_t place);
/* Makes rows of the children of `parent`. Returns how many, or -1 where memory is short. */
int64_t tree_fold(struct opening *o, uint32_t parent);
/* Of the `made` rows from `first` on those that are to be shown stay, in their order. Returns 0 or -1. */
int tree_choose(struct opening *o, uint32_t parent, uint32_t first, uint32_t made);

#endif
