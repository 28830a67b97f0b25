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

/* Likewise, as Python writes it: in quotes, with escapes; `max` bytes of characters, then "..." follows where there are
 * more. */
int text_read_quoted(struct memory *memory, const struct layout *layout, uint64_t address,
                     uint32_t max, char **text);
/* One byte as Python writes it in a str or bytes; up to 4 characters. Returns how many. */
int text_escape(char *out, uint8_t byte);

/* The address of a str's characters, 0 where it is none that is compact; `bytes`: how many. */
uint64_t text_data(struct memory *memory, const struct layout *layout, uint64_t address,
                   uint64_t *bytes, int *kind);

#endif
