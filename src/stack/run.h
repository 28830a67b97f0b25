/* Samples of one thread that are alike in a row, kept as one until another comes. */
#ifndef MAREY_STACK_RUN_H
#define MAREY_STACK_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sample.h"
#include "stack/functions.h"
#include "stack/unwind.h"

enum { PLACES = 4096 /* instructions whose line is remembered */ };

/* An instruction's line and function, by the code object's id and where it is in it. */
struct place {
    uint64_t code_id; /* 0: nothing is here */
    int32_t index, line;
    const struct function *function;
};

/* What frames are named by: one for all processes of a sampler, whose code objects' ids all differ. */
struct naming {
    struct functions functions;
    struct place *places;
    struct sample_frame *scratch;
    uint32_t scratch_room;
    uint32_t cleared; /* how often */
    bool no_lines;
};

/* What tells a frame from another of the run before. */
struct run_key {
    uint64_t code_id;
    int32_t index;
};

struct run {
    struct sample_frame *frames; /* outermost first; the names are the functions' */
    struct run_key *keys;
    uint32_t depth, room;
    uint32_t count;   /* 0: there is no run */
    uint32_t cleared; /* as the naming had it when the run began */
    uint64_t time_ns;
    uint64_t task; /* number of the asyncio task; 0: the thread itself */
    uint64_t weights_ns[SAMPLE_WEIGHTS];
};

int naming_init(struct naming *naming, bool no_lines);
void naming_fini(struct naming *naming);
/* Forgets all names. No run may be left then. */
void naming_clear(struct naming *naming);

void run_fini(struct run *run);

/* What stands around the Python functions (enum sample_kind; 0: nothing). */
struct markers {
    uint8_t outer, inner;
};

/* Is the stack with its markers what the run has? If not, `differs`, and its frames are in the naming's scratch. Returns
 * 0 or MAREY_ENOMEM. */
int run_compare(struct run *run, struct naming *naming, const struct layout *layout,
                const struct stack *stack, struct markers markers, bool *differs);
/* After run_compare: the run, which was handed over, becomes that stack. Returns 0 or MAREY_ENOMEM. */
int run_begin(struct run *run, struct naming *naming, const struct stack *stack,
              struct markers markers);
/* The run, which was handed over, begins again with the same stack. False: its names are not known any more. */
bool run_repeat(struct run *run, const struct naming *naming);

#endif
