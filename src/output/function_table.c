/* See function_table.h. */
#include "output/function_table.h"

#include <string.h>

enum { COLUMNS_MAX = 11, NAME_COLUMNS_MIN = 16, PLACE_COLUMNS_MIN = 12 };

static const char *const times[] = {"TOTAL", "SELF", "MEAN", "P50", "P99", "MAX"};
enum { TIMES = sizeof times / sizeof *times };

/* Which columns there are: those that say something in this table. */
struct shape {
    struct table_column columns[COLUMNS_MAX];
    unsigned count;
    int waits, errors, open, places;
};

static void add_column(struct shape *shape, const char *title, enum table_align align,
                       size_t min_columns) {
    shape->columns[shape->count++] = (struct table_column){title, align, min_columns};
}

static const struct call_function *function_of(const struct calls *calls,
                                               const struct call_stats_row *row) {
    return &calls->functions[row->function];
}

/* Where there are calls, spans have a table of their own ('marey info --spans'). */
static int is_listed(const struct calls *calls, const struct call_stats_row *row) {
    return !calls->call_count || function_of(calls, row)->kind != FUNCTION_SPAN;
}

static void find_shape(const struct call_stats *stats, const struct calls *calls,
                       struct shape *shape) {
    *shape = (struct shape){.count = 0};
    for (uint32_t i = 0; i < stats->count; i++) {
        const struct call_stats_row *row = &stats->rows[i];
        if (!is_listed(calls, row))
            continue;
        shape->waits |= row->waiting_ns != 0;
        shape->errors |= row->exceptions != 0;
        shape->open |= row->open != 0;
        shape->places |= function_of(calls, row)->file != 0;
    }
    add_column(shape, calls->call_count ? "FUNCTION" : "SPAN", ALIGN_LEFT, NAME_COLUMNS_MIN);
    add_column(shape, calls->call_count ? "CALLS" : "COUNT", ALIGN_RIGHT, 0);
    for (unsigned i = 0; i < TIMES; i++)
        add_column(shape, times[i], ALIGN_RIGHT, 0);
    if (shape->waits)
        add_column(shape, "WAITED", ALIGN_RIGHT, 0);
    if (shape->errors)
        add_column(shape, "ERRORS", ALIGN_RIGHT, 0);
    if (shape->places && shape->count < COLUMNS_MAX)
        add_column(shape, "PLACE", ALIGN_LEFT, PLACE_COLUMNS_MIN);
}

static void add_name(struct table *table, const struct calls *calls,
                     const struct call_function *function) {
    struct text *cell = table_cell(table);
    if (function->module) {
        display_add(cell, trace_text(calls->trace, function->module), 0);
        text_add(cell, ".");
    }
    display_add(cell, function->name ? trace_text(calls->trace, function->name) : "(no name)", 0);
}

/* "app.py:12", the file without its folders. */
static void add_place(struct table *table, const struct calls *calls,
                      const struct call_function *function) {
    struct text *cell = table_cell(table);
    const char *file = trace_text(calls->trace, function->file), *slash = strrchr(file, '/');
    if (!function->file)
        return;
    display_add(cell, slash && slash[1] ? slash + 1 : file, 0);
    text_addf(cell, ":%u", function->line);
}

static void add_row(struct table *table, const struct shape *shape, const struct calls *calls,
                    const struct call_stats_row *row) {
    const int64_t shown[] = {row->total_ns, row->self_ns, row->mean_ns,
                             row->p50_ns,   row->p99_ns,  row->max_ns};
    const struct call_function *function = function_of(calls, row);
    add_name(table, calls, function);
    table_count(table, row->calls, 0);
    for (unsigned i = 0; i < TIMES; i++)
        table_duration(table, shown[i]);
    if (shape->waits && row->waiting_ns)
        table_duration(table, row->waiting_ns);
    else if (shape->waits)
        table_text(table, "");
    if (shape->errors)
        table_count(table, row->exceptions, 1);
    if (shape->places)
        add_place(table, calls, function);
}

void function_table_print(const struct call_stats *stats, const struct calls *calls, FILE *to,
                          uint32_t rows, const struct table_style *style) {
    struct shape shape;
    struct table table;
    uint32_t listed = 0;
    find_shape(stats, calls, &shape);
    table_init(&table, shape.columns, shape.count);
    for (uint32_t i = 0; i < stats->count; i++)
        if (is_listed(calls, &stats->rows[i]) && (listed++ < rows || !rows))
            add_row(&table, &shape, calls, &stats->rows[i]);
    table_print(&table, to, style);
    table_free(&table);
    table_print_more(rows && listed > rows ? listed - rows : 0, to, style);
}

static void row_json(const struct call_stats_row *row, const struct calls *calls,
                     struct json *json) {
    const struct call_function *function = function_of(calls, row);
    json_object(json, NULL);
    json_text(json, "name", trace_text(calls->trace, function->name));
    json_text(json, "module", trace_text(calls->trace, function->module));
    json_text(json, "file", trace_text(calls->trace, function->file));
    json_count(json, "line", function->line);
    json_count(json, "calls", row->calls);
    json_integer(json, "total_ns", row->total_ns);
    json_integer(json, "self_ns", row->self_ns);
    json_integer(json, "mean_ns", row->mean_ns);
    json_integer(json, "min_ns", row->min_ns);
    json_integer(json, "p50_ns", row->p50_ns);
    json_integer(json, "p99_ns", row->p99_ns);
    json_integer(json, "max_ns", row->max_ns);
    json_integer(json, "waiting_ns", row->waiting_ns);
    json_count(json, "exceptions", row->exceptions);
    json_count(json, "no_end", row->open);
    json_end(json);
}

void function_table_json(const struct call_stats *stats, const struct calls *calls,
                         struct json *json, const char *key, uint32_t rows) {
    uint32_t listed = 0;
    json_array(json, key);
    for (uint32_t i = 0; i < stats->count; i++)
        if (is_listed(calls, &stats->rows[i]) && (listed++ < rows || !rows))
            row_json(&stats->rows[i], calls, json);
    json_end(json);
}
