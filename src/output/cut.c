/* See cut.h. */
#include "output/cut.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "output/format.h"

static int write_part(int fd, struct trace *trace, const struct trace_filter *filter) {
    const struct format_request part = {.filter = *filter};
    int own = dup(fd), error = 0;
    FILE *to = own < 0 ? NULL : fdopen(own, "wb");
    if (!to) {
        error = error_from_errno(errno);
        if (own >= 0)
            close(own);
        return error;
    }
    errno = 0;
    error = format_perfetto.write(to, trace, &part);
    if (!error && (fflush(to) || ferror(to)))
        error = error_from_errno(errno ? errno : EIO);
    fclose(to);
    return error;
}

int cut_bytes(int fd, const void *bytes, size_t size, const struct trace_filter *filter) {
    struct trace trace;
    int error = trace_read_memory(&trace, bytes, size, format_perfetto.keep);
    if (!error)
        error = write_part(fd, &trace, filter);
    trace_free(&trace);
    return error;
}
