/* See firefox.h: samples, markers and counters, column by column. */
#include <math.h>
#include <stdlib.h>

#include "output/event_args.h"
#include "output/firefox.h"

/* ------------------------------------------------------------------ samples */

enum sample_column { SAMPLE_STACK, SAMPLE_TIME, SAMPLE_WEIGHT, SAMPLE_CPU_DELTA };

static void put_sample(struct firefox *writer, enum sample_column column, uint32_t row,
                       const struct taken_sample *sample) {
    int weighted = writer->trace->reader.samples.weighted;
    switch (column) {
    case SAMPLE_STACK:
        if (sample->stack)
            column_integer(writer, row, sample->stack - 1);
        else
            column_null(writer, row);
        break;
    case SAMPLE_TIME: column_ms(writer, row, part_since(writer->part, sample->time_ns)); break;
    case SAMPLE_WEIGHT:
        if (weighted)
            column_ms(writer, row, (int64_t)sample->weights_ns[SAMPLE_WALL]);
        else
            column_integer(writer, row, sample->count);
        break;
    default: column_integer(writer, row, (int64_t)sample->weights_ns[SAMPLE_CPU]); break;
    }
}

/* The samples of a thread: those of the sampled thread that it is, without tasks that waited apart. Returns how many. */
static uint32_t put_samples(struct firefox *writer, const char *name, enum sample_column column,
                            uint32_t thread) {
    const struct samples *samples = &writer->trace->reader.samples;
    struct taken_sample cut;
    uint32_t rows = 0;
    if (name)
        column_begin(writer, name);
    for (uint32_t i = 0; thread != MAP_NONE && i < samples->thread_count; i++) {
        if (samples->threads[i].thread != thread)
            continue;
        const uint32_t *group = writer->groups.first + (size_t)i * 2;
        for (uint32_t at = group[0]; at < group[1]; at++) {
            if (!part_has_sample(writer->part, &samples->all[writer->groups.order[at]], &cut))
                continue;
            if (name)
                put_sample(writer, column, rows, &cut);
            rows++;
        }
    }
    if (name)
        column_end(writer);
    return rows;
}

void firefox_samples(struct firefox *writer, uint32_t thread) {
    uint32_t wanted = writer->samples ? thread : MAP_NONE;
    fprintf(writer->to, "\"samples\":{\"length\":%u,\"weightType\":\"%s\"",
            put_samples(writer, NULL, SAMPLE_STACK, wanted),
            writer->trace->reader.samples.weighted ? "tracing-ms" : "samples");
    put_samples(writer, "stack", SAMPLE_STACK, wanted);
    put_samples(writer, "time", SAMPLE_TIME, wanted);
    put_samples(writer, "weight", SAMPLE_WEIGHT, wanted);
    put_samples(writer, "threadCPUDelta", SAMPLE_CPU_DELTA, wanted);
    fputs("}", writer->to);
}

/* ------------------------------------------------------------------ markers */

enum marker_column { MARKER_NAME, MARKER_START, MARKER_END, MARKER_PHASE, MARKER_DATA };
/* Of a marker: a moment, from when to when, from when. */
enum marker_phase { PHASE_INSTANT = 0, PHASE_INTERVAL = 1, PHASE_START = 2 };

struct marker {
    uint32_t name, category, detail;
    int64_t begin_ns, end_ns;
    enum marker_phase phase;
};

/* {"type":"span","category":"io","args":"{...}"}: arguments are one text, so that any name of one will do. */
static void put_data(struct firefox *writer, uint32_t row, const struct marker *marker) {
    struct json *json = &writer->args;
    char *text = NULL;
    size_t bytes = 0;
    column_put(writer, row, "\n{\"type\":\"span\"", 15);
    if (marker->category) {
        fputs_unlocked(",\"category\":", writer->to);
        json_put_text(writer->to, trace_text(writer->trace, marker->category));
    }
    FILE *memory = marker->detail ? open_memstream(&text, &bytes) : NULL;
    if (memory) {
        json_init(json, memory, 0);
        int any = event_args_json(json, writer->trace, NULL, marker->detail);
        fclose(memory);
        if (any) {
            fputs_unlocked(",\"args\":", writer->to);
            json_put_text(writer->to, text);
        }
        free(text);
    }
    putc_unlocked('}', writer->to);
}

static void put_marker(struct firefox *writer, enum marker_column column, uint32_t row,
                       const struct marker *marker) {
    switch (column) {
    case MARKER_NAME:
        column_integer(writer, row, firefox_place(&writer->strings, marker->name));
        break;
    case MARKER_START: column_ms(writer, row, marker->begin_ns); break;
    case MARKER_END:
        if (marker->phase == PHASE_INTERVAL)
            column_ms(writer, row, marker->end_ns);
        else
            column_null(writer, row);
        break;
    case MARKER_PHASE: column_integer(writer, row, (int64_t)marker->phase); break;
    default: put_data(writer, row, marker); break;
    }
}

static int span_marker(struct firefox *writer, uint32_t place, struct marker *marker) {
    const struct span *span = &writer->trace->spans[place];
    struct part_span cut;
    if (!part_has_span(writer->part, span, &cut))
        return 0;
    *marker =
        (struct marker){span->name,   span->category, span->detail,
                        cut.begin_ns, cut.end_ns,     cut.open ? PHASE_START : PHASE_INTERVAL};
    return 1;
}

static int event_marker(struct firefox *writer, const struct event *event, struct marker *marker) {
    if (event->kind == EVENT_COUNTER || !part_has_time(writer->part, event->time_ns))
        return 0;
    int64_t ns = part_since(writer->part, event->time_ns);
    *marker = (struct marker){event->name, event->category, event->detail, ns, ns, PHASE_INSTANT};
    return 1;
}

/* Returns how many there are; name: NULL only counts. */
static uint32_t put_markers(struct firefox *writer, const char *name, enum marker_column column,
                            const struct track *track, uint32_t first, uint32_t last) {
    struct marker marker;
    uint32_t rows = 0;
    if (name)
        column_begin(writer, name);
    for (uint32_t i = first; i < last; i++)
        if (span_marker(writer, i, &marker)) {
            if (name)
                put_marker(writer, column, rows, &marker);
            rows++;
        }
    for (uint32_t i = 0; track && i < track->count; i++)
        if (event_marker(writer, &track->events[i], &marker)) {
            if (name)
                put_marker(writer, column, rows, &marker);
            rows++;
        }
    if (name)
        column_end(writer);
    return rows;
}

void firefox_markers(struct firefox *writer, uint32_t place, uint32_t first, uint32_t last) {
    const struct track *track =
        place == MAP_NONE || !writer->spans ? NULL : &writer->trace->reader.tracks.all[place];
    last = track ? last : first;
    uint32_t rows = put_markers(writer, NULL, MARKER_NAME, track, first, last);
    fprintf(writer->to, ",\n\"markers\":{\"length\":%u", rows);
    put_markers(writer, "name", MARKER_NAME, track, first, last);
    put_markers(writer, "startTime", MARKER_START, track, first, last);
    put_markers(writer, "endTime", MARKER_END, track, first, last);
    put_markers(writer, "phase", MARKER_PHASE, track, first, last);
    put_markers(writer, "data", MARKER_DATA, track, first, last);
    column_begin(writer, "category");
    for (uint32_t i = 0; i < rows; i++)
        column_integer(writer, i, FIREFOX_SPAN);
    column_end(writer);
    fputs("}", writer->to);
}

/* ----------------------------------------------------------------- counters */

static void put_number(struct firefox *writer, uint32_t row, double value) {
    struct json json;
    if (row)
        putc_unlocked(',', writer->to);
    json_init(&json, writer->to, 0);
    json_double(&json, NULL, value);
}

/* Values as differences: the profiler adds them up. */
static void put_values(struct firefox *writer, const struct track *track, int times) {
    double before = 0;
    uint32_t rows = 0;
    for (uint32_t i = 0; i < track->count; i++) {
        const struct event *event = &track->events[i];
        if (!isfinite(event->value) || !part_has_time(writer->part, event->time_ns))
            continue;
        if (times)
            column_ms(writer, rows++, part_since(writer->part, event->time_ns));
        else
            put_number(writer, rows++, event->value - before);
        before = event->value;
    }
}

static uint32_t count_values(const struct firefox *writer, const struct track *track) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < track->count; i++)
        count += isfinite(track->events[i].value) &&
                 part_has_time(writer->part, track->events[i].time_ns);
    return count;
}

static void put_counter(struct firefox *writer, const struct track *track, uint32_t values) {
    const char *name = trace_text(writer->trace, track->name);
    int known = track->process != MAP_NONE && writer->main_thread[track->process];
    fputs("{\"category\":\"Marey\",\"name\":", writer->to);
    json_put_text(writer->to, name);
    fputs(",\"description\":", writer->to);
    json_put_text(writer->to, trace_text(writer->trace, track->unit));
    fprintf(writer->to, ",\"pid\":\"%u\",\"mainThreadIndex\":%u",
            known ? writer->ids.processes[track->process] : writer->first_pid,
            known ? writer->main_thread[track->process] - 1 : 0);
    fputs(",\"display\":{\"graphType\":\"line-accumulated\",\"unit\":\"\",\"color\":\"blue\","
          "\"markerSchemaLocation\":null,\"sortWeight\":50,\"label\":",
          writer->to);
    json_put_text(writer->to, name);
    fputs(",\"tooltipRows\":[{\"type\":\"value\",\"source\":\"accumulated\","
          "\"format\":{\"unit\":\"number\"},\"label\":",
          writer->to);
    json_put_text(writer->to, name);
    fprintf(writer->to, "}]},\"samples\":{\"length\":%u", values);
    column_begin(writer, "time");
    put_values(writer, track, 1);
    column_end(writer);
    column_begin(writer, "count");
    put_values(writer, track, 0);
    column_end(writer);
    fputs("}}", writer->to);
}

void firefox_counters(struct firefox *writer) {
    const struct tracks *tracks = &writer->trace->reader.tracks;
    uint32_t rows = 0;
    column_begin(writer, "counters");
    for (uint32_t i = 0; i < tracks->count; i++) {
        const struct track *track = &tracks->all[i];
        uint32_t values = track->kind == TRACK_COUNTER && writer->part->tracks[i]
                              ? count_values(writer, track)
                              : 0;
        if (!values || !writer->threads)
            continue;
        fputs(rows++ ? ",\n" : "\n", writer->to);
        put_counter(writer, track, values);
    }
    column_end(writer);
}
