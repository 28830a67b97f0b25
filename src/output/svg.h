/* Flame graphs as SVG: one file that stands for itself. Any viewer shows it; in a browser it also zooms, searches and turns
 * over, by a small script of its own (svg.js), and is dark where the browser is. It loads nothing and sends nothing.
 *
 * Each frame is a function below its caller, as wide as its share of the whole. What is narrower than a tenth of a pixel is
 * left out, and the picture says how much that is. Texts of a trace are made harmless. */
#ifndef MAREY_OUTPUT_SVG_H
#define MAREY_OUTPUT_SVG_H

#include <stdio.h>

#include "model/own.h"
#include "model/profile.h"

struct svg_style {
    const char *title;    /* NULL: "Flame graph" */
    const char *subtitle; /* below it: of what it is; NULL: nothing */
    /* that makes the widths: enum sample_weight, in nanoseconds, or PROFILE_COUNT */
    unsigned weight;
    const char *counted;         /* what is counted: "samples", "calls"; NULL: "samples" */
    int flame;                   /* the outermost at the bottom; otherwise at the top */
    const struct own_rules *own; /* own code has another colour; NULL: as it is told usually */
};

/* Each returns 0 or MAREY_ENOMEM; what was not written shows by ferror(to). */
int svg_flame_graph(FILE *to, const struct profile *profile, const struct svg_style *style);

/* What has changed from one profile to another. As wide as after, and at the press of a button as before; red has grown, blue
 * has shrunk, by its share of the whole. Functions are the same that have the same name and file, in whatever line. */
int svg_difference(FILE *to, const struct profile *before, const struct profile *after,
                   const struct svg_style *style);

#endif
