/* Does this instruction of that function really call this one? For CPython 3.9 and 3.10, whose frames are objects anywhere
 * in memory: a frame and its caller are never read at one moment, and a program that calls and returns some ten million
 * times a second has gone on in between.
 *
 * A frame that calls holds what it calls among the values of its expressions. Frame, instruction and value are a few
 * hundred bytes in a row, read within some tens of nanoseconds: where the value is a function with the callee's code, the
 * call is one that the program makes, whatever moment it was. It is read twice. */
#ifndef MAREY_STACK_CALL_PROOF_H
#define MAREY_STACK_CALL_PROOF_H

#include "stack/code.h"
#include "stack/object.h"

enum call_proof {
    CALL_PROVEN,
    CALL_MOVED,  /* the frame does something else now, or calls another function */
    CALL_UNKNOWN /* it is a C function that calls, or the interpreter itself */
};

/* `frame`, `code`, `instr`: the caller's, as struct frame has them. */
enum call_proof call_prove(struct objects *objects, uint64_t frame, uint64_t code, uint64_t instr,
                           uint64_t callee_code);

#endif
