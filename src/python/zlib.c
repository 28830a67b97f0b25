/* zlib for the reader, in a process of somebody else's: the system's library is loaded when a compressed trace is met.
 * The command has zlib inside; the extension cannot, because the static library is not made for that, and need not: Marey
 * itself compresses nothing. Where there is no zlib a compressed trace reads as one that does not decompress. */
#include <dlfcn.h>
#include <zlib.h>

struct functions {
    int (*init)(z_stream *, int, const char *, int);
    int (*reset)(z_stream *);
    int (*step)(z_stream *, int);
    int (*end)(z_stream *);
};

/* Found once; two threads that look at the same time find the same. */
static const struct functions *library(void) {
    static struct functions found;
    void *handle = __atomic_load_n(&found.end, __ATOMIC_ACQUIRE)
                       ? NULL
                       : dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle) {
        *(void **)&found.init = dlsym(handle, "inflateInit2_");
        *(void **)&found.reset = dlsym(handle, "inflateReset");
        *(void **)&found.step = dlsym(handle, "inflate");
        __atomic_store_n((void **)&found.end, dlsym(handle, "inflateEnd"), __ATOMIC_RELEASE);
    }
    return found.init && found.reset && found.step && found.end ? &found : NULL;
}

int inflateInit2_(z_stream *stream, int window_bits, const char *version, int stream_size) {
    const struct functions *zlib = library();
    return zlib ? zlib->init(stream, window_bits, version, stream_size) : Z_VERSION_ERROR;
}

int inflateReset(z_stream *stream) {
    return library()->reset(stream); /* that one was begun says that there is a library */
}

int inflate(z_stream *stream, int flush) {
    return library()->step(stream, flush);
}

int inflateEnd(z_stream *stream) {
    return library()->end(stream);
}
