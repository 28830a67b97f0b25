/* See names.h. Readers take no lock: a slot of the hash table is published after the name behind it. */
#include "names.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "marey.h"
#include "text.h"

enum { SLOTS = 2 * (MAREY_NAMES_MAX + 1) };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct name names[MAREY_NAMES_MAX + 1] = {{"(too many names)", 16, 0}};
static uint32_t used = 1;
static uint32_t slots[SLOTS]; /* a name's number, 0: free */
/* This thread has the lock: a signal handler that it runs must not wait for it. */
static _Thread_local int is_adding;

const struct name *names_get(uint32_t id) {
    return &names[id <= MAREY_NAMES_MAX ? id : 0];
}

void names_lock(void) {
    is_adding = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    pthread_mutex_lock(&lock);
}

void names_unlock(void) {
    pthread_mutex_unlock(&lock);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    is_adding = 0;
}

/* FNV-1a. */
static uint32_t hash_of(const char *text, size_t bytes) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u; // cppcheck-suppress uninitvar
    return hash;
}

/* The slot that holds this text, or the free one where it would go. */
static uint32_t *slot_of(const char *text, size_t bytes, uint32_t hash) {
    for (uint32_t i = hash & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
        uint32_t id = __atomic_load_n(&slots[i], __ATOMIC_ACQUIRE);
        if (id == 0)
            return &slots[i];
        const struct name *name = &names[id];
        if (name->hash == hash && name->bytes == bytes && memcmp(name->text, text, bytes) == 0)
            return &slots[i];
    }
}

/* Room for a name's text, for as long as the process lives. Not by malloc, which a signal handler must not call. Under the
 * lock. NULL where there is no memory. */
static char *text_room(size_t bytes) {
    enum { BLOCK = 64 << 10 };
    static char *block;
    static size_t left;
    if (bytes > left) {
        char *more = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            return NULL;
        block = more;
        left = BLOCK;
    }
    char *room = block;
    block += bytes;
    left -= bytes;
    return room;
}

static uint32_t add(const char *text, size_t bytes, uint32_t hash) {
    if (is_adding)
        return 0;
    names_lock();
    uint32_t *slot = slot_of(text, bytes, hash);
    uint32_t id = *slot;
    char *copy = NULL;
    if (id == 0 && used <= MAREY_NAMES_MAX && (copy = text_room(bytes + 1)) != NULL) {
        memcpy(copy, text, bytes);
        copy[bytes] = 0;
        id = used++;
        names[id] = (struct name){copy, (uint32_t)bytes, hash};
        __atomic_store_n(slot, id, __ATOMIC_RELEASE);
    }
    names_unlock();
    return id;
}

static uint32_t find_or_add(const char *text, size_t bytes) {
    uint32_t hash = hash_of(text, bytes);
    uint32_t id = __atomic_load_n(slot_of(text, bytes, hash), __ATOMIC_ACQUIRE);
    return id ? id : add(text, bytes, hash);
}

uint32_t marey_name_id_n(const char *text, size_t bytes) {
    char fit[MAREY_NAME_MAX];
    return find_or_add(fit, text_fit(fit, sizeof fit, text, bytes));
}

uint32_t marey_name_id(const char *text) {
    return text ? marey_name_id_n(text, strlen(text)) : marey_name_id_n("(null)", 6);
}
