/* Where each CPython keeps what the unwinder reads: one place for what differs between versions.
 *
 * 3.13 and later say it themselves (struct _Py_DebugOffsets at the start of _PyRuntime, found by its cookie); for 3.9
 * to 3.12 there are tables (layout_table.h), the same for debug builds as for others. A later version than we know is
 * tried as the newest that we know. */
#ifndef MAREY_STACK_LAYOUT_H
#define MAREY_STACK_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/layout_fields.h"
#include "stack/memory.h"

enum {
    LAYOUT_NONE = 0xffff, /* no such field */
    LAYOUT_OLDEST = 0x0309,
    LAYOUT_NEWEST = 0x030f,
    /* no offset within a thread, a frame, a code object or a string is larger */
    LAYOUT_STRUCT_MAX = 4096,
};

/* What frame_instr holds. */
enum layout_instr {
    INSTR_BYTE_INDEX, /* 3.9: int, in bytes; -1 before the first */
    INSTR_UNIT_INDEX, /* 3.10: int, in units of 2 bytes; -1 before the first */
    INSTR_LAST_POINTER, /* 3.11, 3.12: to the last unit executed; one before the code before the first */
    INSTR_CURRENT_POINTER /* 3.13 and later */
};

/* How a frame tells that it is on the stack, and not what a call that has ended left there. */
enum layout_live {
    LIVE_FLAG,  /* 3.9: char, 1: it is being run (also while it calls another) */
    LIVE_STATE, /* 3.10: char, 0: likewise */
    LIVE_STACKTOP, /* 3.11 to 3.13: int, -1: it is being run; a call to a Python function sets it to 0 or more */
    LIVE_POINTER, /* 3.14 and later: pointer, not 0 while it calls; a frame that has ended has no code object */
};

/* How a line table is written. */
enum layout_lines { LINES_LNOTAB, LINES_TABLE, LINES_LOCATIONS };

struct layout {
    uint32_t version; /* 0x030d: 3.13 */
    bool free_threaded;
    enum layout_instr instr;
    enum layout_live live;
    enum layout_lines lines;
    /* frames with this owner, or a higher one, are no Python code: a C function's entry */
    uint8_t owner_shim;
    uint8_t owner_last;     /* and those with a higher one than this are no frames */
    uint8_t str_kind_shift; /* of the kind in a str's state; compact and ascii follow it */
#define LAYOUT_MEMBER(field, meaning) uint32_t field;
    LAYOUT_FIELDS(LAYOUT_MEMBER)
#undef LAYOUT_MEMBER
};

/* The layout of the interpreter whose _PyRuntime stands at `runtime`. `version` is what its files say (0x0309), or 0:
 * unknown. A runtime that says its version itself is believed. Returns 0, MAREY_EVERSION (unknown or too old),
 * MAREY_ENOTYET (nothing runs in it now) or MAREY_EADDRESS (it is no runtime). */
int layout_find(struct layout *layout, struct memory *memory, uint64_t runtime, uint32_t version);

/* Does what stands there look like a runtime of this layout: an interpreter, a thread of it, its frame's code?
 * Returns 0, MAREY_ENOTYET or MAREY_EADDRESS. */
int layout_check(const struct layout *layout, struct memory *memory, uint64_t runtime);

/* Does a runtime say itself where it keeps things (3.13 and later)? */
bool layout_has_cookie(const char *bytes);

/* The table of a version that has one (3.9 to 3.12); NULL else. */
const struct layout *layout_table(uint32_t version);

#endif
