/* See thread_table.h. */
#include "output/thread_table.h"

#include "output/hot_table.h"

enum { COLUMNS_MAX = 11, NAME_COLUMNS_MIN = 7 };

/* Which columns there are: those that say something in this table. */
struct shape {
    struct table_column columns[COLUMNS_MAX];
    unsigned count;
    int threads, samples, spans;
};

static void add_column(struct shape *shape, const char *title, enum table_align align,
                       size_t min_columns) {
    shape->columns[shape->count++] = (struct table_column){title, align, min_columns};
}

static void find_shape(const struct busy_list *list, int processes, struct shape *shape) {
    static const char *const states[] = {"CPU", "GIL", "WAIT", "OFF"};
    *shape = (struct shape){.threads = !processes};
    for (uint32_t i = 0; i < list->count; i++) {
        shape->samples |= list->rows[i].times.count != 0;
        shape->spans |= list->rows[i].spans != 0;
    }
    add_column(shape, "PROCESS", ALIGN_LEFT, NAME_COLUMNS_MIN);
    add_column(shape, "PID", ALIGN_RIGHT, 0);
    if (shape->threads) {
        add_column(shape, "THREAD", ALIGN_LEFT, NAME_COLUMNS_MIN);
        add_column(shape, "TID", ALIGN_RIGHT, 0);
    }
    if (shape->samples)
        add_column(shape, "SAMPLES", ALIGN_RIGHT, 0);
    for (size_t i = 0; shape->samples && i < sizeof states / sizeof *states; i++)
        add_column(shape, states[i], ALIGN_RIGHT, 0);
    if (shape->spans && !shape->samples) /* 80 columns have no room for all */
        add_column(shape, "SPANS", ALIGN_RIGHT, 0);
    if (shape->spans)
        add_column(shape, "IN SPANS", ALIGN_RIGHT, 0);
}

static void add_percent(struct table *table, uint64_t part, uint64_t all) {
    if (all)
        text_addf(table_cell(table), "%.1f%%", 100.0 * (double)part / (double)all);
    else
        table_text(table, "");
}

static void add_row(struct table *table, const struct shape *shape, const struct trace *trace,
                    const struct busy *row) {
    const struct thread *thread = &trace->threads[row->thread];
    uint64_t wall = row->times.ns[SAMPLE_WALL];
    table_text(table, trace_text(trace, trace->processes[thread->process].name));
    text_addf(table_cell(table), "%lld", (long long)thread->pid);
    if (shape->threads) {
        table_text(table, trace_text(trace, thread->name));
        text_addf(table_cell(table), "%lld", (long long)thread->tid);
    }
    if (shape->samples) {
        table_count(table, row->times.count, 1);
        add_percent(table, row->times.ns[SAMPLE_CPU], wall);
        add_percent(table, row->times.ns[SAMPLE_GIL], wall);
        add_percent(table, row->times.ns[SAMPLE_GIL_WAIT], wall);
        add_percent(table, sample_idle_ns(&row->times), wall);
    }
    if (shape->spans && !shape->samples)
        table_count(table, row->spans, 1);
    if (shape->spans && row->spans)
        table_duration(table, row->in_spans_ns);
    else if (shape->spans)
        table_text(table, "");
}

void thread_table_print(const struct busy_list *list, const struct trace *trace, int processes,
                        FILE *to, uint32_t rows, const struct table_style *style) {
    struct shape shape;
    struct table table;
    uint32_t shown = rows && rows < list->count ? rows : list->count;
    find_shape(list, processes, &shape);
    table_init(&table, shape.columns, shape.count);
    for (uint32_t i = 0; i < shown; i++)
        add_row(&table, &shape, trace, &list->rows[i]);
    table_print(&table, to, style);
    table_free(&table);
    table_print_more(list->count - shown, to, style);
}

void thread_table_json(const struct busy_list *list, const struct trace *trace, int processes,
                       struct json *json, const char *key, uint32_t rows) {
    json_array(json, key);
    for (uint32_t i = 0; i < list->count && (!rows || i < rows); i++) {
        const struct busy *row = &list->rows[i];
        const struct thread *thread = &trace->threads[row->thread];
        json_object(json, NULL);
        json_integer(json, "pid", thread->pid);
        json_text(json, "process", trace_text(trace, trace->processes[thread->process].name));
        if (!processes) {
            json_integer(json, "tid", thread->tid);
            json_text(json, "name", trace_text(trace, thread->name));
        }
        sample_times_json(json, "times", &row->times);
        json_count(json, "spans", row->spans);
        json_integer(json, "in_spans_ns", row->in_spans_ns);
        json_end(json);
    }
    json_end(json);
}
