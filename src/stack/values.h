/* The local variables of a frame, as text for people: read from the memory of a process that runs, without its help.
 *
 * Plain values are shown as Python would (int, float, bool, None, str, bytes), containers by their first entries, all
 * else as <module.Type at 0x...>; what is long, deep or many is cut and ends in "...". Nothing of the process is called:
 * a __repr__ is not. Variables, and keys of dicts, that are named like secrets (base/secret.h) show as "***".
 *
 * The process goes on meanwhile: the frame is known to be the same before and after, but a value may be of another
 * moment than its neighbour. */
#ifndef MAREY_STACK_VALUES_H
#define MAREY_STACK_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/frames.h"
#include "stack/process.h"

enum {
    VALUES_VARIABLES_MAX = 128, /* of a frame */
    VALUES_TEXT_BYTES = 32768,  /* of all names and values of a frame */
    VALUES_ONE_BYTES = 240,     /* of one value */
    VALUES_STR_BYTES = 120,     /* of a str or bytes within it */
    VALUES_ITEMS = 8,           /* of a container */
    VALUES_DEPTH = 3            /* of containers in containers */
};

enum variable_kind {
    VARIABLE_ARGUMENT,
    VARIABLE_LOCAL,
    VARIABLE_CELL, /* shared with functions that are defined in this one */
    VARIABLE_FREE  /* of the function that this one is defined in */
};

struct variable {
    const char *name, *value; /* UTF-8 */
    enum variable_kind kind;
};

struct variables {
    struct variable list[VALUES_VARIABLES_MAX]; /* those that have a value, in the code's order */
    int count;
    bool cut; /* there are more */
    char text[VALUES_TEXT_BYTES];
    uint32_t text_bytes;
};

struct values;

/* Returns 0 or MAREY_ENOMEM. */
int values_open(struct values **values, struct process *process);
void values_close(struct values *values);

/* The variables of a frame that unwind_thread or asyncio_stack has just given. Returns 0, or MAREY_ETORN (the function has
 * returned meanwhile, or went on where its frame is read: try again), MAREY_ENOPROCESS or MAREY_EPTRACE; then the list is
 * empty. */
int values_read(struct values *values, const struct frame *frame, struct variables *variables);

#endif
