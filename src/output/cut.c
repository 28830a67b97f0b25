/* See cut.h. */
#include "output/cut.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "format/perfetto.h"
#include "model/excerpt.h"
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

/* A time of CLOCK_MONOTONIC made one of the trace's clock. */
static int of_monotonic(struct timebase *timebase, int64_t *time_ns) {
    uint32_t clock = timebase_clock(timebase, CLOCK_ID_MONOTONIC);
    if (clock == CLOCK_UNKNOWN || timebase_convert(timebase, clock, time_ns))
        return MAREY_ENOTRACE;
    return 0;
}

static int cut(int fd, const struct excerpt_source *from, struct trace_filter *filter,
               int is_monotonic) {
    struct excerpt excerpt;
    int error = excerpt_open(&excerpt, from, format_perfetto.keep);
    struct timebase *timebase = &excerpt.trace.reader.timebase;
    if (!error && is_monotonic)
        error = of_monotonic(timebase, &filter->from_ns);
    if (!error && is_monotonic)
        error = of_monotonic(timebase, &filter->to_ns);
    if (!error)
        error = excerpt_read(&excerpt, filter);
    if (!error)
        error = write_part(fd, &excerpt.trace, filter);
    excerpt_close(&excerpt);
    return error;
}

int cut_bytes(int fd, const void *bytes, size_t size, const struct trace_filter *filter) {
    struct trace_filter part = *filter;
    return cut(fd, &(struct excerpt_source){.bytes = bytes, .size = size}, &part, 0);
}

int cut_moment(int fd, const void *bytes, size_t size, uint64_t from_ns, uint64_t to_ns) {
    struct trace_filter part = {.from_ns = (int64_t)from_ns, .to_ns = (int64_t)to_ns};
    return cut(fd, &(struct excerpt_source){.bytes = bytes, .size = size}, &part, 1);
}
