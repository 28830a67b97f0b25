/* The names of a process: spans, categories, arguments. A name has a small number, the same for as long as the process
 * lives; each chunk of the file gives those it uses a number of its own (an iid). The table is append-only and bounded. */
#ifndef MAREY_TRACE_NAMES_H
#define MAREY_TRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name {
    const char *text; /* fit for a trace, NUL at its end */
    uint32_t bytes;
    uint32_t hash;
};

/* id: what marey_name_id returned. */
const struct name *names_get(uint32_t id);

/* Around fork, so that the child finds the table free. */
void names_lock(void);
void names_unlock(void);

#endif
