/* See gzip.h. */
#include "output/gzip.h"

#include <limits.h>

#include "marey.h"

enum { WINDOW_OF_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

int gzip_begin(struct gzip *self, FILE *to) {
    self->to = to;
    self->stream = (z_stream){0};
    return deflateInit2(&self->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_OF_GZIP,
                        MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK
               ? 0
               : MAREY_ENOMEM;
}

/* Takes all of the input; Z_FINISH: and gives all of the output. */
static void deflate_all(struct gzip *self, int flush) {
    do {
        self->stream.next_out = self->out;
        self->stream.avail_out = sizeof self->out;
        deflate(&self->stream, flush);
        fwrite(self->out, 1, sizeof self->out - self->stream.avail_out, self->to);
    } while (!self->stream.avail_out);
}

void gzip_add(struct gzip *self, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    while (size) {
        unsigned part = size < UINT_MAX ? (unsigned)size : UINT_MAX;
        self->stream.next_in = (unsigned char *)(size_t)at; /* zlib does not write there */
        self->stream.avail_in = part;
        deflate_all(self, Z_NO_FLUSH);
        at += part;
        size -= part;
    }
}

void gzip_end(struct gzip *self) {
    self->stream.avail_in = 0;
    deflate_all(self, Z_FINISH);
    deflateEnd(&self->stream);
}
