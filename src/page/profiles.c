/* api/functions and api/flame: where the time went, by function, and by who called whom. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "marey.h"
#include "model/hot.h"
#include "model/sample_profile.h"
#include "page/parts.h"

enum { FUNCTIONS_SHOWN_MAX = 2000 };

/* ------------------------------------------------------------------- profiles */

/* Whether it is spans and calls that are asked about, not samples. */
static int is_of_spans(const struct asked *asked) {
    return asked->query->of == STACKS_OF_SPANS ||
           (asked->query->of == STACKS_OF_WHAT_THERE_IS && !asked->trace->samples);
}

unsigned asked_weight(const struct asked *asked) {
    int has_times = is_of_spans(asked) || asked->trace->reader.samples.weighted;
    return asked->query->given & QUERY_WEIGHT || has_times ? asked->query->weight
                                                           : (unsigned)PROFILE_COUNT;
}

int asked_profile(struct asked *asked, int lines, struct asked_profile *profile) {
    const struct trace_filter *filter = &asked->query->filter;
    *profile = (struct asked_profile){0};
    if (!is_of_spans(asked))
        return sample_profile(&profile->profile, asked->trace, filter,
                              lines ? GROUP_FUNCTIONS : GROUP_WHOLE, NULL);
    if (asked->query->weight != SAMPLE_WALL && asked->query->weight != PROFILE_COUNT)
        return asked_refuse(asked, 400, "weight: spans have wall time and a count");
    profile->part = part_take(asked, PART_SPANS);
    profile->profile = profile->part ? profile->part->profile : NULL;
    return profile->part ? 0 : MAREY_ENOMEM;
}

void asked_profile_free(struct asked *asked, struct asked_profile *profile) {
    if (profile->part)
        part_give(asked->page, PART_SPANS, profile->part);
    else
        profile_close(profile->profile);
}

static void write_total(struct asked *asked, const struct profile *profile) {
    uint32_t count;
    unsigned weight = asked_weight(asked);
    json_count(asked->json, "total", profile_total(profile_nodes(profile, &count), weight));
    json_text(asked->json, "unit", weight == PROFILE_COUNT ? "count" : "ns");
}

/* "python", "span", ... */
static const char *kind_word(const struct asked *asked, const struct profile_function *function) {
    if (is_of_spans(asked))
        return function->kind == SAMPLE_NATIVE ? "c" : *function->file ? "python" : "span";
    switch (function->kind) {
    case SAMPLE_NATIVE: return "native";
    case SAMPLE_GC: return "gc";
    case SAMPLE_TASK: return "task";
    default: return "python";
    }
}

/* ------------------------------------------------------------------ functions */

static uint64_t self_of(const struct hot_row *row, unsigned weight) {
    return weight == PROFILE_COUNT ? row->self_count : row->self_ns[weight];
}

static uint64_t total_of(const struct hot_row *row, unsigned weight) {
    return weight == PROFILE_COUNT ? row->total_count : row->total_ns[weight];
}

static int compare_rows(const void *a, const void *b, void *context) {
    const struct hot_row *left = a, *right = b;
    unsigned weight = *(const unsigned *)context;
    if (self_of(left, weight) != self_of(right, weight))
        return self_of(left, weight) > self_of(right, weight) ? -1 : 1;
    if (total_of(left, weight) != total_of(right, weight))
        return total_of(left, weight) > total_of(right, weight) ? -1 : 1;
    return (left->function > right->function) - (left->function < right->function);
}

static void write_rows(struct asked *asked, const struct hot *hot,
                       const struct profile_function *functions) {
    unsigned weight = asked_weight(asked);
    struct json *json = asked->json;
    const struct hot_row *rows = hot->rows;
    uint32_t count = hot->count < FUNCTIONS_SHOWN_MAX ? hot->count : (uint32_t)FUNCTIONS_SHOWN_MAX;
    json_object(json, "rows");
    COLUMN(json_text, json, "name", count, functions[rows[i].function].name);
    COLUMN(json_text, json, "file", count, functions[rows[i].function].file);
    COLUMN(json_integer, json, "line", count, functions[rows[i].function].first_line);
    COLUMN(json_bool, json, "own", count, own_is(NULL, functions[rows[i].function].file));
    COLUMN(json_count, json, "self", count, self_of(&rows[i], weight));
    COLUMN(json_count, json, "total", count, total_of(&rows[i], weight));
    COLUMN(json_count, json, "count", count, rows[i].self_count);
    COLUMN(json_integer, json, "hot_line", count, rows[i].hot_line);
    json_end(json);
    json_count(json, "left_out", hot->count - count);
}

int answer_functions(struct asked *asked) {
    struct asked_profile profile;
    struct hot hot = {0};
    uint32_t count;
    unsigned weight = asked_weight(asked);
    int error = asked_profile(asked, 1, &profile);
    if (!error)
        error = hot_make(&hot, profile.profile, HOT_BY_SELF);
    if (!error) {
        qsort_r(hot.rows, hot.count, sizeof *hot.rows, compare_rows, &weight);
        write_total(asked, profile.profile);
        write_rows(asked, &hot, profile_functions(profile.profile, &count));
    }
    hot_free(&hot);
    asked_profile_free(asked, &profile);
    return error;
}

/* ---------------------------------------------------------------------- flame */

/* The nodes that are shown, numbered anew, and their functions likewise. */
struct flame {
    const struct profile_node *nodes;
    const struct profile_function *functions;
    uint32_t node_count, function_count;
    unsigned weight;
    uint32_t *number;    /* of a node; MAP_NONE: left out */
    uint32_t *shown;     /* nodes */
    uint32_t *numbering; /* of a function; MAP_NONE: not shown */
    uint32_t *used;      /* functions */
    uint32_t shown_count, used_count;
    uint64_t left_out;
};

static int compare_totals(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left < right) - (left > right);
}

/* The least total of the `limit` largest nodes, and how many of just that total there is room for. Returns 0 or -1. */
static int find_least(const struct flame *flame, uint64_t limit, uint64_t *least, uint64_t *equal) {
    *least = 1;
    *equal = flame->node_count;
    if (flame->node_count <= limit)
        return 0;
    uint64_t *totals = malloc(flame->node_count * sizeof *totals);
    if (!totals)
        return -1;
    for (uint32_t i = 0; i < flame->node_count; i++)
        totals[i] = profile_total(&flame->nodes[i], flame->weight);
    qsort(totals, flame->node_count, sizeof *totals, compare_totals);
    if (totals[limit - 1]) {
        *least = totals[limit - 1];
        for (*equal = 0; *equal < limit && totals[limit - 1 - *equal] == *least;)
            ++*equal;
    }
    free(totals);
    return 0;
}

static void show_node(struct flame *flame, uint32_t node) {
    uint32_t function = flame->nodes[node].function;
    flame->number[node] = flame->shown_count;
    flame->shown[flame->shown_count++] = node;
    if (flame->numbering[function] == MAP_NONE) {
        flame->numbering[function] = flame->used_count;
        flame->used[flame->used_count++] = function;
    }
}

/* A node weighs no more than its parent, and stands behind it: so whose parent is left out is, too. */
static int choose_nodes(struct flame *flame, uint64_t limit) {
    uint64_t least, equal;
    if (find_least(flame, limit, &least, &equal))
        return -1;
    show_node(flame, 0);
    for (uint32_t i = 1; i < flame->node_count; i++) {
        uint64_t total = profile_total(&flame->nodes[i], flame->weight);
        flame->number[i] = MAP_NONE;
        if (total > least || (total == least && equal)) {
            equal -= total == least;
            if (flame->number[flame->nodes[i].parent] != MAP_NONE) {
                show_node(flame, i);
                continue;
            }
        }
        flame->left_out += total > 0;
    }
    return 0;
}

static int flame_make(struct flame *flame, const struct profile *profile, unsigned weight,
                      uint64_t limit) {
    *flame = (struct flame){.weight = weight};
    flame->nodes = profile_nodes(profile, &flame->node_count);
    flame->functions = profile_functions(profile, &flame->function_count);
    flame->number = calloc(flame->node_count, sizeof *flame->number);
    flame->shown = calloc(flame->node_count, sizeof *flame->shown);
    flame->numbering = malloc(flame->function_count * sizeof *flame->numbering);
    flame->used = calloc(flame->function_count, sizeof *flame->used);
    if (!flame->number || !flame->shown || !flame->numbering || !flame->used)
        return MAREY_ENOMEM;
    for (uint32_t i = 0; i < flame->function_count; i++)
        flame->numbering[i] = MAP_NONE;
    return choose_nodes(flame, limit) ? MAREY_ENOMEM : 0;
}

static void flame_free(struct flame *flame) {
    free(flame->number);
    free(flame->shown);
    free(flame->numbering);
    free(flame->used);
}

static void write_functions(struct asked *asked, const struct flame *flame) {
    const struct profile_function *functions = flame->functions;
    const uint32_t *used = flame->used;
    struct json *json = asked->json;
    uint32_t count = flame->used_count;
    json_object(json, "functions");
    COLUMN(json_text, json, "name", count, functions[used[i]].name);
    COLUMN(json_text, json, "file", count, functions[used[i]].file);
    COLUMN(json_integer, json, "line", count, functions[used[i]].first_line);
    COLUMN(json_text, json, "kind", count, kind_word(asked, &functions[used[i]]));
    COLUMN(json_bool, json, "own", count, own_is(NULL, functions[used[i]].file));
    json_end(json);
}

static void write_nodes(struct asked *asked, const struct flame *flame) {
    const struct profile_node *nodes = flame->nodes;
    const uint32_t *shown = flame->shown;
    struct json *json = asked->json;
    uint32_t count = flame->shown_count;
    json_object(json, "nodes");
    COLUMN(json_integer, json, "function", count, flame->numbering[nodes[shown[i]].function]);
    COLUMN(json_integer, json, "parent", count, flame->number[nodes[shown[i]].parent]);
    COLUMN(json_count, json, "self", count, profile_self(&nodes[shown[i]], flame->weight));
    COLUMN(json_count, json, "total", count, profile_total(&nodes[shown[i]], flame->weight));
    COLUMN(json_count, json, "count", count, nodes[shown[i]].self_count);
    json_end(json);
    json_count(json, "left_out", flame->left_out);
}

int answer_flame(struct asked *asked) {
    struct asked_profile profile;
    struct flame flame = {0};
    int error = asked_profile(asked, 0, &profile);
    if (!error)
        error = flame_make(&flame, profile.profile, asked_weight(asked), asked->query->limit);
    if (!error) {
        write_total(asked, profile.profile);
        write_functions(asked, &flame);
        write_nodes(asked, &flame);
    }
    flame_free(&flame);
    asked_profile_free(asked, &profile);
    return error;
}
