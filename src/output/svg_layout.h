/* Inside the flame graph: which frames of a profile are drawn, and where. */
#ifndef MAREY_OUTPUT_SVG_LAYOUT_H
#define MAREY_OUTPUT_SVG_LAYOUT_H

#include "model/profile.h"

/* Beginning and width, as shares of the whole: 0 to 1. */
struct svg_place {
    double from, width;
};

struct svg_frame {
    uint32_t node;
    struct svg_place place, before; /* before: of a difference, as it was */
};

struct svg_layout {
    struct svg_frame *frames; /* each above what it calls, the widest of them first */
    uint32_t count;
    uint32_t depth;      /* levels of them, the root's included */
    uint32_t left_out;   /* nodes that are too narrow, and what is below them */
    double least;        /* the width of the narrowest that are drawn */
    double most_changed; /* of a difference: the greatest change of a frame's width */
};

/* weight: of the widths; before: of those before, PROFILE_WEIGHTS: there are none. least: what is narrower is left out; more
 * than that is where there would be more than `frames_max`. Returns 0 or MAREY_ENOMEM; svg_layout_free in every case. */
int svg_layout_make(struct svg_layout *layout, const struct profile *profile, unsigned weight,
                    unsigned before, double least, uint32_t frames_max);
void svg_layout_free(struct svg_layout *layout);

#endif
