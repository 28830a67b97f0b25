/* See profile_trace.h.
 *
 *   clocks | process and thread | names, paths, frames | defaults | { callstack, sample } ... */
#include "output/profile_trace.h"

#include <stdlib.h>

#include "output/message.h"
#include "output/stack_sample.h"

enum { CONTEXT = 1 };

/* ----------------------------------------------------------------- messages */

/* A message within another one; it is gone afterwards. */
static void put_message(struct text *to, unsigned field, struct text *message) {
    message_within(to, field, message);
    text_free(message);
}

static void put_packet(struct text *to, struct text *packet, const struct profiled *process) {
    message_number(packet, PACKET__trusted_packet_sequence_id, process->sequence);
    put_message(to, TRACE__packet, packet);
}

/* --------------------------------------------------------------------- head */

static void put_clock(struct text *packet, uint64_t id, uint64_t time_ns) {
    struct text clock = {0};
    message_number(&clock, CLOCK__id, id);
    message_number(&clock, CLOCK__timestamp, time_ns);
    put_message(packet, CLOCK_SNAPSHOT__clocks, &clock);
}

static void put_clocks(struct text *to, const struct profiled *process) {
    struct text packet = {0}, snapshot = {0};
    put_clock(&snapshot, CLOCK_ID_MONOTONIC, process->time_ns);
    put_clock(&snapshot, CLOCK_ID_REALTIME, process->realtime_ns);
    message_number(&snapshot, CLOCK_SNAPSHOT__primary_trace_clock, CLOCK_ID_MONOTONIC);
    put_message(&packet, PACKET__clock_snapshot, &snapshot);
    put_packet(to, &packet, process);
}

static void put_process(struct text *to, const struct profiled *process) {
    struct text packet = {0}, tree = {0}, entry = {0};
    uint64_t pid = (uint32_t)process->pid;
    message_number(&entry, TREE_PROCESS__pid, pid);
    message_string(&entry, TREE_PROCESS__cmdline, process->name);
    put_message(&tree, PROCESS_TREE__processes, &entry);
    message_number(&entry, TREE_THREAD__tid, pid);
    message_string(&entry, TREE_THREAD__name, "all threads");
    message_number(&entry, TREE_THREAD__tgid, pid);
    put_message(&tree, PROCESS_TREE__threads, &entry);
    message_number(&packet, PACKET__timestamp, process->time_ns);
    message_number(&packet, PACKET__timestamp_clock_id, CLOCK_ID_MONOTONIC);
    put_message(&packet, PACKET__process_tree, &tree);
    put_packet(to, &packet, process);
}

static void put_defaults(struct text *packet) {
    struct text defaults = {0}, of_samples = {0};
    stack_sample_defaults(&of_samples);
    message_number(&defaults, DEFAULTS__timestamp_clock_id, CLOCK_ID_MONOTONIC);
    put_message(&defaults, DEFAULTS__stack_sample_defaults, &of_samples);
    put_message(packet, PACKET__trace_packet_defaults, &defaults);
}

/* ------------------------------------------------------------------- frames */

/* A function, or a line of it; its place in a sorted array, from 1 on, is its number in the trace. */
struct place {
    uint32_t function;
    int32_t line;
};

struct places {
    struct place *all;
    uint32_t count;
};

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    if (left->function != right->function)
        return left->function < right->function ? -1 : 1;
    return left->line < right->line ? -1 : left->line > right->line;
}

/* Returns 0, or -1 where memory is short. */
static int find_places(struct places *places, const struct profile_node *nodes, uint32_t count) {
    *places = (struct places){malloc(count * sizeof *places->all), 0};
    if (!places->all)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        places->all[i] = (struct place){nodes[i].function, nodes[i].line};
    qsort(places->all, count, sizeof *places->all, compare_places);
    for (uint32_t i = 0; i < count; i++)
        if (!i || compare_places(&places->all[i], &places->all[places->count - 1]))
            places->all[places->count++] = places->all[i];
    return 0;
}

static uint32_t number_of(const struct places *places, const struct profile_node *node) {
    struct place wanted = {node->function, node->line};
    const struct place *found =
        bsearch(&wanted, places->all, places->count, sizeof wanted, compare_places);
    return (uint32_t)(found - places->all) + 1;
}

static void put_name(struct text *interned, unsigned field, uint32_t iid, const char *name) {
    struct text entry = {0};
    message_number(&entry, INTERNED_ENTRY__iid, iid);
    message_string(&entry, INTERNED_ENTRY__name, name);
    put_message(interned, field, &entry);
}

static void put_frame(struct text *interned, uint32_t iid, const struct place *place,
                      const struct profile_function *function) {
    struct text frame = {0};
    int32_t line = place->line ? place->line : function->first_line;
    message_number(&frame, FRAME__iid, iid);
    message_number(&frame, FRAME__function_name_id, place->function + 1);
    if (function->first_line > 0)
        message_number(&frame, FRAME__rel_pc, (uint64_t)function->first_line);
    message_number(&frame, FRAME__source_path_iid, place->function + 1);
    if (line > 0)
        message_number(&frame, FRAME__line_number, (uint64_t)line);
    message_number(&frame, FRAME__kind, stack_sample_frame_kind(function->kind));
    put_message(interned, INTERNED__frames, &frame);
}

static void put_context(struct text *interned, const struct profiled *process) {
    struct text context = {0};
    message_number(&context, TASK_CONTEXT__iid, CONTEXT);
    message_number(&context, TASK_CONTEXT__pid, (uint32_t)process->pid);
    message_number(&context, TASK_CONTEXT__tid, (uint32_t)process->pid);
    put_message(interned, INTERNED__task_contexts, &context);
}

/* Everything that samples refer to but callstacks; it begins the sequence. */
static void put_frames(struct text *to, const struct profile *profile, const struct places *places,
                       const struct profiled *process) {
    struct text packet = {0}, interned = {0};
    uint32_t count;
    const struct profile_function *functions = profile_functions(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        put_name(&interned, INTERNED__function_names, i + 1, functions[i].name);
        put_name(&interned, INTERNED__source_paths, i + 1, functions[i].file);
    }
    for (uint32_t i = 0; i < places->count; i++)
        put_frame(&interned, i + 1, &places->all[i], &functions[places->all[i].function]);
    put_context(&interned, process);
    message_number(&packet, PACKET__sequence_flags, SEQUENCE_STATE_CLEARED);
    put_defaults(&packet);
    put_message(&packet, PACKET__interned_data, &interned);
    put_packet(to, &packet, process);
}

/* ------------------------------------------------------------------ samples */

static void put_callstack(struct text *packet, const struct places *places,
                          const struct profile_node *nodes, uint32_t node) {
    uint32_t path[PROFILE_DEPTH_MAX + 2], depth = 0;
    struct text callstack = {0}, interned = {0};
    for (uint32_t at = node; at; at = nodes[at].parent)
        path[depth++] = at;
    message_number(&callstack, CALLSTACK__iid, node);
    while (depth)
        message_number(&callstack, CALLSTACK__frame_ids, number_of(places, &nodes[path[--depth]]));
    put_message(&interned, INTERNED__callstacks, &callstack);
    put_message(packet, PACKET__interned_data, &interned);
}

static void put_sample(struct text *to, const struct places *places,
                       const struct profile_node *nodes, uint32_t node,
                       const struct profiled *process) {
    struct text packet = {0}, sample = {0};
    const struct profile_node *of = &nodes[node];
    if (node)
        put_callstack(&packet, places, nodes, node);
    message_number(&sample, STACK_SAMPLE__task_context_iid, CONTEXT);
    if (node)
        message_number(&sample, STACK_SAMPLE__callstack_iid, node);
    stack_sample_weights(&sample, of->self_ns, of->self_count);
    message_number(&packet, PACKET__timestamp, process->time_ns);
    message_number(&packet, PACKET__sequence_flags, SEQUENCE_NEEDS_STATE);
    put_message(&packet, PACKET__stack_sample, &sample);
    put_packet(to, &packet, process);
}

void profile_trace(struct text *to, const struct profile *profile, const struct profiled *process) {
    uint32_t count;
    struct places places;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    if (find_places(&places, nodes, count)) {
        to->failed = 1;
        return;
    }
    put_clocks(to, process);
    put_process(to, process);
    put_frames(to, profile, &places, process);
    for (uint32_t node = 0; node < count; node++)
        if (nodes[node].self_count)
            put_sample(to, &places, nodes, node, process);
    free(places.all);
}
