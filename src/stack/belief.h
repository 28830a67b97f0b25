/* Which chains are believed. A chain that was read may never have been: its calls tell.
 *
 * A call (from this instruction of one function to another function) that is known to be true makes a chain credible; one
 * that is not known has to be shown first. From 3.11 on: seen a few times lately, or, from one part of memory to another,
 * several times in a row with all calls up to it; or the whole chain several times in a row, and where there is a reason
 * to doubt that chain, many times. For 3.9 and 3.10: by what the caller holds (call_proof.h); where C code is between
 * them, by the same chain several times in a row, unless the same two functions are known to call each other directly. */
#ifndef MAREY_STACK_BELIEF_H
#define MAREY_STACK_BELIEF_H

#include "stack/chain.h"

/* How often in a row the same was read. */
struct still {
    uint64_t hash;
    int times;
};

/* Is the chain in reader->frames true? `odd`: there is a reason to doubt it. */
bool believe(struct unwinder *unwinder, struct thread_reader *reader, const struct chain *chain,
             struct still *still, bool odd);

#endif
