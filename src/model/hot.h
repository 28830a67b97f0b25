/* The functions of a profile: how often each was running itself, and how often it was on the stack at all. */
#ifndef MAREY_MODEL_HOT_H
#define MAREY_MODEL_HOT_H

#include "model/own.h"
#include "model/patterns.h"
#include "model/profile.h"

struct hot_row {
    uint32_t function;                /* place in the profile's functions */
    uint64_t self_count, total_count; /* samples; of a recursive function each one once */
    uint64_t self_ns[SAMPLE_WEIGHTS], total_ns[SAMPLE_WEIGHTS];
    int32_t hot_line; /* where it was running most often, or, where it never was itself, where it
                         called most often; 0: the profile has no lines */
    uint64_t hot_line_count;
};

enum hot_order { HOT_BY_SELF, HOT_BY_TOTAL, HOT_BY_NAME };

struct hot {
    struct hot_row *rows; /* as ordered, the largest first, by wall time; then by count, name and
                             file */
    uint32_t count;
    uint64_t samples; /* of the whole profile */
    uint64_t wall_ns; /* that they stand for; 0: nothing is known of that */
};

/* All functions of which there is a sample. Returns 0 or MAREY_ENOMEM. hot_free in every case. */
int hot_make(struct hot *hot, const struct profile *profile, enum hot_order order);
void hot_free(struct hot *hot);

/* Takes out rows of functions whose names are not wanted. The shares of the others stay as they are. */
void hot_choose(struct hot *hot, const struct profile *profile, const struct patterns *names);

/* Of the rows from the place `from` on, the user's own functions that were on the stack for at least a hundredth, by
 * total: what a table by self leaves out, although the rest was done for them. Returns as hot_make does. */
int hot_own_callers(struct hot *callers, const struct hot *hot, const struct profile *profile,
                    const struct own_rules *own, uint32_t from);

#endif
