/* See hot_table.h: how samples were taken, and what threads did meanwhile. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "output/hot_table.h"

enum { NAME_COLUMNS_MIN = 12 };

static void add_count(struct text *to, uint64_t count) {
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, count);
    text_add(to, shown);
}

void sampling_sentence(struct text *to, const struct sampling *sampling, uint64_t count) {
    add_count(to, count);
    text_add(to, count == 1 ? " sample" : " samples");
    if (sampling->rate > 0) {
        text_add(to, " at ");
        add_count(to, (uint64_t)(sampling->rate + 0.5));
        text_add(to, "/s of ");
        add_count(to, (1000000000 + sampling->interval_ns / 2) / sampling->interval_ns);
    }
    if (!sampling->known)
        return;
    uint64_t tried = sampling->taken + sampling->torn;
    text_add(to, ", ");
    add_count(to, sampling->torn);
    text_addf(to, " torn (%.2f%%), ", tried ? 100.0 * (double)sampling->torn / (double)tried : 0.0);
    add_count(to, sampling->missed);
    text_add(to, " missed");
}

static double percent(uint64_t part, uint64_t all) {
    return all ? 100.0 * (double)part / (double)all : 0;
}

/* Neither on a CPU nor waiting for the GIL: it sleeps, waits for something else, or for a CPU. */
static uint64_t off_ns(const struct sample_times *times) {
    uint64_t busy = times->ns[SAMPLE_CPU] + times->ns[SAMPLE_GIL_WAIT];
    return busy < times->ns[SAMPLE_WALL] ? times->ns[SAMPLE_WALL] - busy : 0;
}

void sample_states(struct text *to, const struct sample_times *times) {
    uint64_t wall = times->ns[SAMPLE_WALL];
    text_addf(to,
              "on CPU %.1f%%, waiting for the GIL %.1f%%, otherwise off CPU %.1f%%; holding the "
              "GIL %.1f%%",
              percent(times->ns[SAMPLE_CPU], wall), percent(times->ns[SAMPLE_GIL_WAIT], wall),
              percent(off_ns(times), wall), percent(times->ns[SAMPLE_GIL], wall));
}

void sample_times_json(struct json *json, const char *key, const struct sample_times *times) {
    json_object(json, key);
    json_count(json, "samples", times->count);
    json_count(json, "wall_ns", times->ns[SAMPLE_WALL]);
    json_count(json, "cpu_ns", times->ns[SAMPLE_CPU]);
    json_count(json, "gil_ns", times->ns[SAMPLE_GIL]);
    json_count(json, "gil_wait_ns", times->ns[SAMPLE_GIL_WAIT]);
    json_end(json);
}

/* ------------------------------------------------------------------- threads */

struct row {
    uint32_t thread; /* sampled */
    struct sample_times times;
};

static int by_time(const void *a, const void *b) {
    const struct row *left = a, *right = b;
    uint64_t mine = left->times.ns[SAMPLE_WALL], other = right->times.ns[SAMPLE_WALL];
    if (mine != other)
        return mine > other ? -1 : 1;
    if (left->times.count != right->times.count)
        return left->times.count > right->times.count ? -1 : 1;
    return left->thread < right->thread ? -1 : left->thread > right->thread;
}

/* NULL where memory is short. The caller frees. */
static struct row *sorted_rows(const struct trace *trace, const struct sample_times *times,
                               uint32_t *count) {
    uint32_t threads = trace->reader.samples.thread_count;
    struct row *rows = malloc((threads + 1) * sizeof *rows);
    *count = 0;
    for (uint32_t i = 0; rows && i < threads; i++)
        if (times[i].count)
            rows[(*count)++] = (struct row){i, times[i]};
    if (rows)
        qsort(rows, *count, sizeof *rows, by_time);
    return rows;
}

static void add_percent(struct table *table, uint64_t part, uint64_t all) {
    text_addf(table_cell(table), "%.1f%%", percent(part, all));
}

static void add_row(struct table *table, const struct trace *trace, const struct row *row) {
    const struct sampled_thread *sampled = &trace->reader.samples.threads[row->thread];
    const struct thread *thread = &trace->threads[sampled->thread];
    uint64_t wall = row->times.ns[SAMPLE_WALL];
    table_text(table, trace_text(trace, trace->processes[thread->process].name));
    text_addf(table_cell(table), "%lld", (long long)thread->pid);
    table_text(table, trace_text(trace, thread->name));
    text_addf(table_cell(table), "%lld", (long long)thread->tid);
    table_count(table, row->times.count, 0);
    add_percent(table, row->times.ns[SAMPLE_CPU], wall);
    add_percent(table, row->times.ns[SAMPLE_GIL], wall);
    add_percent(table, row->times.ns[SAMPLE_GIL_WAIT], wall);
    add_percent(table, off_ns(&row->times), wall);
}

void thread_table_print(const struct trace *trace, const struct sample_times *times, FILE *to,
                        uint32_t rows, const struct table_style *style) {
    static const struct table_column columns[] = {{"PROCESS", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                  {"PID", ALIGN_RIGHT, 0},
                                                  {"THREAD", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                  {"TID", ALIGN_RIGHT, 0},
                                                  {"SAMPLES", ALIGN_RIGHT, 0},
                                                  {"CPU", ALIGN_RIGHT, 0},
                                                  {"GIL", ALIGN_RIGHT, 0},
                                                  {"WAIT", ALIGN_RIGHT, 0},
                                                  {"OFF", ALIGN_RIGHT, 0}};
    char more[DISPLAY_ROOM];
    struct table table;
    uint32_t count;
    struct row *all = sorted_rows(trace, times, &count);
    uint32_t shown = rows && rows < count ? rows : count;
    table_init(&table, columns, 9);
    for (uint32_t i = 0; all && i < shown; i++)
        add_row(&table, trace, &all[i]);
    table.failed |= !all;
    table_print(&table, to, style);
    table_free(&table);
    free(all);
    if (shown < count) {
        display_count(more, sizeof more, count - shown);
        fprintf(to, "%s... and %s more\n", style->indent ? style->indent : "", more);
    }
}

void thread_table_json(const struct trace *trace, const struct sample_times *times,
                       struct json *json, const char *key, uint32_t rows) {
    uint32_t count;
    struct row *all = sorted_rows(trace, times, &count);
    json_array(json, key);
    for (uint32_t i = 0; all && i < count && (!rows || i < rows); i++) {
        const struct sampled_thread *sampled = &trace->reader.samples.threads[all[i].thread];
        const struct thread *thread = &trace->threads[sampled->thread];
        json_object(json, NULL);
        json_integer(json, "pid", thread->pid);
        json_text(json, "process", trace_text(trace, trace->processes[thread->process].name));
        json_integer(json, "tid", thread->tid);
        json_text(json, "name", trace_text(trace, thread->name));
        sample_times_json(json, "times", &all[i].times);
        json_end(json);
    }
    json_end(json);
    free(all);
}
