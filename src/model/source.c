/* See source.h. */
#include "model/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "model/inflate.h"

enum { WINDOW_BYTES = 1 << 20 };

static ssize_t read_some(struct source *source, uint8_t *to, size_t room) {
    if (source->inflater)
        return inflater_read(source->inflater, to, room);
    ssize_t got;
    do {
        got = read(source->fd, to, room);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? error_from_errno(errno) : got;
}

/* Room for `want` bytes behind `at`: moves what is in the window to the front, or to a larger buffer. */
static int make_room(struct source *source, size_t want) {
    size_t have = (size_t)(source->end - source->at);
    if (want > source->capacity) {
        size_t capacity = source->capacity ? source->capacity : WINDOW_BYTES;
        while (capacity < want)
            capacity *= 2;
        uint8_t *larger = malloc(capacity);
        if (!larger)
            return MAREY_ENOMEM;
        if (have)
            memcpy(larger, source->at, have);
        free(source->buffer);
        source->buffer = larger;
        source->capacity = capacity;
    } else if (have) {
        memmove(source->buffer, source->at, have);
    }
    source->at = source->buffer;
    source->end = source->buffer + have;
    return 0;
}

/* Of a compressed file, what was read of it counts, not what came of that. */
static void tell(const struct source *source, size_t have) {
    if (!source->watch)
        return;
    int64_t at = lseek(source->fd, 0, SEEK_CUR); /* -1: it is a pipe, or memory */
    source->watch->hear(source->watch->context, at < 0 ? source->offset + have : (uint64_t)at,
                        source->file_bytes);
}

size_t source_fill(struct source *source, size_t want) {
    size_t have = (size_t)(source->end - source->at);
    if (have >= want || source->ended)
        return have;
    int error = make_room(source, want);
    while (!error && have < want && !source->ended) {
        ssize_t got = read_some(source, source->buffer + have, source->capacity - have);
        if (got < 0)
            error = (int)got;
        else if (got == 0)
            source->ended = 1;
        else
            have += (size_t)got;
        tell(source, have);
        source->end = source->buffer + have;
    }
    if (error) {
        source->error = error;
        source->ended = 1;
    }
    return have;
}

/* Steps over bytes of a file that are not in the window, without reading them. */
static uint64_t seek_over(struct source *source, uint64_t bytes) {
    struct stat info;
    off_t here = lseek(source->fd, 0, SEEK_CUR);
    if (here < 0 || fstat(source->fd, &info) || info.st_size <= here)
        return 0;
    uint64_t left = (uint64_t)(info.st_size - here);
    off_t step = (off_t)(bytes < left ? bytes : left);
    if (lseek(source->fd, step, SEEK_CUR) < 0)
        return 0;
    source->offset += (uint64_t)step;
    return (uint64_t)step;
}

uint64_t source_skip(struct source *source, uint64_t bytes) {
    uint64_t done = 0;
    for (;;) {
        uint64_t have = (uint64_t)(source->end - source->at);
        uint64_t step = bytes - done < have ? bytes - done : have;
        source->at += step;
        source->offset += step;
        done += step;
        if (done == bytes)
            return done;
        if (source->seekable && bytes - done > WINDOW_BYTES)
            done += seek_over(source, bytes - done);
        if (done == bytes)
            return done;
        if (!source_fill(source, 1))
            return done;
    }
}

void source_skip_hole(struct source *source) {
    struct stat info;
    if (!source->seekable || source->at != source->end)
        return;
    off_t here = lseek(source->fd, 0, SEEK_CUR);
    off_t data = here < 0 ? here : lseek(source->fd, here, SEEK_DATA);
    if (data < 0 && here >= 0 && errno == ENXIO && fstat(source->fd, &info) == 0)
        data = info.st_size; /* a hole to the end */
    if (here >= 0 && (data <= here || lseek(source->fd, data, SEEK_SET) < 0))
        lseek(source->fd, here, SEEK_SET);
    else if (here >= 0)
        source->offset += (uint64_t)(data - here);
}

/* gzip's magic number at the beginning: what follows is read through an inflater. */
static int look_for_gzip(struct source *source) {
    if (source_fill(source, 2) < 2 || source->at[0] != 0x1f || source->at[1] != 0x8b)
        return 0;
    /* What is in the window goes into the inflater; the file is read on from there. */
    struct bytes head = {source->at, (size_t)(source->end - source->at)};
    if (source->seekable) {
        lseek(source->fd, 0, SEEK_SET);
        head.size = 0;
    }
    source->inflater = inflater_new(source->fd, head);
    if (!source->inflater)
        return MAREY_ENOMEM;
    source->compressed = 1;
    source->seekable = 0;
    source->ended = 0;
    source->at = source->end = source->buffer;
    return 0;
}

int source_open(struct source *source, const char *path) {
    struct stat info;
    *source = (struct source){.fd = -1};
    source->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
    if (source->fd < 0)
        return error_from_errno(errno);
    int error = fstat(source->fd, &info) ? error_from_errno(errno) : 0;
    if (!error && S_ISDIR(info.st_mode))
        error = MAREY_ENOTFILE;
    if (!error && S_ISREG(info.st_mode)) {
        source->file_bytes = (uint64_t)info.st_size;
        source->seekable = lseek(source->fd, 0, SEEK_CUR) == 0;
    }
    if (!error)
        error = look_for_gzip(source);
    if (!error)
        error = source->error;
    if (error)
        source_close(source);
    return error;
}

void source_open_memory(struct source *source, const void *bytes, size_t size) {
    *source = (struct source){.fd = -1, .ended = 1, .file_bytes = size};
    source->at = bytes;
    source->end = source->at + size;
}

void source_close(struct source *source) {
    inflater_free(source->inflater);
    free(source->buffer);
    if (source->fd >= 0)
        close(source->fd);
    *source = (struct source){.fd = -1};
}
