/* See svg_layout.h.
 *
 * The tree is walked with the frames that are still to be placed on a stack, in an array that has room for every node: the
 * placed ones stand at its beginning, the waiting ones behind. */
#include "output/svg_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"

struct laying {
    struct svg_layout *layout;
    const struct profile_node *nodes;
    const struct profile_function *functions;
    struct svg_frame *waiting; /* the next one last */
    uint32_t waiting_count;
    unsigned weight, before;
    double whole, whole_before; /* what the root weighs */
};

static double share(uint64_t part, double whole) {
    return whole > 0 ? (double)part / whole : 0;
}

static double width_of(const struct laying *laying, uint32_t node) {
    return share(profile_total(&laying->nodes[node], laying->weight), laying->whole);
}

static double width_before(const struct laying *laying, uint32_t node) {
    return laying->before == PROFILE_WEIGHTS
               ? 0
               : share(profile_total(&laying->nodes[node], laying->before), laying->whole_before);
}

/* The widest first, in a difference of both pictures; those as wide by name, then in the order of the tree. */
static int by_width(const void *a, const void *b, void *context) {
    const struct laying *laying = context;
    const struct svg_frame *left = a, *right = b;
    double left_width = left->place.width + left->before.width,
           right_width = right->place.width + right->before.width;
    if (left_width != right_width)
        return left_width > right_width ? -1 : 1;
    const char *left_name = laying->functions[laying->nodes[left->node].function].name,
               *right_name = laying->functions[laying->nodes[right->node].function].name;
    int order = strcmp(left_name, right_name);
    return order ? order : left->node < right->node ? -1 : 1;
}

static int is_drawn(const struct laying *laying, const struct svg_frame *frame) {
    return frame->place.width >= laying->layout->least ||
           frame->before.width >= laying->layout->least;
}

/* Places the children of a frame side by side; those that are wide enough wait to be taken, the first one last. */
static void place_children(struct laying *laying, const struct svg_frame *parent) {
    struct svg_frame *children = laying->waiting + laying->waiting_count;
    uint32_t count = 0, drawn = 0;
    double from = parent->place.from, from_before = parent->before.from;
    for (uint32_t node = laying->nodes[parent->node].first_child; node;
         node = laying->nodes[node].next_sibling)
        children[count++] = (struct svg_frame){.node = node,
                                               .place.width = width_of(laying, node),
                                               .before.width = width_before(laying, node)};
    qsort_r(children, count, sizeof *children, by_width, laying);
    for (uint32_t i = 0; i < count; i++) {
        children[i].place.from = from;
        children[i].before.from = from_before;
        from += children[i].place.width;
        from_before += children[i].before.width;
        if (is_drawn(laying, &children[i]))
            children[drawn++] = children[i];
    }
    for (uint32_t i = 0; i < drawn / 2; i++) {
        struct svg_frame swap = children[i];
        children[i] = children[drawn - 1 - i];
        children[drawn - 1 - i] = swap;
    }
    laying->waiting_count += drawn;
}

static void note(struct laying *laying, const struct svg_frame *frame) {
    struct svg_layout *layout = laying->layout;
    double change = fabs(frame->place.width - frame->before.width);
    uint32_t level = laying->nodes[frame->node].depth + 1;
    layout->depth = level > layout->depth ? level : layout->depth;
    if (laying->before != PROFILE_WEIGHTS && change > layout->most_changed)
        layout->most_changed = change;
}

/* Returns whether no more than frames_max are drawn. */
static int walk(struct laying *laying, uint32_t frames_max) {
    struct svg_layout *layout = laying->layout;
    layout->count = layout->depth = 0;
    layout->most_changed = 0;
    laying->waiting[0] = (struct svg_frame){.place.width = width_of(laying, 0) > 0,
                                            .before.width = width_before(laying, 0) > 0};
    laying->waiting_count = 1;
    while (laying->waiting_count) {
        struct svg_frame frame = laying->waiting[--laying->waiting_count];
        if (layout->count == frames_max)
            return 0;
        note(laying, &frame);
        layout->frames[layout->count++] = frame;
        place_children(laying, &frame);
    }
    return 1;
}

/* Nodes that weigh something, now or before. */
static uint32_t count_nodes(const struct laying *laying, uint32_t count) {
    uint32_t heavy = 1;
    for (uint32_t i = 1; i < count; i++)
        heavy +=
            profile_total(&laying->nodes[i], laying->weight) ||
            (laying->before != PROFILE_WEIGHTS && profile_total(&laying->nodes[i], laying->before));
    return heavy;
}

int svg_layout_make(struct svg_layout *layout, const struct profile *profile, unsigned weight,
                    unsigned before, double least, uint32_t frames_max) {
    uint32_t count;
    struct laying laying = {.layout = layout, .weight = weight, .before = before};
    *layout = (struct svg_layout){.least = least};
    laying.nodes = profile_nodes(profile, &count);
    laying.functions = profile_functions(profile, &(uint32_t){0});
    laying.whole = (double)profile_total(&laying.nodes[0], weight);
    if (before != PROFILE_WEIGHTS)
        laying.whole_before = (double)profile_total(&laying.nodes[0], before);
    layout->frames = malloc((count < frames_max ? count : frames_max) * sizeof *layout->frames);
    laying.waiting = malloc(count * sizeof *laying.waiting);
    int error = layout->frames && laying.waiting ? 0 : MAREY_ENOMEM;
    while (!error && !walk(&laying, frames_max))
        layout->least *= 2;
    if (!error)
        layout->left_out = count_nodes(&laying, count) - layout->count;
    free(laying.waiting);
    return error;
}

void svg_layout_free(struct svg_layout *layout) {
    free(layout->frames);
    *layout = (struct svg_layout){0};
}
