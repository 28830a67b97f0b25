/* Folded stacks, a line for each that something ended in: names from the outermost on, and what that weighs.
 *     main;work;parse 70
 * A name is made harmless (output/display.h), so a line is a line; a ';' in it becomes ':'.
 * Source: github.com/brendangregg/FlameGraph, stackcollapse-*.pl. */
#ifndef MAREY_OUTPUT_FOLDED_H
#define MAREY_OUTPUT_FOLDED_H

#include <stdio.h>

#include "model/profile.h"

struct folded_style {
    unsigned weight; /* enum sample_weight, in nanoseconds, or PROFILE_COUNT */
    int places;      /* "parse (app.py:12)" for names, with the function's first line */
    int lines;       /* and where the profile has lines, with the one that runs or calls */
};

/* Returns 0 or MAREY_ENOMEM; what was not written shows by ferror(to). */
int folded_write(FILE *to, const struct profile *profile, const struct folded_style *style);

#endif
