/* See sample_state.h. */
#include "model/sample_state.h"

#include "model/grow.h"

/* The sequence's, made where it has none; NULL where memory is short. */
static struct sample_state *state_of(struct sequence *sequence) {
    if (!sequence->samples)
        sequence->samples = calloc(1, sizeof *sequence->samples);
    return sequence->samples;
}

void sample_state_clear(struct sample_state *self) {
    if (!self)
        return;
    self->frame_count = self->callstack_count = self->frame_id_count = 0;
    self->context_count = self->weight_count = 0;
    self->weights = (struct weights){.primary = {.role = ROLE_OTHER}};
    self->has_source = self->is_wall = 0;
}

void sample_state_free(struct sample_state *self) {
    if (!self)
        return;
    interned_free(&self->functions);
    interned_free(&self->paths);
    interned_free(&self->mapping_paths);
    interned_free(&self->mappings);
    interned_free(&self->frames);
    interned_free(&self->callstacks);
    interned_free(&self->contexts);
    interned_free(&self->tasks);
    interned_free(&self->descriptors);
    free(self->said_frames);
    free(self->said_callstacks);
    free(self->frame_ids);
    free(self->said_contexts);
    free(self->said_weights);
    free(self);
}

/* ---------------------------------------------------------- interned entries */

/* An entry is read; `place` is where it was put. */
static void keep(struct reader *reader, struct sequence *sequence, struct interned *table,
                 uint64_t id, uint32_t place, uint64_t offset) {
    int known = interned_put(table, sequence->generation, id, place);
    if (known < 0)
        reader_out_of_memory(reader);
    else if (known)
        damage_add(&reader->damage, NOTE_TWICE, offset);
}

/* A mapping stands for the last part of its path. */
static int read_mapping(struct reader *reader, struct sequence *sequence, struct bytes bytes,
                        uint64_t offset) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    uint64_t id = 0, path = 0;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number == MAPPING__iid && field.wire == WIRE_VARINT)
            id = field.value;
        else if (field.number == MAPPING__path_string_ids && field.wire == WIRE_VARINT)
            path = field.value;
    }
    if (!state)
        keep(reader, sequence, &sequence->samples->mappings, id,
             path < MAP_NONE ? (uint32_t)path : 0, offset);
    return state;
}

static void take_frame_field(struct said_frame *frame, uint64_t *id, uint64_t *place,
                             const struct field *field) {
    if (field->wire != WIRE_VARINT)
        return;
    switch (field->number) {
    case FRAME__iid: *id = field->value; break;
    case FRAME__function_name_id: frame->name = field->value; break;
    case FRAME__mapping_id: frame->mapping = field->value; break;
    case FRAME__rel_pc: *place = field->value; break;
    case FRAME__source_path_iid: frame->path = field->value; break;
    case FRAME__line_number: frame->line = (int32_t)field->value; break;
    case FRAME__kind: frame->kind = (uint32_t)field->value; break;
    default: break;
    }
}

/* Without a mapping the place in it is free: our writer says there where the function begins. */
static int read_frame(struct reader *reader, struct sequence *sequence, struct bytes bytes,
                      uint64_t offset) {
    struct sample_state *self = sequence->samples;
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct said_frame frame = {.frame = MAP_NONE};
    struct field field;
    uint64_t id = 0, place = 0;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0)
        take_frame_field(&frame, &id, &place, &field);
    if (state)
        return state;
    if (!frame.mapping && place <= INT32_MAX)
        frame.first_line = (int32_t)place;
    if (GROW(self->said_frames, self->frame_count, self->frame_capacity)) {
        reader_out_of_memory(reader);
        return 0;
    }
    self->said_frames[self->frame_count] = frame;
    keep(reader, sequence, &self->frames, id, self->frame_count++, offset);
    return 0;
}

static int read_callstack(struct reader *reader, struct sequence *sequence, struct bytes bytes,
                          uint64_t offset) {
    struct sample_state *self = sequence->samples;
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct said_callstack stack = {self->frame_id_count, 0, MAP_NONE};
    struct field field;
    uint64_t id = 0;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.wire != WIRE_VARINT)
            continue;
        if (field.number == CALLSTACK__iid)
            id = field.value;
        if (field.number != CALLSTACK__frame_ids || stack.count == STACK_DEPTH_MAX)
            continue;
        if (GROW(self->frame_ids, self->frame_id_count, self->frame_id_capacity)) {
            reader_out_of_memory(reader);
            return 0;
        }
        self->frame_ids[self->frame_id_count++] =
            field.value < MAP_NONE ? (uint32_t)field.value : 0;
        stack.count++;
    }
    if (state || GROW(self->said_callstacks, self->callstack_count, self->callstack_capacity))
        return state;
    self->said_callstacks[self->callstack_count] = stack;
    keep(reader, sequence, &self->callstacks, id, self->callstack_count++, offset);
    return 0;
}

int context_read(struct said_context *context, uint64_t *id, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    *context = (struct said_context){0};
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(TASK_CONTEXT__iid, WIRE_VARINT): *id = field.value; break;
        case TAG(TASK_CONTEXT__pid, WIRE_VARINT): context->pid = (uint32_t)field.value; break;
        case TAG(TASK_CONTEXT__tid, WIRE_VARINT): context->tid = (uint32_t)field.value; break;
        case TAG(TASK_CONTEXT__async_id, WIRE_VARINT): context->task = field.value; break;
        default: break;
        }
    }
    return state;
}

static int read_context(struct reader *reader, struct sequence *sequence, struct bytes bytes,
                        uint64_t offset) {
    struct sample_state *self = sequence->samples;
    struct said_context context;
    uint64_t id = 0;
    if (context_read(&context, &id, bytes))
        return -1;
    if (GROW(self->said_contexts, self->context_count, self->context_capacity)) {
        reader_out_of_memory(reader);
        return 0;
    }
    self->said_contexts[self->context_count] = context;
    keep(reader, sequence, &self->contexts, id, self->context_count++, offset);
    return 0;
}

/* ------------------------------------------------------------------ weights */

static int is(struct bytes text, const char *word) {
    return text.size == strlen(word) && !memcmp(text.at, word, text.size);
}

/* By their names as we write them; what else is measured in nanoseconds is taken for wall time where it comes first. */
static uint8_t role_of(struct bytes name, uint64_t unit) {
    if (unit == WEIGHT_IN_COUNT)
        return is(name, "samples") ? ROLE_COUNT : ROLE_OTHER;
    if (unit != WEIGHT_IN_NS)
        return ROLE_OTHER;
    if (is(name, "cpu"))
        return ROLE_CPU;
    if (is(name, "gil"))
        return ROLE_GIL;
    return is(name, "gil wait") ? ROLE_GIL_WAIT : ROLE_WALL;
}

int weight_read(struct weight *weight, uint64_t *id, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct bytes name = {(const uint8_t *)"", 0};
    struct field field;
    uint64_t unit = 0;
    int state;
    *weight = (struct weight){ROLE_OTHER, 1};
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(WEIGHT__iid, WIRE_VARINT): *id = field.value; break;
        case TAG(WEIGHT__name, WIRE_BYTES): name = field.bytes; break;
        case TAG(WEIGHT__unit, WIRE_VARINT): unit = field.value; break;
        case TAG(WEIGHT__unit_multiplier, WIRE_VARINT):
            weight->multiplier = field.value ? field.value : 1;
            break;
        default: break;
        }
    }
    weight->role = role_of(name, unit);
    return state;
}

static int read_weight(struct reader *reader, struct sequence *sequence, struct bytes bytes,
                       uint64_t offset) {
    struct sample_state *self = sequence->samples;
    struct weight weight;
    uint64_t id = 0;
    if (weight_read(&weight, &id, bytes))
        return -1;
    if (GROW(self->said_weights, self->weight_count, self->weight_capacity)) {
        reader_out_of_memory(reader);
        return 0;
    }
    self->said_weights[self->weight_count] = weight;
    keep(reader, sequence, &self->descriptors, id, self->weight_count++, offset);
    return 0;
}

static int is_of_samples(uint32_t number) {
    switch (number) {
    case INTERNED__function_names:
    case INTERNED__frames:
    case INTERNED__callstacks:
    case INTERNED__mapping_paths:
    case INTERNED__source_paths:
    case INTERNED__mappings:
    case INTERNED__task_contexts:
    case INTERNED__counter_descriptors:
    case INTERNED__async_contexts: return 1;
    default: return 0;
    }
}

int sample_interned_read(struct reader *reader, struct sequence *sequence,
                         const struct field *field, uint64_t offset) {
    if (field->wire != WIRE_BYTES || !is_of_samples(field->number))
        return 0;
    struct sample_state *self = state_of(sequence);
    if (!self) {
        reader_out_of_memory(reader);
        return 0;
    }
    switch (field->number) {
    case INTERNED__function_names:
        return interned_text(reader, sequence, &self->functions, field->bytes, offset);
    case INTERNED__mapping_paths:
        return interned_text(reader, sequence, &self->mapping_paths, field->bytes, offset);
    case INTERNED__source_paths:
        return interned_text(reader, sequence, &self->paths, field->bytes, offset);
    case INTERNED__async_contexts:
        return interned_text(reader, sequence, &self->tasks, field->bytes, offset);
    case INTERNED__frames: return read_frame(reader, sequence, field->bytes, offset);
    case INTERNED__callstacks: return read_callstack(reader, sequence, field->bytes, offset);
    case INTERNED__mappings: return read_mapping(reader, sequence, field->bytes, offset);
    case INTERNED__task_contexts: return read_context(reader, sequence, field->bytes, offset);
    default: return read_weight(reader, sequence, field->bytes, offset);
    }
}

/* ----------------------------------------------------------------- defaults */

static int stack_sample_defaults(struct sample_state *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct weights *weights = &self->weights;
    struct field field;
    uint64_t unused;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        int wrong = 0;
        if (field.wire != WIRE_BYTES)
            continue;
        if (field.number == SAMPLE_DEFAULTS__source)
            self->has_source = field.bytes.size > 0;
        else if (field.number == SAMPLE_DEFAULTS__primary_descriptor)
            wrong = weight_read(&weights->primary, &unused, field.bytes);
        else if (field.number == SAMPLE_DEFAULTS__follower_descriptors &&
                 weights->follower_count < WEIGHTS_MAX)
            wrong =
                weight_read(&weights->followers[weights->follower_count++], &unused, field.bytes);
        if (wrong)
            return -1;
    }
    return state;
}

/* Our own PerfSamples count wall time. */
static int perf_timebase(struct sample_state *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0)
        if (field.number == TIMEBASE__name && field.wire == WIRE_BYTES)
            self->is_wall = (uint8_t)is(field.bytes, "wall");
    return state;
}

static int perf_sample_defaults(struct sample_state *self, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0)
        if (field.number == PERF_DEFAULTS__timebase && field.wire == WIRE_BYTES &&
            perf_timebase(self, field.bytes))
            return -1;
    return state;
}

int sample_defaults_read(struct reader *reader, struct sequence *sequence,
                         const struct field *field) {
    int is_stack = field->number == DEFAULTS__stack_sample_defaults;
    if (field->wire != WIRE_BYTES || (!is_stack && field->number != DEFAULTS__perf_sample_defaults))
        return 0;
    struct sample_state *self = state_of(sequence);
    if (!self) {
        reader_out_of_memory(reader);
        return 0;
    }
    return is_stack ? stack_sample_defaults(self, field->bytes)
                    : perf_sample_defaults(self, field->bytes);
}

void sample_defaults_clear(struct sequence *sequence) {
    if (!sequence->samples)
        return;
    sequence->samples->weights = (struct weights){.primary = {.role = ROLE_OTHER}};
    sequence->samples->has_source = sequence->samples->is_wall = 0;
}
