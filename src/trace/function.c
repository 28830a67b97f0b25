/* See function.h. Who has a number was given it after its entry was filled: so looking it up takes no lock. */
#include "function.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "text.h"

enum { SLOTS = 2 * (FUNCTIONS_MAX + 1) };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct function functions[FUNCTIONS_MAX + 1] = {{"(too many functions)", 20, 0, 0, 0}};
static uint32_t used = 1;
static uint32_t slots[SLOTS]; /* a function's number, 0: free */

const struct function *function_get(uint32_t id) {
    return &functions[id <= FUNCTIONS_MAX ? id : 0];
}

void functions_lock(void) {
    pthread_mutex_lock(&lock);
}

void functions_unlock(void) {
    pthread_mutex_unlock(&lock);
}

/* FNV-1a. */
static uint32_t hash_of(const struct function *function) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < function->qualified_bytes; i++)
        hash = (hash ^ (unsigned char)function->qualified[i]) * 16777619u;
    return (hash ^ function->file) * 16777619u ^ function->line * 2654435761u;
}

static int equal(const struct function *a, const struct function *b) {
    return a->qualified_bytes == b->qualified_bytes && a->name_at == b->name_at &&
           a->file == b->file && a->line == b->line &&
           memcmp(a->qualified, b->qualified, a->qualified_bytes) == 0;
}

/* Where the function stands, or where it would go. Under the lock. */
static uint32_t *slot_of(const struct function *function) {
    uint32_t i = hash_of(function) % SLOTS;
    while (slots[i] && !equal(&functions[slots[i]], function))
        i = (i + 1) % SLOTS;
    return &slots[i];
}

static uint32_t find_or_add(const struct function *function) {
    functions_lock();
    uint32_t *slot = slot_of(function), id = *slot;
    char *copy = NULL;
    if (!id && used <= FUNCTIONS_MAX && (copy = malloc(function->qualified_bytes)) != NULL) {
        memcpy(copy, function->qualified, function->qualified_bytes);
        id = used++;
        functions[id] = *function;
        functions[id].qualified = copy;
        *slot = id;
    }
    functions_unlock();
    return id;
}

uint32_t marey__function_id(const char *module, const char *name, const char *file, unsigned line) {
    char text[2 * FUNCTION_TEXT_MAX + 1];
    size_t at = *module ? text_fit(text, FUNCTION_TEXT_MAX, module, strlen(module)) : 0;
    if (at)
        text[at++] = '.';
    size_t bytes = at + text_fit(text + at, FUNCTION_TEXT_MAX, name, strlen(name));
    return find_or_add(&(struct function){.qualified = text,
                                          .qualified_bytes = (uint32_t)bytes,
                                          .name_at = (uint32_t)at,
                                          .file = file ? marey_name_id(file) : 0,
                                          .line = line});
}
