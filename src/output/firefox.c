/* For the Firefox Profiler (profiler.firefox.com): samples, and spans and instants as markers; each track that is no
 * thread's is a thread beside them. Times in milliseconds since the trace's first event.
 *
 * The processed profile format, version 60, which later profilers read by their upgraders. Source: firefox-devtools/
 * profiler, src/types/profile.ts and src/profile-logic/processed-profile-versioning.ts. */
#include "output/firefox.h"

#include <stdlib.h>

#include "marey.h"
#include "model/sampling.h"
#include "output/format.h"
#include "output/walk.h"

enum { FORMAT_VERSION = 60, GECKO_VERSION = 30 };

/* --------------------------------------------------------------------- meta */

static const char categories[] =
    "\"categories\":["
    "{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]},"
    "{\"name\":\"Python\",\"color\":\"yellow\",\"subcategories\":[\"Other\"]},"
    "{\"name\":\"Native\",\"color\":\"blue\",\"subcategories\":[\"Other\"]},"
    "{\"name\":\"Garbage collection\",\"color\":\"orange\",\"subcategories\":[\"Other\"]},"
    "{\"name\":\"asyncio task\",\"color\":\"green\",\"subcategories\":[\"Other\"]},"
    "{\"name\":\"Span\",\"color\":\"purple\",\"subcategories\":[\"Other\"]}],\n";

static const char schema[] =
    "\"markerSchema\":[{\"name\":\"span\",\"display\":[\"marker-chart\",\"marker-table\","
    "\"timeline-overview\"],\"tooltipLabel\":\"{marker.name}\",\"chartLabel\":\"{marker.name}\","
    "\"tableLabel\":\"{marker.data.args}\",\"fields\":["
    "{\"key\":\"category\",\"label\":\"Category\",\"format\":\"string\"},"
    "{\"key\":\"args\",\"label\":\"Arguments\",\"format\":\"string\"}]}],\n";

static const char fixed[] =
    "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"ns\"},\n"
    "\"extensions\":{\"length\":0,\"baseURL\":[],\"id\":[],\"name\":[]},\n"
    "\"processType\":0,\"stackwalk\":0,\"debug\":false,\"symbolicated\":true,"
    "\"symbolicationNotSupported\":true,\"usesOnlyOneStackType\":true,"
    "\"sourceCodeIsNotOnSearchfox\":true,\"keepProfileThreadOrder\":true,"
    "\"importedFrom\":\"Marey\"";

static void put_meta(struct firefox *writer, const char *title) {
    const struct trace *trace = writer->trace;
    struct sampling sampling;
    char interval[DIGITS_MAX], start[DIGITS_MAX];
    sampling_find(&sampling, trace);
    uint64_t interval_ns = sampling.interval_ns ? sampling.interval_ns : 1000000;
    *digits_ms(interval, (int64_t)interval_ns) = 0;
    *digits_ms(start, timebase_wall_ns(&trace->reader.timebase, trace->first_ns)) = 0;
    fprintf(writer->to,
            "{\"meta\":{\"preprocessedProfileVersion\":%d,\"version\":%d,\"interval\":%s,"
            "\"startTime\":%s,\"product\":",
            FORMAT_VERSION, GECKO_VERSION, interval, start);
    json_put_text(writer->to, title);
    fputs(",\n", writer->to);
    fputs(categories, writer->to);
    fputs(schema, writer->to);
    fputs(fixed, writer->to);
    fputs("},\n\"libs\":[],\"pages\":[],\"profilerOverhead\":[],\n\"threads\":[", writer->to);
}

/* ------------------------------------------------------------------ threads */

/* {"name":"worker","pid":"100","tid":101,... */
static void begin_thread(struct firefox *writer, uint32_t process, const char *name) {
    const struct trace *trace = writer->trace;
    uint32_t pid = process == MAP_NONE ? writer->ids.nobody : writer->ids.processes[process];
    fputs(writer->threads++ ? ",\n{\"name\":" : "\n{\"name\":", writer->to);
    json_put_text(writer->to, name);
    fputs(",\"processName\":", writer->to);
    json_put_text(writer->to,
                  process == MAP_NONE ? "" : trace_text(trace, trace->processes[process].name));
    fprintf(writer->to, ",\"pid\":\"%u\"", pid);
    if (writer->threads == 1)
        writer->first_pid = pid;
    if (process != MAP_NONE && !writer->main_thread[process])
        writer->main_thread[process] = writer->threads;
}

static void put_rest(struct firefox *writer, int is_main) {
    fprintf(writer->to,
            ",\"isMainThread\":%s,\"processType\":\"default\",\"processStartupTime\":0,"
            "\"processShutdownTime\":null,\"registerTime\":0,\"unregisterTime\":null,"
            "\"pausedRanges\":[],\"showMarkersInTimeline\":true,\n",
            is_main ? "true" : "false");
}

static int has_moments(const struct firefox *writer, uint32_t place) {
    const struct track *track = &writer->trace->reader.tracks.all[place];
    return writer->spans && writer->part->tracks[place] && track->kind != TRACK_COUNTER &&
           (track->spans || track->instants || track->count);
}

static void put_thread(struct firefox *writer, uint32_t place, const uint32_t *firsts) {
    const struct trace *trace = writer->trace;
    const struct thread *thread = &trace->threads[place];
    uint32_t track = thread->track;
    int has_track = track != MAP_NONE && has_moments(writer, track);
    if (!writer->part->threads[place] || !(has_track || (writer->samples && thread->samples)))
        return;
    begin_thread(writer, thread->process, trace_text(trace, thread->name));
    fprintf(writer->to, ",\"tid\":%u", writer->ids.threads[place]);
    put_rest(writer, thread->tid == thread->pid);
    firefox_samples(writer, place);
    firefox_markers(writer, has_track ? track : MAP_NONE, has_track ? firsts[track] : 0,
                    has_track ? firsts[track + 1] : 0);
    fputs("}", writer->to);
}

static void put_track(struct firefox *writer, uint32_t place, const uint32_t *firsts) {
    const struct track *track = &writer->trace->reader.tracks.all[place];
    if (track->kind == TRACK_THREAD || !has_moments(writer, place))
        return;
    begin_thread(writer, track->process, trace_text(writer->trace, track->name));
    fprintf(writer->to, ",\"tid\":\"track %u\"", place);
    put_rest(writer, 0);
    firefox_samples(writer, MAP_NONE);
    firefox_markers(writer, place, firsts[place], firsts[place + 1]);
    fputs("}", writer->to);
}

/* Where each track's spans begin, and one more. NULL: memory is short. */
static uint32_t *find_firsts(const struct trace *trace) {
    uint32_t count = trace->reader.tracks.count, at = 0;
    uint32_t *firsts = calloc(count + 1u, sizeof *firsts);
    for (uint32_t i = 0; firsts && i < count; i++) {
        firsts[i] = at;
        if (at < trace->span_count && trace->spans[at].track == i)
            at = walk_track_end(trace, at);
        firsts[i + 1] = at;
    }
    return firsts;
}

/* Process by process its threads, then what is no thread's. */
static int put_threads(struct firefox *writer) {
    const struct trace *trace = writer->trace;
    uint32_t *firsts = find_firsts(trace);
    for (uint32_t i = 0; firsts && i < trace->thread_count; i++)
        put_thread(writer, i, firsts);
    for (uint32_t i = 0; firsts && i < trace->reader.tracks.count; i++)
        put_track(writer, i, firsts);
    free(firsts);
    return firsts ? 0 : MAREY_ENOMEM;
}

/* ---------------------------------------------------------------------- all */

static int make_texts(struct firefox_texts *texts, const struct trace *trace) {
    texts->places = calloc(trace->reader.strings.count + 1u, sizeof *texts->places);
    texts->all = calloc(trace->reader.strings.count + 1u, sizeof *texts->all);
    return texts->places && texts->all ? 0 : MAREY_ENOMEM;
}

static int prepare(struct firefox *writer) {
    const struct trace *trace = writer->trace;
    int error = small_ids_make(&writer->ids, trace);
    error |= sample_groups_make(&writer->groups, &trace->reader.samples);
    error |= make_texts(&writer->strings, trace) | make_texts(&writer->sources, trace);
    writer->main_thread = calloc(trace->process_count + 1u, sizeof *writer->main_thread);
    return error || !writer->main_thread ? MAREY_ENOMEM : 0;
}

static void clean_up(struct firefox *writer) {
    small_ids_free(&writer->ids);
    sample_groups_free(&writer->groups);
    free(writer->strings.places);
    free(writer->strings.all);
    free(writer->sources.places);
    free(writer->sources.all);
    free(writer->main_thread);
}

static int write_firefox(FILE *to, struct trace *trace, const struct format_request *request) {
    struct part part;
    struct firefox writer = {.to = to,
                             .part = &part,
                             .trace = trace,
                             .spans = request->of != STACKS_OF_SAMPLES,
                             .samples = request->of != STACKS_OF_SPANS};
    const char *name = trace->process_count ? trace_text(trace, trace->processes[0].name) : "trace";
    int error = part_open(&part, trace, &request->filter);
    if (!error)
        error = prepare(&writer);
    if (!error) {
        put_meta(&writer, request->title ? request->title : name);
        error = put_threads(&writer);
        fputs("]", to);
        firefox_counters(&writer);
        firefox_shared(&writer);
        fputs("}\n", to);
    }
    clean_up(&writer);
    part_close(&part);
    return error;
}

static const char *const extensions[] = {".firefox.json", ".profile.json", NULL};
const struct format format_firefox = {
    .name = "firefox",
    .extensions = extensions,
    .summary = "for profiler.firefox.com: samples, and spans as markers",
    .keep = TRACE_ARGUMENTS,
    .holds = HOLDS_SPANS | HOLDS_SAMPLES | HOLDS_POINTS,
    .by_event = 1,
    .write = write_firefox,
};
