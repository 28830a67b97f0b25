/* See summary_table.h. */
#include "output/summary_table.h"

enum { COLUMNS_MAX = 10, NAME_COLUMNS_MIN = 12, CATEGORY_COLUMNS_MIN = 8 };

/* Which columns there are: those that say something in this table. */
struct shape {
    struct table_column columns[COLUMNS_MAX];
    unsigned count;
    int categories, errors, open;
};

static void add_column(struct shape *shape, const char *title, enum table_align align,
                       size_t min_columns) {
    shape->columns[shape->count++] = (struct table_column){title, align, min_columns};
}

static void find_shape(const struct summary *summary, struct shape *shape) {
    static const char *const times[] = {"TOTAL", "MEAN", "P50", "P99", "MAX"};
    *shape = (struct shape){.count = 0};
    for (uint32_t i = 0; i < summary->count; i++) {
        shape->categories |= summary->rows[i].category != 0;
        shape->errors |= summary->rows[i].errors != 0;
        shape->open |= summary->rows[i].open != 0;
    }
    add_column(shape, "SPAN", ALIGN_LEFT, NAME_COLUMNS_MIN);
    if (shape->categories)
        add_column(shape, "CATEGORY", ALIGN_LEFT, CATEGORY_COLUMNS_MIN);
    add_column(shape, "COUNT", ALIGN_RIGHT, 0);
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
        add_column(shape, times[i], ALIGN_RIGHT, 0);
    if (shape->errors)
        add_column(shape, "ERRORS", ALIGN_RIGHT, 0);
    if (shape->open)
        add_column(shape, "NO END", ALIGN_RIGHT, 0);
}

static const char *row_name(const struct trace *trace, const struct summary_row *row) {
    return row->name ? trace_text(trace, row->name) : "(no name)";
}

static void add_row(struct table *table, const struct shape *shape, const struct trace *trace,
                    const struct summary_row *row) {
    const int64_t times[] = {row->total_ns, row->mean_ns, row->p50_ns, row->p99_ns, row->max_ns};
    int none_ended = row->open == row->count;
    table_text(table, row_name(trace, row));
    if (shape->categories)
        table_text(table, trace_text(trace, row->category));
    table_count(table, row->count, 0);
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
        table_duration(table, none_ended ? -1 : times[i]);
    if (shape->errors)
        table_count(table, row->errors, 1);
    if (shape->open)
        table_count(table, row->open, 1);
}

void summary_table_print(const struct summary *summary, const struct trace *trace, FILE *to,
                         uint32_t rows, const struct table_style *style) {
    struct shape shape;
    struct table table;
    uint32_t shown = rows && rows < summary->count ? rows : summary->count;
    find_shape(summary, &shape);
    table_init(&table, shape.columns, shape.count);
    for (uint32_t i = 0; i < shown; i++)
        add_row(&table, &shape, trace, &summary->rows[i]);
    table_print(&table, to, style);
    table_free(&table);
    table_print_more(summary->count - shown, to, style);
}

static void time_json(struct json *json, const char *key, int64_t ns, int known) {
    if (known)
        json_integer(json, key, ns);
    else
        json_null(json, key);
}

void summary_table_json(const struct summary *summary, const struct trace *trace, struct json *json,
                        const char *key, uint32_t rows) {
    uint32_t shown = rows && rows < summary->count ? rows : summary->count;
    json_array(json, key);
    for (uint32_t i = 0; i < shown; i++) {
        const struct summary_row *row = &summary->rows[i];
        int known = row->open < row->count;
        json_object(json, NULL);
        json_text(json, "name", trace_text(trace, row->name));
        if (row->category)
            json_text(json, "category", trace_text(trace, row->category));
        json_count(json, "count", row->count);
        time_json(json, "total_ns", row->total_ns, known);
        time_json(json, "mean_ns", row->mean_ns, known);
        time_json(json, "p50_ns", row->p50_ns, known);
        time_json(json, "p99_ns", row->p99_ns, known);
        time_json(json, "max_ns", row->max_ns, known);
        json_count(json, "errors", row->errors);
        json_count(json, "no_end", row->open);
        json_end(json);
    }
    json_end(json);
}

static void add_count(struct text *text, uint64_t count, const char *one, const char *many) {
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, count);
    text_addf(text, "%s %s", shown, count == 1 ? one : many);
}

/* Those that recorded something, or of which something is recorded. */
static uint64_t busy_threads(const struct trace *trace) {
    uint64_t busy = 0;
    for (uint32_t i = 0; i < trace->thread_count; i++)
        busy += trace->threads[i].events > 0 || trace->threads[i].samples > 0;
    return busy;
}

static uint64_t busy_processes(const struct trace *trace) {
    uint64_t busy = 0;
    for (uint32_t i = 0; i < trace->process_count; i++)
        busy += trace->processes[i].events > 0 || trace->processes[i].samples > 0;
    return busy;
}

void summary_sentence(const struct trace *trace, struct text *text) {
    char duration[DISPLAY_ROOM];
    uint64_t threads = busy_threads(trace), processes = busy_processes(trace);
    if (trace->span_count || !trace->samples)
        add_count(text, trace->span_count, "span", "spans");
    if (trace->samples) {
        text_add(text, trace->span_count ? ", " : "");
        add_count(text, trace->samples, "sample", "samples");
    }
    if (threads) {
        text_add(text, ", ");
        add_count(text, threads, "thread", "threads");
    }
    if (processes) {
        text_add(text, ", ");
        add_count(text, processes, "process", "processes");
    }
    display_duration(duration, sizeof duration, trace->last_ns - trace->first_ns);
    text_addf(text, ", %s", duration);
}
