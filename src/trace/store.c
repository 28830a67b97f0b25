/* See store.h. */
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "format/perfetto.h"
#include "format/varint.h"
#include "head.h"
#include "store_file.h"

enum {
    /* the file grows by fillers of this size: a cut-off append ends between two */
    FILLER_PAGE = 1024,
    APPEND_BYTES = 64 << 10, /* one buffer of them */
    APPEND_BUFFERS = 16,     /* so many of it in a system call */
};

uint64_t filler_head(size_t bytes) {
    uint32_t payload = (uint32_t)(bytes - FILLER_HEAD);
    return TAG(TRACE__filler, WIRE_BYTES) | (uint64_t)(varint_spread28(payload) | 0x00808080u) << 8;
}

const char *store_path(const struct store *store) {
    return store->path;
}

struct clock_pair store_origin(const struct store *store) {
    return store_control(store)->origin;
}

int store_is_ring(const struct store *store) {
    return store_control(store)->ring_bytes != 0;
}

uint64_t store_ring_bytes(const struct store *store) {
    return store_control(store)->ring_bytes;
}

size_t store_packet_max(const struct store *store) {
    const struct control *control = store_control(store);
    size_t of_chunk = control->ring_bytes ? (size_t)control->chunk_bytes / 2 : CHUNK_MAX / 2;
    return of_chunk < MAREY_PACKET_MAX ? of_chunk : MAREY_PACKET_MAX;
}

size_t store_event_room(const struct store *store) {
    enum { OPENING = 2048 }; /* more than what opens a chunk takes */
    const struct control *control = store_control(store);
    return control->ring_bytes ? (size_t)control->chunk_bytes - OPENING
                               : (size_t)4 * MAREY_PACKET_MAX;
}

uint64_t store_new_uuid(struct store *store) {
    return __atomic_fetch_add(&store_control(store)->next_uuid, 1, __ATOMIC_RELAXED);
}

uint32_t store_new_sequence(struct store *store) {
    return __atomic_fetch_add(&store_control(store)->next_sequence, 1, __ATOMIC_RELAXED);
}

int store_ended(const struct store *store) {
    return __atomic_load_n(&store_control(store)->state, __ATOMIC_SEQ_CST) == STATE_ENDED;
}

uint64_t store_bytes(const struct store *store) {
    const struct control *control = store_control(store);
    uint64_t cursor = __atomic_load_n(&control->cursor, __ATOMIC_RELAXED);
    if (!control->ring_bytes)
        return cursor;
    return control->head_bytes +
           (cursor < control->slots ? cursor : control->slots) * control->chunk_bytes;
}

/* ------------------------------------------------------------------- grow */

int store_file_bytes(const struct store *store, uint64_t *bytes) {
    struct stat status;
    if (fstat(store->fd, &status) != 0)
        return error_from_errno(errno);
    *bytes = (uint64_t)status.st_size;
    return 0;
}

static int within_limits(const struct store *store, uint64_t bytes) {
    int past_own = bytes > store_control(store)->limit_bytes && !store_is_ring(store);
    return past_own || store_past_process_limit(bytes) ? MAREY_ELIMIT : 0;
}

static uint8_t filler_pages[APPEND_BYTES];

static void build_filler_pages(void) {
    uint64_t head = filler_head(FILLER_PAGE);
    for (size_t at = 0; at < APPEND_BYTES; at += FILLER_PAGE)
        memcpy(filler_pages + at, &head, FILLER_HEAD);
}

/* Appends fillers until the file has `bytes`. Others may do so at the same time: then it gets longer, which is no harm. */
static int grow_to(struct store *store, uint64_t bytes) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat status;
    pthread_once(&once, build_filler_pages);
    for (;;) {
        if (fstat(store->fd, &status) != 0)
            return error_from_errno(errno);
        if ((uint64_t)status.st_size >= bytes)
            return 0;
        uint64_t missing = bytes - (uint64_t)status.st_size;
        struct iovec parts[APPEND_BUFFERS];
        int n = 0;
        for (; missing && n < APPEND_BUFFERS; n++) {
            size_t part = missing < APPEND_BYTES ? (size_t)missing : APPEND_BYTES;
            parts[n] = (struct iovec){filler_pages, part};
            missing -= part;
        }
        ssize_t written = writev(store->fd, parts, n);
        if (written < 0 && errno != EINTR)
            return error_from_errno(errno);
        if (written == 0)
            return MAREY_ENOSPC;
    }
}

void store_unmap(const struct chunk *chunk) {
    munmap(chunk->base, store_with_page(chunk->size));
}

static int map_chunk(struct store *store, struct chunk *chunk) {
    chunk->base = mmap(NULL, store_with_page(chunk->size), PROT_READ | PROT_WRITE, MAP_SHARED,
                       store->fd, (off_t)chunk->offset);
    if (chunk->base == MAP_FAILED)
        return error_from_errno(errno);
    madvise(chunk->base, chunk->size, store->populate);
    return 0;
}

int store_prepare(struct store *store, uint64_t offset, size_t size, struct chunk *chunk) {
    *chunk = (struct chunk){.size = size, .offset = offset};
    int code = within_limits(store, offset + size);
    if (!code)
        code = grow_to(store, offset + size);
    if (!code)
        code = map_chunk(store, chunk);
    return code;
}

/* Space and mapping first, then the claim: what fails has moved nothing, and the cursor never points behind the file. */
static int claim_of_file(struct store *store, size_t size, struct chunk *chunk) {
    uint64_t *cursor = &store_control(store)->cursor;
    uint64_t offset = __atomic_load_n(cursor, __ATOMIC_RELAXED);
    int code = store_prepare(store, offset, size, chunk);
    while (!code && !__atomic_compare_exchange_n(cursor, &offset, offset + size, 0,
                                                 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        store_unmap(chunk); /* another was quicker */
        code = store_prepare(store, offset, size, chunk);
    }
    if (!code && store_ended(store)) { /* see store_end */
        store_unmap(chunk);
        code = MAREY_ECLOSED;
    }
    if (code)
        *chunk = (struct chunk){0};
    return code;
}

/* ------------------------------------------------------------------ chunks */

int store_claim(struct store *store, size_t need, size_t want, uint32_t previous,
                struct chunk *chunk) {
    *chunk = (struct chunk){0};
    if (store->is_memory)
        return store_claim_memory(store, need, want, chunk);
    if (store_ended(store))
        return MAREY_ECLOSED;
    int code = store_reopen_if_lost(store);
    if (code)
        return code;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t least = ((need < CHUNK_MIN ? CHUNK_MIN : need) + page - 1) / page * page;
    if (store_is_ring(store))
        return least <= store_control(store)->chunk_bytes
                   ? store_claim_of_ring(store, previous, chunk)
                   : MAREY_ELIMIT;
    size_t size = want < least ? least : (want + page - 1) / page * page;
    while ((code = claim_of_file(store, size, chunk)) != 0 && size > least)
        size = size / 2 > least ? size / 2 / page * page : least;
    if (!code) /* from here on one filler covers it: what comes is put into its payload */
        store_publish(chunk->base, filler_head(size));
    return code;
}

void store_release(struct store *store, struct chunk *chunk) {
    if (!chunk->size)
        return;
    if (store->is_memory) {
        *chunk = (struct chunk){0};
        return;
    }
    store_unmap(chunk);
    if (store_is_ring(store))
        __atomic_store_n(&head_slots(store->head)[chunk->slot].owner, 0, __ATOMIC_RELEASE);
    *chunk = (struct chunk){0};
}

int store_attribute(struct store *store, const uint8_t *packet, size_t bytes) {
    uint32_t *used = &store_control(store)->attributes_used;
    if (bytes > ATTRIBUTE_BYTES - FILLER_STORE ||
        __atomic_load_n(used, __ATOMIC_RELAXED) >= ATTRIBUTE_SLOTS)
        return MAREY_ELIMIT;
    uint32_t slot = __atomic_fetch_add(used, 1, __ATOMIC_RELAXED);
    if (slot >= ATTRIBUTE_SLOTS)
        return MAREY_ELIMIT;
    /* Word by word, the first last: a snapshot may read it meanwhile. */
    uint64_t words[ATTRIBUTE_BYTES / 8] = {0}, filler = filler_head(ATTRIBUTE_BYTES - bytes);
    memcpy(words, packet, bytes);
    memcpy((uint8_t *)words + bytes, &filler, FILLER_STORE);
    uint64_t *at = (void *)(store->head + ATTRIBUTES_OFFSET + (size_t)slot * ATTRIBUTE_BYTES);
    for (size_t i = ATTRIBUTE_BYTES / 8; i--;)
        __atomic_store_n(&at[i], words[i], __ATOMIC_RELEASE);
    return 0;
}

/* --------------------------------------------------------------------- end */

/* The chunk is used up to `used`: from the page after that on it becomes a filler of its own. Returns the file's end. */
static uint64_t split_last(struct chunk *last, size_t used) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t keep = (used + FILLER_STORE + page - 1) / page * page;
    if (keep + FILLER_STORE > last->size)
        return last->offset + last->size;
    store_u64(last->base + keep, filler_head(last->size - keep));
    store_publish(last->base + used, filler_head(keep - used));
    return last->offset + keep;
}

/* Whoever claims adds to the cursor and then looks at the state; this sets the state and then looks at the cursor. So a claim
 * that goes through has been counted in `end`, and nobody has what is cut. */
void store_end(struct store *store, struct chunk *last, size_t used) {
    struct control *control = store_control(store);
    __atomic_store_n(&control->state, STATE_ENDED, __ATOMIC_SEQ_CST);
    uint64_t end = __atomic_load_n(&control->cursor, __ATOMIC_SEQ_CST);
    if (control->ring_bytes || !store_fd_is_ours(store) ||
        __atomic_load_n(&control->snapshots, __ATOMIC_SEQ_CST))
        return;
    if (last->size && last->offset + last->size == end)
        end = split_last(last, used);
    struct stat status;
    if (fstat(store->fd, &status) == 0 && (uint64_t)status.st_size > end &&
        ftruncate(store->fd, (off_t)end) != 0)
        return; /* it stays as long as it is: fillers */
    __atomic_store_n(&control->cursor, end, __ATOMIC_RELEASE);
}
