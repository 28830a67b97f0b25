/* Python objects of another process: which type they are of, what is in a dict, a set or a sequence, an attribute of an
 * instance. What is read is a program's that runs: it is bounded, and any of it may be wrong.
 *
 * A struct objects belongs to one thread. What it says of types stands until objects_tick. */
#ifndef MAREY_STACK_OBJECT_H
#define MAREY_STACK_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/layout.h"
#include "stack/memory.h"

enum {
    OBJECT_ENTRIES_MAX = 1 << 18, /* of a dict, a set or a sequence that is read */
    OBJECT_TYPES = 256,           /* types that are remembered */
    OBJECT_TYPE_NAME_BYTES = 64,
    OBJECT_BASES_MAX = 16 /* of a type that is looked for one that is known */
};

/* What an object is, as far as we know it; a class that is derived from one of them is that, too. */
enum object_kind {
    OBJECT_OTHER,
    OBJECT_NONE,
    OBJECT_BOOL,
    OBJECT_INT,
    OBJECT_FLOAT,
    OBJECT_STR,
    OBJECT_BYTES,
    OBJECT_TUPLE,
    OBJECT_LIST,
    OBJECT_DICT,
    OBJECT_SET, /* or frozenset */
    OBJECT_TYPE,
    OBJECT_CELL,
    OBJECT_FUNCTION,
    OBJECT_METHOD,
    OBJECT_MODULE,
    OBJECT_WEAKREF,
    OBJECT_COROUTINE,
    OBJECT_GENERATOR,
    OBJECT_ASYNC_GENERATOR,
    OBJECT_WRAPPER, /* awaits what its first field points to: a step of an async generator, an iterator */
    OBJECT_FUTURE, /* asyncio's, written in C; not a task */
    OBJECT_TASK    /* likewise */
};

struct object_type {
    uint64_t address;
    uint64_t tick;
    uint64_t flags, basic_size, base, dict, dict_offset;
    enum object_kind kind;
    bool exact; /* the type that has this kind, not one that is derived from it */
    char name[OBJECT_TYPE_NAME_BYTES];
};

struct objects {
    const struct layout *layout;
    struct memory *memory;
    struct object_type types[OBJECT_TYPES];
    uint64_t tick;
};

/* A key and its value; in a set or a sequence the key alone. */
struct object_entry {
    uint64_t key, value;
};

struct object_entries {
    struct object_entry *list;
    uint32_t count, room;
    uint64_t total; /* how many there are; more than count where only some were asked for */
};

void objects_init(struct objects *objects, const struct layout *layout, struct memory *memory);
/* From now on types are read again: one may have been freed, and another be in its place. */
void objects_tick(struct objects *objects);

/* A reference as a frame keeps it (3.14 and later), without its tags; 0: no object. */
static inline uint64_t object_untagged(const struct layout *layout, uint64_t value) {
    enum { TAGS = 7, TAG_INT = 3 };
    if (layout->version < 0x030e)
        return value;
    return (value & TAG_INT) == TAG_INT ? 0 : value & ~(uint64_t)TAGS;
}

/* The type of an object; NULL: it has none that can be read. Stands until the next call. */
const struct object_type *object_type(struct objects *objects, uint64_t object);
const struct object_type *object_type_at(struct objects *objects, uint64_t type);
enum object_kind object_kind(struct objects *objects, uint64_t object);

/* Is it the str `text` (ASCII)? */
bool object_is_text(struct objects *objects, uint64_t object, const char *text);

/* What is in it, at most `max` of them. The list begins as all zero, its memory is used again. Returns 0, MAREY_ETORN (it
 * is no such object, or changes), MAREY_ENOMEM or what reading returns. */
int object_dict(struct objects *objects, uint64_t dict, uint32_t max,
                struct object_entries *entries);
int object_set(struct objects *objects, uint64_t set, uint32_t max, struct object_entries *entries);
int object_sequence(struct objects *objects, uint64_t sequence, uint32_t max,
                    struct object_entries *entries);
void object_entries_free(struct object_entries *entries);

/* The value of the key `name` in a dict; 0: it has none. */
uint64_t object_item(struct objects *objects, uint64_t dict, const char *name);
/* The attribute that an instance itself has (not its class); 0: none. */
uint64_t object_attribute(struct objects *objects, uint64_t object, const char *name);
/* What a module has under a name: interpreter -> sys.modules -> module; 0: none. */
uint64_t object_global(struct objects *objects, uint64_t interpreter, const char *module,
                       const char *name);

/* The first field of an object that holds a pointer there: of a cell its content, of a weakref what it refers to. */
uint64_t object_first(struct objects *objects, uint64_t object);

/* The value of an int as far as it fits; false: it is larger, or none. */
bool object_integer(struct objects *objects, uint64_t object, int64_t *value);
/* How many bits an int has, at the most; 0: it is none. */
uint64_t object_integer_bits(struct objects *objects, uint64_t object);

#endif
