/* Spans or samples as a table: comma-separated, a heading, one row each, as RFC 4180 has it. Times in nanoseconds since the trace's first event. */
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "output/csv_text.h"
#include "output/digits.h"
#include "output/event_args.h"
#include "output/format.h"
#include "output/part.h"

struct table {
    FILE *to;
    const struct part *part;
    FILE *args_to; /* a row's arguments; a file in memory */
    char *args;
    size_t args_bytes;
    struct json json; /* on it */
};

/* -------------------------------------------------------------------- cells */

/* Behind a comma. */
static void put_number(struct table *table, int64_t value) {
    char cell[DIGITS_MAX + 1] = ",", *end = digits_integer(cell + 1, value);
    fwrite_unlocked(cell, 1, (size_t)(end - cell), table->to);
}

static void put_comma(struct table *table) {
    putc_unlocked(',', table->to);
}

static void put_args(struct table *table, uint32_t detail) {
    if (!detail)
        return;
    rewind(table->args_to);
    if (!event_args_json(&table->json, table->part->trace, NULL, detail))
        return;
    fputc(0, table->args_to);
    if (fflush(table->args_to) == 0)
        csv_put_quoted(table->to, table->args);
}

/* "app,100,worker,101," */
static void put_thread(struct table *table, const struct process *process, const char *name,
                       int64_t tid) {
    if (process) {
        csv_put_text(table->to, trace_text(table->part->trace, process->name));
        put_number(table, process->pid);
    } else {
        put_comma(table);
    }
    put_comma(table);
    csv_put_text(table->to, name);
    if (tid)
        put_number(table, tid);
    else
        put_comma(table);
    put_comma(table);
}

/* -------------------------------------------------------------------- spans */

static void put_track(struct table *table, const struct track *track) {
    const struct trace *trace = table->part->trace;
    const struct track *thread = part_thread(table->part, track);
    put_thread(table, part_process(table->part, track),
               thread ? trace_text(trace, thread->name) : "", thread ? thread->tid : 0);
    if (track != thread && track->kind != TRACK_PROCESS)
        csv_put_text(table->to, trace_text(trace, track->name));
    put_comma(table);
}

static void put_span(struct table *table, const struct span *span) {
    const struct trace *trace = table->part->trace;
    struct part_span cut;
    if (!part_has_span(table->part, span, &cut))
        return;
    put_track(table, &trace->reader.tracks.all[span->track]);
    csv_put_text(table->to, trace_text(trace, span->name));
    put_comma(table);
    csv_put_text(table->to, trace_text(trace, span->category));
    put_number(table, cut.begin_ns);
    if (cut.open)
        put_comma(table);
    else
        put_number(table, cut.end_ns - cut.begin_ns);
    put_number(table, span->depth);
    put_comma(table);
    put_args(table, span->detail);
    fputs_unlocked(CSV_END, table->to);
}

static int put_spans(struct table *table) {
    const struct trace *trace = table->part->trace;
    table->args_to = open_memstream(&table->args, &table->args_bytes);
    if (!table->args_to)
        return MAREY_ENOMEM;
    json_init(&table->json, table->args_to, 0);
    fputs("process,pid,thread,tid,track,name,category,begin_ns,duration_ns,depth,args" CSV_END,
          table->to);
    for (uint32_t i = 0; i < trace->span_count; i++)
        put_span(table, &trace->spans[i]);
    fclose(table->args_to);
    free(table->args);
    return 0;
}

/* ------------------------------------------------------------------ samples */

static void put_place(struct table *table, const struct samples *samples, uint32_t frame) {
    const struct stack_frame *at = &samples->frames[frame];
    const struct stack_function *function = &samples->functions[at->function];
    csv_put_text(table->to, trace_text(table->part->trace, function->name));
    put_comma(table);
    csv_put_text(table->to, trace_text(table->part->trace, function->file));
    if (at->line)
        put_number(table, at->line);
    else
        put_comma(table);
}

/* The functions, outermost first, with "; " between them. */
static void put_stack(struct table *table, const struct samples *samples, uint32_t stack) {
    uint32_t path[STACK_DEPTH_MAX + 1], depth = 0;
    struct text text = {0};
    for (; stack && depth <= STACK_DEPTH_MAX; stack = samples->stacks[stack].parent)
        path[depth++] = samples->frames[samples->stacks[stack].frame].function;
    while (depth) {
        text_add(&text, trace_text(table->part->trace, samples->functions[path[--depth]].name));
        text_add(&text, depth ? "; " : "");
    }
    csv_put_text(table->to, text_of(&text));
    text_free(&text);
}

static void put_sample(struct table *table, const struct taken_sample *sample) {
    const struct trace *trace = table->part->trace;
    const struct samples *samples = &trace->reader.samples;
    const struct thread *thread = &trace->threads[samples->threads[sample->thread].thread];
    put_thread(table, &trace->processes[thread->process], trace_text(trace, thread->name),
               thread->tid);
    csv_put_text(table->to, trace_text(trace, sample->task));
    put_number(table, part_since(table->part, sample->time_ns));
    put_number(table, sample->count);
    for (int i = 0; i < SAMPLE_WEIGHTS; i++)
        put_number(table, (int64_t)sample->weights_ns[i]);
    put_comma(table);
    if (sample->stack)
        put_place(table, samples, samples->stacks[sample->stack].frame);
    else
        fputs(",,", table->to);
    put_comma(table);
    put_stack(table, samples, sample->stack);
    fputs_unlocked(CSV_END, table->to);
}

static void put_samples(struct table *table) {
    const struct samples *samples = &table->part->trace->reader.samples;
    fputs("process,pid,thread,tid,task,time_ns,samples,wall_ns,cpu_ns,gil_ns,gil_wait_ns,function,"
          "file,line,stack" CSV_END,
          table->to);
    struct taken_sample cut;
    for (uint32_t i = 0; i < samples->count; i++)
        if (part_has_sample(table->part, &samples->all[i], &cut))
            put_sample(table, &cut);
}

/* ---------------------------------------------------------------------- all */

static int write_csv(FILE *to, struct trace *trace, const struct format_request *request) {
    struct part part;
    struct table table = {.to = to, .part = &part};
    int error = part_open(&part, trace, &request->filter);
    if (!error && request->of == STACKS_OF_SAMPLES)
        put_samples(&table);
    else if (!error)
        error = put_spans(&table);
    part_close(&part);
    return error;
}

static const char *const extensions[] = {".csv", NULL};
const struct format format_csv = {
    .name = "csv",
    .extensions = extensions,
    .summary = "a table: a row a span; with --of samples: a row a sample",
    .keep = TRACE_ARGUMENTS,
    .holds = HOLDS_ONE,
    .by_event = 1,
    .write = write_csv,
};
