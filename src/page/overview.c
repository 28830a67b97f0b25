/* api/trace: what is in the trace: facts, processes, threads; track_list.c has the tracks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "marey.h"
#include "output/display.h"
#include "page/formats.h"
#include "page/parts.h"

enum { PAGE_VERSION = 1, NOTES_MAX = 200 };

/* ------------------------------------------------------------------- facts */

/* "2026-11-21T13:15:08.087Z"; an earlier time than 1971 is not one of a wall clock: some writers begin at 0. */
static void write_began(struct asked *asked) {
    static const int64_t wall_min_ns = 31536000000000000;
    const struct trace *trace = asked->trace;
    int64_t wall_ns = timebase_wall_ns(&trace->reader.timebase, trace->first_ns);
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm utc;
    char day[40], shown[64];
    if (wall_ns < wall_min_ns || !gmtime_r(&seconds, &utc) ||
        !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc)) {
        json_null(asked->json, "began_at");
        return;
    }
    snprintf(shown, sizeof shown, "%s.%03dZ", day, (int)(wall_ns / 1000000 % 1000));
    json_text(asked->json, "began_at", shown);
}

/* What was run: the first process that says so. */
static void write_command(struct asked *asked) {
    const struct trace *trace = asked->trace;
    for (uint32_t i = 0; i < trace->process_count; i++)
        if (trace->processes[i].command_line) {
            json_text(asked->json, "command", trace_text(trace, trace->processes[i].command_line));
            return;
        }
    json_null(asked->json, "command");
}

static void write_counts(struct asked *asked) {
    const struct trace *trace = asked->trace;
    struct json *json = asked->json;
    uint64_t calls = asked->page->call_count;
    json_object(json, "counts");
    json_count(json, "spans", trace->span_count - calls);
    json_count(json, "calls", calls);
    json_count(json, "instants", trace->instants);
    json_count(json, "samples", trace->samples);
    json_count(json, "counters", trace->values);
    json_count(json, "flows", trace->flows);
    json_end(json);
}

static struct sample_times times_of(const struct asked *asked, uint32_t thread) {
    return index_sum(asked->index, asked->trace, thread, 0, asked->index->threads[thread].count);
}

/* The weights that some sample has. */
static void write_weights(struct asked *asked) {
    static const char *const words[SAMPLE_WEIGHTS] = {[SAMPLE_WALL] = "wall",
                                                      [SAMPLE_CPU] = "cpu",
                                                      [SAMPLE_GIL] = "gil",
                                                      [SAMPLE_GIL_WAIT] = "gil_wait"};
    int known[SAMPLE_WEIGHTS] = {0};
    for (uint32_t i = 0; i < asked->trace->thread_count; i++) {
        struct sample_times times = times_of(asked, i);
        for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
            known[weight] |= times.ns[weight] > 0;
    }
    json_array(asked->json, "weights");
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        if (known[weight])
            json_text(asked->json, NULL, words[weight]);
    json_end(asked->json);
}

static void write_sampling(struct asked *asked) {
    struct sampling sampling;
    struct json *json = asked->json;
    sampling_find(&sampling, asked->trace);
    if (!sampling.known) {
        json_null(json, "sampling");
        return;
    }
    json_object(json, "sampling");
    json_double(json, "hz", sampling.interval_ns ? 1e9 / (double)sampling.interval_ns : 0);
    json_count(json, "taken", sampling.taken);
    json_count(json, "torn", sampling.torn);
    json_count(json, "missed", sampling.missed);
    json_end(json);
}

static void write_note(struct json *json, const char *title, double count, const char *what) {
    struct text note = {0};
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, count > 0 && count < 1e18 ? (uint64_t)count : 0);
    text_addf(&note, "%s: %s x %s", title, shown, what);
    json_text(json, NULL, text_of(&note));
    text_free(&note);
}

static void write_notes(struct asked *asked) {
    static const char *const titles[] = {
        [HARM_DAMAGE] = "damage", [HARM_LOSS] = "not shown", [HARM_NOTE] = "note"};
    const struct trace *trace = asked->trace;
    const struct damage *damage = &trace->reader.damage;
    json_array(asked->json, "notes");
    for (int kind = 0; kind < DAMAGE_KINDS; kind++)
        if (damage->count[kind])
            write_note(asked->json, titles[damage_harm(kind)], (double)damage->count[kind],
                       damage_text(kind));
    for (uint32_t i = 0; i < trace->loss_count && i < NOTES_MAX; i++)
        write_note(asked->json, "lost while recording", trace->losses[i].count,
                   trace_text(trace, trace->losses[i].what));
    json_end(asked->json);
}

static void write_attributes(struct asked *asked) {
    const struct reader *reader = &asked->trace->reader;
    json_object(asked->json, "attributes");
    for (uint32_t i = 0; i < reader->attribute_count; i++) {
        const struct attribute *attribute = &reader->attributes[i];
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)attribute->number);
        json_text(asked->json, trace_text(asked->trace, attribute->key),
                  attribute->is_number ? number : trace_text(asked->trace, attribute->text));
    }
    json_end(asked->json);
}

/* --------------------------------------------------------- processes, threads */

static void write_processes(struct asked *asked) {
    const struct trace *trace = asked->trace;
    struct json *json = asked->json;
    json_array(json, "processes");
    for (uint32_t i = 0; i < trace->process_count; i++) {
        const struct process *process = &trace->processes[i];
        json_object(json, NULL);
        json_integer(json, "id", i);
        json_integer(json, "pid", process->pid);
        json_text(json, "name", trace_text(trace, process->name));
        json_text(json, "command", trace_text(trace, process->command_line));
        json_end(json);
    }
    json_end(json);
}

static void write_thread(struct asked *asked, uint32_t place) {
    const struct thread *thread = &asked->trace->threads[place];
    struct json *json = asked->json;
    struct sample_times times = times_of(asked, place);
    uint64_t busy_ns = times.ns[SAMPLE_CPU] + times.ns[SAMPLE_GIL_WAIT];
    uint64_t wall_ns = times.ns[SAMPLE_WALL];
    json_object(json, NULL);
    json_integer(json, "id", place);
    json_integer(json, "process", thread->process);
    json_integer(json, "tid", thread->tid);
    json_text(json, "name", trace_text(asked->trace, thread->name));
    json_count(json, "spans", thread->spans);
    json_count(json, "samples", thread->samples);
    json_count(json, "running_ns", times.ns[SAMPLE_CPU]);
    json_count(json, "gil_wait_ns", times.ns[SAMPLE_GIL_WAIT]);
    json_count(json, "idle_ns", wall_ns > busy_ns ? wall_ns - busy_ns : 0);
    json_end(json);
}

static void write_threads(struct asked *asked) {
    json_array(asked->json, "threads");
    for (uint32_t i = 0; i < asked->trace->thread_count; i++)
        write_thread(asked, i);
    json_end(asked->json);
}

/* -------------------------------------------------------------------- formats */

static void write_formats(struct asked *asked) {
    json_array(asked->json, "formats");
    const struct format *format;
    for (size_t i = 0; (format = page_format(i)); i++) {
        json_object(asked->json, NULL);
        json_text(asked->json, "name", format->name);
        json_text(asked->json, "summary", format->summary);
        json_end(asked->json);
    }
    json_end(asked->json);
}

int answer_trace(struct asked *asked) {
    const struct trace *trace = asked->trace;
    const struct reader *reader = &trace->reader;
    struct json *json = asked->json;
    json_integer(json, "version", PAGE_VERSION);
    json_text(json, "file", asked->page->name);
    json_count(json, "bytes", reader->size_bytes ? reader->size_bytes : reader->file_bytes);
    json_integer(json, "duration_ns", trace->last_ns - trace->first_ns);
    write_began(asked);
    write_command(asked);
    json_bool(json, "live", 0);
    write_counts(asked);
    write_weights(asked);
    write_sampling(asked);
    write_notes(asked);
    write_attributes(asked);
    write_processes(asked);
    write_threads(asked);
    write_formats(asked);
    json_bool(json, "perfetto_server", asked->page->has_perfetto);
    return write_track_list(asked);
}
