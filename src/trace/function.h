/* The functions that calls name: a table of the process that only grows, read without a lock. Equal ones are one. */
#ifndef MAREY_TRACE_FUNCTION_H
#define MAREY_TRACE_FUNCTION_H

#include <stdint.h>

#include "marey.h"

enum {
    FUNCTIONS_MAX = (1 << 15) - 1, /* of a process; further ones share number 0 */
    FUNCTION_TEXT_MAX = MAREY_NAME_MAX
};

struct function {
    const char *qualified; /* module and name: "app.models.User.save" */
    uint32_t qualified_bytes;
    uint32_t name_at; /* the name is what stands from here on: "User.save" */
    uint32_t file;    /* a name; 0: none */
    uint32_t line;    /* its first; 0: of a C function */
};

/* Always one: number 0 stands for all that the table had no room for. */
const struct function *function_get(uint32_t id);

/* The name "call". */
uint32_t call_category(void);

/* Around fork. */
void functions_lock(void);
void functions_unlock(void);

#endif
