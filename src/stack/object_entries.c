/* What is in an object: the entries of a dict, a set or a sequence, the attributes of an instance. See object.h. */
#include "stack/object.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/raw_frame.h"

void object_entries_free(struct object_entries *entries) {
    free(entries->list);
    *entries = (struct object_entries){0};
}

static int make_room(struct object_entries *entries, uint32_t count) {
    if (count <= entries->room)
        return 0;
    struct object_entry *list = realloc(entries->list, (size_t)count * sizeof *list);
    if (!list)
        return MAREY_ENOMEM;
    entries->list = list;
    entries->room = count;
    return 0;
}

/* Words or pairs that stand `stride` bytes apart; what of each is where. A value of 0 and a hash of -1 say that a place
 * was used once. */
struct table {
    uint64_t address;
    uint64_t count;
    uint32_t stride, key, value, hash;
    bool has_values, has_hashes;
};

enum { TABLE_STEP = 1 << 14 };

static int read_table(struct objects *objects, const struct table *table, uint32_t max,
                      struct object_entries *entries) {
    uint8_t bytes[TABLE_STEP];
    uint64_t step = TABLE_STEP / table->stride;
    for (uint64_t at = 0; at < table->count && entries->count < max; at += step) {
        uint64_t n = table->count - at < step ? table->count - at : step;
        int error = memory_read(objects->memory, table->address + at * table->stride, bytes,
                                n * table->stride);
        if (error == 0)
            error = make_room(entries, entries->count + (uint32_t)n);
        if (error)
            return error;
        for (uint64_t i = 0; i < n && entries->count < max; i++) {
            const uint8_t *entry = bytes + i * table->stride;
            uint64_t value = table->has_values ? get64(entry + table->value) : 0;
            if (!get64(entry + table->key) || (table->has_values && !value) ||
                (table->has_hashes && get64(entry + table->hash) == UINT64_MAX))
                continue;
            entries->list[entries->count++] =
                (struct object_entry){get64(entry + table->key), value};
        }
    }
    return 0;
}

/* ---- dict: cpython/dictobject.h, internal/pycore_dict.h (3.9, 3.10: Objects/dict-common.h) */

struct keys {
    uint64_t entries; /* address */
    uint64_t count;
    bool general; /* keys of any type, each with its hash */
};

static bool read_keys(struct objects *objects, uint64_t address, struct keys *keys) {
    enum { OLD_BYTES = 40, NEW_BYTES = 32, OLD_SIZE = 8, OLD_COUNT = 32, NEW_COUNT = 24 };
    enum { LOG2_INDEX_BYTES = 9, KIND = 10, KIND_GENERAL = 0, LOG2_MAX = 40 };
    uint8_t head[OLD_BYTES];
    bool old = objects->layout->version < 0x030b;
    if (!address || address % 8 ||
        memory_read(objects->memory, address, head, old ? OLD_BYTES : NEW_BYTES))
        return false;
    uint64_t size = get64(head + OLD_SIZE), index_bytes;
    if (old) {
        uint64_t width = size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
        index_bytes = size * width;
    } else {
        index_bytes =
            head[LOG2_INDEX_BYTES] <= LOG2_MAX ? (uint64_t)1 << head[LOG2_INDEX_BYTES] : 0;
    }
    keys->count = get64(head + (old ? OLD_COUNT : NEW_COUNT));
    keys->entries = address + (old ? OLD_BYTES : NEW_BYTES) + index_bytes;
    keys->general = old || head[KIND] == KIND_GENERAL;
    return size > 0 && index_bytes > 0 && keys->count <= OBJECT_ENTRIES_MAX;
}

/* Values that stand apart from the keys, which several dicts share. */
static int read_split(struct objects *objects, const struct keys *keys, uint64_t values,
                      uint32_t max, struct object_entries *entries) {
    enum { SPLIT_MAX = 4096 };
    uint32_t stride = keys->general ? 24 : 16, count = (uint32_t)keys->count;
    if (count > SPLIT_MAX)
        return MAREY_ETORN;
    uint8_t *bytes = malloc((size_t)count * (stride + 8) + 1);
    if (!bytes)
        return MAREY_ENOMEM;
    uint8_t *value = bytes + (size_t)count * stride;
    struct piece pieces[] = {{keys->entries, bytes, (size_t)count * stride},
                             {values, value, (size_t)count * 8}};
    int error = count ? memory_read_pieces(objects->memory, pieces, 2) : 0;
    if (!error)
        error = make_room(entries, count);
    for (uint32_t i = 0; !error && i < count && entries->count < max; i++) {
        uint64_t key = get64(bytes + (size_t)i * stride + (keys->general ? 8 : 0));
        if (key && get64(value + (size_t)i * 8))
            entries->list[entries->count++] =
                (struct object_entry){key, get64(value + (size_t)i * 8)};
    }
    free(bytes);
    return error;
}

static int read_whole(struct objects *objects, const struct keys *keys, uint32_t max,
                      struct object_entries *entries) {
    struct table table = {.address = keys->entries,
                          .count = keys->count,
                          .stride = keys->general ? 24 : 16,
                          .key = keys->general ? 8 : 0,
                          .value = keys->general ? 16 : 8,
                          .has_values = true};
    return read_table(objects, &table, max, entries);
}

int object_dict(struct objects *objects, uint64_t dict, uint32_t max,
                struct object_entries *entries) {
    enum { USED = 0, KEYS = 16, VALUES = 24, BYTES = 32 };
    uint8_t head[BYTES];
    struct keys keys;
    entries->count = 0;
    entries->total = 0;
    if (!dict || dict % 8)
        return MAREY_ETORN;
    int error = memory_read(objects->memory, dict + objects->layout->object_bytes, head, BYTES);
    if (error)
        return error;
    if (!read_keys(objects, get64(head + KEYS), &keys))
        return MAREY_ETORN;
    entries->total = get64(head + USED);
    uint64_t values = get64(head + VALUES);
    if (!values)
        return read_whole(objects, &keys, max, entries);
    if (objects->layout->version >= 0x030d) /* behind four numbers of a byte */
        values += 8;
    return read_split(objects, &keys, values, max, entries);
}

uint64_t object_item(struct objects *objects, uint64_t dict, const char *name) {
    struct object_entries entries = {0};
    uint64_t value = 0;
    if (object_dict(objects, dict, OBJECT_ENTRIES_MAX, &entries) == 0)
        for (uint32_t i = 0; i < entries.count && !value; i++)
            if (object_is_text(objects, entries.list[i].key, name))
                value = entries.list[i].value;
    object_entries_free(&entries);
    return value;
}

/* ---- sets and sequences */

int object_set(struct objects *objects, uint64_t set, uint32_t max,
               struct object_entries *entries) {
    enum { USED = 8, MASK = 16, TABLE = 24, BYTES = 32, ENTRY_BYTES = 16 };
    uint8_t head[BYTES];
    entries->count = 0;
    entries->total = 0;
    if (!set || set % 8)
        return MAREY_ETORN;
    int error = memory_read(objects->memory, set + objects->layout->object_bytes, head, BYTES);
    if (error)
        return error;
    uint64_t mask = get64(head + MASK);
    if (mask & (mask + 1) || mask > 8 * (uint64_t)OBJECT_ENTRIES_MAX)
        return MAREY_ETORN;
    entries->total = get64(head + USED);
    struct table table = {.address = get64(head + TABLE),
                          .count = mask + 1,
                          .stride = ENTRY_BYTES,
                          .hash = 8,
                          .has_hashes = true};
    return read_table(objects, &table, max, entries);
}

int object_sequence(struct objects *objects, uint64_t sequence, uint32_t max,
                    struct object_entries *entries) {
    const struct layout *layout = objects->layout;
    uint64_t head[2];
    entries->count = 0;
    entries->total = 0;
    const struct object_type *type = object_type(objects, sequence);
    if (!type || (type->kind != OBJECT_TUPLE && type->kind != OBJECT_LIST))
        return MAREY_ETORN;
    bool list = type->kind == OBJECT_LIST;
    int error = memory_read(objects->memory, sequence + layout->object_bytes, head, sizeof head);
    if (error)
        return error;
    if (head[0] > INT64_MAX)
        return MAREY_ETORN;
    entries->total = head[0];
    struct table table = {.address = list ? head[1] : sequence + layout->tuple_items,
                          .count = head[0] < max ? head[0] : max,
                          .stride = 8,
                          .key = 0};
    return read_table(objects, &table, max, entries);
}

/* ---- attributes */

enum { FLAG_INLINE_VALUES = 1 << 2, FLAG_MANAGED_DICT = 1 << 4 };

/* Values that stand in the instance itself (3.13 and later) or at a place of their own (3.11, 3.12), by the keys of
 * its type. */
static uint64_t find_value(struct objects *objects, const struct object_type *type, uint64_t values,
                           const char *name) {
    struct object_entries entries = {0};
    struct keys keys;
    uint64_t found = 0;
    uint64_t address =
        memory_pointer(objects->memory, type->address + objects->layout->type_cached_keys);
    if (read_keys(objects, address, &keys) &&
        read_split(objects, &keys, values, OBJECT_ENTRIES_MAX, &entries) == 0)
        for (uint32_t i = 0; i < entries.count && !found; i++)
            if (object_is_text(objects, entries.list[i].key, name))
                found = entries.list[i].value;
    object_entries_free(&entries);
    return found;
}

/* internal/pycore_object.h: what stands before an object whose dict the interpreter manages. */
static uint64_t managed_attribute(struct objects *objects, const struct object_type *type,
                                  uint64_t object, const char *name) {
    enum { BEFORE_DICT = 24, BEFORE_DICT_FREE_THREADED = 8, BEFORE_VALUES_3_11 = 32 };
    const struct layout *layout = objects->layout;
    uint32_t before = layout->free_threaded ? BEFORE_DICT_FREE_THREADED : BEFORE_DICT;
    uint64_t dict = memory_pointer(objects->memory, object - before);
    if (layout->version == 0x030b) {
        uint64_t values = memory_pointer(objects->memory, object - BEFORE_VALUES_3_11);
        return values ? find_value(objects, type, values, name) : object_item(objects, dict, name);
    }
    if (layout->version == 0x030c && dict & 1) /* the values less one */
        return find_value(objects, type, dict + 1, name);
    if (!dict && layout->version >= 0x030d && type->flags & FLAG_INLINE_VALUES)
        return find_value(objects, type, object + type->basic_size + 8, name);
    return object_item(objects, dict, name);
}

uint64_t object_attribute(struct objects *objects, uint64_t object, const char *name) {
    const struct object_type *found = object_type(objects, object);
    if (!found)
        return 0;
    struct object_type type = *found;
    if (objects->layout->version >= 0x030b && type.flags & FLAG_MANAGED_DICT)
        return managed_attribute(objects, &type, object, name);
    if (type.dict_offset == 0 || type.dict_offset > LAYOUT_STRUCT_MAX)
        return 0;
    return object_item(objects, memory_pointer(objects->memory, object + type.dict_offset), name);
}

uint64_t object_global(struct objects *objects, uint64_t interpreter, const char *module,
                       const char *name) {
    uint64_t modules =
        memory_pointer(objects->memory, interpreter + objects->layout->interp_modules);
    uint64_t found = object_item(objects, modules, module);
    if (object_kind(objects, found) != OBJECT_MODULE)
        return 0;
    return object_item(objects, object_first(objects, found), name);
}
