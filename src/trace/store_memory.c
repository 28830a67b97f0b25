/* A store without a file: the same head and the same chunks, in this process's own memory. One thread at a time has it. What
 * it holds is a whole trace at every instant, the head first, then the chunks in the order in which they were claimed.
 *
 * A chunk that a writer is done with stays. All is freed with the store. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "head.h"
#include "store_file.h"

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

enum { POPULATE_LEAST = 64 << 10 };

int store_create_memory(uint64_t limit_bytes, struct store **out) {
    struct control control = {
        .magic = CONTROL_MAGIC,
        .version = CONTROL_VERSION,
        .head_bytes = RING_OFFSET,
        .origin = clock_pair_now(),
        .limit_bytes = limit_bytes,
        .next_uuid = LOSS_KINDS + 1,
        .next_sequence = FIRST_SEQUENCE,
        .state = STATE_OPEN,
        .cursor = RING_OFFSET,
    };
    struct store *store = calloc(1, sizeof *store);
    uint8_t *head = calloc(1, RING_OFFSET);
    if (!store || !head) {
        free(store);
        free(head);
        return MAREY_ENOMEM;
    }
    head_build(head, &control);
    *store = (struct store){
        .fd = -1, .references = 1, .head = head, .head_bytes = RING_OFFSET, .is_memory = 1};
    *out = store;
    return 0;
}

static int list_chunk(struct store *store, uint8_t *base, size_t size) {
    if (store->memory_count == store->memory_room) {
        size_t room = store->memory_room ? 2 * store->memory_room : 8;
        struct memory_chunk *larger = realloc(store->memory, room * sizeof *larger);
        if (!larger)
            return MAREY_ENOMEM;
        store->memory = larger;
        store->memory_room = room;
    }
    store->memory[store->memory_count++] = (struct memory_chunk){base, size};
    return 0;
}

/* A page that is touched for the first time costs a fault; this costs one system call for all of a large chunk. Where the
 * kernel does not know it, they come one by one. */
static void populate(uint8_t *base, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)base + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)base + size) & ~(page - 1);
    if (size >= POPULATE_LEAST && to > from)
        madvise((void *)from, to - from, MADV_POPULATE_WRITE);
}

int store_claim_memory(struct store *store, size_t need, size_t want, struct chunk *chunk) {
    struct control *control = head_control(store->head);
    size_t least = need < CHUNK_MIN ? CHUNK_MIN : need;
    size_t size = want < least ? least : want;
    if (control->cursor + size > control->limit_bytes)
        size = least;
    if (control->cursor + size > control->limit_bytes)
        return MAREY_ELIMIT;
    uint8_t *base = malloc(size);
    if (!base || list_chunk(store, base, size) != 0) {
        free(base);
        return MAREY_ENOMEM;
    }
    populate(base, size);
    store_publish(base, filler_head(size));
    *chunk = (struct chunk){.base = base, .size = size, .offset = control->cursor};
    control->cursor += size;
    return 0;
}

void store_raise_limit(struct store *store, uint64_t by_bytes) {
    head_control(store->head)->limit_bytes += by_bytes;
}

void store_copy_memory(const struct store *store, uint8_t *out) {
    memcpy(out, store->head, store->head_bytes);
    out += store->head_bytes;
    for (size_t i = 0; i < store->memory_count; i++) {
        memcpy(out, store->memory[i].base, store->memory[i].size);
        out += store->memory[i].size;
    }
}

void store_free_memory(struct store *store) {
    for (size_t i = 0; i < store->memory_count; i++)
        free(store->memory[i].base);
    free(store->memory);
    free(store->head);
    free(store);
}
