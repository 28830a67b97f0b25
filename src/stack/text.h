/* Strings of another process's Python, as UTF-8. */
#ifndef MAREY_STACK_TEXT_H
#define MAREY_STACK_TEXT_H

#include "stack/layout.h"
#include "stack/memory.h"

/* Reads the str at `address` into a NUL-terminated string that the caller frees; at most `max` bytes of UTF-8, cut at a
 * whole character. Characters that UTF-8 or a line of text cannot hold (surrogates, control characters) become '?'.
 * Returns 0, MAREY_ETORN (it is no str), MAREY_ENOMEM or what reading returns. */
int text_read(struct memory *memory, const struct layout *layout, uint64_t address, uint32_t max,
              char **text);

/* The address of a str's characters, 0 where it is none that is compact; `bytes`: how many. */
uint64_t text_data(struct memory *memory, const struct layout *layout, uint64_t address,
                   uint64_t *bytes, int *kind);

#endif
