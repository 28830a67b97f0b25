/* A process's memory made up by a test: a CPython 3.12 with one interpreter, one thread and some frames. */
#ifndef TESTS_UNIT_STACK_IMAGE_H
#define TESTS_UNIT_STACK_IMAGE_H

#include <stdint.h>

#include "stack/unwind.h"

enum {
    IMAGE_BYTES = 1 << 16,
    IMAGE_BASE = 0x100000,
    IMAGE_RUNTIME = IMAGE_BASE,
    IMAGE_INTERP = IMAGE_BASE + 0x2000,
    IMAGE_THREAD = IMAGE_BASE + 0x8000,
    IMAGE_CFRAME = IMAGE_BASE + 0x8800,
    IMAGE_SHIM = IMAGE_BASE + 0x8900,      /* as a call from C leaves it on the C stack */
    IMAGE_SHIM_CODE = IMAGE_BASE + 0x8a00, /* what it has in the place of a code object */
    IMAGE_FRAMES = IMAGE_BASE + 0x9000,
    IMAGE_FRAME_BYTES = 120,
    IMAGE_TYPE = IMAGE_BASE + 0xa000, /* of str */
    IMAGE_CODES = IMAGE_BASE + 0xb000,
    IMAGE_CODE_BYTES = 0x400,
};

struct image {
    uint8_t bytes[IMAGE_BYTES];
    /* Called before each piece that is read, so that the process may go on meanwhile; may be NULL. */
    void (*before_piece)(struct image *image, uint64_t address);
    int pieces;
    struct process process;
};

/* An empty process: an interpreter and a thread that runs nothing. */
void image_init(struct image *image);
void image_set64(struct image *image, uint64_t address, uint64_t value);
void image_set32(struct image *image, uint64_t address, uint32_t value);
uint64_t image_get64(const struct image *image, uint64_t address);

/* Writes code object `number` ("function<number>" of "file<number>.py", from line 10 * number; 4 instructions of 2
 * lines); its address. */
uint64_t image_code(struct image *image, int number);
uint64_t image_code_at(int number);

/* Writes frame `number` (0: the outermost) of a stack that runs code object `code` at `instruction`; returns its
 * address. The outermost is called by the shim. `runs`: it is the top. */
uint64_t image_frame(struct image *image, int number, int code, int instruction, bool runs);
/* The thread's top frame. */
void image_top(struct image *image, uint64_t frame);

#endif
