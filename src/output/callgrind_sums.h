/* Inside the callgrind format: a profile added up by what each line of a function weighs itself, and by what is done in the
 * calls from it.
 *
 * Functions are told apart by name and file alone, as the tools that read the format know them. One that is called while it is
 * on the stack already is another variant of it, so that what the first one stands for is counted once. What is done in a call
 * counts where none of that variant is on the stack yet; so nothing exceeds the whole. */
#ifndef MAREY_OUTPUT_CALLGRIND_SUMS_H
#define MAREY_OUTPUT_CALLGRIND_SUMS_H

#include "model/strings.h"
#include "output/stack_profile.h"

enum {
    /* of a function: as it is called first, and for when it is on the stack already */
    CALLGRIND_VARIANTS = 2,
    CALLGRIND_COSTS = PROFILE_WEIGHTS,
};

struct callgrind_function {
    const char *name, *file;             /* made harmless */
    uint32_t file_number;                /* equal files have equal ones */
    uint32_t active[CALLGRIND_VARIANTS]; /* while sums are made: how often each is on the stack */
};

/* A line of a function. */
struct callgrind_place {
    uint32_t function; /* its place times CALLGRIND_VARIANTS, and which of them */
    int32_t line;
    uint32_t first_call; /* place in the calls; MAP_NONE: none */
    uint64_t self[CALLGRIND_COSTS];
};

/* From a place to a function. */
struct callgrind_call {
    uint32_t callee; /* as callgrind_place.function */
    int32_t line;    /* where it begins */
    uint32_t next;   /* of the same place; MAP_NONE: none */
    uint64_t count;  /* of samples, which do not say it: in how many of them it was */
    uint64_t inside[CALLGRIND_COSTS];
};

struct callgrind_sums {
    /* the columns: which weight of a profile's node stands in each */
    unsigned costs[CALLGRIND_COSTS];
    unsigned cost_count;
    struct strings names; /* of functions and files */
    struct callgrind_function *functions;
    uint32_t function_count, function_capacity;
    struct callgrind_place *places; /* function by function, by line */
    uint32_t place_count, place_capacity;
    struct callgrind_call *calls;
    uint32_t call_count, call_capacity;
};

/* Returns 0 or MAREY_ENOMEM; callgrind_sums_free in every case. */
int callgrind_sums_make(struct callgrind_sums *sums, const struct stack_profile *made);
void callgrind_sums_free(struct callgrind_sums *sums);

#endif
