/* A profile as text: for flame graph tools, and for people. */
#ifndef MAREY_OUTPUT_PROFILE_TEXT_H
#define MAREY_OUTPUT_PROFILE_TEXT_H

#include "model/profile.h"
#include "output/display.h"
#include "output/json.h"

/* Folded stacks (output/folded.h) of how many samples there were. `places`: "parse (app.py:12)", with the function's
 * first line, for names. */
void profile_folded(struct text *to, const struct profile *profile, int places);

struct profile_tree_style {
    /* of all samples: nodes with less are left out, with what is below them; 0 to 1 */
    double min_share;
    uint32_t depth; /* levels; 0: all */
};

/* The tree, each node below its caller and those with the most samples first:
 *      TOTAL   SELF  200 samples
 *     100.0%   5.0%  <module> (app.py:1)
 *      95.0%  95.0%    work (app.py:3)
 * A node of a profile with lines has the line of its call (or that runs), else the function's first line. */
void profile_tree(struct text *to, const struct profile *profile,
                  const struct profile_tree_style *style);
/* The same as members of an object: "samples", and "tree", an array of {name, file, line, self, total, children}. Levels that JSON
 * has no room for are left out. */
void profile_tree_json(struct json *json, const struct profile *profile,
                       const struct profile_tree_style *style);

#endif
