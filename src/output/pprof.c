/* Profiles as pprof reads them: a gzipped protobuf message.
 *
 *   what is counted, times, comments | { [function] [location] ... sample } ...
 *
 * Each field goes to the compressor as soon as it is known: functions and locations before the first sample that names them,
 * and texts, which protobuf lets come anywhere, whenever there is a new one. A sample is a node that something ended in, so equal
 * stacks are one; whose it is (model/stack_owner.h) is said by its labels.
 *
 * Source: github.com/google/pprof, proto/profile.proto and doc/README.md. */
#include <inttypes.h>
#include <stdlib.h>

#include "marey.h"
#include "model/sampling.h"
#include "model/strings.h"
#include "output/display.h"
#include "output/format.h"
#include "output/gzip.h"
#include "output/message.h"
#include "output/stack_profile.h"

/* Field numbers of profile.proto. */
enum {
    PROFILE__sample_type = 1,
    PROFILE__sample = 2,
    PROFILE__location = 4,
    PROFILE__function = 5,
    PROFILE__string_table = 6,
    PROFILE__time_nanos = 9,
    PROFILE__duration_nanos = 10,
    PROFILE__period_type = 11,
    PROFILE__period = 12,
    PROFILE__comment = 13,
    PROFILE__default_sample_type = 14,
    VALUE_TYPE__type = 1,
    VALUE_TYPE__unit = 2,
    SAMPLE__location_id = 1,
    SAMPLE__value = 2,
    SAMPLE__label = 3,
    LABEL__key = 1,
    LABEL__str = 2,
    LABEL__num = 3,
    LOCATION__id = 1,
    LOCATION__line = 4,
    LINE__function_id = 1,
    LINE__line = 2,
    FUNCTION__id = 1,
    FUNCTION__name = 2,
    FUNCTION__filename = 4,
    FUNCTION__start_line = 5,
};

struct writing {
    struct gzip gzip;
    /* what is being put together: fields, what is in one, and in one of that */
    struct text message, body, part;
    struct strings strings;
    struct text shown;
    const struct trace *trace;
    const struct stack_profile *made;
    const struct profile_node *nodes;
    const struct profile_function *functions;
    uint8_t *written;     /* of a function: whether it is */
    struct map locations; /* function and line to a location's id */
    int failed;           /* memory was short */
};

/* -------------------------------------------------------------------- parts */

/* Gives the message to the compressor; it is empty afterwards. */
static void flush(struct writing *writing) {
    if (!writing->message.failed)
        gzip_add(&writing->gzip, writing->message.bytes, writing->message.size);
    writing->failed |= writing->message.failed;
    writing->message.size = 0;
}

/* A text made harmless, no longer than the table keeps it, and no character cut. */
static struct bytes shown(struct writing *writing, const char *text) {
    struct text *made = &writing->shown;
    made->size = 0;
    display_add(made, text, 0);
    writing->failed |= made->failed;
    if (made->size > STRING_BYTES_MAX)
        for (made->size = STRING_BYTES_MAX; (made->bytes[made->size] & 0xc0) == 0x80;)
            made->size--;
    return (struct bytes){(const uint8_t *)text_of(made), made->size};
}

/* The number of a text, which is written where it is new. */
static uint32_t string_of(struct writing *writing, const char *text) {
    struct text message = {0};
    uint32_t before = writing->strings.count;
    uint32_t number = *text ? strings_add(&writing->strings, shown(writing, text)) : 0;
    if (number && writing->strings.count > before) {
        message_string(&message, PROFILE__string_table, strings_text(&writing->strings, number));
        gzip_add(&writing->gzip, message.bytes, message.size);
        writing->failed |= message.failed;
    }
    text_free(&message);
    return number;
}

static void put_string(struct writing *writing, uint32_t field, const char *text) {
    message_number(&writing->message, field, string_of(writing, text));
}

static void put_type(struct writing *writing, uint32_t field, const char *type, const char *unit) {
    uint32_t type_string = string_of(writing, type), unit_string = string_of(writing, unit);
    message_number(&writing->body, VALUE_TYPE__type, type_string);
    message_number(&writing->body, VALUE_TYPE__unit, unit_string);
    message_within(&writing->message, field, &writing->body);
}

/* ---------------------------------------------------------------- locations */

/* Without a system_name: pprof would take one that is the name for C++ and cut "<module>" out of it. */
static void put_function(struct writing *writing, uint32_t place) {
    const struct profile_function *function = &writing->functions[place];
    uint32_t name = string_of(writing, *function->name ? function->name : "(none)"),
             file = string_of(writing, function->file);
    message_number(&writing->body, FUNCTION__id, place + 1);
    message_number(&writing->body, FUNCTION__name, name);
    message_number(&writing->body, FUNCTION__filename, file);
    if (function->first_line > 0)
        message_number(&writing->body, FUNCTION__start_line, (uint64_t)function->first_line);
    message_within(&writing->message, PROFILE__function, &writing->body);
    flush(writing);
}

static void put_location(struct writing *writing, uint32_t id, uint32_t function, int32_t line) {
    message_number(&writing->part, LINE__function_id, function + 1);
    if (line > 0)
        message_number(&writing->part, LINE__line, (uint64_t)line);
    message_number(&writing->body, LOCATION__id, id);
    message_within(&writing->body, LOCATION__line, &writing->part);
    message_within(&writing->message, PROFILE__location, &writing->body);
    flush(writing);
}

/* The id of a node's location, which is written where it is new, with its function. */
static uint32_t location_of(struct writing *writing, const struct profile_node *node) {
    int32_t line = node->line ? node->line : writing->functions[node->function].first_line;
    uint64_t key = (uint64_t)node->function << 32 | (uint32_t)line;
    uint32_t id = map_get(&writing->locations, key);
    if (id != MAP_NONE)
        return id;
    id = writing->locations.count + 1;
    if (map_put(&writing->locations, key, id))
        writing->failed = 1;
    if (!writing->written[node->function])
        put_function(writing, node->function);
    writing->written[node->function] = 1;
    put_location(writing, id, node->function, line);
    return id;
}

/* ------------------------------------------------------------------ samples */

static void put_text_label(struct writing *writing, const char *key, const char *text) {
    uint32_t key_string = string_of(writing, key), text_string = string_of(writing, text);
    if (!text_string)
        return;
    message_number(&writing->part, LABEL__key, key_string);
    message_number(&writing->part, LABEL__str, text_string);
    message_within(&writing->body, SAMPLE__label, &writing->part);
}

static void put_number_label(struct writing *writing, const char *key, int64_t number) {
    uint32_t key_string = string_of(writing, key);
    message_number(&writing->part, LABEL__key, key_string);
    message_number(&writing->part, LABEL__num, (uint64_t)number);
    message_within(&writing->body, SAMPLE__label, &writing->part);
}

static void put_labels(struct writing *writing, const struct stack_owner *owner) {
    const struct trace *trace = writing->trace;
    if (owner->process != MAP_NONE) {
        const struct process *process = &trace->processes[owner->process];
        put_text_label(writing, "process", trace_text(trace, process->name));
        put_number_label(writing, "pid", process->pid);
    }
    if (owner->thread != MAP_NONE) {
        const struct thread *thread = &trace->threads[owner->thread];
        put_text_label(writing, "thread", trace_text(trace, thread->name));
        put_number_label(writing, "tid", thread->tid);
    }
    put_text_label(writing, "task", trace_text(trace, owner->task));
}

static void put_values(struct writing *writing, const struct profile_node *node) {
    const struct stack_profile *made = writing->made;
    int weights = made->weight == PROFILE_COUNT ? 0 : made->of_spans ? 1 : SAMPLE_WEIGHTS;
    message_number(&writing->body, SAMPLE__value, node->self_count);
    for (int weight = 0; weight < weights; weight++)
        message_number(&writing->body, SAMPLE__value,
                       node->self_ns[weight] < INT64_MAX ? node->self_ns[weight] : INT64_MAX);
}

/* A sample of what ended in this node. Its locations go before it, so they are looked up first. */
static void put_sample(struct writing *writing, uint32_t place) {
    uint32_t ids[PROFILE_DEPTH_MAX + 2], depth = 0;
    const struct stack_owner *owner = NULL;
    for (uint32_t at = place; at; at = writing->nodes[at].parent) {
        const struct profile_node *node = &writing->nodes[at];
        owner = stack_owners_of(&writing->made->owners, &writing->functions[node->function]);
        if (!owner)
            ids[depth++] = location_of(writing, node);
    }
    if (!depth) /* of a thread that ran no Python code */
        ids[depth++] = location_of(writing, &writing->nodes[0]);
    for (uint32_t i = 0; i < depth; i++)
        message_number(&writing->body, SAMPLE__location_id, ids[i]);
    put_values(writing, &writing->nodes[place]);
    if (owner)
        put_labels(writing, owner);
    message_within(&writing->message, PROFILE__sample, &writing->body);
    flush(writing);
}

/* --------------------------------------------------------------------- head */

static const char *const weight_names[] = {[SAMPLE_WALL] = "wall",
                                           [SAMPLE_CPU] = "cpu",
                                           [SAMPLE_GIL] = "gil",
                                           [SAMPLE_GIL_WAIT] = "gil_wait"};

static void put_types(struct writing *writing, enum sample_weight usual) {
    const struct stack_profile *made = writing->made;
    put_type(writing, PROFILE__sample_type, stack_profile_counted(made), "count");
    if (made->of_spans) {
        put_type(writing, PROFILE__sample_type, "time", "nanoseconds");
        put_string(writing, PROFILE__default_sample_type, "time");
    } else if (made->weight != PROFILE_COUNT) {
        for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
            put_type(writing, PROFILE__sample_type, weight_names[weight], "nanoseconds");
        put_string(writing, PROFILE__default_sample_type, weight_names[usual]);
    }
}

static void put_times(struct writing *writing, const struct trace_filter *filter) {
    const struct trace *trace = writing->trace;
    struct sampling sampling;
    int64_t from_ns = trace->first_ns, to_ns = trace->last_ns;
    filter_clip(filter, &from_ns, &to_ns);
    int64_t wall_ns = timebase_wall_ns(&trace->reader.timebase, from_ns);
    if (wall_ns > 0)
        message_number(&writing->message, PROFILE__time_nanos, (uint64_t)wall_ns);
    message_number(&writing->message, PROFILE__duration_nanos, (uint64_t)(to_ns - from_ns));
    sampling_find(&sampling, trace);
    if (writing->made->of_spans || !sampling.interval_ns)
        return;
    put_type(writing, PROFILE__period_type, "wall", "nanoseconds");
    message_number(&writing->message, PROFILE__period, sampling.interval_ns);
}

static void put_comments(struct writing *writing, const char *title) {
    const struct trace *trace = writing->trace;
    uint64_t lost = profile_lost(writing->made->profile);
    struct text comment = {0};
    if (title)
        put_string(writing, PROFILE__comment, title);
    if (trace->process_count)
        put_string(writing, PROFILE__comment, trace_text(trace, trace->processes[0].command_line));
    if (lost) {
        text_addf(&comment, "%" PRIu64 " %s are in stacks that were cut, below '(other)'", lost,
                  stack_profile_counted(writing->made));
        put_string(writing, PROFILE__comment, text_of(&comment));
    }
    text_free(&comment);
}

/* ------------------------------------------------------------------ profile */

static void put_profile(struct writing *writing, const struct format_request *request) {
    uint32_t count;
    writing->functions = profile_functions(writing->made->profile, &count);
    writing->written = calloc(count, 1);
    if (!writing->written) {
        writing->failed = 1;
        return;
    }
    writing->nodes = profile_nodes(writing->made->profile, &count);
    message_string(&writing->message, PROFILE__string_table, "");
    flush(writing); /* before any other text */
    put_types(writing, request->weight);
    put_times(writing, &request->filter);
    put_comments(writing, request->title);
    flush(writing);
    for (uint32_t i = 0; i < count && !writing->failed && !ferror(writing->gzip.to); i++)
        if (writing->nodes[i].self_count)
            put_sample(writing, i);
}

static int write_gzipped(FILE *to, const struct trace *trace, const struct stack_profile *made,
                         const struct format_request *request) {
    struct writing *writing = calloc(1, sizeof *writing);
    if (!writing || gzip_begin(&writing->gzip, to)) {
        free(writing);
        return MAREY_ENOMEM;
    }
    writing->trace = trace;
    writing->made = made;
    put_profile(writing, request);
    gzip_end(&writing->gzip);
    int failed = writing->failed;
    free(writing->written);
    text_free(&writing->shown);
    text_free(&writing->message);
    text_free(&writing->body);
    text_free(&writing->part);
    strings_free(&writing->strings);
    map_free(&writing->locations);
    free(writing);
    return failed ? MAREY_ENOMEM : 0;
}

/* pprof adds up by function itself, so it always gets the lines, and threads and tasks. */
static int write_pprof(FILE *to, struct trace *trace, const struct format_request *request) {
    struct stack_profile made;
    struct format_request with_lines = *request;
    with_lines.lines = 1;
    int error = stack_profile_make(&made, trace, &with_lines, 1);
    if (!error)
        error = write_gzipped(to, trace, &made, request);
    stack_profile_free(&made);
    return error;
}

static const char *const extensions[] = {".pb.gz", ".pprof", NULL};
const struct format format_pprof = {
    .name = "pprof",
    .extensions = extensions,
    .summary = "samples with all their weights, or spans: for go tool pprof",
    .keep = TRACE_CALLS,
    .holds = HOLDS_STACKS,
    .binary = 1,
    .write = write_pprof};
