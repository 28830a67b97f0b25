/* Functions, or their lines, of a profile that grows: how much time each took itself and with what it called, in all and
 * since the last look. */
#ifndef MAREY_CLI_TOP_ROWS_H
#define MAREY_CLI_TOP_ROWS_H

#include "base/sample.h"
#include "model/profile.h"

struct top_row {
    uint32_t function;          /* place in the profile's functions */
    int32_t line;               /* 0: the whole function */
    uint64_t self_ns, total_ns; /* since the beginning; of recursive calls the outermost alone */
    uint64_t self_new_ns, total_new_ns; /* since the look before */
    uint32_t open; /* while it is counted: how many calls of it are around the node */
};

struct top_rows {
    int lines;
    enum sample_weight weight;
    struct top_row *rows;
    uint32_t count, capacity;
    uint32_t *row_of_node; /* nodes are only added, and keep their place */
    uint32_t nodes, nodes_capacity;
    uint32_t *slots; /* rows by function and line: place + 1, open addressing; 0: free */
    uint32_t mask;
};

/* Counts again. Returns 0 or -1: memory is short, and the rows are as they were. */
int top_rows_count(struct top_rows *rows, const struct profile *profile);
/* After profile_clear. */
void top_rows_clear(struct top_rows *rows);
void top_rows_free(struct top_rows *rows);

#endif
