/* See hot.h. */
#define _GNU_SOURCE
#include "model/hot.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"

/* Counts by function and line. */
struct line_count {
    uint32_t function;
    int32_t line;
    uint64_t self, total; /* total: at the outermost call of the function */
};

struct making {
    const struct profile_node *nodes;
    uint32_t node_count;
    const struct profile_function *functions;
    uint32_t function_count;
    struct hot_row *rows;     /* by function */
    uint32_t *open;           /* of a function: how often it is on the way down to a node */
    struct line_count *lines; /* of nodes that have one, in any order */
    uint32_t line_count;
};

/* ------------------------------------------------------------------- counts */

/* At a node, before what is below it. */
static void enter(struct making *m, uint32_t place) {
    const struct profile_node *node = &m->nodes[place];
    struct hot_row *row = &m->rows[node->function];
    row->self_count += node->self_count;
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        row->self_ns[weight] += node->self_ns[weight];
    int is_outermost = m->open[node->function] == 0;
    if (node->line)
        m->lines[m->line_count++] = (struct line_count){
            node->function, node->line, node->self_count, is_outermost ? node->total_count : 0};
    if (m->open[node->function]++)
        return; /* a call of itself: counted at the outermost one */
    row->total_count += node->total_count;
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        row->total_ns[weight] += node->total_ns[weight];
}

/* Every node below the root, parents first; without recursion. */
static void walk(struct making *m) {
    uint32_t place = m->nodes[0].first_child;
    while (place) {
        enter(m, place);
        if (m->nodes[place].first_child) {
            place = m->nodes[place].first_child;
            continue;
        }
        while (place && !m->nodes[place].next_sibling) {
            m->open[m->nodes[place].function]--;
            place = m->nodes[place].parent;
        }
        if (place) {
            m->open[m->nodes[place].function]--;
            place = m->nodes[place].next_sibling;
        }
    }
}

static int by_function_and_line(const void *a, const void *b) {
    const struct line_count *left = a, *right = b;
    if (left->function != right->function)
        return left->function < right->function ? -1 : 1;
    return left->line < right->line ? -1 : left->line > right->line;
}

static void find_hot_lines(struct making *m) {
    qsort(m->lines, m->line_count, sizeof *m->lines, by_function_and_line);
    for (uint32_t i = 0, end; i < m->line_count; i = end) {
        struct hot_row *row = &m->rows[m->lines[i].function];
        uint64_t self = 0, total = 0;
        for (end = i; end < m->line_count && !by_function_and_line(&m->lines[i], &m->lines[end]);
             end++) {
            self += m->lines[end].self;
            total += m->lines[end].total;
        }
        uint64_t count = row->self_count ? self : total;
        if (count > row->hot_line_count) {
            row->hot_line = m->lines[i].line;
            row->hot_line_count = count;
        }
    }
}

/* -------------------------------------------------------------------- order */

static int compare_counts(uint64_t left, uint64_t right) {
    return left > right ? -1 : left < right;
}

static int compare_functions(const struct profile_function *left,
                             const struct profile_function *right) {
    int names = strcmp(left->name, right->name);
    int files = names ? names : strcmp(left->file, right->file);
    return files ? files
                 : (left->first_line > right->first_line) - (left->first_line < right->first_line);
}

/* By the time that samples stand for; where they stand for none, or as much, by how many there are. */
static int compare_self(const struct hot_row *left, const struct hot_row *right) {
    int times = compare_counts(left->self_ns[SAMPLE_WALL], right->self_ns[SAMPLE_WALL]);
    return times ? times : compare_counts(left->self_count, right->self_count);
}

static int compare_total(const struct hot_row *left, const struct hot_row *right) {
    int times = compare_counts(left->total_ns[SAMPLE_WALL], right->total_ns[SAMPLE_WALL]);
    return times ? times : compare_counts(left->total_count, right->total_count);
}

static int by_self(const void *a, const void *b, void *functions) {
    const struct hot_row *left = a, *right = b;
    const struct profile_function *of = functions;
    int self = compare_self(left, right), total = self ? self : compare_total(left, right);
    return total ? total : compare_functions(&of[left->function], &of[right->function]);
}

static int by_total(const void *a, const void *b, void *functions) {
    int total = compare_total(a, b);
    return total ? total : by_self(a, b, functions);
}

static int by_name(const void *a, const void *b, void *functions) {
    const struct profile_function *of = functions;
    return compare_functions(&of[((const struct hot_row *)a)->function],
                             &of[((const struct hot_row *)b)->function]);
}

/* ---------------------------------------------------------------------- own */

int hot_own_callers(struct hot *callers, const struct hot *hot, const struct profile *profile,
                    const struct own_rules *own, uint32_t from) {
    enum { LEAST_SHARE = 100 }; /* one part in so many */
    uint32_t count;
    const struct profile_function *functions = profile_functions(profile, &count);
    *callers = (struct hot){.samples = hot->samples, .wall_ns = hot->wall_ns};
    callers->rows = malloc((hot->count + 1) * sizeof *callers->rows);
    if (!callers->rows)
        return MAREY_ENOMEM;
    for (uint32_t i = from; i < hot->count; i++)
        if (hot->rows[i].total_count >= hot->samples / LEAST_SHARE &&
            own_is(own, functions[hot->rows[i].function].file))
            callers->rows[callers->count++] = hot->rows[i];
    qsort_r(callers->rows, callers->count, sizeof *callers->rows, by_total, (void *)functions);
    return 0;
}

/* ---------------------------------------------------------------------- all */

/* Those that were sampled, in front. */
static uint32_t keep_sampled(struct hot_row *rows, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].total_count)
            rows[kept++] = rows[i];
    return kept;
}

void hot_choose(struct hot *hot, const struct profile *profile, const struct patterns *names) {
    uint32_t count, kept = 0;
    const struct profile_function *functions = profile_functions(profile, &count);
    for (uint32_t i = 0; i < hot->count; i++)
        if (patterns_choose_name(names, functions[hot->rows[i].function].name, NULL))
            hot->rows[kept++] = hot->rows[i];
    hot->count = kept;
}

int hot_make(struct hot *hot, const struct profile *profile, enum hot_order order) {
    static int (*const comparisons[])(const void *, const void *, void *) = {
        [HOT_BY_SELF] = by_self, [HOT_BY_TOTAL] = by_total, [HOT_BY_NAME] = by_name};
    struct making m = {0};
    m.nodes = profile_nodes(profile, &m.node_count);
    m.functions = profile_functions(profile, &m.function_count);
    *hot = (struct hot){.samples = m.nodes[0].total_count,
                        .wall_ns = m.nodes[0].total_ns[SAMPLE_WALL]};
    m.rows = calloc(m.function_count, sizeof *m.rows);
    m.open = calloc(m.function_count, sizeof *m.open);
    m.lines = malloc(m.node_count * sizeof *m.lines);
    int error = m.rows && m.open && m.lines ? 0 : MAREY_ENOMEM;
    if (!error) {
        for (uint32_t i = 0; i < m.function_count; i++)
            m.rows[i].function = i;
        walk(&m);
        find_hot_lines(&m);
        hot->rows = m.rows;
        hot->count = keep_sampled(m.rows, m.function_count);
        qsort_r(hot->rows, hot->count, sizeof *hot->rows, comparisons[order], (void *)m.functions);
    } else {
        free(m.rows);
    }
    free(m.open);
    free(m.lines);
    return error;
}

void hot_free(struct hot *hot) {
    free(hot->rows);
    *hot = (struct hot){0};
}
