/* Chrome's JSON: for chrome://tracing and all that read its files, Perfetto among them.
 *
 *   [                                     the array form: a file that was cut off can be read, too
 *   {"ph":"M",...},                       who is called what, before anything else
 *   {"ph":"X","pid":..,"tid":..,"ts":..}, an event a line; times in microseconds since the trace's first event
 *   {}]
 *
 * Spans of threads are X (B where they have no end; B and E where they do not nest); those of tasks and of other tracks
 * are asynchronous, b and e, each track by an id of its own, "NAME #N". Readers tell such tracks apart by category and id
 * together: where a track has several categories, none is given. Source: "Trace Event Format", and Perfetto's importer,
 * src/trace_processor/importers/json. Samples have no place in it. */
#include <math.h>

#include "marey.h"
#include "output/chrome_flows.h"
#include "output/digits.h"
#include "output/event_args.h"
#include "output/format.h"
#include "output/small_ids.h"
#include "output/walk.h"

struct chrome {
    FILE *to;
    const struct part *part;
    const struct trace *trace;
    struct small_ids ids;
    struct chrome_flows flows;
    struct map counters; /* names of counters that a process has */
    struct json args;
    /* Of the track that is being written: */
    const struct track *track;
    uint32_t pid, tid;
    uint32_t category; /* of an asynchronous track: that of all its events; 0: none */
    struct text id;    /* of an asynchronous track */
};

static void put(struct chrome *chrome, const char *bytes, const char *end) {
    fwrite_unlocked(bytes, 1, (size_t)(end - bytes), chrome->to);
}

/* {"ph":"X","pid":1,"tid":2,"ts":3.5 */
static void begin_event(struct chrome *chrome, char phase, int64_t ns) {
    char line[3 * DIGITS_MAX + 64], *at = line;
    at = DIGITS_TEXT(at, "{\"ph\":\"");
    *at++ = phase;
    at = DIGITS_TEXT(at, "\",\"pid\":");
    at = digits_count(at, chrome->pid);
    at = DIGITS_TEXT(at, ",\"tid\":");
    at = digits_count(at, chrome->tid);
    at = DIGITS_TEXT(at, ",\"ts\":");
    at = digits_us(at, ns);
    put(chrome, line, at);
}

static void end_event(struct chrome *chrome) {
    fputs_unlocked("},\n", chrome->to);
}

static void put_name(struct chrome *chrome, uint32_t name, uint32_t category) {
    if (category) {
        fputs_unlocked(",\"cat\":", chrome->to);
        json_put_text(chrome->to, trace_text(chrome->trace, category));
    }
    fputs_unlocked(",\"name\":", chrome->to);
    json_put_text(chrome->to, trace_text(chrome->trace, name));
}

static void put_args(struct chrome *chrome, uint32_t detail) {
    if (!detail)
        return;
    /* what comes before says that a comma is due */
    struct json *json = &chrome->args;
    json->depth = 1;
    json->empty[1] = 0;
    event_args_json(json, chrome->trace, "args", detail);
    json->depth = 0;
}

/* ----------------------------------------------------------------- metadata */

static void put_metadata(struct chrome *chrome, const char *what, const char *name) {
    begin_event(chrome, 'M', 0);
    fprintf(chrome->to, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    json_put_text(chrome->to, name);
    putc_unlocked('}', chrome->to);
    end_event(chrome);
}

/* Whether anything belongs to no process. */
static int has_nobodys(const struct chrome *chrome) {
    const struct tracks *tracks = &chrome->trace->reader.tracks;
    for (uint32_t i = 0; i < tracks->count; i++)
        if (tracks->all[i].process == MAP_NONE && chrome->part->tracks[i] && tracks->all[i].total)
            return 1;
    return 0;
}

static void put_names(struct chrome *chrome) {
    const struct trace *trace = chrome->trace;
    for (uint32_t i = 0; i < trace->process_count; i++) {
        const struct process *process = &trace->processes[i];
        chrome->pid = chrome->ids.processes[i];
        chrome->tid = chrome->pid;
        put_metadata(chrome, "process_name", trace_text(trace, process->name));
        for (uint32_t j = process->first_thread; j < process->first_thread + process->threads;
             j++) {
            chrome->tid = chrome->ids.threads[j];
            if (chrome->part->threads[j])
                put_metadata(chrome, "thread_name", trace_text(trace, trace->threads[j].name));
        }
    }
    chrome->pid = chrome->tid = chrome->ids.nobody;
    if (has_nobodys(chrome))
        put_metadata(chrome, "process_name", "(no process)");
}

/* -------------------------------------------------------------------- flows */

/* The new way, within the event: of several flows the first that has to be written so. */
static void put_binding(struct chrome *chrome, uint32_t detail, int64_t ns) {
    const struct arguments *arguments = &chrome->trace->reader.arguments;
    for (; detail; detail = arguments->details[detail].end)
        for (uint32_t i = 0; i < arguments->details[detail].flows; i++) {
            uint32_t place = arguments->details[detail].first_flow + i;
            struct chrome_flow *flow = chrome_flow(&chrome->flows, arguments->flows[place].id);
            if (!flow->is_new)
                continue;
            char phase = chrome_flow_phase(flow, ns);
            fprintf(chrome->to, ",\"bind_id\":\"0x%llx\"%s%s", (unsigned long long)flow->id,
                    phase != 's' ? ",\"flow_in\":true" : "",
                    phase != 'f' ? ",\"flow_out\":true" : "");
            return;
        }
}

/* The old way, events behind that of the span. */
static void put_flows(struct chrome *chrome, uint32_t detail, int64_t ns) {
    const struct arguments *arguments = &chrome->trace->reader.arguments;
    for (; detail; detail = arguments->details[detail].end)
        for (uint32_t i = 0; i < arguments->details[detail].flows; i++) {
            uint32_t place = arguments->details[detail].first_flow + i;
            struct chrome_flow *flow = chrome_flow(&chrome->flows, arguments->flows[place].id);
            if (flow->is_new)
                continue;
            char phase = chrome_flow_phase(flow, ns);
            begin_event(chrome, phase, ns);
            fprintf(chrome->to, ",\"id\":\"0x%llx\",\"cat\":\"flow\",\"name\":\"flow\"%s",
                    (unsigned long long)flow->id, phase == 'f' ? ",\"bp\":\"e\"" : "");
            end_event(chrome);
        }
}

/* ------------------------------------------------------------------- events */

static int is_async(const struct chrome *chrome) {
    return chrome->track->kind != TRACK_THREAD;
}

/* The rest of an event that a span or an instant begins with. */
static void put_rest(struct chrome *chrome, uint32_t name, uint32_t category, uint32_t detail,
                     int64_t ns) {
    if (is_async(chrome)) {
        fputs_unlocked(",\"id\":", chrome->to);
        json_put_text(chrome->to, text_of(&chrome->id));
    }
    put_name(chrome, name, is_async(chrome) ? chrome->category : category);
    put_binding(chrome, detail, ns);
    put_args(chrome, detail);
    end_event(chrome);
    put_flows(chrome, detail, ns);
}

static void put_span(struct chrome *chrome, const struct walk *walk, const struct walk_step *step) {
    const struct span *span = &chrome->trace->spans[step->span];
    if (!step->begins) {
        if (step->cut.open || (walk->nested && !is_async(chrome)))
            return;
        begin_event(chrome, is_async(chrome) ? 'e' : 'E', step->time_ns);
        put_rest(chrome, span->name, span->category, 0, 0);
        return;
    }
    char phase = is_async(chrome) ? 'b' : step->cut.open || !walk->nested ? 'B' : 'X';
    begin_event(chrome, phase, step->time_ns);
    if (phase == 'X') {
        char duration[DIGITS_MAX + 16], *at = DIGITS_TEXT(duration, ",\"dur\":");
        put(chrome, duration, digits_us(at, step->cut.end_ns - step->cut.begin_ns));
    }
    put_rest(chrome, span->name, span->category, span->detail, step->time_ns);
}

/* Its value is called "value", so readers show it under its name. One of a name that its process has already has an id. */
static void put_value(struct chrome *chrome, double value, int64_t ns) {
    if (!isfinite(value))
        return; /* JSON has no such numbers */
    begin_event(chrome, 'C', ns);
    if (chrome->id.size) {
        fputs_unlocked(",\"id\":", chrome->to);
        json_put_text(chrome->to, text_of(&chrome->id));
    }
    put_name(chrome, chrome->track->name, 0);
    fputs_unlocked(",\"args\":{", chrome->to);
    json_double(&chrome->args, "value", value);
    putc_unlocked('}', chrome->to);
    end_event(chrome);
}

static void put_moment(struct chrome *chrome, const struct event *event) {
    int64_t ns = part_since(chrome->part, event->time_ns);
    if (!part_has_time(chrome->part, event->time_ns))
        return;
    if (event->kind == EVENT_COUNTER) {
        put_value(chrome, event->value, ns);
        return;
    }
    begin_event(chrome, is_async(chrome) ? 'n' : 'i', ns);
    if (!is_async(chrome))
        fputs_unlocked(",\"s\":\"t\"", chrome->to);
    put_rest(chrome, event->name, event->category, event->detail, ns);
}

/* ------------------------------------------------------------------- tracks */

static void name_track(struct chrome *chrome, uint32_t place) {
    const struct track *track = chrome->track;
    text_add(&chrome->id, trace_text(chrome->trace, track->name));
    text_addf(&chrome->id, "%s#%u", chrome->id.size ? " " : "", place);
}

/* Returns 0 or MAREY_ENOMEM. */
static int name_counter(struct chrome *chrome, uint32_t place) {
    uint64_t key = (uint64_t)chrome->pid << 32 | chrome->track->name;
    if (map_get(&chrome->counters, key) == MAP_NONE)
        return map_put(&chrome->counters, key, place) ? MAREY_ENOMEM : 0;
    text_addf(&chrome->id, "#%u", place);
    return 0;
}

/* The category of all its events; 0 where they differ. */
static uint32_t one_category(const struct chrome *chrome, uint32_t first, uint32_t last) {
    const struct track *track = chrome->track;
    const struct span *spans = chrome->trace->spans;
    uint32_t category = first < last   ? spans[first].category
                        : track->count ? track->events[0].category
                                       : 0;
    for (uint32_t i = first; i < last; i++)
        if (spans[i].category != category)
            return 0;
    for (uint32_t i = 0; i < track->count; i++)
        if (track->events[i].category != category)
            return 0;
    return category;
}

/* Whose it is, and by which id it goes. Returns 0 or MAREY_ENOMEM. */
static int begin_track(struct chrome *chrome, uint32_t place, uint32_t first, uint32_t last) {
    const struct track *track = &chrome->trace->reader.tracks.all[place];
    int error = 0;
    chrome->track = track;
    chrome->pid =
        track->process == MAP_NONE ? chrome->ids.nobody : chrome->ids.processes[track->process];
    chrome->tid = track->kind == TRACK_THREAD ? chrome->ids.tracks[place] : chrome->pid;
    chrome->category = 0;
    if (track->kind == TRACK_COUNTER) {
        error = name_counter(chrome, place);
    } else if (is_async(chrome)) {
        name_track(chrome, place);
        chrome->category = one_category(chrome, first, last);
    }
    return chrome->id.failed ? MAREY_ENOMEM : error;
}

/* Spans, and what is between them, by time. */
static int put_track(struct chrome *chrome, uint32_t place, uint32_t first, uint32_t last) {
    struct walk walk;
    struct walk_step step;
    uint32_t at = 0;
    int error = begin_track(chrome, place, first, last);
    const struct track *track = chrome->track;
    walk_init(&walk, chrome->part, first, last);
    while (!error && walk_next(&walk, &step)) {
        while (at < track->count && walk_is_past(&walk, &step, track->events[at].time_ns))
            put_moment(chrome, &track->events[at++]);
        put_span(chrome, &walk, &step);
    }
    while (!error && at < track->count)
        put_moment(chrome, &track->events[at++]);
    text_free(&chrome->id);
    return error;
}

static int put_tracks(struct chrome *chrome) {
    const struct trace *trace = chrome->trace;
    int error = 0;
    for (uint32_t i = 0, first = 0, last; !error && i < trace->reader.tracks.count;
         i++, first = last) {
        last = first < trace->span_count && trace->spans[first].track == i
                   ? walk_track_end(trace, first)
                   : first;
        if (chrome->part->tracks[i] && (last > first || trace->reader.tracks.all[i].count))
            error = put_track(chrome, i, first, last);
    }
    return error;
}

static int write_chrome(FILE *to, struct trace *trace, const struct format_request *request) {
    struct part part;
    struct chrome chrome = {.to = to, .part = &part, .trace = trace};
    int error = part_open(&part, trace, &request->filter);
    json_init(&chrome.args, to, 0);
    if (!error)
        error = small_ids_make(&chrome.ids, trace);
    if (!error)
        error = chrome_flows_make(&chrome.flows, &part);
    fputs("[\n", to);
    if (!error) {
        put_names(&chrome);
        error = put_tracks(&chrome);
    }
    fputs("{}]\n", to);
    small_ids_free(&chrome.ids);
    chrome_flows_free(&chrome.flows);
    map_free(&chrome.counters);
    part_close(&part);
    return error;
}

static const char *const extensions[] = {".json", NULL};
const struct format format_chrome = {
    .name = "chrome",
    .extensions = extensions,
    .summary = "Chrome's JSON, for chrome://tracing and many others",
    .keep = TRACE_ARGUMENTS | TRACE_FLOWS,
    .holds = HOLDS_SPANS | HOLDS_POINTS,
    .by_event = 1,
    .write = write_chrome,
};
