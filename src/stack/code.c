#include "stack/code.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/lines.h"
#include "stack/text.h"

void codes_init(struct codes *codes, const struct layout *layout, struct memory *memory) {
    *codes = (struct codes){.layout = layout, .memory = memory, .tick = 1};
}

static void code_free(struct code *code) {
    if (!code)
        return;
    free(code->copies);
    free(code->name);
    free(code->file);
    free(code->lines);
    free(code);
}

static void forget_all(struct codes *codes) {
    for (uint32_t i = 0; codes->slots && i <= codes->mask; i++)
        code_free(codes->slots[i]);
    free(codes->slots);
    codes->slots = NULL;
    codes->count = codes->mask = 0;
    codes->bytes = 0;
    codes->cleared++;
}

void codes_fini(struct codes *codes) {
    forget_all(codes);
}

void codes_tick(struct codes *codes) {
    codes->tick++;
}

/* ---- the table */

static uint32_t slot_of(const struct codes *codes, uint64_t address) {
    return (uint32_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 40) & codes->mask;
}

struct code *codes_find(const struct codes *codes, uint64_t address) {
    if (!codes->slots)
        return NULL;
    uint32_t i = slot_of(codes, address);
    while (codes->slots[i] && codes->slots[i]->address != address)
        i = (i + 1) & codes->mask;
    return codes->slots[i];
}

static void place(struct codes *codes, struct code *code) {
    uint32_t i = slot_of(codes, code->address);
    while (codes->slots[i])
        i = (i + 1) & codes->mask;
    codes->slots[i] = code;
}

static bool grow(struct codes *codes) {
    struct code **old = codes->slots;
    uint32_t old_mask = codes->mask;
    uint32_t size = old ? 2 * (old_mask + 1) : 256;
    struct code **slots = calloc(size, sizeof(struct code *));
    if (!slots)
        return false;
    codes->slots = slots;
    codes->mask = size - 1;
    for (uint32_t i = 0; old && i <= old_mask; i++)
        if (old[i])
            place(codes, old[i]);
    free(old);
    return true;
}

static int insert(struct codes *codes, struct code *code) {
    if (codes->count >= CODES_MAX || codes->bytes + code->bytes > CODES_BYTES_MAX)
        forget_all(codes);
    if ((!codes->slots || 2 * (codes->count + 1) > codes->mask) && !grow(codes))
        return MAREY_ENOMEM;
    place(codes, code);
    codes->count++;
    codes->bytes += code->bytes;
    return 0;
}

/* Takes one out; those behind it that belong further up move. */
static void forget(struct codes *codes, struct code *code) {
    uint32_t hole = slot_of(codes, code->address);
    while (codes->slots[hole] != code)
        hole = (hole + 1) & codes->mask;
    for (uint32_t i = hole;;) {
        i = (i + 1) & codes->mask;
        if (!codes->slots[i])
            break;
        uint32_t home = slot_of(codes, codes->slots[i]->address);
        if (((i - home) & codes->mask) >= ((i - hole) & codes->mask)) {
            codes->slots[hole] = codes->slots[i];
            hole = i;
        }
    }
    codes->slots[hole] = NULL;
    codes->count--;
    codes->bytes -= code->bytes;
    code_free(code);
}

/* ---- reading one */

static uint32_t name_field(const struct layout *l) {
    return l->code_qualname != LAYOUT_NONE ? l->code_qualname : l->code_name;
}

/* co_version (Include/cpython/code.h), the same place from 3.12 to 3.15: each code object of an interpreter has its own
 * number, until 4 billion are used up and all new ones have 0. */
static uint32_t version_field(const struct layout *l) {
    return l->version >= 0x030c ? l->code_first_line + 24 : LAYOUT_NONE;
}

/* Which code object it is. */
static int read_identity(const struct codes *codes, uint64_t address,
                         struct code_identity *identity) {
    const struct layout *l = codes->layout;
    int64_t units = 0;
    uint64_t instr = 0;
    *identity = (struct code_identity){0};
    bool has_version = version_field(l) != LAYOUT_NONE;
    struct piece pieces[] = {{address + l->code_filename, &identity->file, 8},
                             {address + name_field(l), &identity->name, 8},
                             {address + l->code_lines, &identity->lines, 8},
                             {address + l->code_first_line, &identity->first_line, 4},
                             {address + l->code_units, &units, 8},
                             {address + version_field(l), &identity->version, 4}};
    if (l->code_units == LAYOUT_NONE) /* 3.9, 3.10: in a bytes object */
        pieces[4] = (struct piece){address + l->code_instr, &instr, 8};
    int error = memory_read_pieces(codes->memory, pieces, has_version ? 6 : 5);
    if (error)
        return error;
    if (l->code_units == LAYOUT_NONE) {
        error = memory_read(codes->memory, instr + l->bytes_length, &units, 8);
        if (error)
            return error;
    } else if (units > 0 && units < CODE_INSTR_MAX) {
        units *= 2;
    }
    if (units <= 0 || units > CODE_INSTR_MAX || identity->first_line < 0)
        return MAREY_ETORN;
    identity->instr_bytes = (uint32_t)units;
    return 0;
}

static int read_lines(const struct codes *codes, struct code *code) {
    const struct layout *l = codes->layout;
    uint64_t table = code->identity.lines;
    int64_t bytes = 0;
    int error = memory_read(codes->memory, table + l->bytes_length, &bytes, sizeof bytes);
    if (error)
        return error;
    if (bytes < 0)
        return MAREY_ETORN;
    if (bytes == 0 || bytes > CODE_LINES_MAX)
        return 0;
    code->lines = malloc((size_t)bytes);
    if (!code->lines)
        return MAREY_ENOMEM;
    code->lines_bytes = (uint32_t)bytes;
    return memory_read(codes->memory, table + l->bytes_data, code->lines, (size_t)bytes);
}

/* Where the copies of the bytecode are: _PyCodeArray, a count and as many pointers. */
static int read_copies(const struct codes *codes, struct code *code) {
    int64_t count = 0;
    if (codes->layout->code_tlbc == LAYOUT_NONE)
        return 0;
    uint64_t array = memory_pointer(codes->memory, code->address + codes->layout->code_tlbc);
    if (!array)
        return 0;
    int error = memory_read(codes->memory, array, &count, sizeof count);
    if (error)
        return error;
    if (count < 0)
        return MAREY_ETORN;
    if (count > CODE_COPIES_MAX)
        count = CODE_COPIES_MAX;
    free(code->copies);
    code->copies_count = 0;
    code->copies = calloc((size_t)count + 1, sizeof *code->copies);
    if (!code->copies)
        return MAREY_ENOMEM;
    code->copies_count = (uint32_t)count;
    return count ? memory_read(codes->memory, array + 8, code->copies, (size_t)count * 8) : 0;
}

static uint32_t at_most(uint64_t bytes) {
    return bytes < CODE_IDENTITY_BYTES ? (uint32_t)bytes : CODE_IDENTITY_BYTES;
}

/* The texts that identify it; they are compared again as raw bytes at the same places. */
static int read_samples(const struct codes *codes, struct code *code) {
    struct code_identity *identity = &code->identity;
    uint64_t bytes;
    int kind;
    uint64_t data = text_data(codes->memory, codes->layout, identity->name, &bytes, &kind);
    if (!data)
        return MAREY_ETORN;
    identity->name_data = data;
    identity->name_bytes = at_most(bytes);
    identity->lines_bytes = at_most(code->lines_bytes);
    if (code->lines_bytes)
        memcpy(identity->lines_text, code->lines, identity->lines_bytes);
    return bytes ? memory_read(codes->memory, data, identity->name_text, identity->name_bytes) : 0;
}

/* How much of the interpreter's stack a call takes: the numbers stand around the first line in all versions from 3.11
 * on (Include/cpython/code.h). It is a hint only. */
static void read_frame_bytes(const struct codes *codes, struct code *code) {
    enum { STACK_SIZE, FIRST_LINE, LOCALS, FRAME_SIZE, FIELDS, SPECIALS_3_11 = 9 };
    const struct layout *l = codes->layout;
    int32_t field[FIELDS];
    if (l->version < 0x030b ||
        memory_read(codes->memory, code->address + l->code_first_line - 4, field, sizeof field))
        return;
    int64_t words = l->version == 0x030b
                        ? (int64_t)field[STACK_SIZE] + field[LOCALS] + SPECIALS_3_11
                        : field[FRAME_SIZE];
    if (words > 0 && words < 1 << 20)
        code->frame_bytes = (uint32_t)words * 8;
}

static int read_code(struct codes *codes, struct code *code) {
    struct code_identity again;
    const struct layout *l = codes->layout;
    int error = read_identity(codes, code->address, &code->identity);
    if (!error)
        error = text_read(codes->memory, l, code->identity.name, CODE_TEXT_MAX, &code->name);
    if (!error)
        error = text_read(codes->memory, l, code->identity.file, CODE_TEXT_MAX, &code->file);
    if (!error)
        error = read_lines(codes, code);
    if (!error)
        error = read_copies(codes, code);
    if (!error)
        error = read_samples(codes, code);
    if (!error)
        error = read_identity(codes, code->address, &again);
    if (error)
        return error;
    if (again.file != code->identity.file || again.name != code->identity.name ||
        again.lines != code->identity.lines || again.version != code->identity.version ||
        again.instr_bytes != code->identity.instr_bytes)
        return MAREY_ETORN;
    read_frame_bytes(codes, code);
    code->instr = l->code_units == LAYOUT_NONE ? 0 : code->address + l->code_instr;
    code->bytes = (uint32_t)(sizeof *code + strlen(code->name) + strlen(code->file) +
                             code->lines_bytes + code->copies_count * sizeof *code->copies);
    return 0;
}

int codes_load(struct codes *codes, uint64_t address, struct code **out) {
    *out = codes_find(codes, address);
    if (*out)
        return 0;
    struct code *code = calloc(1, sizeof *code);
    if (!code)
        return MAREY_ENOMEM;
    code->address = address;
    int error = address % 8 ? MAREY_ETORN : read_code(codes, code);
    if (!error)
        error = insert(codes, code);
    if (error) {
        code_free(code);
        return error;
    }
    code->id = ++codes->last_id;
    code->checked = codes->tick;
    *out = code;
    return 0;
}

/* ---- is it still the same? */

enum { WINDOW_BYTES = 256, PIECES_OF_ONE = 3 };

/* What of a code object is compared: its fields, and the beginnings of two texts that they point to, where no number of
 * its own says that it is the same. */
struct comparison {
    uint8_t window[WINDOW_BYTES];
    uint8_t name_text[CODE_IDENTITY_BYTES], lines_text[CODE_IDENTITY_BYTES];
};

/* The part of a code object that holds all fields that are compared. */
static void window_of(const struct layout *l, uint32_t *from, uint32_t *to) {
    const uint32_t fields[] = {l->code_filename, name_field(l), l->code_lines, l->code_first_line};
    *from = UINT32_MAX;
    *to = 0;
    for (int i = 0; i < 4; i++) {
        *from = fields[i] < *from ? fields[i] : *from;
        *to = fields[i] + 8 > *to ? fields[i] + 8 : *to;
    }
    if (*to - *from > WINDOW_BYTES)
        *to = *from + WINDOW_BYTES;
}

static int pieces_of(const struct codes *codes, const struct code *code, struct comparison *into,
                     struct piece *pieces) {
    const struct code_identity *identity = &code->identity;
    uint32_t from, to;
    int count = 0;
    window_of(codes->layout, &from, &to);
    pieces[count++] = (struct piece){code->address + from, into->window, to - from};
    if (identity->version)
        return count;
    if (identity->name_bytes)
        pieces[count++] =
            (struct piece){identity->name_data, into->name_text, identity->name_bytes};
    if (identity->lines_bytes)
        pieces[count++] = (struct piece){identity->lines + codes->layout->bytes_data,
                                         into->lines_text, identity->lines_bytes};
    return count;
}

static bool field_is(const struct comparison *c, uint32_t from, uint32_t field, const void *value,
                     size_t bytes) {
    return field - from + bytes <= WINDOW_BYTES &&
           memcmp(c->window + (field - from), value, bytes) == 0;
}

static bool same(const struct codes *codes, const struct code *code, const struct comparison *c) {
    const struct layout *l = codes->layout;
    const struct code_identity *identity = &code->identity;
    uint32_t from, to;
    window_of(l, &from, &to);
    bool fields = field_is(c, from, l->code_filename, &identity->file, 8) &&
                  field_is(c, from, name_field(l), &identity->name, 8) &&
                  field_is(c, from, l->code_lines, &identity->lines, 8) &&
                  field_is(c, from, l->code_first_line, &identity->first_line, 4);
    if (!fields || identity->version)
        return fields && field_is(c, from, version_field(l), &identity->version, 4);
    return memcmp(c->name_text, identity->name_text, identity->name_bytes) == 0 &&
           memcmp(c->lines_text, identity->lines_text, identity->lines_bytes) == 0;
}

/* Compares some by one read. Where even that fails, something was freed: then each by its own. */
static int check_batch(struct codes *codes, struct code **list, int count) {
    struct comparison read[MEMORY_PIECES_MAX / PIECES_OF_ONE];
    struct piece pieces[MEMORY_PIECES_MAX];
    int used = 0, error = 0;
    for (int i = 0; i < count; i++)
        used += pieces_of(codes, list[i], &read[i], pieces + used);
    bool whole = memory_read_pieces(codes->memory, pieces, used) == 0;
    for (int i = 0; i < count; i++) {
        bool right = whole;
        if (!whole) {
            used = pieces_of(codes, list[i], &read[i], pieces);
            right = memory_read_pieces(codes->memory, pieces, used) == 0;
        }
        if (right && same(codes, list[i], &read[i])) {
            list[i]->checked = codes->tick;
            continue;
        }
        forget(codes, list[i]);
        codes->changed++;
        error = MAREY_ETORN;
    }
    return error;
}

int codes_check(struct codes *codes, struct code **list, int count) {
    const int most = MEMORY_PIECES_MAX / PIECES_OF_ONE;
    int error = 0;
    for (int i = 0; i < count; i += most) {
        int n = count - i < most ? count - i : most;
        if (check_batch(codes, list + i, n))
            error = MAREY_ETORN;
    }
    return error;
}

int codes_read_copies(struct codes *codes, struct code *code) {
    return read_copies(codes, code);
}

int code_line(const struct layout *layout, const struct code *code, int32_t index) {
    return lines_find(layout->lines, code->lines, code->lines_bytes, code->identity.first_line,
                      index);
}
