#include "stack/layout.h"

#include <stddef.h>
#include <string.h>

#include "marey.h"

static const struct layout tables[] = {
#include "stack/layout_table.h"
};

static const char cookie[8] = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};

bool layout_has_cookie(const char *bytes) {
    return memcmp(bytes, cookie, sizeof cookie) == 0;
}

/* ---- 3.13 and later: struct _Py_DebugOffsets, an array of 64-bit numbers */

enum { OFFSETS_MAX = 112, SLOT_COOKIE = 0, SLOT_VERSION, SLOT_FREE_THREADED, NO_SLOT = 255 };

/* Which number of _Py_DebugOffsets a field of struct layout is. The structure's first numbers are the same in all. */
struct slot {
    uint16_t field;  /* offset in struct layout */
    uint8_t at[3];   /* in 3.13, 3.14, 3.15 */
    uint8_t from[3]; /* what is subtracted (a field of a structure within another one) */
};

#define SAME(f, a, b, c)                                                                           \
    {                                                                                              \
        offsetof(struct layout, f), {a, b, c}, {                                                   \
            NO_SLOT, NO_SLOT, NO_SLOT                                                              \
        }                                                                                          \
    }
#define WITHIN(f, a, b, c, d, e, g)                                                                \
    {                                                                                              \
        offsetof(struct layout, f), {a, b, c}, {                                                   \
            d, e, g                                                                                \
        }                                                                                          \
    }

/* pycore_runtime.h of 3.13, pycore_debug_offsets.h of 3.14 and 3.15 */
static const struct slot slots[] = {
    SAME(runtime_interpreters, 5, 5, 5),
    SAME(interp_id, 7, 7, 7),
    SAME(interp_next, 8, 8, 8),
    SAME(interp_threads, 9, 9, 9),
    SAME(interp_gil, 14, 15, 15),
    WITHIN(gil_locked, 17, 18, 18, 15, 16, 16),
    WITHIN(gil_holder, 18, 19, 19, 15, 16, 16),
    SAME(thread_next, 21, 24, 24),
    SAME(thread_interp, 22, 25, 25),
    SAME(thread_frame, 23, 26, 26),
    SAME(thread_id, 24, 27, 30),
    SAME(thread_native_id, 25, 28, 31),
    SAME(frame_previous, 29, 32, 40),
    SAME(frame_code, 30, 33, 41),
    SAME(frame_instr, 31, 34, 42),
    SAME(frame_owner, 33, 36, 44),
    SAME(frame_live, 32, 37, 45), /* 3.13: see complete */
    SAME(code_filename, 35, 40, 48),
    SAME(code_name, 36, 41, 49),
    SAME(code_qualname, 37, 42, 50),
    SAME(code_lines, 38, 43, 51),
    SAME(code_first_line, 39, 44, 52),
    SAME(code_instr, 43, 48, 56),
    SAME(object_type, 45, 51, 59),
    SAME(bytes_length, 65, 75, 87),
    SAME(bytes_data, 66, 76, 88),
    SAME(str_state, 68, 78, 90),
    SAME(str_length, 69, 79, 91),
    SAME(str_ascii_data, 70, 80, 92),
    SAME(object_bytes, 44, 50, 58),
    SAME(tuple_items, 51, 57, 69),
    SAME(type_cached_keys, NO_SLOT, NO_SLOT, 67),
    SAME(interp_modules, 11, 12, 12),
    SAME(thread_loop, 19, NO_SLOT, NO_SLOT), /* behind PyThreadState */
    SAME(gen_frame, NO_SLOT, 85, 101),
    SAME(gen_state, NO_SLOT, 86, 102),
    SAME(frame_locals, 32, 35, 43),
    SAME(code_arguments, 40, 45, 53),
    SAME(code_variables, 41, 46, 54),
    SAME(code_kinds, 42, 47, 55),
};

/* Of free-threaded builds alone. */
static const struct slot free_threaded_slots[] = {
    SAME(gil_enabled, 16, 17, 17),
    SAME(frame_tlbc, NO_SLOT, 38, 46),
    SAME(code_tlbc, NO_SLOT, 49, 57),
};

enum { SLOT_GC = 10, SLOT_GC_LATER = 11 };
static const uint8_t slot_collecting[3] = {72, 82, 95};

/* No offset that is read as one may be larger than what a structure can be. */
enum { OFFSET_MAX = 1 << 20 };

static bool take(struct layout *layout, const uint64_t *offsets, int kind, const struct slot *list,
                 size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (list[i].at[kind] == NO_SLOT)
            continue;
        uint64_t value = offsets[list[i].at[kind]];
        if (list[i].from[kind] != NO_SLOT)
            value -= offsets[list[i].from[kind]];
        if (value > OFFSET_MAX)
            return false;
        memcpy((char *)layout + list[i].field, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    }
    return true;
}

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* What 3.13 (and 3.14) do not say of objects, counted from the end of their heads: cpython/genobject.h, object.h. */
static void complete_objects(struct layout *layout) {
    enum { GEN_STATE_3_13 = 51, GEN_FRAME_3_13 = 56, CACHED_KEYS = 864 };
    if (layout->type_cached_keys == LAYOUT_NONE)
        layout->type_cached_keys = layout->object_bytes + CACHED_KEYS;
    if (layout->version != 0x030d)
        return;
    layout->gen_state = layout->object_bytes + GEN_STATE_3_13;
    layout->gen_frame = layout->object_bytes + GEN_FRAME_3_13;
}

/* What the numbers do not say, or say in parts. */
static void complete(struct layout *layout) {
    const uint32_t pointer = sizeof(uint64_t);
    complete_objects(layout);
    layout->code_units = layout->bytes_length; /* both are ob_size */
    layout->str_data = layout->str_ascii_data + 2 * pointer;
    uint32_t end = larger(layout->frame_previous, larger(layout->frame_code, layout->frame_instr));
    layout->frame_bytes = larger(end + pointer, layout->frame_owner + 1);
    if (layout->frame_tlbc != LAYOUT_NONE)
        layout->frame_bytes = larger(layout->frame_bytes, layout->frame_tlbc + sizeof(int32_t));
    layout->gil_bytes = 208 + (layout->free_threaded ? pointer : 0);
    layout->instr = INSTR_CURRENT_POINTER;
    layout->live = LIVE_POINTER;
    layout->frame_bytes = larger(layout->frame_bytes, layout->frame_live + pointer);
    if (layout->version == 0x030d) { /* int stacktop stands behind instr_ptr */
        layout->live = LIVE_STACKTOP;
        layout->frame_live = layout->frame_instr + pointer;
        layout->frame_bytes = larger(end + pointer, layout->frame_owner + 1);
    }
    layout->lines = LINES_LOCATIONS;
    layout->owner_shim = 3;
    layout->owner_last = layout->version == 0x030d ? 3 : 4;
    layout->str_kind_shift = layout->free_threaded && layout->version > 0x030d ? 8 : 2;
}

static bool small_enough(const struct layout *layout) {
    const uint32_t within[] = {
        layout->thread_next,      layout->thread_interp,    layout->thread_frame,
        layout->thread_id,        layout->thread_native_id, layout->gil_holder,
        layout->gil_locked,       layout->code_filename,    layout->code_name,
        layout->code_qualname,    layout->code_lines,       layout->code_first_line,
        layout->code_instr,       layout->object_type,      layout->bytes_length,
        layout->bytes_data,       layout->str_state,        layout->str_length,
        layout->str_ascii_data,   layout->object_bytes,     layout->tuple_items,
        layout->type_cached_keys, layout->gen_frame,        layout->gen_state,
        layout->frame_locals,     layout->code_arguments,   layout->code_variables,
        layout->code_kinds};
    for (size_t i = 0; i < sizeof within / sizeof *within; i++)
        if (within[i] > LAYOUT_STRUCT_MAX)
            return false;
    return layout->frame_bytes <= 256 && layout->thread_frame + 8 <= 512 &&
           layout->thread_interp + 8 <= 512;
}

static int from_offsets(struct layout *layout, const uint64_t *offsets) {
    uint64_t hex = offsets[SLOT_VERSION];
    *layout = (struct layout){.version = (uint32_t)(hex >> 16),
                              .free_threaded = offsets[SLOT_FREE_THREADED] == 1};
#define NONE(field, meaning) layout->field = LAYOUT_NONE;
    LAYOUT_FIELDS(NONE)
#undef NONE
    if (hex > UINT32_MAX || layout->version < 0x030d || layout->version >> 8 != 3)
        return MAREY_EVERSION;
    int kind = layout->version >= LAYOUT_NEWEST ? 2 : (int)layout->version - 0x030d;
    if (!take(layout, offsets, kind, slots, sizeof slots / sizeof *slots))
        return MAREY_EVERSION;
    if (layout->free_threaded && !take(layout, offsets, kind, free_threaded_slots,
                                       sizeof free_threaded_slots / sizeof *free_threaded_slots))
        return MAREY_EVERSION;
    uint64_t collecting = offsets[kind ? SLOT_GC_LATER : SLOT_GC] + offsets[slot_collecting[kind]];
    if (collecting > OFFSET_MAX)
        return MAREY_EVERSION;
    layout->interp_collecting = (uint32_t)collecting;
    complete(layout);
    return small_enough(layout) ? 0 : MAREY_EVERSION;
}

/* ---- 3.9 to 3.12 */

static void complete_table(struct layout *layout, const struct layout *row) {
    *layout = *row;
    layout->str_kind_shift = 2;
    layout->instr = layout->version == 0x0309   ? INSTR_BYTE_INDEX
                    : layout->version == 0x030a ? INSTR_UNIT_INDEX
                                                : INSTR_LAST_POINTER;
    layout->live = layout->version == 0x0309   ? LIVE_FLAG
                   : layout->version == 0x030a ? LIVE_STATE
                                               : LIVE_STACKTOP;
    layout->lines = layout->version == 0x0309   ? LINES_LNOTAB
                    : layout->version == 0x030a ? LINES_TABLE
                                                : LINES_LOCATIONS;
    layout->owner_shim = 3;
    layout->owner_last = layout->version >= 0x030c ? 3 : 2;
}

const struct layout *layout_table(uint32_t version) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i].version == version)
            return &tables[i];
    return NULL;
}

/* ---- which one it is */

/* The code object of a frame has a file name that is a str: its type is the type of other strings. */
static int check_frame(const struct layout *layout, struct memory *memory, uint64_t frame) {
    if (frame && layout->cframe_frame != LAYOUT_NONE)
        frame = memory_pointer(memory, frame + layout->cframe_frame);
    if (!frame)
        return 0;
    uint64_t code = 0, name, file;
    uint8_t owner = 0;
    bool has_owner = layout->frame_owner != LAYOUT_NONE;
    struct piece pieces[] = {{frame + layout->frame_code, &code, sizeof code},
                             {frame + layout->frame_owner, &owner, sizeof owner}};
    int error = memory_read_pieces(memory, pieces, has_owner ? 2 : 1);
    code &= ~(uint64_t)7;
    if (error || !code)
        return error;
    /* A shim's frame has None, or a code without names, where others have their code: what a thread of 3.15 begins with. */
    if (has_owner && owner >= layout->owner_shim && owner <= layout->owner_last)
        return 0;
    name = memory_pointer(memory, code + layout->code_name);
    file = memory_pointer(memory, code + layout->code_filename);
    if (!name)
        return 0;
    uint64_t type = memory_pointer(memory, name + layout->object_type);
    return type && file && memory_pointer(memory, file + layout->object_type) == type
               ? 0
               : MAREY_EADDRESS;
}

/* The interpreters are numbered from 0, the youngest first. */
static bool numbers_fall(const struct layout *layout, struct memory *memory, uint64_t interp) {
    enum { ENOUGH = 16 };
    int64_t last = INT32_MAX;
    for (int i = 0; i < ENOUGH && interp; i++) {
        int64_t id = -1;
        uint64_t next = 0;
        struct piece pieces[] = {{interp + layout->interp_id, &id, sizeof id},
                                 {interp + layout->interp_next, &next, sizeof next}};
        if (memory_read_pieces(memory, pieces, 2) || id < 0 || id >= last)
            return false;
        last = id;
        interp = next;
    }
    return true;
}

int layout_check(const struct layout *layout, struct memory *memory, uint64_t runtime) {
    uint64_t interp = 0, thread = 0, back = 0, frame = 0;
    if (memory_read(memory, runtime + layout->runtime_interpreters, &interp, sizeof interp))
        return MAREY_EADDRESS;
    if (!interp)
        return MAREY_ENOTYET;
    if (!numbers_fall(layout, memory, interp))
        return MAREY_EADDRESS;
    if (interp % sizeof interp ||
        memory_read(memory, interp + layout->interp_threads, &thread, sizeof thread))
        return MAREY_EADDRESS;
    if (!thread)
        return MAREY_ENOTYET;
    struct piece pieces[] = {{thread + layout->thread_interp, &back, sizeof back},
                             {thread + layout->thread_frame, &frame, sizeof frame}};
    if (thread % sizeof thread || memory_read_pieces(memory, pieces, 2) || back != interp)
        return MAREY_EADDRESS;
    return check_frame(layout, memory, frame);
}

/* A stack may move while it is checked: what fails once may be right the next time. */
static int check_patiently(const struct layout *layout, struct memory *memory, uint64_t runtime) {
    int error = MAREY_EADDRESS;
    for (int i = 0; i < 8 && error == MAREY_EADDRESS; i++)
        error = layout_check(layout, memory, runtime);
    return error;
}

int layout_find(struct layout *layout, struct memory *memory, uint64_t runtime, uint32_t version) {
    uint64_t offsets[OFFSETS_MAX];
    if (memory_read(memory, runtime, offsets, sizeof offsets))
        return MAREY_EADDRESS;
    if (layout_has_cookie((const char *)offsets)) {
        int error = from_offsets(layout, offsets);
        error = error ? error : check_patiently(layout, memory, runtime);
        /* One that is not known, and not as those that are. */
        return error == MAREY_EADDRESS && layout->version > LAYOUT_NEWEST ? MAREY_EVERSION : error;
    }
    if (version >= 0x030d)
        return MAREY_ENOTYET; /* the numbers are part of the program's file: it is not loaded yet */
    int error = MAREY_EVERSION;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (version && tables[i].version != version)
            continue;
        complete_table(layout, &tables[i]);
        error = check_patiently(layout, memory, runtime);
        if (error == 0 || version)
            return error;
    }
    return error;
}
