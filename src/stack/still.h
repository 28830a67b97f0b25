/* Threads that have not moved since their last stacks were read.
 *
 * What a stack was read from is read again, of many threads in one call, and compared byte by byte: as long as nothing
 * of it has changed, the stack is the same one, and need not be followed again. Of a hundred threads that sleep or wait
 * for the GIL this takes a few calls, where reading each by itself takes as many as there are threads. */
#ifndef MAREY_STACK_STILL_H
#define MAREY_STACK_STILL_H

#include "stack/unwind.h"

enum { STILL_BYTES_MAX = 1 << 20 /* of one call; a thread with more is never said to be still */ };

struct still_thread {
    struct thread_reader *reader;
    bool *still;
    int pieces_count;
};

/* Threads of one process that are asked for together; all zero at the beginning. */
struct still {
    struct still_thread threads[MEMORY_PIECES_MAX];
    struct piece pieces[MEMORY_PIECES_MAX];
    int threads_count, pieces_count;
    uint8_t *bytes;
    size_t used, room;
};

void still_fini(struct still *still);

/* *answer will be whether all is as it was when the reader's last stack was read. If there is no room for it left, those
 * who were asked for before are read first. */
void still_ask(struct still *still, struct memory *memory, struct thread_reader *reader,
               bool *answer);
/* Answers all that were asked for. */
void still_read(struct still *still, struct memory *memory);

#endif
