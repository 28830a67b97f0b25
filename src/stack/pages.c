#define _GNU_SOURCE
#include "stack/pages.h"

#include <string.h>
#include <sys/mman.h>

#include "marey.h"

/* The page at `address`; NULL where it cannot be read as a whole. */
static const uint8_t *page_at(struct pages *pages, uint64_t address) {
    uint64_t place = (address / PAGE_BYTES) * 0x9e3779b97f4a7c15u >> 32 & (PAGES - 1);
    uint8_t *bytes = pages->bytes + place * PAGE_BYTES;
    if (pages->address[place] == address + 1)
        return bytes;
    pages->address[place] = 0;
    if (memory_read(pages->behind, address, bytes, PAGE_BYTES))
        return NULL;
    pages->address[place] = address + 1;
    return bytes;
}

static int read_piece(struct pages *pages, const struct piece *piece) {
    uint64_t at = piece->address, page = at & ~(uint64_t)(PAGE_BYTES - 1);
    if (piece->bytes > PAGE_BYTES || at > UINT64_MAX - 2 * (uint64_t)PAGE_BYTES)
        return memory_read(pages->behind, at, piece->into, piece->bytes);
    size_t here = (size_t)(page + PAGE_BYTES - at);
    here = here < piece->bytes ? here : piece->bytes;
    const uint8_t *bytes = page_at(pages, page);
    if (!bytes)
        return memory_read(pages->behind, at, piece->into, piece->bytes);
    memcpy(piece->into, bytes + (at - page), here);
    if (here == piece->bytes)
        return 0;
    bytes = page_at(pages, page + PAGE_BYTES);
    if (!bytes)
        return memory_read(pages->behind, at, piece->into, piece->bytes);
    memcpy((uint8_t *)piece->into + here, bytes, piece->bytes - here);
    return 0;
}

static int read_pages(struct memory *memory, const struct piece *pieces, int count) {
    for (int i = 0; i < count; i++) {
        int error = read_piece(memory->image, &pieces[i]);
        if (error)
            return error;
    }
    return 0;
}

int pages_init(struct pages *pages, struct memory *behind) {
    memset(pages, 0, sizeof *pages);
    pages->behind = behind;
    pages->memory =
        (struct memory){.pid = behind->pid, .fd = -1, .read = read_pages, .image = pages};
    /* Straight from the system, and back to it: most places are never used. */
    void *bytes = mmap(NULL, (size_t)PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pages->bytes = bytes == MAP_FAILED ? NULL : bytes;
    return pages->bytes ? 0 : MAREY_ENOMEM;
}

void pages_fini(struct pages *pages) {
    if (pages->bytes)
        munmap(pages->bytes, (size_t)PAGES * PAGE_BYTES);
    pages->bytes = NULL;
}

void pages_forget(struct pages *pages) {
    memset(pages->address, 0, sizeof pages->address);
}
