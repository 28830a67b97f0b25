/* See report.h: the tables as one comma-separated table, for spreadsheets and programs. */
#include <inttypes.h>

#include "cli/report_data.h"
#include "model/processes.h"
#include "output/csv_text.h"
#include "output/hot_table.h"

static const char heading[] =
    "table,name,category,file,line,process,pid,thread,tid,begin_ns,count,total_count,self_ns,"
    "total_ns,mean_ns,p50_ns,p99_ns,max_ns,cpu_ns,gil_ns,gil_wait_ns,errors,no_end" CSV_END;

/* An empty cell. */
static const int64_t not_known = INT64_MIN;

/* A row: what a table does not have is empty. */
struct row {
    const char *table, *name, *category, *file, *process, *thread;
    int64_t line, pid, tid, begin_ns, count, total_count, self_ns, total_ns, mean_ns, p50_ns,
        p99_ns, max_ns, cpu_ns, gil_ns, gil_wait_ns, errors, no_end;
};

static struct row new_row(const char *table) {
    int64_t no = not_known;
    return (struct row){table, "", "", "", "", "", no, no, no, no, no, no,
                        no,    no, no, no, no, no, no, no, no, no, no};
}

static void put_number(FILE *to, int64_t number) {
    fputc(',', to);
    if (number != not_known)
        fprintf(to, "%" PRId64, number);
}

static void put_text(FILE *to, const char *text) {
    fputc(',', to);
    csv_put_text(to, text);
}

static void put_row(FILE *to, const struct row *row) {
    const int64_t numbers[] = {row->begin_ns, row->count,   row->total_count, row->self_ns,
                               row->total_ns, row->mean_ns, row->p50_ns,      row->p99_ns,
                               row->max_ns,   row->cpu_ns,  row->gil_ns,      row->gil_wait_ns,
                               row->errors,   row->no_end};
    csv_put_text(to, row->table);
    put_text(to, row->name);
    put_text(to, row->category);
    put_text(to, row->file);
    put_number(to, row->line);
    put_text(to, row->process);
    put_number(to, row->pid);
    put_text(to, row->thread);
    put_number(to, row->tid);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_number(to, numbers[i]);
    fputs(CSV_END, to);
}

static uint32_t shown(const struct report_data *data, uint32_t count) {
    uint32_t rows = data->request->rows;
    return rows && rows < count ? rows : count;
}

static void add_samples(struct row *row, const struct sample_times *self,
                        const struct sample_times *total) {
    row->count = (int64_t)self->count;
    row->total_count = (int64_t)total->count;
    row->self_ns = (int64_t)self->ns[SAMPLE_WALL];
    row->total_ns = (int64_t)total->ns[SAMPLE_WALL];
    row->cpu_ns = (int64_t)self->ns[SAMPLE_CPU];
    row->gil_ns = (int64_t)self->ns[SAMPLE_GIL];
    row->gil_wait_ns = (int64_t)self->ns[SAMPLE_GIL_WAIT];
}

static void put_hot(FILE *to, const struct report_data *data) {
    static const char *const tables[] = {[GROUP_FUNCTIONS] = "samples by function",
                                         [GROUP_LINES] = "samples by line",
                                         [GROUP_FILES] = "samples by file",
                                         [GROUP_MODULES] = "samples by module"};
    uint32_t count;
    const struct profile_function *functions = profile_functions(data->profile, &count);
    for (uint32_t i = 0; i < shown(data, data->hot.count); i++) {
        const struct hot_row *hot = &data->hot.rows[i];
        const struct profile_function *function = &functions[hot->function];
        struct sample_times self = {.count = hot->self_count}, total = {.count = hot->total_count};
        struct row row = new_row(tables[data->grouping]);
        for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++) {
            self.ns[weight] = hot->self_ns[weight];
            total.ns[weight] = hot->total_ns[weight];
        }
        struct text name = {0};
        hot_table_add_name(&name, function, data->grouping);
        row.name = text_of(&name);
        row.file = function->file;
        if (function->first_line || hot->hot_line)
            row.line = hot->hot_line ? hot->hot_line : function->first_line;
        add_samples(&row, &self, &total);
        put_row(to, &row);
        text_free(&name);
    }
}

static void put_threads(FILE *to, const struct report_data *data) {
    const struct trace *trace = data->trace;
    int processes = data->request->by == REPORT_BY_PROCESS;
    for (uint32_t i = 0; i < shown(data, data->busy.count); i++) {
        const struct busy *busy = &data->busy.rows[i];
        const struct thread *thread = &trace->threads[busy->thread];
        struct row row = new_row(processes ? "processes" : "threads");
        row.process = trace_text(trace, trace->processes[thread->process].name);
        row.pid = thread->pid;
        row.thread = processes ? "" : trace_text(trace, thread->name);
        row.tid = processes ? not_known : thread->tid;
        add_samples(&row, &busy->times, &busy->times);
        put_row(to, &row);
    }
}

static void put_sampled_spans(FILE *to, const struct report_data *data) {
    for (uint32_t i = 0; i < shown(data, data->by_span.count); i++) {
        const struct span_samples_row *from = &data->by_span.rows[i];
        struct row row = new_row("samples by span");
        row.name = trace_text(data->trace, from->name);
        row.category = trace_text(data->trace, from->category);
        add_samples(&row, &from->self, &from->total);
        put_row(to, &row);
    }
}

static void put_calls(FILE *to, const struct report_data *data) {
    const struct trace *trace = data->trace;
    uint32_t listed = 0;
    for (uint32_t i = 0; i < data->calls.count; i++) {
        const struct call_stats_row *from = &data->calls.rows[i];
        const struct call_function *function = &data->functions.functions[from->function];
        struct row row = new_row("calls");
        if (function->kind == FUNCTION_SPAN || listed++ >= shown(data, UINT32_MAX))
            continue;
        row.name = trace_text(trace, function->name);
        row.category = trace_text(trace, function->module);
        row.file = trace_text(trace, function->file);
        row.line = function->line ? (int64_t)function->line : not_known;
        row.count = (int64_t)from->calls;
        row.self_ns = from->self_ns;
        row.total_ns = from->total_ns;
        row.mean_ns = from->mean_ns;
        row.p50_ns = from->p50_ns;
        row.p99_ns = from->p99_ns;
        row.max_ns = from->max_ns;
        row.errors = (int64_t)from->exceptions;
        row.no_end = (int64_t)from->open;
        put_row(to, &row);
    }
}

static void put_spans(FILE *to, const struct report_data *data) {
    for (uint32_t i = 0; i < shown(data, data->spans.count); i++) {
        const struct summary_row *from = &data->spans.rows[i];
        struct row row = new_row("spans");
        row.name = trace_text(data->trace, from->name);
        row.category = trace_text(data->trace, from->category);
        row.count = (int64_t)from->count;
        row.errors = (int64_t)from->errors;
        row.no_end = (int64_t)from->open;
        if (from->open < from->count) {
            row.total_ns = from->total_ns;
            row.mean_ns = from->mean_ns;
            row.p50_ns = from->p50_ns;
            row.p99_ns = from->p99_ns;
            row.max_ns = from->max_ns;
        }
        put_row(to, &row);
    }
}

static void put_slowest(FILE *to, const struct report_data *data) {
    const struct trace *trace = data->trace;
    for (uint32_t i = 0; i < data->slowest.count; i++) {
        const struct span *span = &trace->spans[data->slowest.spans[i]];
        const struct track *owner = track_owner(trace, &trace->reader.tracks.all[span->track]);
        struct row row = new_row("slowest spans");
        row.name = trace_text(trace, span->name);
        row.category = trace_text(trace, span->category);
        row.begin_ns = span->begin_ns - trace->first_ns;
        row.total_ns = span->duration_ns;
        if (owner) {
            row.process = owner->process == MAP_NONE
                              ? ""
                              : trace_text(trace, trace->processes[owner->process].name);
            row.pid = owner->pid;
        }
        if (owner && owner->kind == TRACK_THREAD) {
            row.thread = trace_text(trace, owner->name);
            row.tid = owner->tid;
        }
        put_row(to, &row);
    }
}

int report_tables_csv(struct trace *trace, const struct report_request *request, FILE *to) {
    struct report_data data;
    int error = report_data_make(&data, trace, request);
    if (!error) {
        fputs(heading, to);
        put_threads(to, &data);
        if (data.profile && report_is_by_place(request))
            put_hot(to, &data);
        put_sampled_spans(to, &data);
        put_calls(to, &data);
        put_spans(to, &data);
        put_slowest(to, &data);
    }
    report_data_free(&data);
    return error;
}
