/* What a packet sequence has said so far: names by number, defaults, the clock that counts in deltas.
 *
 * All of it is valid from a packet with SEQUENCE_STATE_CLEARED on; that one also wipes the names and the defaults, not
 * the clocks. */
#ifndef MAREY_MODEL_SEQUENCE_H
#define MAREY_MODEL_SEQUENCE_H

#include "model/map.h"

enum {
    SEQUENCES_MAX = 1 << 20,
    SEQUENCE_CLOCKS_MAX = 4,
    EXTRA_COUNTERS_MAX = 8, /* of an event */
};

struct interned_slot {
    uint32_t generation; /* of the sequence when it was set; another one: not set */
    uint32_t value;
};

/* Numbers by interned id: an array for small ids, a map for the others. */
struct interned {
    struct interned_slot *small;
    uint32_t small_capacity;
    uint32_t small_count; /* how often one was set */
    struct map places;    /* id to its place in large */
    struct interned_slot *large;
    uint32_t large_count, large_capacity;
};

struct sequence_clock {
    uint32_t id; /* 64 to 127; 0: free */
    uint32_t incremental;
    uint32_t partner; /* a global clock that it was seen together with; CLOCK_UNKNOWN: none */
    uint32_t damage;  /* of the reader when it was set; deltas are worthless behind damage */
    uint64_t unit_ns;
    uint64_t value;  /* what deltas have come to */
    uint64_t offset; /* partner's time - value */
};

struct extra_counters {
    uint32_t count;
    uint64_t tracks[EXTRA_COUNTERS_MAX];
};

struct sequence {
    uint32_t id, machine;
    uint32_t generation; /* counts the clears; 0: never */
    uint32_t valid;      /* names and defaults can be used */
    uint32_t clock_id;   /* default; 0: none */
    uint32_t track;      /* default, as a place in the reader's tracks */
    struct extra_counters counters, double_counters;
    struct interned names, categories, keys;
    struct interned texts, sources; /* of arguments, where these are kept */
    struct sequence_clock clocks[SEQUENCE_CLOCKS_MAX];
    struct sample_state *samples; /* NULL: it has said nothing of samples */
};

void sample_state_clear(struct sample_state *state);
void sample_state_free(struct sample_state *state);

/* Starts anew: names and defaults are forgotten. track: of events that name none. */
void sequence_clear(struct sequence *sequence, uint32_t track);
void sequence_free(struct sequence *sequence);
/* The sequence's clock of that id, free ones are taken; NULL where there are too many. */
struct sequence_clock *sequence_clock(struct sequence *sequence, uint32_t id);

/* Returns 0; 1 where the id is set already (it keeps its first value); -1 where memory is short. */
int interned_put(struct interned *interned, uint32_t generation, uint64_t id, uint32_t value);
void interned_free(struct interned *interned);
/* MAP_NONE where the id is not set in this generation. */
uint32_t interned_large(const struct interned *interned, uint32_t generation, uint64_t id);

static inline uint32_t interned_get(const struct interned *interned, uint32_t generation,
                                    uint64_t id) {
    if (id < interned->small_capacity) {
        const struct interned_slot *slot = &interned->small[id];
        if (slot->generation == generation)
            return slot->value;
    }
    return interned_large(interned, generation, id);
}

#endif
