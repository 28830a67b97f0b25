/* See perfetto_writer.h: samples as StackSamples, thread by thread. */
#include "marey.h"
#include "output/perfetto_writer.h"
#include "output/sample_groups.h"
#include "output/stack_sample.h"

static void put_function(struct perfetto *writer, struct text *frame,
                         const struct stack_function *function) {
    if (function->name)
        message_number(
            frame, FRAME__function_name_id,
            perfetto_text(writer, function->name, SAID_FUNCTION, INTERNED__function_names));
    if (function->first_line > 0)
        message_number(frame, FRAME__rel_pc, (uint64_t)function->first_line);
    if (function->file)
        message_number(frame, FRAME__source_path_iid,
                       perfetto_text(writer, function->file, SAID_PATH, INTERNED__source_paths));
    message_number(frame, FRAME__kind, stack_sample_frame_kind(function->kind));
}

/* Numbers count from 1. */
static uint32_t frame_number(struct perfetto *writer, uint32_t place) {
    const struct samples *samples = &writer->trace->reader.samples;
    const struct stack_frame *at = &samples->frames[place];
    struct text frame = {0};
    if (writer->frames[place])
        return place + 1;
    writer->frames[place] = 1;
    message_number(&frame, FRAME__iid, place + 1);
    put_function(writer, &frame, &samples->functions[at->function]);
    if (at->line > 0)
        message_number(&frame, FRAME__line_number, (uint64_t)at->line);
    message_within(&writer->interned, INTERNED__frames, &frame);
    text_free(&frame);
    return place + 1;
}

static uint32_t stack_number(struct perfetto *writer, uint32_t stack) {
    uint32_t path[STACK_DEPTH_MAX], depth;
    struct text callstack = {0};
    if (writer->stacks[stack])
        return stack;
    writer->stacks[stack] = 1;
    depth = sample_stack(&writer->trace->reader.samples, stack, path);
    message_number(&callstack, CALLSTACK__iid, stack);
    for (uint32_t i = 0; i < depth; i++)
        message_number(&callstack, CALLSTACK__frame_ids, frame_number(writer, path[i]));
    message_within(&writer->interned, INTERNED__callstacks, &callstack);
    text_free(&callstack);
    return stack;
}

static void put_task(struct perfetto *writer, struct text *context, uint32_t task) {
    if (!task)
        return;
    if (!(writer->texts[task] & SAID_TASK)) {
        writer->texts[task] |= SAID_TASK;
        message_number(&writer->entry, ASYNC_CONTEXT__iid, task);
        perfetto_clean(&writer->entry, ASYNC_CONTEXT__name, trace_text(writer->trace, task));
        message_within(&writer->interned, INTERNED__async_contexts, &writer->entry);
    }
    message_number(context, TASK_CONTEXT__async_id, task);
}

static uint32_t context_number(struct perfetto *writer, const struct taken_sample *sample) {
    const struct sampled_thread *thread = &writer->trace->reader.samples.threads[sample->thread];
    uint64_t key = (uint64_t)sample->thread << 32 | sample->task;
    uint32_t number = map_get(&writer->contexts, key);
    struct text context = {0};
    if (number != MAP_NONE)
        return number;
    number = writer->contexts.count + 1;
    if (map_put(&writer->contexts, key, number))
        writer->error = MAREY_ENOMEM;
    message_number(&context, TASK_CONTEXT__iid, number);
    message_number(&context, TASK_CONTEXT__pid, (uint64_t)thread->pid);
    message_number(&context, TASK_CONTEXT__tid, (uint64_t)thread->tid);
    put_task(writer, &context, sample->task);
    message_within(&writer->interned, INTERNED__task_contexts, &context);
    text_free(&context);
    return number;
}

static void put_sample(struct perfetto *writer, const struct taken_sample *sample) {
    struct text *message = &writer->event;
    message_number(message, STACK_SAMPLE__task_context_iid, context_number(writer, sample));
    if (sample->stack)
        message_number(message, STACK_SAMPLE__callstack_iid, stack_number(writer, sample->stack));
    stack_sample_weights(message, sample->weights_ns, sample->count);
    message_within(&writer->packet, PACKET__stack_sample, message);
    perfetto_put(writer, sample->time_ns);
}

/* -------------------------------------------------------------- who it was */

/* Its process with what it is called and what it was started with, and the thread. */
static void put_names(struct perfetto *writer, const struct thread *thread) {
    const struct trace *trace = writer->trace;
    const struct process *process = &trace->processes[thread->process];
    const char *rest = strchr(trace_text(trace, process->command_line), ' ');
    struct text tree = {0}, entry = {0};
    message_number(&entry, TREE_PROCESS__pid, (uint64_t)process->pid);
    perfetto_clean(&entry, TREE_PROCESS__cmdline, trace_text(trace, process->name));
    if (rest)
        perfetto_clean(&entry, TREE_PROCESS__cmdline, rest + 1);
    message_within(&tree, PROCESS_TREE__processes, &entry);
    message_number(&entry, TREE_THREAD__tid, (uint64_t)thread->tid);
    perfetto_clean(&entry, TREE_THREAD__name, trace_text(trace, thread->name));
    message_number(&entry, TREE_THREAD__tgid, (uint64_t)thread->pid);
    message_within(&tree, PROCESS_TREE__threads, &entry);
    message_within(&writer->packet, PACKET__process_tree, &tree);
    perfetto_put(writer, writer->time_ns);
    text_free(&tree);
    text_free(&entry);
}

static void start(struct perfetto *writer, uint32_t machine) {
    struct text defaults = {0}, of_samples = {0};
    stack_sample_defaults(&of_samples);
    message_within(&defaults, DEFAULTS__stack_sample_defaults, &of_samples);
    text_free(&of_samples);
    perfetto_start(writer, SAMPLE_SEQUENCE, machine, &defaults);
}

static void put_thread(struct perfetto *writer, const uint32_t *order, uint32_t count) {
    const struct samples *samples = &writer->trace->reader.samples;
    struct taken_sample cut;
    for (uint32_t i = 0; i < count && !writer->error; i++)
        if (part_has_sample(writer->part, &samples->all[order[i]], &cut))
            put_sample(writer, &cut);
}

/* Threads that are only named, or sampled, have no track that says who they are, or one that says less. */
static int has_to_be_named(const struct trace *trace, const struct thread *thread) {
    return thread->track == MAP_NONE || thread->samples ||
           thread->name != trace->reader.tracks.all[thread->track].name;
}

static void put_named(struct perfetto *writer) {
    const struct trace *trace = writer->trace;
    for (uint32_t i = 0; i < trace->thread_count && !writer->error; i++) {
        const struct thread *thread = &trace->threads[i];
        if (!writer->part->threads[i] || !has_to_be_named(trace, thread))
            continue;
        start(writer, trace->processes[thread->process].machine);
        put_names(writer, thread);
    }
}

void perfetto_samples(struct perfetto *writer) {
    const struct trace *trace = writer->trace;
    const struct samples *samples = &trace->reader.samples;
    struct sample_groups groups;
    put_named(writer);
    writer->error |= sample_groups_make(&groups, samples);
    for (uint32_t group = 0; group < groups.count && !writer->error; group++) {
        uint32_t first = groups.first[group], last = groups.first[group + 1];
        if (first == last)
            continue;
        start(writer, samples->threads[group / 2].machine);
        put_thread(writer, groups.order + first, last - first);
    }
    sample_groups_free(&groups);
}
