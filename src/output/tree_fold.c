/* See tree_opening.h: calls folded into rows, and which of these are shown. */
#include <stdlib.h>

#include "model/grow.h"
#include "model/sums.h"
#include "output/tree_opening.h"

/* -------------------------------------------------------------- folding */

void tree_row_count(struct tree_rows *rows, struct tree_row *row, uint32_t place) {
    const struct call *call = &rows->calls->all[place];
    row->calls++;
    row->failed += (call->flags & CALL_HAS_FAILED) != 0;
    row->open += (call->flags & CALL_IS_OPEN) != 0;
    row->skipped += call->skipped;
    sum_add_ns(&row->total_ns, call->elapsed_ns);
    sum_add_ns(&row->self_ns, call->self_ns);
    sum_add_ns(&row->waiting_ns, call->waiting_ns);
    row->min_ns = call->elapsed_ns < row->min_ns ? call->elapsed_ns : row->min_ns;
    row->max_ns = call->elapsed_ns > row->max_ns ? call->elapsed_ns : row->max_ns;
}

uint32_t tree_row_new(struct tree_rows *rows, uint32_t parent, uint32_t call) {
    if (GROW(rows->all, rows->count, rows->capacity))
        return 0;
    rows->all[rows->count] = (struct tree_row){.call = call,
                                               .members = call,
                                               .track = CALL_NONE,
                                               .depth = rows->all[parent].depth + 1,
                                               .parent = parent,
                                               .min_ns = INT64_MAX};
    return rows->count++;
}

static uint32_t function_of(const struct tree_rows *rows, uint32_t call) {
    return rows->calls->all[call].function;
}

/* Calls of one function in a row become one. Returns how many rows were made, or -1. */
static int64_t fold_neighbours(struct opening *o, uint32_t parent) {
    struct tree_rows *rows = o->rows;
    uint32_t before = rows->count, end;
    for (uint32_t i = 0; i < o->child_count; i = end) {
        uint32_t function = function_of(rows, o->children[i]);
        for (end = i + 1; end < o->child_count && function_of(rows, o->children[end]) == function;)
            end++;
        if (!o->limits->fold || end - i < o->limits->fold)
            end = i + 1;
        uint32_t row = tree_row_new(rows, parent, o->children[i]);
        if (!row)
            return -1;
        for (uint32_t j = i; j < end; j++) {
            rows->next_member[o->children[j]] =
                j + 1 < end ? o->children[j + 1] : (uint32_t)CALL_NONE;
            tree_row_count(rows, &rows->all[row], o->children[j]);
        }
    }
    return rows->count - before;
}

/* All calls of a function become one, in the order of the first ones. Members are linked from the last to the first, so
 * that none has to be looked for. */
static int64_t fold_functions(struct opening *o, uint32_t parent) {
    struct tree_rows *rows = o->rows;
    uint32_t before = rows->count;
    for (uint32_t i = 0; i < o->child_count; i++) {
        uint32_t child = o->children[i], function = function_of(rows, child);
        uint32_t row = o->row_of[function];
        if (!row) {
            row = o->row_of[function] = tree_row_new(rows, parent, child);
            if (!row)
                return -1;
            rows->next_member[child] = CALL_NONE;
        } else {
            uint32_t first = rows->all[row].call;
            rows->next_member[child] = rows->next_member[first];
            rows->next_member[first] = child;
        }
        tree_row_count(rows, &rows->all[row], child);
    }
    for (uint32_t i = 0; i < o->child_count; i++)
        o->row_of[function_of(rows, o->children[i])] = 0;
    return rows->count - before;
}

int64_t tree_fold(struct opening *o, uint32_t parent) {
    struct tree_rows *rows = o->rows;
    uint32_t before = rows->count;
    const struct tree_row *around = &rows->all[parent];
    if (o->limits->fold && (around->call == CALL_NONE ? around->tracks : around->calls) > 1)
        return fold_functions(o, parent);
    int64_t made = fold_neighbours(o, parent);
    if (!o->limits->fold || made <= TREE_CHILDREN_MANY)
        return made;
    rows->count = before;
    return fold_functions(o, parent);
}

/* ------------------------------------------------------------- choosing */

static int compare_times(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

/* The least time of the `wanted` rows that took longest, and how many of just that time are among them. */
static int find_least(struct opening *o, uint32_t first, uint32_t made, uint32_t wanted,
                      int64_t *least, uint32_t *equal) {
    if (made > o->time_capacity) {
        int64_t *larger = realloc(o->times, made * sizeof *larger);
        if (!larger)
            return -1;
        o->times = larger;
        o->time_capacity = made;
    }
    for (uint32_t i = 0; i < made; i++)
        o->times[i] = o->rows->all[first + i].total_ns;
    qsort(o->times, made, sizeof *o->times, compare_times);
    *least = wanted ? o->times[wanted - 1] : INT64_MAX;
    *equal = 0;
    for (uint32_t i = 0; i < wanted; i++)
        *equal += o->times[i] == *least;
    return 0;
}

static void hide(struct tree_row *parent, const struct tree_row *row) {
    parent->hidden += row->calls;
    sum_add_ns(&parent->hidden_ns, row->total_ns);
}

int tree_choose(struct opening *o, uint32_t parent, uint32_t first, uint32_t made) {
    struct tree_rows *rows = o->rows;
    int64_t least = o->limits->min_ns;
    uint32_t equal = made, kept = 0;
    uint32_t most = o->left / o->share + o->left % o->share;
    if (made > most && find_least(o, first, made, most, &least, &equal))
        return -1;
    if (least < o->limits->min_ns) {
        least = o->limits->min_ns;
        equal = made;
    }
    for (uint32_t i = 0; i < made; i++) {
        const struct tree_row *row = &rows->all[first + i];
        if (row->total_ns < least || (row->total_ns == least && !equal)) {
            hide(&rows->all[parent], row);
            continue;
        }
        equal -= row->total_ns == least;
        rows->all[first + kept++] = *row;
    }
    rows->count = first + kept;
    o->left -= kept;
    return 0;
}
