/* What holds of a trace, whatever bytes it was read from. */
#ifndef MAREY_FUZZ_TRACE_CHECKS_H
#define MAREY_FUZZ_TRACE_CHECKS_H

#include <stdio.h>
#include <stdlib.h>

#include "marey.h"
#include "model/sample_profile.h"
#include "model/summary.h"
#include "output/difference_table.h"
#include "output/hot_table.h"
#include "output/span_tables.h"
#include "output/summary_table.h"
#include "output/thread_table.h"

static inline void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* What an event says lies within the tables, and what is inside a value within that value. */
static inline void check_details(const struct arguments *arguments) {
    for (uint32_t i = 1; i < arguments->detail_count; i++) {
        const struct detail *detail = &arguments->details[i];
        uint32_t end = detail->first + detail->size;
        require(end >= detail->first && end <= arguments->value_count, "values are not there");
        require(detail->end < arguments->detail_count, "an end's detail is not there");
        require(!detail->source || detail->source < arguments->source_count, "no such source");
        for (uint32_t at = detail->first; at < end; at++)
            require(arguments->values[at].inside < end - at, "a value reaches beyond its event");
    }
}

static inline void check_spans(const struct trace *trace) {
    for (uint32_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        require(span->begin_ns >= 0 && span->duration_ns >= -1, "a span has an impossible time");
        require(span->track < trace->reader.tracks.count, "a span is on no track");
        require(span->depth < SPAN_DEPTH_MAX, "a span is too deep");
        require(span->parent == MAP_NONE ? span->depth == 0 : span->parent < i,
                "a span has an impossible parent");
    }
}

/* What a sample names is there, stacks end, and times do not go back. */
static inline void check_samples(const struct trace *trace) {
    const struct samples *samples = &trace->reader.samples;
    for (uint32_t i = 1; i < samples->stack_count; i++) {
        require(samples->stacks[i].parent < i, "a stack goes on from a later one");
        require(samples->stacks[i].frame < samples->frame_count, "a stack has no such frame");
    }
    for (uint32_t i = 0; i < samples->frame_count; i++)
        require(samples->frames[i].function < samples->function_count, "no such function");
    for (uint32_t i = 0; i < samples->count; i++) {
        const struct taken_sample *sample = &samples->all[i];
        require(sample->thread < samples->thread_count, "a sample is of no thread");
        require(!sample->stack || sample->stack < samples->stack_count, "no such stack");
        require(sample->time_ns >= 0, "a sample has an impossible time");
        require(!i || samples->all[i - 1].time_ns <= sample->time_ns, "samples go back in time");
    }
    for (uint32_t i = 0; i < samples->thread_count; i++)
        require(samples->threads[i].thread < trace->thread_count, "a sampled thread is no thread");
    for (uint32_t i = 0; i < trace->thread_count; i++)
        require(trace->threads[i].process < trace->process_count, "a thread of no process");
}

/* What goes to a terminal holds no control character but the ends of lines. */
static inline void check_shown(const char *shown, size_t size) {
    for (size_t i = 0; i < size; i++)
        require((unsigned char)shown[i] >= 0x20 || shown[i] == '\n',
                "a control character is shown");
}

static inline void check_output(const struct summary *summary, const struct trace *trace) {
    struct table_style style = {80, 0, "  ", 0};
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    struct json json;
    if (!to)
        return;
    summary_table_print(summary, trace, to, 0, &style);
    json_init(&json, to, 0);
    summary_table_json(summary, trace, &json, NULL, 0);
    fclose(to);
    check_shown(shown, size);
    free(shown);
}

/* A trace does not differ from itself. */
static inline void check_difference(struct trace *trace) {
    const struct trace_filter all = {.processes = NULL};
    const struct patterns names = {NULL, 0};
    struct difference same = {.timed = {0}};
    struct difference_style style = {.all = 1};
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    require(to && !difference_take(&same, BEFORE, trace, &all, GROUP_FUNCTIONS) &&
                !difference_take(&same, AFTER, trace, &all, GROUP_FUNCTIONS) &&
                !difference_settle(&same, &names),
            "memory is short");
    for (uint32_t i = 0; i < same.share_count; i++)
        require(same.shares[i].certainty == CERTAINTY_NOISE, "a share differs from itself");
    for (uint32_t i = 0; i < same.span_count; i++)
        require(same.spans[i].certainty == CERTAINTY_NOISE, "a span differs from itself");
    difference_print(&same, to, &style);
    fclose(to);
    check_shown(shown, size);
    free(shown);
    difference_free(&same);
}

/* The samples as tables. Every one is in the profile. */
static inline void check_report(const struct trace *trace) {
    const struct trace_filter all = {.processes = NULL};
    struct table_style style = {80, 0, "  ", 0};
    struct busy_list busy;
    struct span_samples spans;
    struct profile *profile;
    struct hot hot = {.rows = NULL};
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    require(to && !busy_make(&busy, trace, &all, 0) && !span_samples_make(&spans, trace, &all),
            "memory is short");
    require(spans.all.count == trace->samples, "samples are missing by span");
    require(sample_profile(&profile, trace, &all, GROUP_FUNCTIONS, NULL) == 0, "no profile");
    require(hot_make(&hot, profile, HOT_BY_SELF) == 0, "no table");
    require(hot.samples == trace->samples, "samples are missing in the profile");
    hot_table_print(&hot, profile, GROUP_FUNCTIONS, NULL, to, 0, &style);
    thread_table_print(&busy, trace, 0, to, 0, &style);
    span_samples_print(&spans, trace, to, 0, &style);
    fclose(to);
    check_shown(shown, size);
    hot_free(&hot);
    profile_close(profile);
    busy_free(&busy);
    span_samples_free(&spans);
    free(shown);
}

/* Reads the bytes, and checks all that is made of them. */
static inline void check_trace(const uint8_t *data, size_t size) {
    static const unsigned keeps[] = {0, TRACE_ARGUMENTS | TRACE_FLOWS, TRACE_CALLS | TRACE_LEAN};
    struct trace trace;
    struct summary summary = {0};
    int error = trace_read_memory(&trace, data, size, keeps[size % 3]);
    require(error == 0 || error == MAREY_ENOMEM || error == MAREY_ENOTRACE,
            "bytes in memory cannot be read");
    require(error == MAREY_ENOMEM || trace.reader.file_bytes == size,
            "reading stopped before the end");
    if (!error && summary_make(&summary, &trace) == 0) {
        check_spans(&trace);
        check_details(&trace.reader.arguments);
        check_samples(&trace);
        if (trace.samples)
            check_report(&trace);
        check_difference(&trace);
        check_output(&summary, &trace);
    }
    summary_free(&summary);
    trace_free(&trace);
}

#endif
