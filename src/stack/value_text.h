/* A Python object as a short text, as repr would show it where that can be told from memory alone. */
#ifndef MAREY_STACK_VALUE_TEXT_H
#define MAREY_STACK_VALUE_TEXT_H

#include <stdint.h>

#include "stack/object.h"

/* Writes it into `text`, at most size - 1 bytes; what is cut ends in "...". The limits are those of values.h. */
void value_text(struct objects *objects, uint64_t object, char *text, uint32_t size);

#endif
