/* For speedscope.app: spans and calls as evented profiles, one a track; samples as sampled profiles with weights, one a
 * thread, in nanoseconds. Source: jlfwong/speedscope, src/lib/file-format-spec.ts (0.0.1).
 *
 * The frames that all profiles share stand at the file's end, when it is known which there are. Events of a profile have to
 * nest: a span that ends after one that it began in (a reader matched them by name) ends with that one. */
#include <stdlib.h>

#include "marey.h"
#include "model/grow.h"
#include "output/digits.h"
#include "output/format.h"
#include "output/json.h"
#include "output/sample_groups.h"
#include "output/walk.h"

struct shared_frame {
    uint32_t name, file, line; /* strings */
};

struct writer {
    FILE *to;
    const struct part *part;
    const struct format_request *request;
    struct shared_frame *frames;
    uint32_t frame_count, frame_capacity;
    uint32_t *by_name;    /* of spans without a source, by string: its frame and one; 0: none yet */
    struct map by_place;  /* of the others: name and source */
    uint32_t *by_sampled; /* of samples' functions or frames, likewise */
    uint32_t profiles;
    int error;
};

/* ------------------------------------------------------------------- frames */

static uint32_t add_frame(struct writer *writer, struct shared_frame frame) {
    if (GROW(writer->frames, writer->frame_count, writer->frame_capacity)) {
        writer->error = MAREY_ENOMEM;
        return 0;
    }
    writer->frames[writer->frame_count] = frame;
    return writer->frame_count++;
}

static uint32_t frame_at_source(struct writer *writer, uint32_t name, uint32_t source) {
    uint64_t key = (uint64_t)name << 32 | source;
    uint32_t frame = map_get(&writer->by_place, key);
    if (frame != MAP_NONE)
        return frame;
    const struct source_place *place = &writer->part->trace->reader.arguments.sources[source];
    frame = add_frame(writer, (struct shared_frame){name, place->file, place->line});
    if (map_put(&writer->by_place, key, frame))
        writer->error = MAREY_ENOMEM;
    return frame;
}

static uint32_t frame_of_span(struct writer *writer, const struct span *span) {
    const struct trace *trace = writer->part->trace;
    uint32_t source = span->detail ? trace->reader.arguments.details[span->detail].source : 0;
    if (source)
        return frame_at_source(writer, span->name, source);
    uint32_t *known = &writer->by_name[span->name];
    if (!*known)
        *known = add_frame(writer, (struct shared_frame){span->name, 0, 0}) + 1;
    return *known - 1;
}

static uint32_t frame_of_sample(struct writer *writer, uint32_t place) {
    const struct samples *samples = &writer->part->trace->reader.samples;
    const struct stack_frame *frame = &samples->frames[place];
    const struct stack_function *function = &samples->functions[frame->function];
    int lines = writer->request->lines;
    int32_t line = lines ? frame->line : function->first_line;
    uint32_t *known = &writer->by_sampled[lines ? place : frame->function];
    if (!*known)
        *known = 1 + add_frame(writer, (struct shared_frame){function->name, function->file,
                                                             line > 0 ? (uint32_t)line : 0});
    return *known - 1;
}

static void put_frames(struct writer *writer) {
    const struct trace *trace = writer->part->trace;
    FILE *to = writer->to;
    fputs("],\n\"shared\":{\"frames\":[", to);
    for (uint32_t i = 0; i < writer->frame_count; i++) {
        const struct shared_frame *frame = &writer->frames[i];
        fputs(i ? ",\n{\"name\":" : "\n{\"name\":", to);
        json_put_text(to, frame->name ? trace_text(trace, frame->name) : "(no name)");
        if (frame->file) {
            fputs(",\"file\":", to);
            json_put_text(to, trace_text(trace, frame->file));
        }
        if (frame->line)
            fprintf(to, ",\"line\":%u", frame->line);
        putc('}', to);
    }
    fputs("]}}\n", to);
}

/* ----------------------------------------------------------------- profiles */

static void begin_profile(struct writer *writer, const char *type, struct text *label,
                          const char *unit) {
    fprintf(writer->to, "%s\n{\"type\":\"%s\",\"name\":", writer->profiles++ ? "," : "", type);
    json_put_text(writer->to, text_of(label));
    fprintf(writer->to, ",\"unit\":\"%s\",", unit);
    writer->error |= label->failed ? MAREY_ENOMEM : 0;
    text_free(label);
}

struct open_frames {
    uint32_t spans[SPAN_DEPTH_MAX + 1], frames[SPAN_DEPTH_MAX + 1];
    uint32_t depth;
    int64_t last_ns;
    int any;
};

static void put_event(struct writer *writer, struct open_frames *open, int begins, uint32_t frame,
                      int64_t ns) {
    char line[2 * DIGITS_MAX + 64], *at = line;
    at = open->any ? DIGITS_TEXT(at, ",\n") : DIGITS_TEXT(at, "\n");
    at = begins ? DIGITS_TEXT(at, "{\"type\":\"O\",\"frame\":")
                : DIGITS_TEXT(at, "{\"type\":\"C\",\"frame\":");
    at = digits_count(at, frame);
    at = DIGITS_TEXT(at, ",\"at\":");
    at = digits_integer(at, ns);
    *at++ = '}';
    fwrite_unlocked(line, 1, (size_t)(at - line), writer->to);
    open->any = 1;
    open->last_ns = ns;
}

/* Ends a span, and what is open in it; nothing where it has ended with another one. */
static void close_span(struct writer *writer, struct open_frames *open, uint32_t span, int64_t ns) {
    uint32_t at = open->depth;
    while (at > 0 && open->spans[at - 1] != span)
        at--;
    while (at > 0 && open->depth >= at)
        put_event(writer, open, 0, open->frames[--open->depth], ns);
}

static void put_events(struct writer *writer, struct walk *walk, struct open_frames *open) {
    const struct span *spans = writer->part->trace->spans;
    struct walk_step step;
    while (walk_next(walk, &step)) {
        if (!step.begins) {
            close_span(writer, open, step.span, step.time_ns);
            continue;
        }
        open->spans[open->depth] = step.span;
        open->frames[open->depth] = frame_of_span(writer, &spans[step.span]);
        put_event(writer, open, 1, open->frames[open->depth++], step.time_ns);
    }
}

/* A track of which nothing is wanted makes no profile. */
static void put_track(struct writer *writer, uint32_t first, uint32_t last) {
    const struct trace *trace = writer->part->trace;
    const struct track *track = &trace->reader.tracks.all[trace->spans[first].track];
    struct part_span cut;
    struct walk walk;
    struct open_frames open = {.depth = 0};
    struct text label = {0};
    uint32_t wanted = first;
    while (wanted < last && !part_has_span(writer->part, &trace->spans[wanted], &cut))
        wanted++;
    if (wanted == last)
        return;
    part_label_track(&label, writer->part, track);
    begin_profile(writer, "evented", &label, "nanoseconds");
    fprintf(writer->to, "\"startValue\":%lld,\"events\":[", (long long)cut.begin_ns);
    walk_init(&walk, writer->part, first, last);
    put_events(writer, &walk, &open);
    fprintf(writer->to, "],\"endValue\":%lld}", (long long)open.last_ns);
}

static void put_spans(struct writer *writer) {
    const struct trace *trace = writer->part->trace;
    writer->by_name = calloc(trace->reader.strings.count + 1u, sizeof *writer->by_name);
    if (!writer->by_name) {
        writer->error = MAREY_ENOMEM;
        return;
    }
    for (uint32_t first = 0, last; first < trace->span_count && !writer->error; first = last) {
        last = walk_track_end(trace, first);
        put_track(writer, first, last);
    }
}

/* ------------------------------------------------------------------ samples */

/* What a sample counts: its time, or, where the trace says nothing of time, how many there are. */
static uint64_t weight_of(const struct writer *writer, const struct taken_sample *sample) {
    const struct samples *samples = &writer->part->trace->reader.samples;
    return samples->weighted ? sample->weights_ns[writer->request->weight] : sample->count;
}

static void put_stack(struct writer *writer, const struct taken_sample *sample, int is_first) {
    const struct samples *samples = &writer->part->trace->reader.samples;
    uint32_t frames[STACK_DEPTH_MAX];
    uint32_t depth = sample_stack(samples, sample->stack, frames);
    fputs_unlocked(is_first ? "\n[" : ",\n[", writer->to);
    for (uint32_t i = 0; i < depth; i++) {
        char piece[DIGITS_MAX + 1], *at = piece;
        if (i)
            *at++ = ',';
        at = digits_count(at, frame_of_sample(writer, frames[i]));
        fwrite_unlocked(piece, 1, (size_t)(at - piece), writer->to);
    }
    putc_unlocked(']', writer->to);
}

/* Those of a group that are wanted and count something: their stacks, or their weights. Returns the sum. */
static uint64_t put_group(struct writer *writer, const uint32_t *order, uint32_t count,
                          int weights) {
    const struct samples *samples = &writer->part->trace->reader.samples;
    struct taken_sample cut;
    uint64_t sum = 0, shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!part_has_sample(writer->part, &samples->all[order[i]], &cut))
            continue;
        uint64_t weight = weight_of(writer, &cut);
        if (!weight)
            continue;
        sum += weight;
        if (weights)
            fprintf(writer->to, shown ? ",%llu" : "%llu", (unsigned long long)weight);
        else
            put_stack(writer, &cut, !shown);
        shown++;
    }
    return sum;
}

/* Whether any sample of the group is wanted. */
static int has_any(const struct writer *writer, const uint32_t *order, uint32_t count) {
    const struct samples *samples = &writer->part->trace->reader.samples;
    struct taken_sample cut;
    for (uint32_t i = 0; i < count; i++)
        if (part_has_sample(writer->part, &samples->all[order[i]], &cut) && weight_of(writer, &cut))
            return 1;
    return 0;
}

static void put_thread(struct writer *writer, const struct sample_groups *groups, uint32_t group) {
    const struct trace *trace = writer->part->trace;
    const struct samples *samples = &trace->reader.samples;
    const uint32_t *order = groups->order + groups->first[group];
    uint32_t count = groups->first[group + 1] - groups->first[group];
    struct text label = {0};
    if (!has_any(writer, order, count))
        return;
    part_label_thread(&label, writer->part, &trace->threads[samples->threads[group / 2].thread]);
    text_add(&label, group % 2 ? " (tasks that wait)" : " (samples)");
    begin_profile(writer, "sampled", &label, samples->weighted ? "nanoseconds" : "none");
    fputs("\"startValue\":0,\"samples\":[", writer->to);
    put_group(writer, order, count, 0);
    fputs("],\n\"weights\":[", writer->to);
    uint64_t sum = put_group(writer, order, count, 1);
    fprintf(writer->to, "],\"endValue\":%llu}", (unsigned long long)sum);
}

static void put_samples(struct writer *writer) {
    const struct samples *samples = &writer->part->trace->reader.samples;
    uint32_t places = writer->request->lines ? samples->frame_count : samples->function_count;
    struct sample_groups groups;
    int error = sample_groups_make(&groups, samples);
    writer->by_sampled = calloc(places + 1u, sizeof *writer->by_sampled);
    if (error || !writer->by_sampled)
        writer->error = MAREY_ENOMEM;
    for (uint32_t group = 0; group < groups.count && !writer->error; group++)
        put_thread(writer, &groups, group);
    sample_groups_free(&groups);
}

/* ---------------------------------------------------------------------- all */

/* The title, else the process that the trace begins with. */
static void put_head(struct writer *writer) {
    const struct trace *trace = writer->part->trace;
    const char *title = writer->request->title;
    if (!title)
        title = trace->process_count ? trace_text(trace, trace->processes[0].name) : "";
    fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
          "\"exporter\":\"marey " MAREY_VERSION "\",\"name\":",
          writer->to);
    json_put_text(writer->to, *title ? title : "trace");
    fputs(",\"activeProfileIndex\":0,\n\"profiles\":[", writer->to);
}

static int write_speedscope(FILE *to, struct trace *trace, const struct format_request *request) {
    struct part part;
    struct writer writer = {.to = to, .part = &part, .request = request};
    writer.error = part_open(&part, trace, &request->filter);
    put_head(&writer);
    if (!writer.error && request->of != STACKS_OF_SAMPLES)
        put_spans(&writer);
    if (!writer.error && request->of != STACKS_OF_SPANS)
        put_samples(&writer);
    put_frames(&writer);
    part_close(&part);
    free(writer.frames);
    free(writer.by_name);
    free(writer.by_sampled);
    map_free(&writer.by_place);
    return writer.error;
}

static const char *const extensions[] = {".speedscope.json", ".speedscope", NULL};
const struct format format_speedscope = {
    .name = "speedscope",
    .extensions = extensions,
    .summary = "for speedscope.app: spans and calls by time, samples with their weights",
    .keep = TRACE_CALLS,
    .holds = HOLDS_SPANS | HOLDS_SAMPLES,
    .by_event = 1,
    .write = write_speedscope,
};
