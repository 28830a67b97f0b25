/* See gzip.h. */
#include "output/gzip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "marey.h"

enum { WINDOW_OF_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

static int begin(z_stream *stream, int level) {
    *stream = (z_stream){0};
    int state =
        deflateInit2(stream, level, Z_DEFLATED, WINDOW_OF_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    return state == Z_OK ? 0 : MAREY_ENOMEM;
}

int gzip_begin(struct gzip *self, FILE *to) {
    self->to = to;
    return begin(&self->stream, GZIP_USUAL);
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
        self->stream.next_in = (Bytef *)(uintptr_t)at; /* zlib does not write there */
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

char *gzip_pack(const char *bytes, size_t size, int level, size_t *packed) {
    z_stream stream;
    if (size > UINT32_MAX || begin(&stream, level))
        return NULL;
    char *out = malloc(size);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)size;
    int done = out && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    *packed = stream.total_out;
    deflateEnd(&stream);
    if (!done)
        free(out);
    return done ? out : NULL;
}
