/* Any bytes are a file or what comes through a pipe, packed by gzip or not: its bytes come whole and in order, however they
 * are asked for, up to where it is damaged; and that is said. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "marey.h"
#include "model/trace.h"

enum {
    PIPE_BYTES = 64 << 10, /* what a pipe takes without a reader */
    PLAIN_MAX = 8 << 20,
    GZIP_CONTAINER = 31, /* zlib's windowBits: 15, of gzip alone */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* What is to be read. */
struct plain {
    uint8_t *bytes;
    size_t size;
    int is_packed, is_whole;
};

static int is_packed(const uint8_t *data, size_t size) {
    return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/* All members in one piece. Returns -1 where that is more than a test has time for. */
static int unpack(struct plain *plain, const uint8_t *data, size_t size) {
    z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)size};
    int state = Z_STREAM_END;
    *plain = (struct plain){malloc(PLAIN_MAX), 0, 1, 0};
    stream.next_out = plain->bytes;
    stream.avail_out = PLAIN_MAX;
    require(plain->bytes && inflateInit2(&stream, GZIP_CONTAINER) == Z_OK, "memory is short");
    while (state == Z_STREAM_END && stream.avail_in && inflateReset(&stream) == Z_OK)
        state = inflate(&stream, Z_NO_FLUSH);
    plain->size = PLAIN_MAX - stream.avail_out;
    plain->is_whole = state == Z_STREAM_END;
    inflateEnd(&stream);
    return stream.avail_out ? 0 : -1;
}

static int prepare(struct plain *plain, const uint8_t *data, size_t size) {
    if (is_packed(data, size))
        return unpack(plain, data, size);
    *plain = (struct plain){malloc(size + 1), size, 0, 1};
    require(plain->bytes != NULL, "memory is short");
    memcpy(plain->bytes, data, size);
    return 0;
}

/* Reads and skips by steps that depend on the bytes. */
static void check_source(struct source *source, const struct plain *plain) {
    size_t at = 0, step = plain->size * 7;
    require(source->compressed == plain->is_packed, "what it is was not seen");
    for (;;) {
        step = step * 2654435761u + at;
        size_t want = step % 9000 + 1, have = source_have(source, want);
        require(source->offset == at, "a place is wrong");
        require(have <= plain->size - at, "there are more bytes than there were");
        require(have >= want || have == plain->size - at, "bytes are missing");
        require(!have || !memcmp(source->at, plain->bytes + at, have), "bytes are wrong");
        if (!have)
            break;
        at += (size_t)source_skip(source, step % 3 ? want / 2 + 1 : want * 3);
    }
    require(at == plain->size, "the end is missing");
    require(source->error == (plain->is_whole ? 0 : MAREY_EINVAL), "damage is not as it was said");
}

static void check_reading(const char *path, const struct plain *plain) {
    struct trace trace, expected;
    int error = trace_read(&trace, path, TRACE_LEAN);
    int wanted = trace_read_memory(&expected, plain->bytes, plain->size, TRACE_LEAN);
    require(error == wanted, "reading the file gives something else than reading its bytes");
    require(trace.reader.packets == expected.reader.packets, "packets are missing");
    require(trace.span_count == expected.span_count, "spans are missing");
    if (!error)
        require(trace.reader.damage.count[DAMAGE_GZIP] == !plain->is_whole, "damage is not said");
    trace_free(&trace);
    trace_free(&expected);
}

static void check_file(const uint8_t *data, size_t size, const struct plain *plain) {
    struct source source;
    char path[32];
    int fd = memfd_create("fuzz", 0);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    require(source_open(&source, path) == 0, "it cannot be opened");
    check_source(&source, plain);
    source_close(&source);
    check_reading(path, plain);
    close(fd);
}

static void check_pipe(const uint8_t *data, size_t size, const struct plain *plain) {
    struct source source;
    char path[32];
    int ends[2];
    if (size > PIPE_BYTES)
        return;
    require(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size, "no pipe");
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    require(source_open(&source, path) == 0, "it cannot be opened");
    check_source(&source, plain);
    source_close(&source);
    close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct plain plain;
    if (prepare(&plain, data, size) == 0) {
        check_file(data, size, &plain);
        check_pipe(data, size, &plain);
    }
    free(plain.bytes);
    return 0;
}
