/* See sample_profile.h.
 *
 * The trace's stacks are a tree already, so each becomes a node of the profile once, below that of the stack that it goes on
 * from; then a sample is two additions. */
#include "model/sample_profile.h"

#include <stdlib.h>

#include "marey.h"

struct adding {
    struct profile *profile;
    const struct trace *trace;
    const struct samples *samples;
    struct stack_owners *owners; /* NULL: all together */
    enum sample_grouping grouping;
    uint32_t *functions; /* of a function of the samples, or of a frame where each line is one: the
                            profile's; 0: not looked for yet */
    struct map owner_nodes; /* thread and task to the owner's node */
    struct map nodes;       /* the owner's node and a stack to the stack's node */
    uint32_t path[STACK_DEPTH_MAX];
    uint64_t last_key; /* in `nodes`, and what it has: mostly the next sample's too */
    uint32_t last_node;
};

static struct profile_function describe(const struct adding *adding,
                                        const struct stack_frame *frame) {
    const struct stack_function *function = &adding->samples->functions[frame->function];
    struct profile_function described = {trace_text(adding->trace, function->name),
                                         trace_text(adding->trace, function->file),
                                         function->first_line, function->kind};
    if (adding->grouping == GROUP_LINES)
        described.first_line = frame->line;
    if (adding->grouping == GROUP_FILES || adding->grouping == GROUP_MODULES) {
        described.name = *described.file ? described.file : described.name;
        described.first_line = 0;
    }
    return described;
}

static uint32_t function_of(struct adding *adding, uint32_t place) {
    const struct stack_frame *frame = &adding->samples->frames[place];
    uint32_t *known = &adding->functions[adding->grouping == GROUP_LINES ? place : frame->function];
    if (!*known) {
        struct profile_function described = describe(adding, frame);
        *known = profile_function(adding->profile, &described);
    }
    return *known;
}

/* The node that a sample's thread or task stands for: the root where they are not told apart. Returns 0, or -1 where memory
 * is short. */
static int find_owner(struct adding *adding, const struct taken_sample *sample, uint32_t *node) {
    uint64_t key = (uint64_t)sample->thread << 32 | sample->task;
    *node = 0;
    if (!adding->owners)
        return 0;
    *node = map_get(&adding->owner_nodes, key);
    if (*node != MAP_NONE)
        return 0;
    uint32_t thread = adding->samples->threads[sample->thread].thread;
    struct stack_owner owner = {adding->trace->threads[thread].process, thread, sample->task};
    *node = stack_owners_add(adding->owners, adding->profile, adding->trace, &owner);
    return map_put(&adding->owner_nodes, key, *node);
}

/* The node of a stack below its owner's: goes up to one that is known, and from there down again. */
static int find_node(struct adding *adding, uint32_t owner, uint32_t stack, uint32_t *node) {
    uint64_t above = (uint64_t)owner << 32;
    uint32_t depth = 0, at = stack;
    *node = owner;
    for (; at && depth < STACK_DEPTH_MAX; at = adding->samples->stacks[at].parent) {
        uint32_t known = map_get(&adding->nodes, above | at);
        if (known != MAP_NONE) {
            *node = known;
            break;
        }
        adding->path[depth++] = at;
    }
    while (depth) {
        at = adding->path[--depth];
        uint32_t frame = adding->samples->stacks[at].frame;
        *node = profile_child(adding->profile, *node, function_of(adding, frame),
                              adding->samples->frames[frame].line);
        if (map_put(&adding->nodes, above | at, *node))
            return -1;
    }
    return 0;
}

static int add_sample(struct adding *adding, const struct taken_sample *sample) {
    uint32_t owner;
    if (find_owner(adding, sample, &owner))
        return -1;
    uint64_t key = (uint64_t)owner << 32 | sample->stack;
    if (key != adding->last_key && find_node(adding, owner, sample->stack, &adding->last_node))
        return -1;
    adding->last_key = key;
    profile_weigh(adding->profile, adding->last_node, sample->count, sample->weights_ns);
    return 0;
}

static int add_samples(struct adding *adding, const struct trace_filter *filter) {
    const struct samples *samples = adding->samples;
    uint8_t *wanted = filter_sampled(filter, adding->trace);
    int failed = !wanted;
    for (uint32_t i = 0; !failed && i < samples->count; i++) {
        struct taken_sample part = samples->all[i];
        if (wanted[part.thread] && filter_clip_sample(filter, &part))
            failed = add_sample(adding, &part);
    }
    free(wanted);
    return failed;
}

static void adding_free(struct adding *adding) {
    if (!adding)
        return;
    free(adding->functions);
    map_free(&adding->owner_nodes);
    map_free(&adding->nodes);
    free(adding);
}

int sample_profile(struct profile **profile, const struct trace *trace,
                   const struct trace_filter *filter, enum sample_grouping grouping,
                   struct stack_owners *owners) {
    const struct samples *samples = &trace->reader.samples;
    struct adding *adding = calloc(1, sizeof *adding);
    *profile = profile_open(PROFILE_NODES_MAX, grouping == GROUP_FUNCTIONS);
    int failed = !adding || !*profile;
    if (!failed) {
        adding->profile = *profile;
        adding->trace = trace;
        adding->samples = samples;
        adding->owners = owners;
        adding->grouping = grouping;
        uint32_t count = grouping == GROUP_LINES ? samples->frame_count : samples->function_count;
        adding->functions = calloc(count + 1, sizeof *adding->functions);
        failed = !adding->functions || add_samples(adding, filter);
        profile_sum(*profile);
    }
    adding_free(adding);
    return failed ? MAREY_ENOMEM : 0;
}
