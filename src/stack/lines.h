/* Line tables of code objects, in the three ways that CPython writes them. */
#ifndef MAREY_STACK_LINES_H
#define MAREY_STACK_LINES_H

#include <stdint.h>

#include "stack/layout.h"

/* The line of the instruction at `index` (bytes); `first_line` before the first. 0: it belongs to no line. Any bytes
 * are a table: what is cut off ends it. */
int lines_find(enum layout_lines how, const uint8_t *table, uint32_t bytes, int first_line,
               int32_t index);

#endif
