#include "stack/belief.h"

#include <stdlib.h>
#include <string.h>

#include "stack/call_proof.h"

/* A call from an instruction of one code object to another one; the outermost frame is called from nowhere. */
static uint64_t call_hash(const struct unwinder *unwinder, const struct thread_reader *reader,
                          const struct chain *chain, int callee) {
    uint64_t hash = chain_mix(unwinder->codes.changed + 1, reader->frames[callee].code_address);
    if (callee + 1 < chain->depth)
        hash = chain_mix(chain_mix(hash, reader->frames[callee + 1].code_address),
                         reader->frames[callee + 1].instr);
    return hash;
}

/* What is known stands in one of a few places; where all are taken, one makes room. */
enum { KNOWN_PLACES = 4 };

static uint64_t *places_of(const struct thread_reader *reader, uint64_t hash) {
    return &reader->known[(hash >> 40) % (UNWIND_KNOWN / KNOWN_PLACES) * KNOWN_PLACES];
}

static bool is_known(const struct thread_reader *reader, uint64_t hash) {
    const uint64_t *places = places_of(reader, hash);
    for (int i = 0; i < KNOWN_PLACES; i++)
        if (places[i] == hash)
            return true;
    return false;
}

static void set_known(struct thread_reader *reader, uint64_t hash) {
    uint64_t *places = places_of(reader, hash);
    if (is_known(reader, hash))
        return;
    memmove(places + 1, places, (KNOWN_PLACES - 1) * sizeof *places);
    places[0] = hash;
}

static bool stands_still(const struct chain *chain, struct still *still) {
    still->times = chain->hash == still->hash ? still->times + 1 : 1;
    still->hash = chain->hash;
    return still->times >= UNWIND_STILL;
}

/* ---- 3.11 and later */

static bool all_known(const struct unwinder *unwinder, const struct thread_reader *reader,
                      const struct chain *chain) {
    for (int i = 0; i < chain->depth; i++)
        if (!is_known(reader, call_hash(unwinder, reader, chain, i)))
            return false;
    return true;
}

/* Was each call that is not known seen a few times lately? They are remembered for the next time. */
static bool seen_lately(const struct unwinder *unwinder, struct thread_reader *reader,
                        const struct chain *chain) {
    bool all = true;
    for (int i = 0; i < chain->depth; i++) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        if (is_known(reader, hash))
            continue;
        struct candidate *candidate = &reader->candidates[(hash >> 32) % UNWIND_CANDIDATES];
        bool again = candidate->hash == hash && reader->reads - candidate->read <= UNWIND_SOON;
        uint64_t times = again ? candidate->times + 1 : 1;
        *candidate = (struct candidate){hash, reader->reads, times};
        all &= times >= UNWIND_SEEN;
    }
    return all;
}

static bool believe_seen(const struct unwinder *unwinder, struct thread_reader *reader,
                         const struct chain *chain, struct still *still, bool odd) {
    if (!odd && all_known(unwinder, reader, chain))
        return true;
    bool stands = stands_still(chain, still);
    odd |= chain->spread;
    if (!stands && (odd || !seen_lately(unwinder, reader, chain)))
        return false; /* many new calls at once take each other's places among the candidates */
    for (int i = 0; i < chain->depth; i++)
        set_known(reader, call_hash(unwinder, reader, chain, i));
    return true;
}

/* ---- 3.9 and 3.10 */

/* The caller's function calls the callee's itself, from some instruction. */
static uint64_t pair_hash(const struct unwinder *unwinder, const struct thread_reader *reader,
                          int callee) {
    return chain_mix(chain_mix(~unwinder->codes.changed, reader->frames[callee].code_address),
                     reader->frames[callee + 1].code_address);
}

/* A call by way of C, which is known until another one is proven. */
static uint64_t soft_hash(const struct thread_reader *reader, uint64_t hash) {
    return chain_mix(hash, reader->proofs + 1);
}

static enum call_proof prove(struct unwinder *unwinder, struct thread_reader *reader, int callee,
                             uint64_t hash) {
    const struct frame *caller = &reader->frames[callee + 1];
    uint64_t pair = pair_hash(unwinder, reader, callee);
    enum call_proof proof = call_prove(&unwinder->objects, caller->address, caller->code_address,
                                       caller->instr, caller[-1].code_address);
    if (proof == CALL_PROVEN) {
        set_known(reader, hash);
        if (!is_known(reader, pair)) {
            set_known(reader, pair);
            reader->proofs++;
        }
    }
    return proof == CALL_UNKNOWN && is_known(reader, pair) ? CALL_MOVED : proof;
}

/* A frame that has just returned has no caller, as the outermost has none: another one than before has to stand still. */
static bool is_root(struct thread_reader *reader, const struct chain *chain) {
    uint64_t root = reader->frames[chain->depth - 1].address;
    if (chain->cut || root == reader->root)
        return true;
    reader->root_times = root == reader->root_seen ? reader->root_times + 1 : 1;
    reader->root_seen = root;
    if (reader->root_times < UNWIND_STILL)
        return false;
    reader->root = root;
    return true;
}

static bool believe_proven(struct unwinder *unwinder, struct thread_reader *reader,
                           const struct chain *chain, struct still *still, bool odd) {
    bool soft = false;
    int asked = 0;
    if (odd || !is_root(reader, chain))
        return false;
    for (int i = 0; i + 1 < chain->depth; i++) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        if (is_known(reader, hash))
            continue;
        enum call_proof proof = prove(unwinder, reader, i, hash);
        if (proof == CALL_MOVED || ++asked > UNWIND_PROOFS_MAX)
            return false; /* what was proven is known the next time */
        soft |= proof == CALL_UNKNOWN && !is_known(reader, soft_hash(reader, hash));
    }
    if (!soft)
        return true;
    if (!stands_still(chain, still))
        return false;
    for (int i = 0; i + 1 < chain->depth; i++) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        if (!is_known(reader, hash))
            set_known(reader, soft_hash(reader, hash));
    }
    return true;
}

bool believe(struct unwinder *unwinder, struct thread_reader *reader, const struct chain *chain,
             struct still *still, bool odd) {
    uint64_t changed = unwinder->codes.changed;
    bool linked = unwinder->process->layout.live < LIVE_STACKTOP;
    if (!odd && !linked && chain->hash == reader->last && changed == reader->last_changed)
        return true;
    if (!reader->known)
        reader->known = calloc(UNWIND_KNOWN, sizeof *reader->known);
    if (!reader->known)
        return false;
    bool believed = linked ? believe_proven(unwinder, reader, chain, still, odd)
                           : believe_seen(unwinder, reader, chain, still, odd);
    reader->last = believed ? chain->hash : 0;
    reader->last_changed = changed;
    return believed;
}
