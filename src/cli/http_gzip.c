/* See http_gzip.h. */
#include "cli/http_gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, FAST = 1 }; /* zlib's: gzip's container; the level */

char *http_gzip(const char *bytes, size_t size, size_t *packed) {
    z_stream stream = {0};
    if (size > UINT32_MAX ||
        deflateInit2(&stream, FAST, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY))
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

/* gzip's trailer says how long it was: RFC 1952, 2.3.1 (ISIZE). */
static size_t unpacked_size(const unsigned char *end) {
    return (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
}

char *http_gunzip(const char *bytes, size_t size, size_t *unpacked) {
    z_stream stream = {0};
    if (size < 18 || inflateInit2(&stream, GZIP_WINDOW))
        return NULL;
    *unpacked = unpacked_size((const unsigned char *)bytes + size);
    char *out = malloc(*unpacked + 1);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)*unpacked;
    int done = out && inflate(&stream, Z_FINISH) == Z_STREAM_END;
    inflateEnd(&stream);
    if (!done)
        free(out);
    return done ? out : NULL;
}
