/* zlib in a process of somebody else's: the system's library is loaded when a compressed trace is met, or one is to be
 * compressed. The command has zlib inside; the extensions cannot, because the static library is not made for that. Where
 * there is no zlib, a compressed trace reads as one that does not decompress, and nothing is compressed. */
#include <dlfcn.h>
#include <stddef.h>
#include <zlib.h>

static struct functions {
    int (*inflate_init)(z_stream *, int, const char *, int);
    int (*inflate_reset)(z_stream *);
    int (*inflate)(z_stream *, int);
    int (*inflate_end)(z_stream *);
    int (*deflate_init)(z_stream *, int, int, int, int, int, const char *, int);
    int (*deflate)(z_stream *, int);
    int (*deflate_end)(z_stream *);
    uLong (*compress_bound)(uLong);
    int (*compress)(Bytef *, uLongf *, const Bytef *, uLong, int);
} found;

static const struct {
    const char *name;
    size_t place;
} names[] = {
    {"inflateInit2_", offsetof(struct functions, inflate_init)},
    {"inflateReset", offsetof(struct functions, inflate_reset)},
    {"inflate", offsetof(struct functions, inflate)},
    {"inflateEnd", offsetof(struct functions, inflate_end)},
    {"deflateInit2_", offsetof(struct functions, deflate_init)},
    {"deflate", offsetof(struct functions, deflate)},
    {"deflateEnd", offsetof(struct functions, deflate_end)},
    {"compressBound", offsetof(struct functions, compress_bound)},
    {"compress2", offsetof(struct functions, compress)},
};

/* NULL where there is none. Two threads that look at the same time find the same. */
static const struct functions *library(void) {
    static int known;
    if (__atomic_load_n(&known, __ATOMIC_ACQUIRE))
        return &found;
    void *handle = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; handle && i < sizeof names / sizeof *names; i++) {
        void *function = dlsym(handle, names[i].name);
        if (!function)
            return NULL;
        __atomic_store_n((void **)((char *)&found + names[i].place), function, __ATOMIC_RELAXED);
    }
    if (!handle)
        return NULL;
    __atomic_store_n(&known, 1, __ATOMIC_RELEASE);
    return &found;
}

/* Whatever is not the beginning of a stream is called for one that was begun: there is a library. */

int inflateInit2_(z_stream *stream, int window_bits, const char *version, int stream_size) {
    const struct functions *zlib = library();
    return zlib ? zlib->inflate_init(stream, window_bits, version, stream_size) : Z_VERSION_ERROR;
}

int inflateReset(z_stream *stream) {
    return library()->inflate_reset(stream);
}

int inflate(z_stream *stream, int flush) {
    return library()->inflate(stream, flush);
}

int inflateEnd(z_stream *stream) {
    return library()->inflate_end(stream);
}

int deflateInit2_(z_stream *stream, int level, int method, int window_bits, int memory_level,
                  int strategy, const char *version, int stream_size) {
    const struct functions *zlib = library();
    return zlib ? zlib->deflate_init(stream, level, method, window_bits, memory_level, strategy,
                                     version, stream_size)
                : Z_VERSION_ERROR;
}

int deflate(z_stream *stream, int flush) {
    return library()->deflate(stream, flush);
}

int deflateEnd(z_stream *stream) {
    return library()->deflate_end(stream);
}

uLong compressBound(uLong bytes) {
    const struct functions *zlib = library();
    return zlib ? zlib->compress_bound(bytes) : 0;
}

int compress2(Bytef *to, uLongf *room, const Bytef *from, uLong bytes, int level) {
    const struct functions *zlib = library();
    return zlib ? zlib->compress(to, room, from, bytes, level) : Z_VERSION_ERROR;
}
