#include "stack/run.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"

int naming_init(struct naming *naming, bool no_lines) {
    *naming = (struct naming){.no_lines = no_lines};
    functions_init(&naming->functions);
    naming->places = calloc(PLACES, sizeof *naming->places);
    return naming->places ? 0 : MAREY_ENOMEM;
}

void naming_fini(struct naming *naming) {
    functions_fini(&naming->functions);
    free(naming->places);
    free(naming->scratch);
}

void naming_clear(struct naming *naming) {
    functions_clear(&naming->functions);
    naming->cleared++;
    memset(naming->places, 0, PLACES * sizeof *naming->places);
}

void run_fini(struct run *run) {
    free(run->frames);
    free(run->keys);
    *run = (struct run){0};
}

/* ---- names */

static const struct function *function_of(struct naming *naming, struct code *code) {
    const struct function *function = functions_get(&naming->functions, code->function);
    if (function)
        return function;
    function = functions_find(&naming->functions, code->name, code->file, code->identity.first_line,
                              SAMPLE_PYTHON);
    code->function = function ? function->number : 0;
    return function;
}

static const struct place *place_of(struct naming *naming, const struct layout *layout,
                                    const struct frame *frame) {
    uint64_t hash = (frame->code_id ^ (uint64_t)(uint32_t)frame->index << 32) * 0x9e3779b97f4a7c15u;
    struct place *place = &naming->places[hash >> 32 & (PLACES - 1)];
    if (place->code_id == frame->code_id && place->index == frame->index)
        return place;
    const struct function *function = function_of(naming, frame->code);
    if (!function)
        return NULL;
    *place =
        (struct place){.code_id = frame->code_id,
                       .index = frame->index,
                       .line = naming->no_lines ? 0 : code_line(layout, frame->code, frame->index),
                       .function = function};
    return place;
}

static bool name_frame(struct naming *naming, const struct layout *layout,
                       const struct frame *frame, struct sample_frame *named) {
    const struct place *place = place_of(naming, layout, frame);
    if (!place)
        return false;
    const struct function *function = place->function;
    *named = (struct sample_frame){.function = function->number,
                                   .name = function->name,
                                   .file = function->file,
                                   .line = place->line,
                                   .first_line = function->first_line,
                                   .kind = function->kind};
    return true;
}

static bool name_marker(struct naming *naming, uint8_t marker, struct sample_frame *named) {
    static const char *const names[] = {
        [SAMPLE_NATIVE] = "<native>", [SAMPLE_GC] = "<GC>", [SAMPLE_TASK] = "<task>"};
    const char *name = names[marker];
    const struct function *function = functions_find(&naming->functions, name, "", 0, marker);
    if (!function)
        return false;
    *named = (struct sample_frame){.function = function->number,
                                   .name = function->name,
                                   .file = function->file,
                                   .kind = marker};
    return true;
}

/* ---- comparing */

static uint32_t total_depth(const struct stack *stack, struct markers markers) {
    return (uint32_t)stack->depth + (markers.outer != 0) + (markers.inner != 0);
}

/* The frame at place i, from the outermost on; NULL: there is the marker that is put into *marker. */
static const struct frame *frame_at(const struct stack *stack, struct markers markers, uint32_t i,
                                    uint8_t *marker) {
    *marker = markers.outer;
    if (markers.outer && i-- == 0)
        return NULL;
    *marker = markers.inner;
    return i < (uint32_t)stack->depth ? &stack->frames[stack->depth - 1 - (int)i] : NULL;
}

static struct run_key key_at(const struct stack *stack, struct markers markers, uint32_t i) {
    uint8_t marker;
    const struct frame *frame = frame_at(stack, markers, i, &marker);
    return frame ? (struct run_key){frame->code_id, frame->index} : (struct run_key){marker, 0};
}

/* How many frames, from the outermost on, are where they were. */
static uint32_t unmoved(const struct run *run, const struct stack *stack, struct markers markers) {
    uint32_t i = 0, depth = run->count ? run->depth : 0;
    if (depth > total_depth(stack, markers))
        depth = total_depth(stack, markers);
    for (; i < depth; i++) {
        struct run_key key = key_at(stack, markers, i);
        if (run->keys[i].code_id != key.code_id || run->keys[i].index != key.index)
            break;
    }
    return i;
}

static bool make_scratch(struct naming *naming, uint32_t depth) {
    if (depth <= naming->scratch_room)
        return true;
    struct sample_frame *scratch = realloc(naming->scratch, 2 * (size_t)depth * sizeof *scratch);
    if (!scratch)
        return false;
    naming->scratch = scratch;
    naming->scratch_room = 2 * depth;
    return true;
}

static bool same_frame(const struct sample_frame *a, const struct sample_frame *b) {
    return a->function == b->function && a->line == b->line;
}

int run_compare(struct run *run, struct naming *naming, const struct layout *layout,
                const struct stack *stack, struct markers markers, bool *differs) {
    uint32_t total = total_depth(stack, markers), first = unmoved(run, stack, markers);
    *differs = !run->count || run->depth != total;
    if (!make_scratch(naming, total))
        return MAREY_ENOMEM;
    for (uint32_t i = first; i < total; i++) {
        struct sample_frame *named = &naming->scratch[i];
        uint8_t marker;
        const struct frame *frame = frame_at(stack, markers, i, &marker);
        if (frame ? !name_frame(naming, layout, frame, named) : !name_marker(naming, marker, named))
            return MAREY_ENOMEM;
        *differs = *differs || !same_frame(named, &run->frames[i]);
    }
    if (*differs && first)
        memcpy(naming->scratch, run->frames, first * sizeof *run->frames);
    for (uint32_t i = first; i < total && !*differs; i++)
        run->keys[i] = key_at(stack, markers, i);
    return 0;
}

static bool make_room(struct run *run, uint32_t depth) {
    if (depth <= run->room)
        return true;
    uint32_t room = depth + depth / 2 + 8;
    struct sample_frame *frames = realloc(run->frames, room * sizeof *frames);
    if (frames)
        run->frames = frames;
    struct run_key *keys = realloc(run->keys, room * sizeof *keys);
    if (keys)
        run->keys = keys;
    if (!frames || !keys)
        return false;
    run->room = room;
    return true;
}

int run_begin(struct run *run, struct naming *naming, const struct stack *stack,
              struct markers markers) {
    uint32_t total = total_depth(stack, markers);
    if (!make_room(run, total))
        return MAREY_ENOMEM;
    memcpy(run->frames, naming->scratch, total * sizeof *run->frames);
    for (uint32_t i = 0; i < total; i++)
        run->keys[i] = key_at(stack, markers, i);
    run->depth = total;
    run->cleared = naming->cleared;
    memset(run->weights_ns, 0, sizeof run->weights_ns);
    return 0;
}

bool run_repeat(struct run *run, const struct naming *naming) {
    memset(run->weights_ns, 0, sizeof run->weights_ns);
    return run->depth && run->cleared == naming->cleared;
}
