/* The frames of a stack: which code object each runs, and where in it. */
#ifndef MAREY_STACK_FRAMES_H
#define MAREY_STACK_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/code.h"

struct frame {
    uint64_t address;  /* where it is: the same call has the same address */
    struct code *code; /* stands until the next call of unwind_thread */
    uint64_t code_id;  /* code->id */
    /* of the instruction, in bytes; CODE_BEFORE: none has run yet. code_line tells its line */
    int32_t index;
    /* what follows is as it was read: the copy of the bytecode, the instruction, the code object */
    int32_t copy;
    uint64_t instr, code_address;
    bool apart; /* what it called lies in another part of memory */
};

/* Finds code object and index of frames of which `copy`, `instr` and `code_address` were read; the first one is the
 * running one, the others call. Code objects that are not known are read, others are compared once a tick. Returns 0,
 * MAREY_ETORN (a frame cannot be: no code object, or an instruction outside of it), MAREY_ENOMEM or what reading returns. */
int frames_name(struct codes *codes, struct frame *frames, int depth);

#endif
