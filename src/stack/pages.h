/* A process's memory by whole pages, each read once and kept until all are forgotten: for what consists of many small
 * pieces near each other, such as the objects of a thousand tasks.
 *
 * What it gives was so at some time since pages_forget: whoever needs it to be of one moment compares it with the
 * memory itself. */
#ifndef MAREY_STACK_PAGES_H
#define MAREY_STACK_PAGES_H

#include "stack/memory.h"

enum { PAGE_BYTES = 4096, PAGES = 512 };

struct pages {
    struct memory memory; /* reads by way of the pages */
    struct memory *behind;
    uint8_t *bytes;
    uint64_t address[PAGES]; /* of the page that is kept at each place, plus 1; 0: none */
};

/* Returns 0 or MAREY_ENOMEM. */
int pages_init(struct pages *pages, struct memory *behind);
void pages_fini(struct pages *pages);
void pages_forget(struct pages *pages);

#endif
