/* See stacks.h. */
#include "stacks.h"

enum { MAPPING = 1 };

static const uint64_t odd_1 = 0x9e3779b97f4a7c15u, odd_2 = 0xc2b2ae3d27d4eb4fu;

static inline uint32_t hash_call(uint64_t function, int32_t line, uint32_t parent) {
    uint64_t hash = (function * odd_1) ^ (((uint64_t)parent << 32 | (uint32_t)line) * odd_2);
    return (uint32_t)((hash * odd_1) >> 32);
}

static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u; /* FNV-1a */
    return hash;
}

void stacks_forget(struct stacks *self) {
    self->generation++;
    if (self->generation == 0) {
        memset(self->slots, 0, sizeof self->slots);
        memset(self->frames, 0, sizeof self->frames);
        memset(self->functions, 0, sizeof self->functions);
        memset(self->paths, 0, sizeof self->paths);
        self->generation = 1;
    }
    self->call_count = 1;
    self->step_count = 0;
}

void stacks_restart(struct stacks *self) {
    stacks_forget(self);
    self->names_used = self->paths_used = self->frames_used = self->callstacks_used = 0;
}

/* ------------------------------------------------------------ interned data */

static void pack_entry(struct pack *pack, unsigned field, uint32_t iid, const char *text) {
    uint8_t *entry = pack_open(pack, field);
    pack_varint(pack, INTERNED_ENTRY__iid, iid);
    pack_text(pack, INTERNED_ENTRY__name, text, strlen(text), STACK_TEXT);
    pack_close(pack, entry);
}

void stacks_open(struct stacks *self, struct pack *pack) {
    if (!self->mappings)
        return;
    pack_entry(pack, INTERNED__mapping_paths, MAPPING, "python");
    uint8_t *mapping = pack_open(pack, INTERNED__mappings);
    pack_varint(pack, MAPPING__iid, MAPPING);
    pack_varint(pack, MAPPING__end, UINT32_MAX);
    pack_varint(pack, MAPPING__path_string_ids, MAPPING);
    pack_close(pack, mapping);
}

static uint32_t intern_path(struct stacks *self, struct pack *pack, const char *text) {
    size_t bytes = strlen(text);
    if (!bytes)
        return 0;
    struct stack_path *path =
        &self->paths[hash_text(odd_2, text) * odd_1 >> 32 & (STACK_PATHS - 1)];
    if (path->generation == self->generation && path->bytes == bytes &&
        !memcmp(path->text, text, bytes))
        return path->iid;
    uint32_t iid = ++self->paths_used;
    pack_entry(pack, INTERNED__source_paths, iid, text);
    if (bytes <= STACK_PATH_BYTES) {
        path->generation = self->generation;
        path->iid = iid;
        path->bytes = (uint32_t)bytes;
        memcpy(path->text, text, bytes);
    }
    return iid;
}

static const struct stack_function *intern_function(struct stacks *self, struct pack *pack,
                                                    const struct sample_frame *frame) {
    struct stack_function *function =
        &self->functions[hash_call(frame->function, 0, 0) & (STACK_FUNCTIONS - 1)];
    if (function->generation == self->generation && function->function == frame->function)
        return function;
    function->generation = self->generation;
    function->function = frame->function;
    function->path = intern_path(self, pack, frame->file);
    function->name = ++self->names_used;
    pack_entry(pack, INTERNED__function_names, function->name, frame->name);
    return function;
}

/* A place in the mapping that no other frame has, the same in all chunks. */
static uint64_t place_of(const struct sample_frame *frame) {
    uint64_t hash = hash_text(hash_text((uint32_t)frame->line * odd_1, frame->file), frame->name);
    return (uint32_t)(hash ^ hash >> 32);
}

/* Without a mapping the place is free: there stands where the function begins, by which functions of one name are told
 * apart. */
static void pack_frame(struct stacks *self, struct pack *pack, const struct sample_frame *frame,
                       uint32_t iid, const struct stack_function *function) {
    static const uint8_t kinds[] = {[SAMPLE_PYTHON] = FRAME_INTERPRETED,
                                    [SAMPLE_NATIVE] = FRAME_NATIVE,
                                    [SAMPLE_GC] = FRAME_GC,
                                    [SAMPLE_TASK] = FRAME_RUNTIME};
    uint8_t *entry = pack_open(pack, INTERNED__frames);
    pack_varint(pack, FRAME__iid, iid);
    pack_varint(pack, FRAME__function_name_id, function->name);
    if (self->mappings) {
        pack_varint(pack, FRAME__mapping_id, MAPPING);
        pack_varint(pack, FRAME__rel_pc, place_of(frame));
    } else if (frame->first_line > 0) {
        pack_varint(pack, FRAME__rel_pc, (uint64_t)frame->first_line);
    }
    if (function->path)
        pack_varint(pack, FRAME__source_path_iid, function->path);
    if (frame->line > 0)
        pack_varint(pack, FRAME__line_number, (uint64_t)frame->line);
    pack_varint(pack, FRAME__kind, frame->kind < sizeof kinds ? kinds[frame->kind] : 0u);
    pack_close(pack, entry);
}

static uint32_t intern_frame(struct stacks *self, struct pack *pack,
                             const struct sample_frame *frame) {
    struct stack_frame *known =
        &self->frames[hash_call(frame->function, frame->line, 0) & (STACK_FRAMES - 1)];
    if (known->generation == self->generation && known->function == frame->function &&
        known->line == frame->line)
        return known->iid;
    const struct stack_function *function = intern_function(self, pack, frame);
    *known =
        (struct stack_frame){frame->function, frame->line, self->generation, ++self->frames_used};
    pack_frame(self, pack, frame, known->iid, function);
    return known->iid;
}

/* Gives the stack that ends in `call` a number. */
static void intern_callstack(struct stacks *self, struct pack *pack, uint32_t call,
                             uint32_t depth) {
    uint32_t frames[STACK_DEPTH];
    self->calls[call].callstack = ++self->callstacks_used;
    for (uint32_t i = depth, at = call; i--; at = self->calls[at].parent)
        frames[i] = self->calls[at].frame;
    uint8_t *entry = pack_open(pack, INTERNED__callstacks);
    pack_varint(pack, CALLSTACK__iid, self->calls[call].callstack);
    for (uint32_t i = 0; i < depth; i++)
        pack_varint(pack, CALLSTACK__frame_ids, frames[i]);
    pack_close(pack, entry);
}

/* ------------------------------------------------------------------- calls */

/* The slot of a call, or the free one where it belongs; NULL where there is none near. */
static inline struct stack_slot *find_slot(struct stacks *self, const struct sample_frame *frame,
                                           uint32_t parent) {
    uint32_t at = hash_call(frame->function, frame->line, parent);
    for (int probe = 0; probe < STACK_PROBES; probe++, at++) {
        struct stack_slot *slot = &self->slots[at & (STACK_SLOTS - 1)];
        const struct stack_call *call = &self->calls[slot->call];
        if (slot->generation != self->generation)
            return slot;
        if (call->function == frame->function && call->line == frame->line &&
            call->parent == parent)
            return slot;
    }
    return NULL;
}

static inline void take_step(struct stacks *self, uint32_t at, const struct sample_frame *frame,
                             uint32_t call) {
    if (at >= STACK_STEPS)
        return;
    self->steps[at] = (struct stack_step){frame->function, frame->line, call};
    self->step_count = at + 1;
}

/* How many frames the stack has in common with the one before, from the outermost on. */
static inline uint32_t common_steps(const struct stacks *self, const struct sample *sample,
                                    uint32_t depth) {
    uint32_t most = depth < self->step_count ? depth : self->step_count, at = 0;
    while (at < most && self->steps[at].function == sample->frames[at].function &&
           self->steps[at].line == sample->frames[at].line)
        at++;
    return at;
}

static uint32_t depth_of(const struct sample *sample) {
    return sample->depth < STACK_DEPTH ? sample->depth : STACK_DEPTH;
}

uint32_t stacks_find(struct stacks *self, const struct sample *sample) {
    uint32_t depth = depth_of(sample), at = common_steps(self, sample, depth);
    uint32_t call = at ? self->steps[at - 1].call : 0;
    for (; at < depth; at++) {
        const struct stack_slot *slot = find_slot(self, &sample->frames[at], call);
        if (!slot || slot->generation != self->generation)
            return 0;
        call = slot->call;
        take_step(self, at, &sample->frames[at], call);
    }
    return self->calls[call].callstack ? call : 0;
}

/* The call, new or known; 0 where the tree is full. */
static uint32_t intern_call(struct stacks *self, struct pack *pack,
                            const struct sample_frame *frame, uint32_t parent) {
    struct stack_slot *slot = find_slot(self, frame, parent);
    if (slot && slot->generation == self->generation)
        return slot->call;
    if (!slot || self->call_count == STACK_CALLS)
        return 0;
    uint32_t place = self->call_count++;
    *slot = (struct stack_slot){self->generation, place};
    self->calls[place] = (struct stack_call){.function = frame->function,
                                             .line = frame->line,
                                             .parent = parent,
                                             .frame = intern_frame(self, pack, frame)};
    return place;
}

uint32_t stacks_intern(struct stacks *self, struct pack *pack, const struct sample *sample) {
    uint32_t depth = depth_of(sample), at = common_steps(self, sample, depth);
    uint32_t call = at ? self->steps[at - 1].call : 0;
    int forgot = 0;
    while (at < depth) {
        uint32_t next = intern_call(self, pack, &sample->frames[at], call);
        if (next) {
            take_step(self, at, &sample->frames[at], next);
            call = next;
            at++;
        } else if (!forgot) { /* from the start, in an empty tree */
            stacks_forget(self);
            at = call = 0;
            forgot = 1;
        } else {
            break;
        }
    }
    if (call && !self->calls[call].callstack)
        intern_callstack(self, pack, call, at);
    return call;
}
