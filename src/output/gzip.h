/* Bytes packed by gzip: on their way into a file, or in memory. Source: RFC 1952; zlib.h. */
#ifndef MAREY_OUTPUT_GZIP_H
#define MAREY_OUTPUT_GZIP_H

#include <stdio.h>
#include <zlib.h>

struct gzip {
    FILE *to;
    z_stream stream;
    unsigned char out[1 << 16];
};

/* What was not written shows by ferror(to). gzip_begin returns 0, or MAREY_ENOMEM: then there is no end. */
int gzip_begin(struct gzip *gzip, FILE *to);
void gzip_add(struct gzip *gzip, const void *bytes, size_t size);
/* Writes what is left. */
void gzip_end(struct gzip *gzip);

enum { GZIP_FAST = 1, GZIP_USUAL = 6 }; /* levels */

/* Packs them into new memory; the caller frees. NULL where that makes nothing smaller, or memory is short. */
char *gzip_pack(const char *bytes, size_t size, int level, size_t *packed);

#endif
