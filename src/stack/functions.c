#include "stack/functions.h"

#include <stdlib.h>
#include <string.h>

void functions_init(struct functions *functions) {
    *functions = (struct functions){.first = 1};
}

void functions_clear(struct functions *functions) {
    for (uint32_t i = 0; i < functions->count; i++)
        free(functions->list[i]);
    functions->first += functions->count;
    functions->count = 0;
    functions->bytes = 0;
    if (functions->slots)
        memset(functions->slots, 0, (functions->mask + 1) * sizeof *functions->slots);
}

void functions_fini(struct functions *functions) {
    functions_clear(functions);
    free(functions->list);
    free(functions->slots);
}

bool functions_full(const struct functions *functions) {
    return functions->count >= FUNCTIONS_MAX || functions->bytes >= FUNCTIONS_BYTES_MAX;
}

/* FNV-1a */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

static uint32_t place(const struct functions *functions, uint64_t hash) {
    return (uint32_t)(hash >> 32) & functions->mask;
}

/* Room for twice as many. */
static bool grow(struct functions *functions) {
    uint32_t room = functions->room ? 2 * functions->room : 256;
    struct function **list = realloc(functions->list, room * sizeof(struct function *));
    if (!list)
        return false;
    functions->list = list;
    uint32_t *slots = calloc(2 * (size_t)room, sizeof *slots);
    if (!slots)
        return false;
    free(functions->slots);
    functions->slots = slots;
    functions->room = room;
    functions->mask = 2 * room - 1;
    for (uint32_t i = 0; i < functions->count; i++) {
        uint32_t at = place(functions, list[i]->hash);
        while (slots[at])
            at = (at + 1) & functions->mask;
        slots[at] = i + 1;
    }
    return true;
}

static struct function *make(const char *name, const char *file, size_t *bytes) {
    size_t name_bytes = strlen(name) + 1, file_bytes = strlen(file) + 1;
    *bytes = sizeof(struct function) + name_bytes + file_bytes;
    struct function *function = malloc(*bytes);
    if (!function)
        return NULL;
    char *text = (char *)(function + 1);
    function->name = memcpy(text, name, name_bytes);
    function->file = memcpy(text + name_bytes, file, file_bytes);
    return function;
}

const struct function *functions_find(struct functions *functions, const char *name,
                                      const char *file, int32_t first_line, uint8_t kind) {
    uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u, name), file);
    hash = (hash ^ (uint32_t)first_line ^ ((uint64_t)kind << 32)) * 0x9e3779b97f4a7c15u;
    if (functions->count == functions->room && !grow(functions))
        return NULL;
    uint32_t at = place(functions, hash);
    for (; functions->slots[at]; at = (at + 1) & functions->mask) {
        struct function *f = functions->list[functions->slots[at] - 1];
        if (f->hash == hash && f->first_line == first_line && f->kind == kind &&
            strcmp(f->name, name) == 0 && strcmp(f->file, file) == 0)
            return f;
    }
    size_t bytes;
    struct function *function = make(name, file, &bytes);
    if (!function)
        return NULL;
    function->number = functions->first + functions->count;
    function->hash = hash;
    function->first_line = first_line;
    function->kind = kind;
    functions->bytes += bytes;
    functions->list[functions->count++] = function;
    functions->slots[at] = functions->count;
    return function;
}
