/* Chunks of a ring: slots in turn, of which the next that nobody alive holds is overwritten. See store.h. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "head.h"
#include "store_file.h"

static int owner_is_gone(const struct store *store, uint32_t owner) {
    return !store->foreign_namespace && owner != (uint32_t)getpid() && kill((pid_t)owner, 0) != 0 &&
           errno == ESRCH;
}

/* The next slot in turn that nobody alive holds. *number: of the claim. */
static int take_slot(struct store *store, uint32_t *taken, uint64_t *number) {
    struct control *control = store_control(store);
    struct ring_slot *slots = head_slots(store->head);
    for (uint32_t tries = 0; tries < 2 * control->slots; tries++) {
        uint64_t cursor = __atomic_fetch_add(&control->cursor, 1, __ATOMIC_RELAXED);
        uint32_t i = (uint32_t)(cursor % control->slots);
        uint32_t owner = __atomic_load_n(&slots[i].owner, __ATOMIC_ACQUIRE);
        if (owner && !owner_is_gone(store, owner))
            continue;
        if (__atomic_compare_exchange_n(&slots[i].owner, &owner, (uint32_t)getpid(), 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            *taken = i;
            *number = cursor + 1;
            return 0;
        }
    }
    return MAREY_ELIMIT;
}

/* From the moment that what stood there goes until all that says what comes is there, the slot is marked. */
static void replace_slot(struct ring_slot *slot, const struct chunk *chunk, uint64_t number,
                         uint32_t previous) {
    __atomic_fetch_or(&slot->claim, SLOT_CHANGING, __ATOMIC_ACQ_REL);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    store_publish(chunk->base, filler_head(chunk->size));
    __atomic_store_n(&slot->previous, previous, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->claim, 2 * number, __ATOMIC_RELEASE);
}

int store_claim_of_ring(struct store *store, uint32_t previous, struct chunk *chunk) {
    struct control *control = store_control(store);
    uint32_t i;
    uint64_t number;
    int code = take_slot(store, &i, &number);
    if (code)
        return code;
    struct ring_slot *slot = &head_slots(store->head)[i];
    code = store_prepare(store, control->head_bytes + i * control->chunk_bytes,
                         control->chunk_bytes, chunk);
    chunk->slot = i;
    chunk->number = (uint32_t)number;
    if (code) {
        __atomic_store_n(&slot->owner, 0, __ATOMIC_RELEASE);
        *chunk = (struct chunk){0};
        return code;
    }
    int is_used = __atomic_load_n(&slot->claim, __ATOMIC_RELAXED) != 0;
    replace_slot(slot, chunk, number, previous);
    if (is_used)
        store_lost(store, LOSS_RING, chunk->size);
    return 0;
}

void store_arrive(struct store *store) {
    static pid_t arrived_as;
    uint32_t pid = (uint32_t)getpid();
    if (arrived_as == (pid_t)pid || store->foreign_namespace)
        return;
    arrived_as = (pid_t)pid;
    struct ring_slot *slots = head_slots(store->head);
    for (uint32_t i = 0; i < store_control(store)->slots; i++) {
        uint32_t owner = pid;
        __atomic_compare_exchange_n(&slots[i].owner, &owner, 0, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
    }
}
