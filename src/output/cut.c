/* See cut.h. */
#include "output/cut.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "format/perfetto.h"
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

/* A time of CLOCK_MONOTONIC made one of the trace's clock. */
static int of_monotonic(struct timebase *timebase, int64_t *time_ns) {
    uint32_t clock = timebase_clock(timebase, CLOCK_ID_MONOTONIC);
    if (clock == CLOCK_UNKNOWN || timebase_convert(timebase, clock, time_ns))
        return MAREY_ENOTRACE;
    return 0;
}

int cut_moment(int fd, const void *bytes, size_t size, uint64_t from_ns, uint64_t to_ns) {
    struct trace trace;
    struct trace_filter filter = {.from_ns = (int64_t)from_ns, .to_ns = (int64_t)to_ns};
    int error = trace_read_memory(&trace, bytes, size, format_perfetto.keep);
    struct timebase *timebase = &trace.reader.timebase;
    if (!error)
        error = of_monotonic(timebase, &filter.from_ns);
    if (!error)
        error = of_monotonic(timebase, &filter.to_ns);
    if (!error)
        error = write_part(fd, &trace, &filter);
    trace_free(&trace);
    return error;
}
