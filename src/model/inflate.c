/* See inflate.h. */
#include "model/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"

enum {
    ANY_CONTAINER = 47,     /* zlib's windowBits: 15, and 32 to tell gzip from zlib */
    PACKED_BYTES = 1 << 20, /* no less than the first window of a source */
    FIRST_GUESS = 4,        /* times the packed size */
};

struct inflater {
    z_stream stream;
    int fd;
    int between; /* a member has ended: another one or nothing follows */
    int input_ended;
    uint8_t packed[PACKED_BYTES];
};

/* Twice the room, within the limit. Returns 0 or an enum marey_error. */
static int enlarge(uint8_t **out, size_t *room) {
    if (*room >= INFLATED_MAX)
        return MAREY_ELIMIT;
    size_t larger = *room * 2 < INFLATED_MAX ? *room * 2 : INFLATED_MAX;
    uint8_t *grown = realloc(*out, larger);
    if (!grown)
        return MAREY_ENOMEM;
    *out = grown;
    *room = larger;
    return 0;
}

static int inflate_all(z_stream *stream, uint8_t **out, size_t *size) {
    size_t room = *size;
    for (;;) {
        stream->next_out = *out + stream->total_out;
        stream->avail_out = (uInt)(room - stream->total_out);
        int state = inflate(stream, Z_NO_FLUSH);
        *size = stream->total_out;
        if (state == Z_STREAM_END)
            return 0;
        if (state != Z_OK || (stream->avail_in == 0 && stream->avail_out != 0))
            return state == Z_MEM_ERROR ? MAREY_ENOMEM : MAREY_EIO;
        int error = stream->avail_out ? 0 : enlarge(out, &room);
        if (error)
            return error;
    }
}

int inflate_bytes(struct bytes packed, uint8_t **out, size_t *size) {
    *out = NULL;
    *size = 0;
    if (packed.size > INFLATED_MAX)
        return MAREY_ELIMIT;
    size_t room = packed.size * FIRST_GUESS + 1024;
    if (room > INFLATED_MAX)
        room = INFLATED_MAX;
    z_stream stream = {.next_in = (Bytef *)packed.at, .avail_in = (uInt)packed.size};
    uint8_t *plain = malloc(room);
    if (!plain || inflateInit2(&stream, ANY_CONTAINER) != Z_OK) {
        free(plain);
        return MAREY_ENOMEM;
    }
    *size = room;
    int error = inflate_all(&stream, &plain, size);
    inflateEnd(&stream);
    if (error) {
        free(plain);
        plain = NULL;
    }
    *out = plain;
    return error;
}

struct inflater *inflater_new(int fd, struct bytes head) {
    struct inflater *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->fd = fd;
    size_t bytes = head.size < PACKED_BYTES ? head.size : PACKED_BYTES;
    memcpy(self->packed, head.at, bytes);
    self->stream.next_in = self->packed;
    self->stream.avail_in = (uInt)bytes;
    if (inflateInit2(&self->stream, ANY_CONTAINER) != Z_OK) {
        free(self);
        return NULL;
    }
    return self;
}

void inflater_free(struct inflater *self) {
    if (self)
        inflateEnd(&self->stream);
    free(self);
}

/* Reads more of the packed bytes, where there are none left. Returns 0 or an enum marey_error. */
static int feed(struct inflater *self) {
    if (self->stream.avail_in || self->input_ended)
        return 0;
    ssize_t got;
    do {
        got = read(self->fd, self->packed, PACKED_BYTES);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_from_errno(errno);
    self->input_ended = got == 0;
    self->stream.next_in = self->packed;
    self->stream.avail_in = (uInt)got;
    return 0;
}

long inflater_read(struct inflater *self, uint8_t *out, size_t room) {
    z_stream *stream = &self->stream;
    stream->next_out = out;
    stream->avail_out = room < INFLATED_MAX ? (uInt)room : INFLATED_MAX;
    uInt before = stream->avail_out;
    while (stream->avail_out == before) {
        int error = feed(self);
        if (error)
            return error;
        if (!stream->avail_in)
            return self->between ? 0 : MAREY_EINVAL; /* cut off */
        if (self->between && inflateReset(stream) != Z_OK)
            return MAREY_EINVAL;
        self->between = 0;
        int state = inflate(stream, Z_NO_FLUSH);
        if (state == Z_STREAM_END)
            self->between = 1;
        else if (state != Z_OK && state != Z_BUF_ERROR && stream->avail_out == before)
            return MAREY_EINVAL; /* what came before the damage comes first; then zlib says so again */
    }
    return (long)(before - stream->avail_out);
}
