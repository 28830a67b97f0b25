/* A store without a file: the same head and the same chunks, in this process's own memory. One thread at a time has it. What
 * it holds is a whole trace at every instant, the head first, then the chunks in the order in which they were claimed.
 *
 * A chunk that a writer is done with stays. All is freed with the store.
 *
 * Where a large trace grows, its chunks are huge pages: of 32 bytes that are written into pages of 4 KiB, 9 ns go to the
 * kernel, which makes the pages; into huge ones, 1 ns. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "head.h"
#include "store_file.h"

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

enum {
    POPULATE_LEAST = 64 << 10,
    HUGE_PAGE = 2 << 20, /* of x86-64, and of aarch64 with pages of 4 KiB */
};

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

/* How large the next chunk is: a huge page instead of the largest that a writer asks for; 0 where there is no room for what is needed. */
static size_t chunk_size(const struct control *control, size_t need, size_t want) {
    size_t least = need < CHUNK_MIN ? CHUNK_MIN : need;
    size_t wanted = want < least ? least : want;
    const size_t sizes[] = {HUGE_PAGE, wanted, least};
    int first = wanted < CHUNK_MAX || wanted > HUGE_PAGE;
    for (int i = first; i < 3; i++)
        if (control->cursor + sizes[i] <= control->limit_bytes)
            return sizes[i];
    return 0;
}

/* At an address that a huge page may have. The kernel is only asked for one: there may be none. */
static uint8_t *huge_page(void) {
    uint8_t *base = mmap(NULL, (size_t)2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)base % HUGE_PAGE;
    uint8_t *page = base + before;
    if (before)
        munmap(base, before);
    munmap(page + HUGE_PAGE, HUGE_PAGE - before);
    madvise(page, HUGE_PAGE, MADV_HUGEPAGE);
    return page;
}

static uint8_t *chunk_memory(size_t size) {
    return size == HUGE_PAGE ? huge_page() : malloc(size);
}

static void chunk_free(uint8_t *base, size_t size) {
    if (size != HUGE_PAGE)
        free(base);
    else if (base)
        munmap(base, size);
}

int store_claim_memory(struct store *store, size_t need, size_t want, struct chunk *chunk) {
    struct control *control = store_control(store);
    size_t size = chunk_size(control, need, want);
    if (!size)
        return MAREY_ELIMIT;
    uint8_t *base = chunk_memory(size);
    if (!base || list_chunk(store, base, size) != 0) {
        chunk_free(base, size);
        return MAREY_ENOMEM;
    }
    populate(base, size);
    store_publish(base, filler_head(size));
    *chunk = (struct chunk){.base = base, .size = size, .offset = control->cursor};
    control->cursor += size;
    return 0;
}

void store_raise_limit(struct store *store, uint64_t by_bytes) {
    store_control(store)->limit_bytes += by_bytes;
}

void store_copy_memory(const struct store *store, size_t spare, uint8_t *out) {
    memcpy(out, store->head, store->head_bytes);
    head_control(out)->cursor -= spare;
    out += store->head_bytes;
    for (size_t i = 0; i < store->memory_count; i++) {
        size_t size = store->memory[i].size - (i + 1 == store->memory_count ? spare : 0);
        memcpy(out, store->memory[i].base, size);
        out += size;
    }
}

void store_free_memory(struct store *store) {
    for (size_t i = 0; i < store->memory_count; i++)
        chunk_free(store->memory[i].base, store->memory[i].size);
    free(store->memory);
    free(store->head);
    free(store);
}
