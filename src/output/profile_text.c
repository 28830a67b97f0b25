/* See profile_text.h. */
#define _GNU_SOURCE
#include "output/profile_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "output/folded.h"

/* ------------------------------------------------------------------- folded */

void profile_folded(struct text *to, const struct profile *profile, int places) {
    char *bytes = NULL;
    size_t size = 0;
    struct folded_style style = {.weight = PROFILE_COUNT, .places = places};
    FILE *memory = open_memstream(&bytes, &size);
    int failed = !memory || folded_write(memory, profile, &style);
    failed |= memory && (ferror(memory) | fclose(memory)) != 0;
    if (failed)
        to->failed = 1;
    else
        text_add_bytes(to, bytes, size);
    free(bytes);
}

/* --------------------------------------------------------------------- tree */

struct row {
    uint32_t node, depth;
};

struct tree {
    const struct profile_node *nodes;
    const struct profile_function *functions;
    const struct profile_tree_style *style;
    struct row *rows; /* that are still to be shown, the next one last */
    uint32_t count;
};

/* The smaller first; of as many samples, the newer. */
static int by_total(const void *a, const void *b, void *context) {
    const struct profile_node *nodes = context;
    uint32_t left = ((const struct row *)a)->node, right = ((const struct row *)b)->node;
    if (nodes[left].total_count != nodes[right].total_count)
        return nodes[left].total_count < nodes[right].total_count ? -1 : 1;
    return left > right ? -1 : left < right;
}

static double share(const struct tree *tree, uint64_t count) {
    uint64_t all = tree->nodes[0].total_count;
    return all ? (double)count / (double)all : 0;
}

static void open_row(struct tree *tree, struct row row) {
    uint32_t before = tree->count;
    if (tree->style->depth && row.depth == tree->style->depth)
        return;
    for (uint32_t child = tree->nodes[row.node].first_child; child;
         child = tree->nodes[child].next_sibling)
        if (tree->nodes[child].total_count &&
            share(tree, tree->nodes[child].total_count) >= tree->style->min_share)
            tree->rows[tree->count++] = (struct row){child, row.depth + 1};
    qsort_r(tree->rows + before, tree->count - before, sizeof *tree->rows, by_total,
            (void *)tree->nodes);
}

static void add_row(struct text *to, const struct tree *tree, struct row row) {
    const struct profile_node *node = &tree->nodes[row.node];
    const struct profile_function *function = &tree->functions[node->function];
    text_addf(to, "%5.1f%% %5.1f%%  %*s", 100 * share(tree, node->total_count),
              100 * share(tree, node->self_count), 2 * (int)(row.depth - 1), "");
    display_add(to, function->name, 0);
    if (*function->file) {
        text_add(to, " (");
        display_add(to, function->file, 0);
        int32_t line = node->line ? node->line : function->first_line;
        if (line)
            text_addf(to, ":%" PRId32, line);
        text_add(to, ")");
    }
    text_add(to, "\n");
}

void profile_tree(struct text *to, const struct profile *profile,
                  const struct profile_tree_style *style) {
    uint32_t count;
    char samples[DISPLAY_ROOM];
    struct tree tree = {.style = style};
    tree.nodes = profile_nodes(profile, &count);
    tree.functions = profile_functions(profile, &count);
    profile_nodes(profile, &count);
    tree.rows = malloc(count * sizeof *tree.rows);
    if (!tree.rows) {
        to->failed = 1;
        return;
    }
    display_count(samples, sizeof samples, tree.nodes[0].total_count);
    text_addf(to, " TOTAL   SELF  %s samples\n", samples);
    open_row(&tree, (struct row){0, 0});
    while (tree.count) {
        struct row row = tree.rows[--tree.count];
        add_row(to, &tree, row);
        open_row(&tree, row);
    }
    free(tree.rows);
}

static void open_json_row(struct json *json, const struct tree *tree, struct row row) {
    const struct profile_node *node = &tree->nodes[row.node];
    const struct profile_function *function = &tree->functions[node->function];
    json_object(json, NULL);
    json_text(json, "name", function->name);
    json_text(json, "file", function->file);
    json_integer(json, "line", node->line ? node->line : function->first_line);
    json_count(json, "self", node->self_count);
    json_count(json, "total", node->total_count);
    json_array(json, "children");
}

void profile_tree_json(struct json *json, const struct profile *profile,
                       const struct profile_tree_style *style) {
    enum { LEVELS_MAX = JSON_DEPTH_MAX / 2 - 8 }; /* two levels each, and what is around */
    uint32_t count, depth = 0;
    struct profile_tree_style limited = *style;
    struct tree tree = {.style = &limited};
    if (!limited.depth || limited.depth > LEVELS_MAX)
        limited.depth = LEVELS_MAX;
    tree.functions = profile_functions(profile, &count);
    tree.nodes = profile_nodes(profile, &count);
    tree.rows = malloc(count * sizeof *tree.rows);
    json_count(json, "samples", tree.nodes[0].total_count);
    json_array(json, "tree");
    if (tree.rows)
        open_row(&tree, (struct row){0, 0});
    while (tree.count) {
        struct row row = tree.rows[--tree.count];
        for (; depth >= row.depth; depth--) {
            json_end(json);
            json_end(json);
        }
        open_json_row(json, &tree, row);
        depth = row.depth;
        open_row(&tree, row);
    }
    for (; depth; depth--) {
        json_end(json);
        json_end(json);
    }
    json_end(json);
    free(tree.rows);
}
