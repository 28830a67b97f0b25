/* How many values an instruction of CPython 3.9 or 3.10 finds on its frame's stack: told from the bytecode alone. */
#ifndef MAREY_STACK_STACK_DEPTH_H
#define MAREY_STACK_STACK_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* bytes of bytecode that are looked at; of more nothing is known */
    STACK_DEPTH_CODE_MAX = 1 << 17,
    STACK_DEPTH_MAX = 1 << 14
};

struct call_site {
    int32_t depth; /* values on the stack before it */
    uint8_t opcode;
    uint32_t operand; /* with what EXTENDED_ARG adds */
};

/* `code`: the bytecode, `at`: the instruction, in bytes. Jumps count instructions (3.10) or bytes (3.9). False: it cannot
 * be told (it is not reached, or the bytes are no code). */
bool stack_depth_find(const uint8_t *code, uint32_t bytes, uint32_t at, bool jumps_in_units,
                      struct call_site *site);

#endif
