/* See span_profile.h.
 *
 * Parents stand before their children, among spans as among calls, so one pass gives each its node, and what is left of its
 * time once its children have had theirs is known when that pass is over. */
#include "model/span_profile.h"

#include <stdlib.h>

#include "marey.h"
#include "model/calls.h"
#include "model/processes.h"

enum { NOBODY = MAP_NONE }; /* the place of a span that is not wanted */

struct adding {
    struct profile *profile;
    struct trace *trace;
    struct stack_owners *owners; /* NULL: all together */
    uint32_t *threads;           /* of a track: the thread that it is; MAP_NONE: it is none */
    uint32_t *roots; /* of a track: the node below which its spans belong; MAP_NONE: not made yet */
    struct map functions; /* of plain spans: name and source to the profile's function */
    uint32_t *nodes;      /* of a span */
    int64_t *own_ns;      /* of a span */
};

/* ------------------------------------------------------------------- owners */

static struct stack_owner owner_of(const struct adding *adding, uint32_t place) {
    const struct trace *trace = adding->trace;
    const struct track *track = &trace->reader.tracks.all[place],
                       *above = track_owner(trace, track);
    struct stack_owner owner = {track->process, MAP_NONE, 0};
    if (above)
        owner.thread = adding->threads[above - trace->reader.tracks.all];
    if (above != track)
        owner.task = track->name;
    return owner;
}

/* The node below which the spans of a track belong. */
static uint32_t root_of(struct adding *adding, uint32_t track) {
    if (!adding->owners)
        return 0;
    if (adding->roots[track] == MAP_NONE) {
        struct stack_owner owner = owner_of(adding, track);
        adding->roots[track] =
            stack_owners_add(adding->owners, adding->profile, adding->trace, &owner);
    }
    return adding->roots[track];
}

/* Returns 0, or -1 where memory is short. */
static int prepare_owners(struct adding *adding) {
    const struct trace *trace = adding->trace;
    uint32_t count = trace->reader.tracks.count;
    if (!adding->owners)
        return 0;
    adding->threads = malloc((count + 1) * sizeof *adding->threads);
    adding->roots = malloc((count + 1) * sizeof *adding->roots);
    if (!adding->threads || !adding->roots)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        adding->threads[i] = adding->roots[i] = MAP_NONE;
    for (uint32_t i = 0; i < trace->thread_count; i++)
        if (trace->threads[i].track != MAP_NONE)
            adding->threads[trace->threads[i].track] = i;
    return 0;
}

/* -------------------------------------------------------------------- spans */

/* The profile's function for a span's name and, where that is kept, the place in the source that it gives. MAP_NONE: there is
 * no room for it. */
static uint32_t function_of_span(struct adding *adding, const struct span *span) {
    const struct arguments *arguments = &adding->trace->reader.arguments;
    uint32_t source = span->detail ? arguments->details[span->detail].source : 0;
    uint64_t key = (uint64_t)span->name << 32 | source;
    uint32_t known = map_get(&adding->functions, key);
    if (known != MAP_NONE)
        return known;
    struct profile_function function = {trace_text(adding->trace, span->name), "", 0,
                                        SAMPLE_PYTHON};
    if (source) {
        const struct source_place *place = &arguments->sources[source];
        function.file = trace_text(adding->trace, place->file);
        function.first_line = place->line <= INT32_MAX ? (int32_t)place->line : 0;
    }
    if (!*function.name)
        function.name = "(no name)";
    known = profile_function(adding->profile, &function);
    return map_put(&adding->functions, key, known) ? (uint32_t)MAP_NONE : known;
}

/* Times that anybody may have written: a sum that stops at the greatest. */
static int64_t less(int64_t ns, int64_t part_ns) {
    int64_t rest;
    return __builtin_sub_overflow(ns, part_ns, &rest) ? INT64_MIN : rest;
}

static void take_span(struct adding *adding, const struct trace_filter *filter, uint32_t place) {
    const struct span *span = &adding->trace->spans[place];
    int64_t begin_ns, end_ns;
    uint32_t parent = span->parent == MAP_NONE ? (uint32_t)NOBODY : adding->nodes[span->parent];
    if (!filter_clip_span(filter, adding->trace, span, &begin_ns, &end_ns))
        return;
    adding->own_ns[place] = less(end_ns, begin_ns);
    if (parent != NOBODY)
        adding->own_ns[span->parent] = less(adding->own_ns[span->parent], end_ns - begin_ns);
    else
        parent = root_of(adding, span->track);
    adding->nodes[place] =
        profile_child(adding->profile, parent, function_of_span(adding, span), 0);
}

static void weigh(struct adding *adding, uint32_t node, int64_t own_ns) {
    uint64_t weights_ns[SAMPLE_WEIGHTS] = {[SAMPLE_WALL] = own_ns > 0 ? (uint64_t)own_ns : 0};
    profile_weigh(adding->profile, node, 1, weights_ns);
}

static int add_spans(struct adding *adding, const struct trace_filter *filter) {
    uint32_t count = adding->trace->span_count;
    uint8_t *wanted = filter_tracks(filter, adding->trace);
    adding->nodes = malloc((count + 1) * sizeof *adding->nodes);
    adding->own_ns = malloc((count + 1) * sizeof *adding->own_ns);
    if (!wanted || !adding->nodes || !adding->own_ns) {
        free(wanted);
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        adding->nodes[i] = NOBODY;
        if (wanted[adding->trace->spans[i].track])
            take_span(adding, filter, i);
    }
    for (uint32_t i = 0; i < count; i++)
        if (adding->nodes[i] != NOBODY)
            weigh(adding, adding->nodes[i], adding->own_ns[i]);
    free(wanted);
    return 0;
}

/* -------------------------------------------------------------------- calls */

static uint32_t function_of_call(struct adding *adding, const struct call_function *function) {
    struct profile_function described = {
        trace_text(adding->trace, function->name), trace_text(adding->trace, function->file),
        function->line <= INT32_MAX ? (int32_t)function->line : 0,
        function->kind == FUNCTION_C ? SAMPLE_NATIVE : SAMPLE_PYTHON};
    if (!*described.name)
        described.name = "(no name)";
    return profile_function(adding->profile, &described);
}

static int add_calls(struct adding *adding, const struct trace_filter *filter) {
    struct calls calls;
    int failed = calls_make_part(&calls, adding->trace, filter);
    uint32_t *functions = failed ? NULL : malloc((calls.function_count + 1) * sizeof *functions);
    adding->nodes = failed ? NULL : malloc((calls.count + 1) * sizeof *adding->nodes);
    failed = failed || !functions || !adding->nodes;
    for (uint32_t i = 0; !failed && i < calls.function_count; i++)
        functions[i] = function_of_call(adding, &calls.functions[i]);
    for (uint32_t i = 0; !failed && i < calls.count; i++) {
        const struct call *call = &calls.all[i];
        uint32_t parent =
            call->parent == CALL_NONE ? root_of(adding, call->track) : adding->nodes[call->parent];
        adding->nodes[i] = profile_child(adding->profile, parent, functions[call->function], 0);
        weigh(adding, adding->nodes[i], call->self_ns);
    }
    free(functions);
    calls_free(&calls);
    return failed;
}

int span_profile(struct profile **profile, struct trace *trace, const struct trace_filter *filter,
                 struct stack_owners *owners) {
    struct adding adding = {.trace = trace, .owners = owners};
    adding.profile = *profile = profile_open(PROFILE_NODES_MAX, 0);
    int failed = !*profile || prepare_owners(&adding);
    if (!failed)
        failed = calls_are_there(trace) ? add_calls(&adding, filter) : add_spans(&adding, filter);
    if (!failed)
        profile_sum(*profile);
    free(adding.threads);
    free(adding.roots);
    free(adding.nodes);
    free(adding.own_ns);
    map_free(&adding.functions);
    return failed ? MAREY_ENOMEM : 0;
}
