/* Code objects: a function's name, file, first line, and the line of each instruction.
 *
 * They are read once and kept, keyed by address. A code object may be freed and another one made at the same address,
 * so what is kept is compared with what is there again after each codes_tick: a new one gets a new id. */
#ifndef MAREY_STACK_CODE_H
#define MAREY_STACK_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/layout.h"
#include "stack/memory.h"

enum {
    CODE_TEXT_MAX = 4096,     /* bytes of a name or of a file name; what is longer is cut */
    CODE_LINES_MAX = 1 << 20, /* bytes of a line table; longer ones are not read: first line only */
    CODE_INSTR_MAX = 1 << 26, /* bytes of instructions; more is no code object */
    CODE_COPIES_MAX = 256,    /* of the bytecode (free-threaded), the others are not known */
    CODES_MAX = 1 << 16,      /* code objects kept; then all are forgotten */
    CODES_BYTES_MAX = 64 << 20, /* memory of them, likewise */
    CODE_IDENTITY_BYTES = 48,   /* of the name and of the line table, compared to know it again */
    CODE_BEFORE = -2,           /* index of an instruction: none has run yet */
    CODE_CHECKS_MAX = 256,      /* compared by one read */
};

/* What tells one code object from another at the same address. */
struct code_identity {
    uint64_t file, name, lines;
    uint64_t name_data; /* address of the name's characters */
    int32_t first_line;
    uint32_t version; /* its own number; 0: it has none, or not known */
    uint32_t instr_bytes;
    uint32_t name_bytes, lines_bytes; /* of what follows that are used */
    uint8_t name_text[CODE_IDENTITY_BYTES];
    uint8_t lines_text[CODE_IDENTITY_BYTES];
};

struct code {
    uint64_t address;
    uint64_t id; /* never used again, also not when the same address holds another code object */
    uint64_t checked; /* tick */
    struct code_identity identity;
    /* of a call on the interpreter's stack: there its callee's begins; 0: not known */
    uint32_t frame_bytes;
    uint64_t instr;   /* address of the instructions; 0 where frames count from 0 */
    uint64_t *copies; /* of the instructions, for each number that a frame may have; NULL: none */
    uint32_t copies_count;
    char *name; /* qualified where the version has that; UTF-8 */
    char *file; /* UTF-8 */
    uint8_t *lines;
    uint32_t lines_bytes;
    uint32_t bytes;    /* of memory, of all this */
    uint64_t function; /* the number that who looks at it gives to its function; 0: none yet */
};

struct codes {
    const struct layout *layout;
    struct memory *memory;
    struct code **slots; /* open addressing by address */
    uint32_t count, mask;
    uint64_t bytes;
    uint64_t tick;
    uint64_t last_id;
    uint64_t changed; /* how often an address held another code object than before */
    uint64_t cleared; /* how often all were forgotten; pointers to them are bad then */
};

void codes_init(struct codes *codes, const struct layout *layout, struct memory *memory);
void codes_fini(struct codes *codes);

/* From now on, what was compared before has to be compared again when it is met. */
void codes_tick(struct codes *codes);

/* As long as this is the same, all that was found stands, and was compared. */
static inline uint64_t codes_state(const struct codes *codes) {
    return codes->tick + codes->changed + codes->cleared;
}

/* The code object at `address`, if it is kept; NULL else. */
struct code *codes_find(const struct codes *codes, uint64_t address);

/* The code object at `address`, read if it has to be. It stands until the next call of codes_load or codes_check.
 * Returns 0, MAREY_ETORN (there is no code object), MAREY_ENOMEM or what reading returns. */
int codes_load(struct codes *codes, uint64_t address, struct code **code);

/* Compares up to CODE_CHECKS_MAX kept code objects with what is there. Returns 0, or MAREY_ETORN: at least one was
 * another and is forgotten. */
int codes_check(struct codes *codes, struct code **list, int count);

/* Free-threaded: reads again where the copies of the bytecode are; a thread makes its own when it first runs it. */
int codes_read_copies(struct codes *codes, struct code *code);

/* The line of the instruction at `index` (bytes from the first; CODE_BEFORE); 0: it has none. */
int code_line(const struct layout *layout, const struct code *code, int32_t index);

#endif
