/* The tree of calls that a person reads:
 *
 *     └── handle(uid=42) -> {'id': 42, 'name': 'Alice'}  [49us, self 38us]
 *         ├── load_user(uid=42) -> {'id': 42, 'name': 'Alice'}  [7us]
 *         └── validate(user=...) -> True  [x500] avg 4us min 3us max 7us  [2.00ms]
 */
#ifndef MAREY_OUTPUT_TREE_H
#define MAREY_OUTPUT_TREE_H

#include <stdio.h>

#include "output/display.h"
#include "output/tree_rows.h"

struct tree_options {
    struct tree_limits limits;
    size_t width; /* of the terminal in columns; 0: as wide as it gets */
    int colour;   /* ANSI sequences */
    int ascii;    /* no lines but of - | ` */
    int no_arguments, no_results, no_self;
    int modules;   /* before the names */
    int locations; /* file and line behind each */
};

/* Limits and losses, the tree, a line that sums it up. Returns 0 or MAREY_ENOMEM. */
int tree_print(const struct calls *calls, FILE *to, const struct tree_options *options);

/* "812ns", "4.5us", "49us", "1.23ms", "2.50s". */
void tree_add_time(struct text *text, int64_t ns);

#endif
