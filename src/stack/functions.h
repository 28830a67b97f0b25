/* Functions by number: the same name, file and first line is the same function, in whichever process. */
#ifndef MAREY_STACK_FUNCTIONS_H
#define MAREY_STACK_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FUNCTIONS_MAX = 1 << 16,       /* that are kept */
    FUNCTIONS_BYTES_MAX = 32 << 20 /* memory of them */
};

struct function {
    uint64_t number;
    uint64_t hash;
    const char *name, *file; /* in the same piece of memory */
    int32_t first_line;
    uint8_t kind; /* enum sample_kind */
};

struct functions {
    struct function **list; /* by number, from `first` on */
    uint32_t *slots;        /* open addressing by hash; place in the list + 1 */
    uint32_t count, room, mask;
    uint64_t first; /* number of the first that is kept */
    uint64_t bytes;
};

void functions_init(struct functions *functions);
void functions_fini(struct functions *functions);

/* The function of that name. NULL: no memory. It stands until functions_clear. */
const struct function *functions_find(struct functions *functions, const char *name,
                                      const char *file, int32_t first_line, uint8_t kind);

/* One that functions_find gave; NULL: it is not kept any more. */
static inline const struct function *functions_get(const struct functions *functions,
                                                   uint64_t number) {
    return number >= functions->first && number - functions->first < functions->count
               ? functions->list[number - functions->first]
               : 0;
}

/* A limit was reached: they should be cleared. */
bool functions_full(const struct functions *functions);
/* Forgets all. A number is never given again: a function that is met again gets a new one. */
void functions_clear(struct functions *functions);

#endif
