/* See packet.h: samples of stacks, of two kinds. */
#include "model/grow.h"
#include "model/sample_state.h"

/* What a sample says, before its numbers are looked up. */
struct said_sample {
    uint64_t callstack_id, context_id, primary_id, primary;
    struct bytes callstack, context, primary_descriptor, follower_weights;
    struct weights weights;
    uint32_t own_followers;
};

static uint32_t text_of_id(const struct sequence *sequence, const struct interned *table,
                           uint64_t id) {
    uint32_t text = id ? interned_get(table, sequence->generation, id) : (uint32_t)MAP_NONE;
    return text == MAP_NONE ? 0 : text;
}

/* ------------------------------------------------------------------- stacks */

static uint8_t kind_of(uint32_t frame_kind) {
    switch (frame_kind) {
    case FRAME_NATIVE:
    case FRAME_KERNEL: return SAMPLE_NATIVE;
    case FRAME_GC: return SAMPLE_GC;
    case FRAME_RUNTIME: return SAMPLE_TASK;
    default: return SAMPLE_PYTHON;
    }
}

static uint32_t file_of(const struct sequence *sequence, const struct said_frame *said) {
    const struct sample_state *state = sequence->samples;
    if (said->path)
        return text_of_id(sequence, &state->paths, said->path);
    if (!said->mapping)
        return 0;
    uint32_t path = interned_get(&state->mappings, sequence->generation, said->mapping);
    return path == MAP_NONE ? 0 : text_of_id(sequence, &state->mapping_paths, path);
}

static uint32_t find_frame(struct reader *reader, uint32_t name, uint32_t file, int32_t line,
                           int32_t first_line, uint8_t kind) {
    struct stack_function function = {name, file, first_line, kind};
    uint32_t place = samples_function(&reader->samples, &function);
    return place == MAP_NONE ? place : samples_frame(&reader->samples, place, line);
}

/* The frame by a sequence's number; MAP_NONE where that is not in the file. */
static uint32_t frame_of(struct reader *reader, struct sequence *sequence, uint32_t id) {
    struct sample_state *state = sequence->samples;
    uint32_t place = interned_get(&state->frames, sequence->generation, id);
    if (place == MAP_NONE)
        return MAP_NONE;
    struct said_frame *said = &state->said_frames[place];
    if (said->frame == MAP_NONE)
        said->frame =
            find_frame(reader, text_of_id(sequence, &state->functions, said->name),
                       file_of(sequence, said), said->line, said->first_line, kind_of(said->kind));
    return said->frame;
}

/* Returns the stack that goes on from `parent`; where there is no room, `parent`. */
static uint32_t push(struct reader *reader, uint32_t parent, uint32_t frame, uint64_t offset) {
    uint32_t stack = samples_stack(&reader->samples, parent, frame);
    if (stack != MAP_NONE)
        return stack;
    damage_add(&reader->damage, LOSS_LIMIT, offset);
    return parent;
}

/* A frame that is not in the file is left out, and the others stand. */
static uint32_t interned_stack(struct reader *reader, struct sequence *sequence, uint64_t id,
                               uint64_t offset) {
    struct sample_state *state = sequence->samples;
    uint32_t place =
        state ? interned_get(&state->callstacks, sequence->generation, id) : (uint32_t)MAP_NONE;
    if (place == MAP_NONE) {
        damage_add(&reader->damage, DAMAGE_STACK, offset);
        return 0;
    }
    struct said_callstack *said = &state->said_callstacks[place];
    if (said->stack != MAP_NONE)
        return said->stack;
    uint32_t stack = 0;
    for (uint32_t i = 0; i < said->count; i++) {
        uint32_t frame = frame_of(reader, sequence, state->frame_ids[said->first + i]);
        if (frame == MAP_NONE)
            damage_add(&reader->damage, DAMAGE_STACK, offset);
        else
            stack = push(reader, stack, frame, offset);
    }
    said->stack = stack;
    return stack;
}

static uint32_t inline_frame(struct reader *reader, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    uint32_t name = 0, file = 0;
    int32_t line = 0;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(INLINE_FRAME__function_name, WIRE_BYTES):
            name = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(INLINE_FRAME__source_file, WIRE_BYTES):
            file = strings_add(&reader->strings, field.bytes);
            break;
        case TAG(INLINE_FRAME__line, WIRE_VARINT): line = (int32_t)field.value; break;
        default: break;
        }
    }
    return state ? (uint32_t)MAP_NONE : find_frame(reader, name, file, line, 0, SAMPLE_PYTHON);
}

/* Returns 0, or -1 where a field is broken. */
static int inline_stack(struct reader *reader, struct bytes bytes, uint32_t *stack,
                        uint64_t offset) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    uint32_t depth = 0;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number != INLINE_CALLSTACK__frames || field.wire != WIRE_BYTES)
            continue;
        if (depth++ == STACK_DEPTH_MAX)
            break;
        uint32_t frame = inline_frame(reader, field.bytes);
        if (frame == MAP_NONE)
            return -1;
        *stack = push(reader, *stack, frame, offset);
    }
    return state < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------ weights */

static void weigh(struct taken_sample *sample, const struct weight *weight, uint64_t value) {
    uint64_t scaled;
    if (__builtin_mul_overflow(value, weight->multiplier, &scaled))
        scaled = UINT64_MAX;
    if (weight->role < SAMPLE_WEIGHTS)
        sample->weights_ns[weight->role] = scaled;
    else if (weight->role == ROLE_COUNT)
        sample->count = scaled < UINT32_MAX ? (uint32_t)scaled : UINT32_MAX;
}

static void weigh_followers(struct taken_sample *sample, const struct said_sample *said) {
    const uint8_t *at = said->follower_weights.at;
    const uint8_t *end = at ? at + said->follower_weights.size : NULL;
    uint64_t value;
    for (uint32_t i = 0; at && at < end && i < said->weights.follower_count; i++) {
        at = wire_number(at, end, &value);
        if (at)
            weigh(sample, &said->weights.followers[i], value);
    }
}

/* A follower that the sample itself names: then those of the defaults do not count. */
static struct weight *own_follower(struct said_sample *said) {
    if (!said->own_followers)
        said->weights.follower_count = 0;
    if (said->own_followers == WEIGHTS_MAX)
        return NULL;
    said->weights.follower_count = ++said->own_followers;
    return &said->weights.followers[said->own_followers - 1];
}

static struct weight weight_by_id(const struct sequence *sequence, uint64_t id) {
    const struct sample_state *state = sequence->samples;
    uint32_t place =
        state ? interned_get(&state->descriptors, sequence->generation, id) : (uint32_t)MAP_NONE;
    return place == MAP_NONE ? (struct weight){ROLE_OTHER, 1} : state->said_weights[place];
}

static void followers_by_id(const struct sequence *sequence, struct said_sample *said,
                            struct bytes ids) {
    uint64_t id;
    for (const uint8_t *at = ids.at, *end = at + ids.size; at && at < end;) {
        struct weight *weight = own_follower(said);
        at = wire_number(at, end, &id);
        if (!weight || !at)
            return;
        *weight = weight_by_id(sequence, id);
    }
}

/* ------------------------------------------------------------- StackSample */

/* Returns 0, or -1 where the field is broken. */
static int take_field(const struct sequence *sequence, struct said_sample *said,
                      const struct field *field) {
    struct weight *weight;
    uint64_t unused;
    switch (field->number << 3 | field->wire) {
    case TAG(STACK_SAMPLE__task_context, WIRE_BYTES): said->context = field->bytes; break;
    case TAG(STACK_SAMPLE__task_context_iid, WIRE_VARINT): said->context_id = field->value; break;
    case TAG(STACK_SAMPLE__callstack, WIRE_BYTES): said->callstack = field->bytes; break;
    case TAG(STACK_SAMPLE__callstack_iid, WIRE_VARINT): said->callstack_id = field->value; break;
    case TAG(STACK_SAMPLE__primary_weight, WIRE_VARINT): said->primary = field->value; break;
    case TAG(STACK_SAMPLE__follower_weights, WIRE_BYTES):
        said->follower_weights = field->bytes;
        break;
    case TAG(STACK_SAMPLE__primary_descriptor, WIRE_BYTES):
        return weight_read(&said->weights.primary, &unused, field->bytes);
    case TAG(STACK_SAMPLE__primary_descriptor_iid, WIRE_VARINT):
        said->weights.primary = weight_by_id(sequence, field->value);
        break;
    case TAG(STACK_SAMPLE__follower_descriptors, WIRE_BYTES):
        weight = own_follower(said);
        return weight ? weight_read(weight, &unused, field->bytes) : 0;
    case TAG(STACK_SAMPLE__follower_descriptor_iids, WIRE_BYTES):
        followers_by_id(sequence, said, field->bytes);
        break;
    default: break;
    }
    return 0;
}

static int split(const struct sequence *sequence, struct said_sample *said, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0)
        if (take_field(sequence, said, &field))
            return -1;
    return state;
}

/* Whose it is. Returns 0, or -1 where that is not in the file. */
static int find_context(const struct sequence *sequence, const struct said_sample *said,
                        struct said_context *context) {
    const struct sample_state *state = sequence->samples;
    uint64_t unused;
    if (said->context.at)
        return context_read(context, &unused, said->context);
    uint32_t place = state && said->context_id
                         ? interned_get(&state->contexts, sequence->generation, said->context_id)
                         : (uint32_t)MAP_NONE;
    if (place == MAP_NONE)
        return -1;
    *context = state->said_contexts[place];
    return 0;
}

static void keep(struct reader *reader, struct taken_sample *sample, uint32_t pid, uint32_t tid,
                 uint64_t offset) {
    const struct listener *listener = reader->listener;
    const struct chooser *chooser = reader->chooser;
    sample->thread = samples_thread(&reader->samples, reader->machine, pid, tid);
    int has_thread = sample->thread != MAP_NONE;
    if (has_thread && listener) {
        if (listener->sample)
            listener->sample(listener->context, sample);
    } else if (has_thread && chooser && !chooser->sample(chooser->context, sample)) {
        return;
    } else if (reader->samples.count >= SAMPLES_MAX) {
        damage_add(&reader->damage, LOSS_LIMIT, offset);
    } else if (!has_thread || samples_add(&reader->samples, sample)) {
        reader_out_of_memory(reader);
    }
    reader->kept++;
}

static void read_stack_sample(struct reader *reader, struct sequence *sequence,
                              const struct packet *packet, struct taken_sample *sample) {
    const struct sample_state *state = sequence->samples;
    struct said_sample said = {.weights = {.primary = {ROLE_OTHER, 1}}};
    struct said_context context;
    if (state)
        said.weights = state->weights;
    if (split(sequence, &said, packet->stack_sample) ||
        (said.callstack.at &&
         inline_stack(reader, said.callstack, &sample->stack, packet->offset))) {
        damage_add(&reader->damage, DAMAGE_SAMPLE, packet->offset);
        return;
    }
    if (find_context(sequence, &said, &context)) {
        damage_add(&reader->damage, DAMAGE_STACK, packet->offset);
        return;
    }
    if (!state || !state->has_source)
        damage_add(&reader->damage, LOSS_SOURCE, packet->offset);
    if (said.callstack_id)
        sample->stack = interned_stack(reader, sequence, said.callstack_id, packet->offset);
    if (context.task && state)
        sample->task = text_of_id(sequence, &state->tasks, context.task);
    weigh(sample, &said.weights.primary, said.primary);
    weigh_followers(sample, &said);
    keep(reader, sample, context.pid, context.tid, packet->offset);
}

/* ------------------------------------------------------- stacks of events */

void sample_of_event(struct reader *reader, struct sequence *sequence, const struct track *track,
                     struct bytes callstack, uint64_t id, const struct event *event,
                     uint64_t offset) {
    struct taken_sample sample = {.time_ns = event->time_ns, .clock = event->clock, .count = 1};
    if (track->kind != TRACK_THREAD)
        return; /* of nobody in particular */
    if (id)
        sample.stack = interned_stack(reader, sequence, id, offset);
    else if (inline_stack(reader, callstack, &sample.stack, offset)) {
        damage_add(&reader->damage, DAMAGE_SAMPLE, offset);
        return;
    }
    keep(reader, &sample, (uint32_t)track->pid, (uint32_t)track->tid, offset);
}

/* -------------------------------------------------------------- PerfSample */

static void read_perf_sample(struct reader *reader, struct sequence *sequence,
                             const struct packet *packet, struct taken_sample *sample) {
    const uint8_t *at = packet->perf_sample.at, *end = at + packet->perf_sample.size;
    uint64_t callstack = 0, pid = 0, tid = 0, count = 0;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(PERF_SAMPLE__pid, WIRE_VARINT): pid = field.value; break;
        case TAG(PERF_SAMPLE__tid, WIRE_VARINT): tid = field.value; break;
        case TAG(PERF_SAMPLE__callstack_iid, WIRE_VARINT): callstack = field.value; break;
        case TAG(PERF_SAMPLE__timebase_count, WIRE_VARINT): count = field.value; break;
        default: break;
        }
    }
    if (state) {
        damage_add(&reader->damage, DAMAGE_SAMPLE, packet->offset);
        return;
    }
    if (callstack)
        sample->stack = interned_stack(reader, sequence, callstack, packet->offset);
    if (sequence->samples && sequence->samples->is_wall)
        sample->weights_ns[SAMPLE_WALL] = count;
    keep(reader, sample, (uint32_t)pid, (uint32_t)tid, packet->offset);
}

void sample_read(struct reader *reader, struct sequence *sequence, const struct packet *packet,
                 const struct event *event) {
    struct taken_sample sample = {.time_ns = event->time_ns, .clock = event->clock, .count = 1};
    if (packet->stack_sample.at)
        read_stack_sample(reader, sequence, packet, &sample);
    else
        read_perf_sample(reader, sequence, packet, &sample);
}
