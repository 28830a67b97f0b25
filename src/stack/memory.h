/* Reading the memory of another process, or one's own, without stopping it.
 *
 * What is there is another program's and changes while it is read: every address may be bad, and reading a bad one is
 * an error, never a crash, also for one's own process. A read gets all its pieces or fails.
 *
 * A memory belongs to one thread at a time. */
#ifndef MAREY_STACK_MEMORY_H
#define MAREY_STACK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "marey.h"

enum {
    MEMORY_PIECES_MAX = 512,       /* of one read; the kernel takes 1024 */
    MEMORY_EXPLANATION_BYTES = 512 /* of the text that memory_explain writes */
};

struct piece {
    uint64_t address;
    void *into;
    size_t bytes;
};

struct memory {
    pid_t pid;
    int fd;         /* of /proc/PID/mem where process_vm_readv is refused; else -1 */
    uint64_t reads; /* how many were made */
    /* How it is read; the tests put an image of their own behind it. Reads the pieces in their order, all of them,
     * and returns 0 or an enum marey_error. */
    int (*read)(struct memory *memory, const struct piece *pieces, int count);
    void *image;
};

/* Opens the memory of `pid` as far as this process may read it. Returns 0, MAREY_ENOPROCESS (also for one that has
 * ended but was not waited for) or MAREY_EPTRACE. */
int memory_open(struct memory *memory, pid_t pid);
void memory_close(struct memory *memory);

/* Reads 1 to MEMORY_PIECES_MAX pieces, one after another in the order given, by one call of the kernel. Returns 0,
 * MAREY_EADDRESS, MAREY_ENOPROCESS, MAREY_EPTRACE or MAREY_EINVAL; on error what was read is undefined. */
int memory_read_pieces(struct memory *memory, const struct piece *pieces, int count);
int memory_read(struct memory *memory, uint64_t address, void *into, size_t bytes);
/* A pointer, or 0 where there is none to read. */
uint64_t memory_pointer(struct memory *memory, uint64_t address);

/* Whether that error means that what was to be read has changed meanwhile. */
static inline bool memory_torn(int error) {
    return error == MAREY_ETORN || error == MAREY_EADDRESS;
}

/* Why this process may not read `pid`, and what to do: another user's process, a container without CAP_SYS_PTRACE, or
 * the kernel's ptrace scope. Writes a sentence or two into `text` (MEMORY_EXPLANATION_BYTES). */
void memory_explain(pid_t pid, char *text);

#endif
