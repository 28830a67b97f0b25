#include "stack/object.h"

#include <string.h>

#include "marey.h"
#include "stack/raw_frame.h"

void objects_init(struct objects *objects, const struct layout *layout, struct memory *memory) {
    memset(objects, 0, sizeof *objects);
    objects->layout = layout;
    objects->memory = memory;
    objects->tick = 1;
}

void objects_tick(struct objects *objects) {
    objects->tick++;
}

/* ---- types: PyTypeObject, whose public part is the same in all versions (cpython/object.h), counted from ob_size */

enum {
    TYPE_NAME = 8,
    TYPE_BASIC_SIZE = 16,
    TYPE_FLAGS = 152,
    TYPE_BASE = 240,
    TYPE_DICT = 248,
    TYPE_DICT_OFFSET = 272,
    TYPE_BYTES = 280
};

enum {
    FLAG_HEAP_TYPE = 1 << 9,
    FLAG_INT = 1 << 24,
    FLAG_LIST = 1 << 25,
    FLAG_TUPLE = 1 << 26,
    FLAG_BYTES = 1 << 27,
    FLAG_STR = 1 << 28,
    FLAG_DICT = 1 << 29,
};
static const uint64_t flag_type = (uint64_t)1 << 31;

struct known_type {
    const char *name;
    enum object_kind kind;
    /* by PyType_FromSpec: its name has a dot then, which no class written in Python has */
    bool made;
};

static const struct known_type known_types[] = {
    {"NoneType", OBJECT_NONE, false},
    {"bool", OBJECT_BOOL, false},
    {"int", OBJECT_INT, false},
    {"float", OBJECT_FLOAT, false},
    {"str", OBJECT_STR, false},
    {"bytes", OBJECT_BYTES, false},
    {"tuple", OBJECT_TUPLE, false},
    {"list", OBJECT_LIST, false},
    {"dict", OBJECT_DICT, false},
    {"set", OBJECT_SET, false},
    {"frozenset", OBJECT_SET, false},
    {"type", OBJECT_TYPE, false},
    {"cell", OBJECT_CELL, false},
    {"function", OBJECT_FUNCTION, false},
    {"method", OBJECT_METHOD, false},
    {"module", OBJECT_MODULE, false},
    {"weakref", OBJECT_WEAKREF, false},
    {"weakref.ReferenceType", OBJECT_WEAKREF, false},
    {"coroutine", OBJECT_COROUTINE, false},
    {"generator", OBJECT_GENERATOR, false},
    {"async_generator", OBJECT_ASYNC_GENERATOR, false},
    {"async_generator_asend", OBJECT_WRAPPER, false},
    {"async_generator_athrow", OBJECT_WRAPPER, false},
    {"coroutine_wrapper", OBJECT_WRAPPER, false},
    {"anext_awaitable", OBJECT_WRAPPER, false},
    {"_asyncio.Future", OBJECT_FUTURE, true},
    {"_asyncio.Task", OBJECT_TASK, true},
};

/* A C string, up to the end of its page at the least. */
static void read_name(struct objects *objects, uint64_t address, char *name) {
    memset(name, 0, OBJECT_TYPE_NAME_BYTES);
    size_t whole = OBJECT_TYPE_NAME_BYTES - 1, page = 4096 - address % 4096;
    if (memory_read(objects->memory, address, name, whole) && page < whole &&
        memory_read(objects->memory, address, name, page))
        name[0] = '\0';
    for (char *c = name; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
}

static bool read_type(struct objects *objects, uint64_t address, struct object_type *type) {
    uint8_t bytes[TYPE_BYTES];
    uint32_t head = objects->layout->object_bytes;
    if (address % 8 || memory_read(objects->memory, address + head, bytes, sizeof bytes))
        return false;
    *type = (struct object_type){.address = address,
                                 .tick = objects->tick,
                                 .flags = get64(bytes + TYPE_FLAGS),
                                 .basic_size = get64(bytes + TYPE_BASIC_SIZE),
                                 .base = get64(bytes + TYPE_BASE),
                                 .dict = get64(bytes + TYPE_DICT),
                                 .dict_offset = get64(bytes + TYPE_DICT_OFFSET)};
    read_name(objects, get64(bytes + TYPE_NAME), type->name);
    return true;
}

static enum object_kind kind_of_name(const struct object_type *type) {
    for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++)
        if ((known_types[i].made || !(type->flags & FLAG_HEAP_TYPE)) &&
            strcmp(type->name, known_types[i].name) == 0)
            return known_types[i].kind;
    return OBJECT_OTHER;
}

static enum object_kind kind_of_flags(uint64_t flags) {
    return flags & FLAG_INT     ? OBJECT_INT
           : flags & FLAG_LIST  ? OBJECT_LIST
           : flags & FLAG_TUPLE ? OBJECT_TUPLE
           : flags & FLAG_BYTES ? OBJECT_BYTES
           : flags & FLAG_STR   ? OBJECT_STR
           : flags & FLAG_DICT  ? OBJECT_DICT
           : flags & flag_type  ? OBJECT_TYPE
                                : OBJECT_OTHER;
}

static void find_kind(struct objects *objects, struct object_type *type) {
    type->kind = kind_of_name(type);
    type->exact = type->kind != OBJECT_OTHER;
    if (!type->exact)
        type->kind = kind_of_flags(type->flags);
    uint64_t base = type->base;
    for (int i = 0; i < OBJECT_BASES_MAX && base && type->kind == OBJECT_OTHER; i++) {
        struct object_type above;
        if (!read_type(objects, base, &above))
            return;
        type->kind = kind_of_name(&above);
        base = above.base;
    }
}

const struct object_type *object_type_at(struct objects *objects, uint64_t address) {
    struct object_type *type =
        &objects->types[(address >> 4) * 0x9e3779b97f4a7c15u >> 56 & (OBJECT_TYPES - 1)];
    bool heap = type->flags & FLAG_HEAP_TYPE;
    if (type->address == address && (!heap || type->tick == objects->tick))
        return type;
    type->address = 0;
    struct object_type read;
    if (!address || !read_type(objects, address, &read))
        return NULL;
    find_kind(objects, &read);
    *type = read;
    return type;
}

const struct object_type *object_type(struct objects *objects, uint64_t object) {
    if (!object || object % 8)
        return NULL;
    return object_type_at(objects,
                          memory_pointer(objects->memory, object + objects->layout->object_type));
}

enum object_kind object_kind(struct objects *objects, uint64_t object) {
    const struct object_type *type = object_type(objects, object);
    return type ? type->kind : OBJECT_OTHER;
}

uint64_t object_first(struct objects *objects, uint64_t object) {
    return object && object % 8 == 0
               ? memory_pointer(objects->memory, object + objects->layout->object_bytes)
               : 0;
}

bool object_is_text(struct objects *objects, uint64_t object, const char *text) {
    const struct layout *l = objects->layout;
    uint8_t bytes[256];
    size_t length = strlen(text);
    if (!object || object % 8 || l->str_ascii_data + length > sizeof bytes ||
        memory_read(objects->memory, object, bytes, l->str_ascii_data + length))
        return false;
    uint32_t state = (uint32_t)get32(bytes + l->str_state) >> l->str_kind_shift;
    bool compact_ascii = (state & 31) == (1 | 8 | 16); /* kind 1, compact, ascii */
    return compact_ascii && get64(bytes + l->str_length) == length &&
           memcmp(bytes + l->str_ascii_data, text, length) == 0;
}

/* ---- int: cpython/longintrepr.h, digits of 30 bits, the lowest first */

enum { DIGIT_BITS = 30, DIGITS_READ = 2, DIGITS_AT = 8 };

struct integer {
    uint64_t digits;
    bool negative;
    int64_t low[DIGITS_READ];
};

static bool read_integer(struct objects *objects, uint64_t object, struct integer *integer) {
    enum { TAG_SIGN = 3, TAG_NEGATIVE = 2, TAG_SHIFT = 3 };
    uint8_t bytes[DIGITS_AT + 4 * DIGITS_READ];
    if (!object || object % 8 ||
        memory_read(objects->memory, object + objects->layout->object_bytes, bytes, sizeof bytes))
        return false;
    int64_t size = (int64_t)get64(bytes);
    integer->negative = size < 0;
    integer->digits = size < 0 ? 0 - (uint64_t)size : (uint64_t)size;
    if (objects->layout->version >= 0x030c) { /* lv_tag */
        integer->negative = (size & TAG_SIGN) == TAG_NEGATIVE;
        integer->digits = (uint64_t)size >> TAG_SHIFT;
    }
    for (int i = 0; i < DIGITS_READ; i++)
        integer->low[i] = get32(bytes + DIGITS_AT + (size_t)i * 4) & ((1 << DIGIT_BITS) - 1);
    return true;
}

/* What a third digit adds, as far as 63 bits hold it; times in nanoseconds have one. It may lie behind the object of one
 * that has fewer, where nothing may be. */
static bool add_third(struct objects *objects, uint64_t object, int64_t *value) {
    uint8_t bytes[4];
    enum { THIRD_AT = DIGITS_AT + 4 * DIGITS_READ };
    uint64_t at = object + objects->layout->object_bytes + THIRD_AT;
    if (memory_read(objects->memory, at, bytes, sizeof bytes) ||
        get32(bytes) >> (63 - 2 * DIGIT_BITS))
        return false;
    *value += (int64_t)get32(bytes) << 2 * DIGIT_BITS;
    return true;
}

bool object_integer(struct objects *objects, uint64_t object, int64_t *value) {
    struct integer integer;
    if (!read_integer(objects, object, &integer) || integer.digits > DIGITS_READ + 1)
        return false;
    *value = integer.digits > 0 ? integer.low[0] : 0;
    if (integer.digits > 1)
        *value += integer.low[1] << DIGIT_BITS;
    if (integer.digits > 2 && !add_third(objects, object, value))
        return false;
    if (integer.negative)
        *value = -*value;
    return true;
}

uint64_t object_integer_bits(struct objects *objects, uint64_t object) {
    struct integer integer;
    return read_integer(objects, object, &integer) && integer.digits < UINT64_MAX / DIGIT_BITS
               ? integer.digits * DIGIT_BITS
               : 0;
}
