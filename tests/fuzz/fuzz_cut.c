/* A part of any bytes as a trace: what is kept of it in memory has the same spans as the same part of all of the trace, and
 * can be written. Its size says which part. */
#include <string.h>

#include "model/excerpt.h"
#include "output/format.h"
#include "trace_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next span of which something is wanted; NULL: there is none. */
static const struct span *next_span(const struct trace *trace, const struct trace_filter *filter,
                                    const uint8_t *tracks, uint32_t *at) {
    int64_t begin_ns, end_ns;
    while (*at < trace->span_count) {
        const struct span *span = &trace->spans[(*at)++];
        if (tracks[span->track] && filter_clip_span(filter, trace, span, &begin_ns, &end_ns))
            return span;
    }
    return NULL;
}

static void require_equal(const struct trace *whole, const struct span *a, const struct trace *part,
                          const struct span *b) {
    require(!a == !b, "a span is missing, or one too many");
    if (!a)
        return;
    require(a->begin_ns == b->begin_ns && a->duration_ns == b->duration_ns,
            "a span's time differs");
    require(a->failed == b->failed && !a->detail == !b->detail, "a span says something else");
    require(a->depth == b->depth, "a span is deeper, or less deep");
    require(!strcmp(trace_text(whole, a->name), trace_text(part, b->name)) &&
                !strcmp(trace_text(whole, a->category), trace_text(part, b->category)),
            "a span's name differs");
    require(whole->reader.tracks.all[a->track].uuid == part->reader.tracks.all[b->track].uuid,
            "a span is on another track");
}

static void compare(const struct trace *whole, const struct trace *part,
                    const struct trace_filter *filter) {
    uint8_t *tracks = filter_tracks(filter, whole), *part_tracks = filter_tracks(filter, part);
    uint32_t at = 0, part_at = 0;
    const struct span *span;
    require(tracks && part_tracks, "memory is short");
    do {
        span = next_span(whole, filter, tracks, &at);
        require_equal(whole, span, part, next_span(part, filter, part_tracks, &part_at));
    } while (span);
    free(tracks);
    free(part_tracks);
}

static void write_part(struct trace *part, const struct trace_filter *filter) {
    const struct format_request request = {.filter = *filter};
    char *written = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&written, &size);
    require(to && format_perfetto.write(to, part, &request) == 0, "memory is short");
    fclose(to);
    free(written);
}

static void cut(const struct trace *whole, const uint8_t *data, size_t size) {
    static const char *const patterns[] = {"*a*"};
    const struct excerpt_source from = {.bytes = data, .size = size};
    uint64_t length = (uint64_t)whole->last_ns - (uint64_t)whole->first_ns;
    struct trace_filter filter = {.from_ns = whole->first_ns + (int64_t)(length / 16 * (size % 16)),
                                  .tracks = patterns,
                                  .track_count = size / 256 % 2};
    struct excerpt excerpt;
    if (size / 16 % 16)
        filter.to_ns = filter.from_ns + 1 + (int64_t)(length / 16 * (size / 16 % 16));
    if (filter.to_ns < 0)
        return;
    int error = excerpt_open(&excerpt, &from, format_perfetto.keep);
    if (!error)
        error = excerpt_read(&excerpt, &filter);
    require(error == 0 || error == MAREY_ENOMEM, "all of it can be read, but no part");
    /* Where events are dropped at last, of which the whole's time is then none, they differ. */
    if (!error && whole->first_ns == excerpt.trace.first_ns &&
        whole->last_ns == excerpt.trace.last_ns)
        compare(whole, &excerpt.trace, &filter);
    if (!error)
        write_part(&excerpt.trace, &filter);
    excerpt_close(&excerpt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct trace whole;
    if (trace_read_memory(&whole, data, size, format_perfetto.keep) == 0)
        cut(&whole, data, size);
    trace_free(&whole);
    return 0;
}
