/* See folded.h.
 *
 * The tree is walked depth first with the line so far in one buffer: a frame is added to its end and cut off again. */
#include "output/folded.h"

#include <inttypes.h>
#include <stdlib.h>

#include "marey.h"
#include "output/display.h"
#include "output/format.h"
#include "output/stack_profile.h"

struct folding {
    FILE *to;
    const struct folded_style *style;
    const struct profile_node *nodes;
    const struct profile_function *functions;
    size_t *labels;  /* of a function: where its label begins, from 1 on; 0: it is not made yet */
    struct text all; /* labels, each with a NUL behind it */
    struct text line;
    size_t ends[PROFILE_DEPTH_MAX + 3]; /* of a level: where its line ends */
};

/* ------------------------------------------------------------------- frames */

static void add_part(struct text *to, const char *name) {
    size_t from = to->size;
    display_add(to, name, 0);
    for (size_t i = from; i < to->size; i++)
        if (to->bytes[i] == ';')
            to->bytes[i] = ':';
}

/* Names repeat much more often than there are functions, so each is made harmless once. */
static const char *label_of(struct folding *folding, uint32_t function) {
    size_t *label = &folding->labels[function];
    if (!*label) {
        size_t begin = folding->all.size;
        const char *name = folding->functions[function].name;
        add_part(&folding->all, *name ? name : "(no name)");
        text_add_bytes(&folding->all, "", 1);
        if (folding->all.failed)
            return "";
        *label = begin + 1;
    }
    return folding->all.bytes + *label - 1;
}

static void add_place(struct folding *folding, const struct profile_node *node) {
    const struct profile_function *function = &folding->functions[node->function];
    if (!*function->file)
        return;
    text_add(&folding->line, " (");
    add_part(&folding->line, function->file);
    text_addf(&folding->line, ":%" PRId32 ")",
              folding->style->lines && node->line ? node->line : function->first_line);
}

/* The line up to this node. */
static void enter(struct folding *folding, uint32_t place) {
    const struct profile_node *node = &folding->nodes[place];
    folding->line.size = folding->ends[node->depth - 1];
    if (folding->line.size)
        text_add_bytes(&folding->line, ";", 1);
    text_add(&folding->line, label_of(folding, node->function));
    if (folding->style->places)
        add_place(folding, node);
    folding->ends[node->depth] = folding->line.size;
}

/* -------------------------------------------------------------------- lines */

static void put_line(struct folding *folding, const struct profile_node *node) {
    uint64_t weight = profile_self(node, folding->style->weight);
    if (!weight)
        return;
    fwrite(folding->line.bytes, 1, folding->line.size, folding->to);
    fprintf(folding->to, " %" PRIu64 "\n", weight);
}

/* The node that comes after this one: what it calls, else what its caller calls next. 0 at the end. */
static uint32_t next_node(const struct profile_node *nodes, uint32_t node) {
    if (nodes[node].first_child)
        return nodes[node].first_child;
    while (node && !nodes[node].next_sibling)
        node = nodes[node].parent;
    return nodes[node].next_sibling;
}

int folded_write(FILE *to, const struct profile *profile, const struct folded_style *style) {
    uint32_t count;
    struct folding *folding = calloc(1, sizeof *folding);
    if (!folding)
        return MAREY_ENOMEM;
    folding->to = to;
    folding->style = style;
    folding->nodes = profile_nodes(profile, &count);
    folding->functions = profile_functions(profile, &count);
    folding->labels = calloc(count, sizeof *folding->labels);
    int failed = !folding->labels;
    if (profile_self(&folding->nodes[0], style->weight)) /* of threads that ran no Python code */
        fprintf(to, "(none) %" PRIu64 "\n", profile_self(&folding->nodes[0], style->weight));
    for (uint32_t node = folding->nodes[0].first_child; node && !failed && !ferror(to);
         node = next_node(folding->nodes, node)) {
        enter(folding, node);
        put_line(folding, &folding->nodes[node]);
        failed = folding->line.failed || folding->all.failed;
    }
    free(folding->labels);
    text_free(&folding->all);
    text_free(&folding->line);
    free(folding);
    return failed ? MAREY_ENOMEM : 0;
}

/* ------------------------------------------------------------------- format */

static int write_folded(FILE *to, struct trace *trace, const struct format_request *request) {
    struct stack_profile made;
    int error = stack_profile_make(&made, trace, request, 0);
    struct folded_style style = {.weight = made.weight, .places = request->lines, .lines = 1};
    if (!error)
        error = folded_write(to, made.profile, &style);
    stack_profile_free(&made);
    return error;
}

static const char *const extensions[] = {".folded", ".collapsed", NULL};
const struct format format_folded = {
    .name = "folded",
    .extensions = extensions,
    .summary = "a line a stack, its weight in nanoseconds: for flame graph tools",
    .keep = TRACE_CALLS,
    .holds = HOLDS_STACKS,
    .write = write_folded};
