/* api/tree: calls and spans as a tree that is opened level by level; or the merged tree of samples.
 *
 * A row is named by the first of its calls (by its track, below zero, where it is a section). Which calls are folded into
 * it follows from the trace and the filter alone, so nothing is kept between two questions: the way down from the top is
 * found again each time. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "output/tree_text.h"
#include "page/parts.h"

/* ------------------------------------------------------------- the way down */

/* Of the rows below `row` the one that a call is folded into; 0: none. */
static uint32_t find_row(const struct tree_rows *rows, uint32_t row, uint32_t call) {
    for (uint32_t at = rows->all[row].first_row; at; at = rows->all[at].next_row)
        for (uint32_t one = rows->all[at].members; one != CALL_NONE; one = rows->next_member[one])
            if (one == call)
                return at;
    return 0;
}

static uint32_t find_section(const struct tree_rows *rows, uint32_t track) {
    for (uint32_t at = rows->all[0].first_row; at; at = rows->all[at].next_row)
        if (rows->all[at].call == CALL_NONE && rows->all[at].track == track)
            return at;
    return 0;
}

/* The calls around a call, outermost first, itself last. Returns how many, 0 where it is nested too deep. */
static uint32_t find_way(const struct calls *calls, uint32_t call, uint32_t *way) {
    uint32_t depth = 0;
    for (uint32_t at = call; at != CALL_NONE; at = calls->all[at].parent)
        if (++depth > TREE_DEPTH_MAX)
            return 0;
    for (uint32_t at = call, i = depth; i-- > 0; at = calls->all[at].parent)
        way[i] = at;
    return depth;
}

/* Opens the rows above a call's, and finds its own: *row, 0 where there is none. Returns 0 or MAREY_ENOMEM. */
static int descend(struct tree_rows *rows, uint32_t call, uint32_t *row) {
    const struct tree_limits all = {.fold = TREE_FOLD_USUAL};
    uint32_t way[TREE_DEPTH_MAX], depth = find_way(rows->calls, call, way), at = 0;
    for (uint32_t i = 0; i < depth; i++) {
        uint32_t down = find_row(rows, at, way[i]);
        if (down &&
            rows->all[down].call == CALL_NONE) { /* a section: its calls lie one level deeper */
            if (tree_rows_open(rows, down, &all))
                return MAREY_ENOMEM;
            down = find_row(rows, down, way[i]);
        }
        if (!down)
            break;
        at = down;
        if (i + 1 == depth)
            *row = at;
        else if (tree_rows_open(rows, at, &all))
            return MAREY_ENOMEM;
    }
    return 0;
}

/* --------------------------------------------------------------- what it says */

/* The rows that are shown. */
struct shown {
    struct asked *asked;
    const struct tree_rows *rows;
    struct row_text text;
    uint32_t *list;
    uint32_t count;
};

static const struct tree_row *row_of(const struct shown *shown, uint32_t i) {
    return &shown->rows->all[shown->list[i]];
}

static const struct call_function *function_of(const struct shown *shown, uint32_t i) {
    const struct calls *calls = shown->rows->calls;
    return &calls->functions[calls->all[row_of(shown, i)->call].function];
}

static int is_section(const struct shown *shown, uint32_t i) {
    return row_of(shown, i)->call == CALL_NONE;
}

static int64_t row_id(const struct shown *shown, uint32_t i) {
    return is_section(shown, i) ? -1 - (int64_t)row_of(shown, i)->track
                                : (int64_t)row_of(shown, i)->call;
}

static const char *row_name(const struct shown *shown, uint32_t i) {
    const struct trace *trace = shown->asked->trace;
    if (is_section(shown, i))
        return trace_text(trace, trace->reader.tracks.all[row_of(shown, i)->track].name);
    return trace_text(trace, function_of(shown, i)->name);
}

static const char *row_file(const struct shown *shown, uint32_t i) {
    return is_section(shown, i) ? "" : trace_text(shown->asked->trace, function_of(shown, i)->file);
}

static uint32_t row_line(const struct shown *shown, uint32_t i) {
    return is_section(shown, i) ? 0 : function_of(shown, i)->line;
}

/* How many calls lie directly below. */
static uint64_t row_children(const struct shown *shown, uint32_t i) {
    const struct calls *calls = shown->rows->calls;
    uint64_t count = 0;
    if (is_section(shown, i))
        return row_of(shown, i)->calls;
    for (uint32_t one = row_of(shown, i)->members; one != CALL_NONE;
         one = shown->rows->next_member[one])
        for (uint32_t at = calls->all[one].first_child; at != CALL_NONE; at = calls->all[at].next)
            count++;
    return count;
}

/* Arguments and results are made once, for both columns. */
static void write_texts(struct shown *shown) {
    struct json *json = shown->asked->json;
    char **results = calloc(shown->count + 1, sizeof *results);
    json_array(json, "arguments");
    for (uint32_t i = 0; i < shown->count; i++) {
        int blank = is_section(shown, i);
        if (!blank)
            row_text_make(&shown->text, row_of(shown, i));
        json_text(json, NULL, blank ? "" : text_of(&shown->text.arguments));
        if (results && !blank)
            results[i] = strdup(text_of(&shown->text.result));
    }
    json_end(json);
    COLUMN(json_text, json, "result", shown->count,
           !results || !results[i] ? ""
           : *results[i] == ' '    ? results[i] + 1
                                   : results[i]);
    for (uint32_t i = 0; results && i < shown->count; i++)
        free(results[i]);
    free(results);
}

static void write_rows(struct shown *shown) {
    struct json *json = shown->asked->json;
    uint32_t count = shown->count;
    json_object(json, "rows");
    COLUMN(json_integer, json, "id", count, row_id(shown, i));
    COLUMN(json_text, json, "name", count, row_name(shown, i));
    COLUMN(json_text, json, "file", count, row_file(shown, i));
    COLUMN(json_integer, json, "line", count, row_line(shown, i));
    write_texts(shown);
    COLUMN(json_integer, json, "calls", count, row_of(shown, i)->calls);
    COLUMN(json_integer, json, "total", count, row_of(shown, i)->total_ns);
    COLUMN(json_integer, json, "self", count, row_of(shown, i)->self_ns);
    COLUMN(json_integer, json, "failed", count, row_of(shown, i)->failed);
    COLUMN(json_integer, json, "open", count, row_of(shown, i)->open);
    COLUMN(json_count, json, "children", count, row_children(shown, i));
    json_end(json);
}

static int write_below(struct asked *asked, const struct tree_rows *rows, uint32_t row) {
    const struct tree_options options = {0};
    struct shown shown = {.asked = asked, .rows = rows};
    shown.text = (struct row_text){.rows = rows, .calls = rows->calls, .options = &options};
    shown.list = malloc((rows->count + 1ull) * sizeof *shown.list);
    if (!shown.list)
        return MAREY_ENOMEM;
    for (uint32_t at = rows->all[row].first_row; at; at = rows->all[at].next_row)
        shown.list[shown.count++] = at;
    write_rows(&shown);
    json_count(asked->json, "left_out", rows->all[row].hidden);
    row_text_free(&shown.text);
    free(shown.list);
    return 0;
}

/* ------------------------------------------------------------------- calls */

static int open_parent(struct asked *asked, struct tree_rows *rows,
                       const struct tree_limits *limits) {
    const struct tree_limits all = {.fold = TREE_FOLD_USUAL};
    int64_t parent = asked->query->parent;
    uint32_t row = 0;
    int error = tree_rows_top(rows, rows->calls, &all);
    if (!error && parent < 0 && parent >= -(int64_t)UINT32_MAX)
        row = find_section(rows, (uint32_t)(-1 - parent));
    else if (!error && parent >= 0 && parent < rows->calls->count)
        error = descend(rows, (uint32_t)parent, &row);
    if (error)
        return error;
    if (!row)
        return asked_refuse(asked, 404, "parent: there is no such row");
    error = tree_rows_open(rows, row, limits);
    return error ? error : write_below(asked, rows, row);
}

static int answer_calls(struct asked *asked) {
    const struct tree_limits limits = {.rows = (uint32_t)asked->query->limit,
                                       .fold = TREE_FOLD_USUAL,
                                       .min_ns = asked->query->min_ns};
    struct page_part *part = part_take(asked, PART_CALLS);
    struct tree_rows rows = {0};
    if (!part)
        return MAREY_ENOMEM;
    int error;
    rows.calls = &part->calls;
    if (asked->query->given & QUERY_PARENT) {
        error = open_parent(asked, &rows, &limits);
    } else {
        error = tree_rows_top(&rows, &part->calls, &limits);
        if (!error)
            error = write_below(asked, &rows, 0);
    }
    tree_rows_free(&rows);
    part_give(asked->page, PART_CALLS, part);
    return error;
}

/* ----------------------------------------------------------------- samples */

/* Nodes of the profile below one, the heaviest first. */
struct branches {
    struct asked *asked;
    const struct profile_node *nodes;
    const struct profile_function *functions;
    unsigned weight;
    uint32_t *list;
    uint32_t count;
    uint64_t left_out; /* samples */
};

static int compare_branches(const void *a, const void *b, void *context) {
    const struct branches *branches = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    uint64_t one = profile_total(&branches->nodes[left], branches->weight);
    uint64_t other = profile_total(&branches->nodes[right], branches->weight);
    return one != other ? (one > other ? -1 : 1) : (left > right) - (left < right);
}

static uint32_t count_below(const struct branches *branches, uint32_t node) {
    uint32_t count = 0;
    for (uint32_t at = branches->nodes[node].first_child; at; at = branches->nodes[at].next_sibling)
        count += profile_total(&branches->nodes[at], branches->weight) > 0;
    return count;
}

static int find_branches(struct branches *branches, uint32_t node) {
    const struct query *query = branches->asked->query;
    uint32_t count = 0;
    branches->list = malloc((count_below(branches, node) + 1ull) * sizeof *branches->list);
    if (!branches->list)
        return MAREY_ENOMEM;
    for (uint32_t at = branches->nodes[node].first_child; at; at = branches->nodes[at].next_sibling)
        if (profile_total(&branches->nodes[at], branches->weight))
            branches->list[count++] = at;
    qsort_r(branches->list, count, sizeof *branches->list, compare_branches, branches);
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_node *one = &branches->nodes[branches->list[i]];
        if (branches->count < query->limit &&
            (query->min_ns <= 0 || profile_total(one, branches->weight) >= (uint64_t)query->min_ns))
            branches->list[branches->count++] = branches->list[i];
        else
            branches->left_out += one->total_count;
    }
    return 0;
}

static void write_places(const struct branches *branches) {
    struct json *json = branches->asked->json;
    const struct profile_node *nodes = branches->nodes;
    const struct profile_function *functions = branches->functions;
    const uint32_t *list = branches->list;
    uint32_t count = branches->count;
    COLUMN(json_integer, json, "id", count, list[i]);
    COLUMN(json_text, json, "name", count, functions[nodes[list[i]].function].name);
    COLUMN(json_text, json, "file", count, functions[nodes[list[i]].function].file);
    COLUMN(json_integer, json, "line", count, functions[nodes[list[i]].function].first_line);
    COLUMN(json_text, json, "arguments", count, "");
    COLUMN(json_text, json, "result", count, "");
}

static void write_branches(const struct branches *branches) {
    struct json *json = branches->asked->json;
    const struct profile_node *nodes = branches->nodes;
    const uint32_t *list = branches->list;
    uint32_t count = branches->count;
    unsigned weight = branches->weight;
    json_object(json, "rows");
    write_places(branches);
    COLUMN(json_count, json, "calls", count, nodes[list[i]].total_count);
    COLUMN(json_count, json, "total", count, profile_total(&nodes[list[i]], weight));
    COLUMN(json_count, json, "self", count, profile_self(&nodes[list[i]], weight));
    COLUMN(json_integer, json, "failed", count, 0);
    COLUMN(json_integer, json, "open", count, 0);
    COLUMN(json_integer, json, "children", count, count_below(branches, list[i]));
    json_end(json);
    json_count(json, "left_out", branches->left_out);
}

static int answer_samples(struct asked *asked) {
    struct asked_profile profile;
    struct branches branches = {.asked = asked, .weight = asked_weight(asked)};
    uint32_t nodes = 0, functions;
    int64_t node = asked->query->parent;
    int error = asked_profile(asked, 0, &profile);
    if (!error) {
        branches.nodes = profile_nodes(profile.profile, &nodes);
        branches.functions = profile_functions(profile.profile, &functions);
        error = node < 0 || node >= nodes ? asked_refuse(asked, 404, "parent: there is no such row")
                                          : find_branches(&branches, (uint32_t)node);
    }
    if (!error)
        write_branches(&branches);
    free(branches.list);
    asked_profile_free(asked, &profile);
    return error;
}

int answer_tree(struct asked *asked) {
    return asked->query->of == STACKS_OF_SAMPLES ? answer_samples(asked) : answer_calls(asked);
}
