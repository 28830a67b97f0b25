/* See info.h. */
#include "cli/info.h"

static void attributes_json(const struct trace *trace, struct json *json) {
    json_object(json, "attributes");
    for (uint32_t i = 0; i < trace->reader.attribute_count; i++) {
        const struct attribute *attribute = &trace->reader.attributes[i];
        const char *key = trace_text(trace, attribute->key);
        if (attribute->is_number)
            json_integer(json, key, attribute->number);
        else
            json_text(json, key, trace_text(trace, attribute->text));
    }
    json_end(json);
}

static void thread_json(const struct trace *trace, const struct thread *thread, struct json *json) {
    json_object(json, NULL);
    json_integer(json, "tid", thread->tid);
    json_text(json, "name", trace_text(trace, thread->name));
    json_count(json, "events", thread->events);
    json_count(json, "spans", thread->spans);
    if (thread->samples)
        json_count(json, "samples", thread->samples);
    json_end(json);
}

static void processes_json(const struct trace *trace, struct json *json) {
    json_array(json, "processes");
    for (uint32_t i = 0; i < trace->process_count; i++) {
        const struct process *process = &trace->processes[i];
        json_object(json, NULL);
        json_integer(json, "pid", process->pid);
        json_text(json, "name", trace_text(trace, process->name));
        json_text(json, "command", trace_text(trace, process->command_line));
        json_count(json, "events", process->events);
        json_count(json, "spans", process->spans);
        if (process->samples)
            json_count(json, "samples", process->samples);
        json_array(json, "threads");
        for (uint32_t j = 0; j < process->threads; j++)
            thread_json(trace, &trace->threads[process->first_thread + j], json);
        json_end(json);
        json_end(json);
    }
    json_end(json);
}

static void track_json(const struct trace *trace, const struct track *track, struct json *json) {
    struct counter_range range;
    json_object(json, NULL);
    json_text(json, "name", trace_text(trace, track->name));
    if (track->process != MAP_NONE)
        json_integer(json, "pid", trace->processes[track->process].pid);
    json_count(json, "events", track->total);
    if (track->kind == TRACK_COUNTER) {
        trace_counter_range(track, &range);
        json_text(json, "unit", trace_text(trace, track->unit));
        json_double(json, "least", range.least);
        json_double(json, "most", range.most);
        json_double(json, "last", range.last);
    } else {
        json_count(json, "spans", track->spans);
    }
    json_end(json);
}

static void tracks_json(const struct trace *trace, const char *key, int counters,
                        struct json *json) {
    json_array(json, key);
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        const struct track *track = &trace->reader.tracks.all[i];
        if (counters ? info_is_counter(trace, track) : info_is_other_track(track))
            track_json(trace, track, json);
    }
    json_end(json);
}

void info_print_json(const struct trace *trace, const char *path,
                     const struct info_request *request, const struct summary *summary) {
    struct json json;
    json_init(&json, stdout, 2);
    json_object(&json, NULL);
    json_text(&json, "file", path);
    report_counts_json(trace, &json);
    attributes_json(trace, &json);
    report_losses_json(trace, &json);
    report_damage_json(trace, &json);
    processes_json(trace, &json);
    tracks_json(trace, "tracks", 0, &json);
    tracks_json(trace, "counters", 1, &json);
    summary_table_json(summary, trace, &json, "span_table", request->spans ? request->rows : 0);
    json_end(&json);
    json_finish(&json);
}
