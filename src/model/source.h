/* The bytes of a trace, through a window: from a file, a pipe or memory, plain or gzip'ed.
 *
 * Read, not mapped: a file that is being recorded may be cut while we look at it, and a mapping of it would end the
 * program. Memory is one window, however large the file. One thread at a time. */
#ifndef MAREY_MODEL_SOURCE_H
#define MAREY_MODEL_SOURCE_H

#include <stddef.h>
#include <stdint.h>

/* Who hears how far reading has come: bytes of the file, and of how many (0: not known). */
struct source_watch {
    void (*hear)(void *context, uint64_t bytes, uint64_t of);
    void *context;
};

struct source {
    const uint8_t *at;   /* the window: */
    const uint8_t *end;  /* [at, end) is read and not yet skipped */
    uint64_t offset;     /* of `at` in the trace (after decompression) */
    uint64_t file_bytes; /* size of the file as it stands; 0 where not known */
    int compressed;      /* the whole file is gzip'ed */
    int ended;           /* nothing comes behind the window */
    int error;           /* 0 or an enum marey_error: reading failed, what was read counts */
    int fd;
    int seekable;
    uint8_t *buffer; /* owned; NULL for memory */
    size_t capacity;
    struct inflater *inflater;        /* owned; NULL for plain bytes */
    const struct source_watch *watch; /* NULL: nobody */
};

/* "-" is the standard input. Returns 0 or an enum marey_error. */
int source_open(struct source *source, const char *path);
/* The bytes stay the caller's and must outlive the source. */
void source_open_memory(struct source *source, const void *bytes, size_t size);
void source_close(struct source *source);

/* Fills the window with at least `want` bytes if there are so many. Returns how many there are. `at` may move. */
size_t source_fill(struct source *source, size_t want);

static inline size_t source_have(struct source *source, size_t want) {
    size_t have = (size_t)(source->end - source->at);
    return have >= want ? have : source_fill(source, want);
}

/* Steps over bytes, in the window or beyond. Returns how many there were. */
uint64_t source_skip(struct source *source, uint64_t bytes);

/* Steps over what was never written of a file, which reads as zeros, where the window is empty and the system says so. */
void source_skip_hole(struct source *source);

#endif
