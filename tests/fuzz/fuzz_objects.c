/* Objects of a process that was recorded and then mutated (recorded.h): its threads' names, the variables of its frames,
 * its asyncio tasks. No crash, and it ends. */
#define _GNU_SOURCE
#include <unistd.h>

#include "marey.h"
#include "recorded.h"

enum {
    PAGE = 4096,
    PAGES_MAX = 1024,  /* of the recorded memory, by a table with open addressing */
    READS = 100000,    /* then nothing can be read any more ... */
    READS_MAX = 400000 /* ... and it has to have ended */
};

struct image {
    uint64_t address[PAGES_MAX]; /* plus 1; 0: free */
    uint8_t *bytes;
    int count;
};

static uint8_t *page_of(struct image *image, uint64_t address, bool make) {
    uint64_t page = address & ~(uint64_t)(PAGE - 1);
    uint32_t i = (uint32_t)((page / PAGE) * 0x9e3779b97f4a7c15u >> 40) % PAGES_MAX;
    while (image->address[i] && image->address[i] != page + 1)
        i = (i + 1) % PAGES_MAX;
    if (!image->address[i]) {
        if (!make || image->count == PAGES_MAX / 2)
            return NULL;
        image->address[i] = page + 1;
        image->count++;
    }
    return image->bytes + (size_t)i * PAGE + address % PAGE;
}

/* Copies between the image and memory, page by page. */
static bool move(struct image *image, uint64_t address, uint8_t *bytes, size_t count, bool in) {
    while (count) {
        size_t here = PAGE - address % PAGE;
        here = here < count ? here : count;
        uint8_t *at = page_of(image, address, in);
        if (!at)
            return false;
        memcpy(in ? at : bytes, in ? bytes : at, here);
        address += here;
        bytes += here;
        count -= here;
    }
    return true;
}

static int read_image(struct memory *memory, const struct piece *pieces, int count) {
    if (memory->reads > READS_MAX)
        abort();
    for (int i = 0; i < count; i++)
        if (memory->reads > READS ||
            !move(memory->image, pieces[i].address, pieces[i].into, pieces[i].bytes, false))
            return MAREY_EADDRESS;
    return 0;
}

static void load(struct image *image, const uint8_t *data, size_t size) {
    for (size_t at = RECORDED_HEAD_BYTES; at + RECORDED_PIECE_BYTES <= size;) {
        uint64_t address;
        uint16_t bytes;
        memcpy(&address, data + at, sizeof address);
        memcpy(&bytes, data + at + sizeof address, sizeof bytes);
        at += RECORDED_PIECE_BYTES;
        size_t here = bytes < size - at ? bytes : size - at;
        move(image, address, (uint8_t *)data + at, here, true); /* it is read only */
        at += here;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct image image;
    static struct process process;
    if (size < RECORDED_HEAD_BYTES)
        return 0;
    memset(image.address, 0, sizeof image.address);
    image.count = 0;
    if (!image.bytes)
        image.bytes = malloc((size_t)PAGES_MAX * PAGE);
    if (!image.bytes)
        return 0;
    memset(image.bytes, 0, (size_t)PAGES_MAX * PAGE);
    load(&image, data, size);
    process = (struct process){
        .memory = {.pid = getpid(), .fd = -1, .read = read_image, .image = &image}};
    memcpy(&process.version, data, sizeof process.version);
    memcpy(&process.runtime, data + sizeof process.version, sizeof process.runtime);
    if (layout_find(&process.layout, &process.memory, process.runtime, process.version) == 0)
        read_objects(&process);
    return 0;
}
