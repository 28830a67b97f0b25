/* A trace as a Perfetto trace anew: of any that Marey reads, a small and regular one of one clock, track by track.
 *
 *   attributes | clocks | descriptors | { defaults of a track, its events } ... | who was sampled | samples
 *
 * Times of events are differences to the packet before; each track begins at the trace's first event again, by the same
 * snapshot (docs/FORMAT.md says why). */
#include <stdlib.h>

#include "marey.h"
#include "output/format.h"
#include "output/perfetto_writer.h"
#include "output/walk.h"

/* --------------------------------------------------------------------- head */

static void put_attributes(struct perfetto *writer) {
    const struct reader *reader = &writer->trace->reader;
    struct text all = {0};
    for (uint32_t i = 0; i < reader->attribute_count; i++) {
        const struct attribute *attribute = &reader->attributes[i];
        perfetto_clean(&writer->entry, ATTRIBUTE__key, trace_text(writer->trace, attribute->key));
        if (attribute->is_number)
            message_number(&writer->entry, ATTRIBUTE__long_value, (uint64_t)attribute->number);
        else
            perfetto_clean(&writer->entry, ATTRIBUTE__string_value,
                           trace_text(writer->trace, attribute->text));
        message_within(&all, TRACE_ATTRIBUTES__attribute, &writer->entry);
    }
    if (all.size) {
        message_within(&writer->packet, PACKET__trace_attributes, &all);
        perfetto_put_alone(writer);
    }
    text_free(&all);
}

/* The clock by its id, if it is one that readers know; a trace without clocks has that of BOOTTIME: so they take it. */
static uint32_t clock_of(const struct trace *trace) {
    const struct timebase *timebase = &trace->reader.timebase;
    uint32_t id = timebase->ids[timebase->trace_clock];
    return id && id < CLOCK_ID_SEQUENCE ? id : CLOCK_ID_BOOTTIME;
}

/* The first snapshot that has the trace's clock, as it was. */
static const struct clock_snapshot *first_snapshot(const struct timebase *timebase) {
    for (uint32_t i = 0; i < timebase->snapshot_count; i++) {
        const struct clock_snapshot *snapshot = &timebase->snapshots[i];
        for (uint32_t j = 0; j < snapshot->count; j++)
            if (timebase->readings[snapshot->first + j].clock == timebase->trace_clock)
                return snapshot;
    }
    return NULL;
}

static void put_clocks(struct perfetto *writer) {
    const struct timebase *timebase = &writer->trace->reader.timebase;
    const struct clock_snapshot *first = first_snapshot(timebase);
    struct text snapshot = {0};
    for (uint32_t i = 0; first && i < first->count; i++) {
        const struct clock_reading *reading = &timebase->readings[first->first + i];
        uint32_t id = timebase->ids[reading->clock];
        if (!id || id >= CLOCK_ID_SEQUENCE)
            continue;
        message_number(&writer->entry, CLOCK__id, id);
        message_number(&writer->entry, CLOCK__timestamp, (uint64_t)reading->time_ns);
        message_within(&snapshot, CLOCK_SNAPSHOT__clocks, &writer->entry);
    }
    message_number(&snapshot, CLOCK_SNAPSHOT__primary_trace_clock, writer->clock);
    message_within(&writer->packet, PACKET__clock_snapshot, &snapshot);
    perfetto_put_alone(writer);
    text_free(&snapshot);
}

/* ------------------------------------------------------------------- tracks */

static void put_process(struct perfetto *writer, const struct track *track) {
    const struct trace *trace = writer->trace;
    struct text *process = &writer->entry;
    message_number(process, PROCESS__pid, (uint64_t)track->pid);
    if (track->command_line)
        perfetto_clean(process, PROCESS__cmdline, trace_text(trace, track->command_line));
    if (track->name)
        perfetto_clean(process, PROCESS__process_name, trace_text(trace, track->name));
    message_within(&writer->event, TRACK_DESCRIPTOR__process, process);
}

static void put_thread(struct perfetto *writer, const struct track *track) {
    struct text *thread = &writer->entry;
    message_number(thread, THREAD__pid, (uint64_t)track->pid);
    message_number(thread, THREAD__tid, (uint64_t)track->tid);
    if (track->name)
        perfetto_clean(thread, THREAD__thread_name, trace_text(writer->trace, track->name));
    message_within(&writer->event, TRACK_DESCRIPTOR__thread, thread);
}

static void put_counter(struct perfetto *writer, const struct track *track) {
    struct text *counter = &writer->entry;
    if (track->unit)
        perfetto_clean(counter, COUNTER__unit_name, trace_text(writer->trace, track->unit));
    message_within(&writer->event, TRACK_DESCRIPTOR__counter, counter);
}

static void put_descriptor(struct perfetto *writer, const struct track *track) {
    struct text *descriptor = &writer->event, none = {0};
    if (track->machine != writer->machine || !writer->started)
        perfetto_start(writer, EVENT_SEQUENCE, track->machine, &none);
    message_number(descriptor, TRACK_DESCRIPTOR__uuid, track->uuid);
    if (track->parent_uuid)
        message_number(descriptor, TRACK_DESCRIPTOR__parent_uuid, track->parent_uuid);
    if (track->kind == TRACK_PROCESS)
        put_process(writer, track);
    else if (track->kind == TRACK_THREAD)
        put_thread(writer, track);
    else if (track->name)
        perfetto_clean(descriptor, TRACK_DESCRIPTOR__name, trace_text(writer->trace, track->name));
    if (track->kind == TRACK_COUNTER)
        put_counter(writer, track);
    if (track->kind == TRACK_CUSTOM)
        message_number(descriptor, TRACK_DESCRIPTOR__sibling_merge_behavior, SIBLING_MERGE_NONE);
    message_within(&writer->packet, PACKET__track_descriptor, descriptor);
    perfetto_put(writer, writer->time_ns);
}

/* Losses are the whole trace's: what is missing may be missing in the part. */
static int is_wanted(const struct perfetto *writer, uint32_t place) {
    const struct track *track = &writer->trace->reader.tracks.all[place];
    return writer->part->tracks[place] || trace_is_loss(writer->trace, track);
}

/* Tracks are described that are wanted, and those above them. */
static void put_descriptors(struct perfetto *writer) {
    const struct tracks *tracks = &writer->trace->reader.tracks;
    uint8_t *needed = calloc(tracks->count + 1u, 1);
    if (!needed) {
        writer->error = MAREY_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < tracks->count; i++) {
        const struct track *track = is_wanted(writer, i) ? &tracks->all[i] : NULL;
        while (track && !needed[track - tracks->all]) {
            needed[track - tracks->all] = 1;
            track = trace_parent(writer->trace, track);
        }
    }
    for (uint32_t i = 0; i < tracks->count && !writer->error; i++)
        if (needed[i] && tracks->all[i].kind != TRACK_UNKNOWN)
            put_descriptor(writer, &tracks->all[i]);
    free(needed);
}

/* ------------------------------------------------------------------- events */

static void put_name(struct perfetto *writer, uint32_t name, uint32_t category) {
    if (name)
        message_number(&writer->event, EVENT__name_iid,
                       perfetto_text(writer, name, SAID_NAME, INTERNED__event_names));
    if (category)
        message_number(&writer->event, EVENT__category_iids,
                       perfetto_text(writer, category, SAID_CATEGORY, INTERNED__event_categories));
}

static void put_event(struct perfetto *writer, uint32_t detail, int64_t time_ns) {
    perfetto_detail(writer, &writer->event, detail);
    message_within(&writer->packet, PACKET__track_event, &writer->event);
    perfetto_put(writer, time_ns);
}

/* How much of a span the part cuts off, where it begins or ends. */
static struct clipping clipping_of(const struct perfetto *writer, const struct walk_step *step) {
    int64_t begin_ns, end_ns;
    const struct span *span = &writer->trace->spans[step->span];
    const struct trace_filter all = {0};
    filter_clip_span(&all, writer->trace, span, &begin_ns, &end_ns);
    int64_t time_ns = step->time_ns + writer->trace->first_ns;
    int64_t ns = step->begins ? time_ns - begin_ns : end_ns - time_ns;
    uint32_t key = step->begins ? writer->cut_before_key : writer->cut_after_key;
    return (struct clipping){ns > 0 ? key : 0, ns};
}

static void put_step(struct perfetto *writer, const struct walk_step *step) {
    const struct trace *trace = writer->trace;
    const struct span *span = &trace->spans[step->span];
    int64_t time_ns = step->time_ns + trace->first_ns;
    uint32_t detail = span->detail;
    if (!step->begins && step->cut.open)
        return;
    message_number(&writer->event, EVENT__type, step->begins ? EVENT_BEGIN : EVENT_END);
    if (step->begins || !step->innermost)
        put_name(writer, span->name, span->category);
    if (!step->begins && detail)
        detail = trace->reader.arguments.details[detail].end;
    writer->clipping = clipping_of(writer, step);
    put_event(writer, detail, time_ns);
}

static void put_value(struct perfetto *writer, double value) {
    int64_t whole = value > -9e15 && value < 9e15 ? (int64_t)value : 0;
    if ((double)whole == value)
        message_number(&writer->event, EVENT__counter_value, (uint64_t)whole);
    else
        message_fixed64(&writer->event, EVENT__double_counter_value, &value);
}

/* An instant, a state or a value. */
static void put_moment(struct perfetto *writer, const struct event *event) {
    if (!part_has_time(writer->part, event->time_ns))
        return;
    message_number(&writer->event, EVENT__type, event->kind);
    if (event->kind == EVENT_COUNTER)
        put_value(writer, event->value);
    else
        put_name(writer, event->name, event->category);
    put_event(writer, event->kind == EVENT_COUNTER ? 0 : event->detail, event->time_ns);
}

static void start_track(struct perfetto *writer, const struct track *track) {
    struct text defaults = {0}, of_events = {0};
    message_number(&of_events, EVENT_DEFAULTS__track_uuid, track->uuid);
    message_within(&defaults, DEFAULTS__track_event_defaults, &of_events);
    text_free(&of_events);
    perfetto_start(writer, EVENT_SEQUENCE, track->machine, &defaults);
}

/* A counter's value, or a loss, at another time. */
static void put_value_at(struct perfetto *writer, const struct event *event, int64_t time_ns) {
    struct event moved = *event;
    moved.time_ns = time_ns;
    put_moment(writer, &moved);
}

/* A counter has a value when the wanted time begins: the last one before. Losses are told whenever they came about. */
static void put_values(struct perfetto *writer, const struct track *track) {
    const struct trace_filter *filter = writer->part->filter;
    const struct event *before = NULL;
    int is_loss = trace_is_loss(writer->trace, track);
    for (uint32_t i = 0; i < track->count && !writer->error; i++) {
        const struct event *event = &track->events[i];
        if (filter->from_ns && event->time_ns < filter->from_ns) {
            before = event;
            continue;
        }
        if (before && event->time_ns > filter->from_ns)
            put_value_at(writer, before, filter->from_ns);
        before = NULL;
        if (is_loss && filter->to_ns && event->time_ns >= filter->to_ns)
            put_value_at(writer, event, filter->to_ns - 1);
        else
            put_moment(writer, event);
    }
    if (before)
        put_value_at(writer, before, filter->from_ns);
}

/* Spans, and what is between them, by time. */
static void put_track(struct perfetto *writer, uint32_t place, uint32_t first, uint32_t last) {
    const struct track *track = &writer->trace->reader.tracks.all[place];
    struct walk walk;
    struct walk_step step;
    uint32_t at = 0;
    start_track(writer, track);
    if (track->kind == TRACK_COUNTER) {
        put_values(writer, track);
        return;
    }
    walk_init(&walk, writer->part, first, last);
    while (walk_next(&walk, &step) && !writer->error) {
        while (at < track->count && walk_is_past(&walk, &step, track->events[at].time_ns))
            put_moment(writer, &track->events[at++]);
        put_step(writer, &step);
    }
    while (at < track->count && !writer->error)
        put_moment(writer, &track->events[at++]);
}

static void put_tracks(struct perfetto *writer) {
    const struct trace *trace = writer->trace;
    for (uint32_t i = 0, first = 0, last; i < trace->reader.tracks.count; i++, first = last) {
        last = first < trace->span_count && trace->spans[first].track == i
                   ? walk_track_end(trace, first)
                   : first;
        if (is_wanted(writer, i) && (last > first || trace->reader.tracks.all[i].count))
            put_track(writer, i, first, last);
    }
}

/* ---------------------------------------------------------------------- all */

static int open_writer(struct perfetto *writer, struct reader *reader) {
    writer->cut_before_key = strings_add_text(&reader->strings, "cut_before_ns");
    writer->cut_after_key = strings_add_text(&reader->strings, "cut_after_ns");
    writer->texts = malloc(reader->strings.count + 1u);
    writer->sources = malloc(reader->arguments.source_count + 1u);
    writer->frames = malloc(reader->samples.frame_count + 1u);
    writer->stacks = malloc(reader->samples.stack_count + 1u);
    return writer->texts && writer->sources && writer->frames && writer->stacks ? 0 : MAREY_ENOMEM;
}

static void close_writer(struct perfetto *writer) {
    for (size_t i = 0; i < sizeof writer->levels / sizeof *writer->levels; i++)
        text_free(&writer->levels[i]);
    text_free(&writer->packet);
    text_free(&writer->interned);
    text_free(&writer->event);
    text_free(&writer->entry);
    map_free(&writer->contexts);
    free(writer->texts);
    free(writer->sources);
    free(writer->frames);
    free(writer->stacks);
}

static void put_all(struct perfetto *writer, const struct format_request *request) {
    put_clocks(writer);
    put_attributes(writer);
    put_descriptors(writer);
    if (request->of != STACKS_OF_SAMPLES)
        put_tracks(writer);
    if (request->of != STACKS_OF_SPANS)
        perfetto_samples(writer);
}

static int write_perfetto(FILE *to, struct trace *trace, const struct format_request *request) {
    struct part part;
    struct perfetto writer = {.part = &part, .trace = trace, .clock = clock_of(trace)};
    packets_open(&writer.packets, to, PACKETS_PLAIN);
    writer.error = part_open(&part, trace, &request->filter);
    writer.error |= open_writer(&writer, &trace->reader);
    if (!writer.error)
        put_all(&writer, request);
    writer.error |= packets_close(&writer.packets);
    close_writer(&writer);
    part_close(&part);
    return writer.error ? MAREY_ENOMEM : 0;
}

static const char *const extensions[] = {".perfetto-trace", ".pftrace", NULL};
const struct format format_perfetto = {
    .name = "perfetto",
    .extensions = extensions,
    .summary = "a Perfetto trace anew: of a filter's part, of a gzip'ed or another writer's trace",
    .keep = TRACE_ARGUMENTS | TRACE_FLOWS,
    .holds = HOLDS_SPANS | HOLDS_SAMPLES | HOLDS_POINTS,
    .binary = 1,
    .by_event = 1,
    .write = write_perfetto,
};
