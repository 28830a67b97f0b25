/* See info.h. */
#include <string.h>
#include <time.h>

#include "cli/info.h"

enum { VALUE_COLUMNS_MIN = 20, NAME_COLUMNS_MIN = 16 };

/* An earlier time is not one of a wall clock: some writers begin at 0. */
static const int64_t WALL_MIN_NS = 31536000000000000; /* 1971 */

static void title(const char *text) {
    printf("\n%s\n", text);
}

/* Prints a table that may have been cut, with how many rows are missing. */
static void finish_table(struct table *table, const struct info_request *request, uint64_t rows,
                         uint64_t shown) {
    table_print(table, stdout, &request->style);
    table_free(table);
    if (shown < rows)
        printf("  ... and %llu more\n", (unsigned long long)(rows - shown));
}

static int has_room(const struct info_request *request, uint64_t shown) {
    return !request->rows || shown < request->rows;
}

static void add_fact(struct table *table, const char *key, const struct text *value) {
    text_add(table_cell(table), key);
    display_add(table_cell(table), text_of(value), 0);
}

static void add_start(struct table *facts, const struct trace *trace) {
    struct text value = {0};
    char when[64];
    int64_t wall_ns = timebase_wall_ns(&trace->reader.timebase, trace->first_ns);
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm local;
    if (wall_ns < WALL_MIN_NS || !localtime_r(&seconds, &local))
        return;
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local);
    text_addf(&value, "%s.%03d ", when, (int)(wall_ns / 1000000 % 1000));
    strftime(when, sizeof when, "%z", &local);
    text_add(&value, when);
    add_fact(facts, "started", &value);
    text_free(&value);
}

static void add_size(struct table *facts, const struct trace *trace) {
    const struct reader *reader = &trace->reader;
    struct text value = {0};
    char shown[DISPLAY_ROOM];
    display_size(shown, sizeof shown, reader->size_bytes ? reader->size_bytes : reader->file_bytes);
    text_add(&value, shown);
    if (reader->events && !trace->samples)
        text_addf(&value, ", %.1f bytes an event",
                  (double)(reader->file_bytes - reader->filler_bytes) / (double)reader->events);
    if (reader->filler_bytes) {
        display_size(shown, sizeof shown, reader->filler_bytes);
        text_addf(&value, ", %s not used", shown);
    }
    if (reader->compressed)
        text_add(&value, ", gzip'ed");
    add_fact(facts, "size", &value);
    text_free(&value);
}

static void add_counted(struct table *facts, const char *key, uint64_t count) {
    struct text value = {0};
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, count);
    text_add(&value, shown);
    if (count)
        add_fact(facts, key, &value);
    text_free(&value);
}

static void add_spans(struct table *facts, const struct trace *trace) {
    struct text value = {0};
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, trace->span_count);
    text_add(&value, shown);
    if (trace->open_spans) {
        display_count(shown, sizeof shown, trace->open_spans);
        text_addf(&value, ", %s without an end", shown);
    }
    add_fact(facts, "spans", &value);
    text_free(&value);
}

static void add_attributes(struct table *facts, const struct trace *trace) {
    for (uint32_t i = 0; i < trace->reader.attribute_count; i++) {
        const struct attribute *attribute = &trace->reader.attributes[i];
        table_text(facts, trace_text(trace, attribute->key));
        if (attribute->is_number)
            text_addf(table_cell(facts), "%lld", (long long)attribute->number);
        else
            table_text(facts, trace_text(trace, attribute->text));
    }
}

static void print_facts(const struct trace *trace, const struct info_request *request) {
    static const struct table_column columns[] = {{"", ALIGN_LEFT, 8},
                                                  {"", ALIGN_LEFT, VALUE_COLUMNS_MIN}};
    struct table_style style = request->style;
    struct text value = {0};
    struct table facts;
    char shown[DISPLAY_ROOM];
    style.untitled = 1;
    table_init(&facts, columns, 2);
    add_start(&facts, trace);
    display_duration(shown, sizeof shown, trace->last_ns - trace->first_ns);
    text_add(&value, shown);
    add_fact(&facts, "duration", &value);
    text_free(&value);
    add_size(&facts, trace);
    add_counted(&facts, "events", trace->reader.events);
    add_spans(&facts, trace);
    add_counted(&facts, "instants", trace->instants);
    add_counted(&facts, "counter values", trace->values);
    add_counted(&facts, "states", trace->states);
    add_counted(&facts, "flows", trace->flows);
    add_counted(&facts, "samples", trace->samples);
    add_attributes(&facts, trace);
    table_print(&facts, stdout, &style);
    table_free(&facts);
}

/* Samples have a column where there are any; the command, which is long, stands last. */
static void print_processes(const struct trace *trace, const struct info_request *request) {
    static const struct table_column samples = {"SAMPLES", ALIGN_RIGHT, 0};
    static const struct table_column command = {"COMMAND", ALIGN_LEFT, NAME_COLUMNS_MIN};
    const struct table_column columns[] = {{"PID", ALIGN_RIGHT, 0},
                                           {"PROCESS", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                           {"THREADS", ALIGN_RIGHT, 0},
                                           {"EVENTS", ALIGN_RIGHT, 0},
                                           {"SPANS", ALIGN_RIGHT, 0},
                                           trace->samples ? samples : command,
                                           command};
    struct table table;
    uint32_t shown = 0;
    if (!trace->process_count)
        return;
    title("Processes");
    table_init(&table, columns, trace->samples ? 7 : 6);
    for (; shown < trace->process_count && has_room(request, shown); shown++) {
        const struct process *process = &trace->processes[shown];
        text_addf(table_cell(&table), "%lld", (long long)process->pid);
        table_text(&table, trace_text(trace, process->name));
        table_count(&table, process->threads, 0);
        table_count(&table, process->events, 0);
        table_count(&table, process->spans, 0);
        if (trace->samples)
            table_count(&table, process->samples, 1);
        table_text(&table, trace_text(trace, process->command_line));
    }
    finish_table(&table, request, trace->process_count, shown);
}

static void print_threads(const struct trace *trace, const struct info_request *request) {
    static const struct table_column columns[] = {{"PID", ALIGN_RIGHT, 0},
                                                  {"TID", ALIGN_RIGHT, 0},
                                                  {"THREAD", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                  {"EVENTS", ALIGN_RIGHT, 0},
                                                  {"SPANS", ALIGN_RIGHT, 0},
                                                  {"SAMPLES", ALIGN_RIGHT, 0}};
    struct table table;
    uint32_t shown = 0;
    if (!trace->thread_count)
        return;
    title("Threads");
    table_init(&table, columns, trace->samples ? 6 : 5);
    for (; shown < trace->thread_count && has_room(request, shown); shown++) {
        const struct thread *thread = &trace->threads[shown];
        text_addf(table_cell(&table), "%lld", (long long)thread->pid);
        text_addf(table_cell(&table), "%lld", (long long)thread->tid);
        table_text(&table, trace_text(trace, thread->name));
        table_count(&table, thread->events, 0);
        table_count(&table, thread->spans, 0);
        if (trace->samples)
            table_count(&table, thread->samples, 1);
    }
    finish_table(&table, request, trace->thread_count, shown);
}

int info_is_counter(const struct trace *trace, const struct track *track) {
    return track->kind == TRACK_COUNTER && track->values && !trace_is_loss(trace, track);
}

int info_is_other_track(const struct track *track) {
    return track->total && track->kind != TRACK_THREAD && track->kind != TRACK_COUNTER;
}

static void add_pid(struct table *table, const struct trace *trace, const struct track *track) {
    struct text *cell = table_cell(table);
    if (track->process != MAP_NONE)
        text_addf(cell, "%lld", (long long)trace->processes[track->process].pid);
}

static const char *track_name(const struct trace *trace, const struct track *track) {
    if (track->name)
        return trace_text(trace, track->name);
    return track->kind == TRACK_PROCESS ? "(process)" : "(no name)";
}

static void print_tracks(const struct trace *trace, const struct info_request *request) {
    static const struct table_column columns[] = {{"PID", ALIGN_RIGHT, 0},
                                                  {"TRACK", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                  {"EVENTS", ALIGN_RIGHT, 0},
                                                  {"SPANS", ALIGN_RIGHT, 0}};
    struct table table;
    uint32_t shown = 0, all = 0;
    table_init(&table, columns, 4);
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        const struct track *track = &trace->reader.tracks.all[i];
        if (!info_is_other_track(track) || !has_room(request, all++))
            continue;
        shown++;
        add_pid(&table, trace, track);
        table_text(&table, track_name(trace, track));
        table_count(&table, track->total, 0);
        table_count(&table, track->spans, 0);
    }
    if (all)
        title("Tracks");
    if (all)
        finish_table(&table, request, all, shown);
    else
        table_free(&table);
}

static void add_counter(struct table *table, const struct trace *trace, const struct track *track) {
    struct counter_range range;
    trace_counter_range(track, &range);
    add_pid(table, trace, track);
    table_text(table, track_name(trace, track));
    table_count(table, track->values, 0);
    text_addf(table_cell(table), "%g", range.least);
    text_addf(table_cell(table), "%g", range.most);
    text_addf(table_cell(table), "%g", range.last);
    table_text(table, trace_text(trace, track->unit));
}

static void print_counters(const struct trace *trace, const struct info_request *request) {
    static const struct table_column columns[] = {
        {"PID", ALIGN_RIGHT, 0},    {"COUNTER", ALIGN_LEFT, NAME_COLUMNS_MIN},
        {"VALUES", ALIGN_RIGHT, 0}, {"MIN", ALIGN_RIGHT, 0},
        {"MAX", ALIGN_RIGHT, 0},    {"LAST", ALIGN_RIGHT, 0},
        {"UNIT", ALIGN_LEFT, 6}};
    struct table table;
    uint32_t shown = 0, all = 0;
    table_init(&table, columns, 7);
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        const struct track *track = &trace->reader.tracks.all[i];
        if (!info_is_counter(trace, track) || !has_room(request, all++))
            continue;
        shown++;
        add_counter(&table, trace, track);
    }
    if (all)
        title("Counters");
    if (all)
        finish_table(&table, request, all, shown);
    else
        table_free(&table);
}

void info_print_text(const struct trace *trace, const char *path,
                     const struct info_request *request, const struct summary *summary) {
    report_head(trace, path);
    print_facts(trace, request);
    print_processes(trace, request);
    print_threads(trace, request);
    print_tracks(trace, request);
    print_counters(trace, request);
    if (request->spans && summary->count) {
        title("Spans");
        summary_table_print(summary, trace, stdout, request->rows, &request->style);
    }
}
