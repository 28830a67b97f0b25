/* See trace.h. */
#include "model/trace.h"

#include "marey.h"
#include "model/grow.h"
#include "model/processes.h"
#include "model/spans.h"

static const char loss_prefix[] = "marey lost: ";

const char *trace_text(const struct trace *trace, uint32_t string) {
    const char *text = strings_text(&trace->reader.strings, string);
    return text ? text : "";
}

const struct track *trace_parent(const struct trace *trace, const struct track *track) {
    return track->parent_uuid ? tracks_known(&trace->reader.tracks, track->parent_uuid) : NULL;
}

void trace_counter_range(const struct track *track, struct counter_range *range) {
    *range = (struct counter_range){0};
    int any = 0;
    for (uint32_t i = 0; i < track->count; i++) {
        double value = track->events[i].value;
        if (track->events[i].kind != EVENT_COUNTER)
            continue;
        range->least = !any || value < range->least ? value : range->least;
        range->most = !any || value > range->most ? value : range->most;
        range->last = value;
        any = 1;
    }
}

/* Times in the trace's clock, and who was sampled how often; a sample whose time cannot be told is dropped. */
static int settle_samples(struct trace *trace) {
    struct reader *reader = &trace->reader;
    struct samples *samples = &reader->samples;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        struct taken_sample sample = samples->all[i];
        int unknown = timebase_convert(&reader->timebase, sample.clock, &sample.time_ns);
        if (unknown || sample.time_ns < 0) {
            damage_add(&reader->damage, unknown ? DAMAGE_NO_CLOCK : DAMAGE_NEGATIVE, 0);
            continue;
        }
        samples->threads[sample.thread].samples += sample.count;
        trace->samples += sample.count;
        samples->all[kept++] = sample;
    }
    samples->count = kept;
    return samples_sort(samples);
}

static void note_sample_times(struct trace *trace) {
    const struct samples *samples = &trace->reader.samples;
    if (!samples->count)
        return;
    int64_t first = samples->all[0].time_ns, last = samples->all[samples->count - 1].time_ns;
    int any = trace->first_ns || trace->last_ns;
    trace->first_ns = any && trace->first_ns < first ? trace->first_ns : first;
    trace->last_ns = any && trace->last_ns > last ? trace->last_ns : last;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void count_flows(struct trace *trace) {
    struct reader *reader = &trace->reader;
    if (reader->flow_count)
        qsort(reader->flows, reader->flow_count, sizeof *reader->flows, compare_numbers);
    for (uint32_t i = 0; i < reader->flow_count; i++)
        trace->flows += i == 0 || reader->flows[i] != reader->flows[i - 1];
}

int trace_is_loss(const struct trace *trace, const struct track *track) {
    return track->kind == TRACK_COUNTER &&
           !strncmp(trace_text(trace, track->name), loss_prefix, sizeof loss_prefix - 1);
}

static int add_loss(struct trace *trace, uint32_t what, double count) {
    for (uint32_t i = 0; i < trace->loss_count; i++)
        if (trace->losses[i].what == what) {
            if (count > trace->losses[i].count)
                trace->losses[i].count = count;
            return 0;
        }
    if (GROW(trace->losses, trace->loss_count, trace->loss_capacity))
        return -1;
    trace->losses[trace->loss_count++] = (struct loss){what, count};
    return 0;
}

/* The recorder's own counters of what it could not keep. They only rise, and count for the whole session. */
static int find_losses(struct trace *trace) {
    struct reader *reader = &trace->reader;
    for (uint32_t i = 0; i < reader->tracks.count; i++) {
        const struct track *track = &reader->tracks.all[i];
        if (!trace_is_loss(trace, track) || !track->count)
            continue;
        const char *name = trace_text(trace, track->name);
        uint32_t what = strings_add_text(&reader->strings, name + sizeof loss_prefix - 1);
        if (add_loss(trace, what, track->events[track->count - 1].value))
            return -1;
    }
    return 0;
}

static int settle(struct trace *trace) {
    if (timebase_settle(&trace->reader.timebase) || spans_settle(trace) ||
        loose_flows_settle(trace) || settle_samples(trace) || find_losses(trace) ||
        processes_find(trace))
        return MAREY_ENOMEM;
    note_sample_times(trace);
    count_flows(trace);
    return 0;
}

void trace_begin(struct trace *trace, unsigned keep) {
    *trace = (struct trace){0};
    reader_init(&trace->reader);
    trace->reader.arguments.wanted = keep & TRACE_ARGUMENTS ? ARGUMENTS_ALL
                                     : keep & TRACE_CALLS   ? ARGUMENTS_MARKS
                                                            : ARGUMENTS_NONE;
    trace->reader.arguments.flows_wanted = (keep & TRACE_FLOWS) != 0;
    trace->reader.lean = (keep & TRACE_LEAN) != 0;
}

int trace_read_source(struct trace *trace, struct source *source, unsigned keep,
                      const struct chooser *chooser) {
    trace_begin(trace, keep);
    trace->reader.chooser = chooser;
    int error = reader_read(&trace->reader, source);
    trace->reader.chooser = NULL;
    trace->reader.size_bytes = source->file_bytes;
    source_close(source);
    if (error == MAREY_ENOMEM)
        return error;
    int late = settle(trace);
    if (!late && !error && !reader_is_trace(&trace->reader))
        late = MAREY_ENOTRACE;
    return late ? late : error;
}

int trace_read_watched(struct trace *trace, const char *path, unsigned keep,
                       const struct source_watch *watch) {
    struct source source;
    int error = source_open(&source, path);
    source.watch = watch;
    if (!error)
        return trace_read_source(trace, &source, keep, NULL);
    trace_begin(trace, keep);
    return error;
}

int trace_read(struct trace *trace, const char *path, unsigned keep) {
    return trace_read_watched(trace, path, keep, NULL);
}

int trace_read_memory(struct trace *trace, const void *bytes, size_t size, unsigned keep) {
    struct source source;
    source_open_memory(&source, bytes, size);
    return trace_read_source(trace, &source, keep, NULL);
}

void trace_free(struct trace *trace) {
    reader_free(&trace->reader);
    free(trace->spans);
    free(trace->processes);
    free(trace->threads);
    free(trace->losses);
    *trace = (struct trace){0};
}
