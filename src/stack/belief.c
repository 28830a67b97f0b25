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

static bool stands_still(const struct chain *chain, struct still *still, int times) {
    still->times = chain->hash == still->hash ? still->times + 1 : 1;
    still->hash = chain->hash;
    return still->times >= times;
}

/* ---- 3.11 and later */

static bool all_known(const struct unwinder *unwinder, const struct thread_reader *reader,
                      const struct chain *chain) {
    for (int i = 0; i < chain->depth; i++)
        if (!is_known(reader, call_hash(unwinder, reader, chain, i)))
            return false;
    return true;
}

enum { CANDIDATE_PLACES = 4 };

/* The more, the less it is needed; 0: it is about to be settled. */
static uint64_t spare(const struct thread_reader *reader, const struct candidate *candidate) {
    uint64_t age = reader->chains - candidate->chain;
    if (candidate->true_once || !candidate->hash)
        return UINT64_MAX;
    return age > UNWIND_SETTLES ? age : 0;
}

/* Where it stands among the candidates, or may from now on. NULL: all its places are taken by others that come again and
 * again; these will be known soon and make room. If new ones took the places of those, none would ever be known. */
static struct candidate *candidate_of(struct thread_reader *reader, uint64_t hash) {
    uint64_t set = (hash >> 32) % (UNWIND_CANDIDATES / CANDIDATE_PLACES);
    struct candidate *places = &reader->candidates[set * CANDIDATE_PLACES];
    struct candidate *sparest = places;
    for (int i = 0; i < CANDIDATE_PLACES; i++) {
        if (places[i].hash == hash)
            return &places[i];
        if (spare(reader, &places[i]) > spare(reader, sparest))
            sparest = &places[i];
    }
    if (!spare(reader, sparest))
        return NULL;
    *sparest = (struct candidate){.hash = hash, .chain = reader->chains};
    return sparest;
}

/* Was it seen so many times, now the last time, each in one of so many chains after the one before? */
static bool seen_again(struct thread_reader *reader, uint64_t hash, uint64_t wanted,
                       uint64_t within) {
    struct candidate *candidate = candidate_of(reader, hash);
    if (!candidate)
        return false;
    uint64_t since = reader->chains - candidate->chain;
    if (since > within || !candidate->times)
        candidate->times = 1;
    else
        candidate->times += since > 0;
    candidate->chain = reader->chains;
    candidate->true_once = candidate->times >= wanted;
    return candidate->true_once;
}

/* Each call that is not known has to have been seen a few times lately. One from another part of memory was not copied at
 * the moment at which its callee was: all calls up to it have to have been the same for a while. What a thread does on
 * top meanwhile is another matter, so one that never rests gets known, too. */
static bool come_true(const struct unwinder *unwinder, struct thread_reader *reader,
                      const struct chain *chain) {
    uint64_t outer = 1;
    bool all = true;
    for (int i = chain->depth - 1; i >= 0; i--) {
        uint64_t hash = call_hash(unwinder, reader, chain, i);
        bool apart = i + 1 < chain->depth && reader->frames[i + 1].apart;
        outer = chain_mix(outer, hash);
        if (is_known(reader, hash))
            continue;
        if (apart ? seen_again(reader, outer, UNWIND_SEEN_APART, 1)
                  : seen_again(reader, hash, UNWIND_SEEN, UNWIND_SOON))
            set_known(reader, hash);
        else
            all = false;
    }
    return all;
}

/* An odd chain may come several times in a row and never have been. The thread said that a frame is on top; when the
 * frames were copied that one had ended, its caller was returning, and until CPython 3.13 both are marked then as frames
 * that call. And as both processes want these cache lines, a loop is met at the same moment again and again. In a true
 * chain the caller stands at the call: calls have to be known from chains that are not odd. A thread that waits in such
 * a moment (in a trace function in C, or its processor was taken from it) is met there for as long as it takes. */
static bool believe_seen(const struct unwinder *unwinder, struct thread_reader *reader,
                         const struct chain *chain, struct still *still, bool odd) {
    bool known = all_known(unwinder, reader, chain);
    if (known && !odd)
        return true;
    bool stands = stands_still(chain, still, odd && !known ? UNWIND_STILL_ODD : UNWIND_STILL);
    if (!odd && come_true(unwinder, reader, chain))
        return true;
    for (int i = 0; stands && i < chain->depth; i++)
        set_known(reader, call_hash(unwinder, reader, chain, i));
    return stands;
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
    if (!stands_still(chain, still, UNWIND_STILL))
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
    reader->chains += !odd;
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
