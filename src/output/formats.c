/* See format.h: which formats there are, in the order of the help; whether a trace has anything for one. */
#include "output/format.h"

#include "output/part.h"

extern const struct format format_chrome, format_speedscope, format_firefox, format_pprof,
    format_callgrind, format_folded, format_svg, format_csv;

const struct format *const formats[] = {
    &format_perfetto,  &format_chrome, &format_speedscope, &format_firefox, &format_pprof,
    &format_callgrind, &format_folded, &format_svg,        &format_csv,     NULL};

unsigned format_kinds(const struct format *format, const struct trace *trace,
                      const struct format_request *request) {
    enum stacks_of of = request->of;
    if (format->holds == HOLDS_STACKS && of == STACKS_OF_WHAT_THERE_IS)
        of = trace->reader.samples.count ? STACKS_OF_SAMPLES : STACKS_OF_SPANS;
    if (format->holds == HOLDS_STACKS || format->holds == HOLDS_ONE)
        return of == STACKS_OF_SAMPLES ? HOLDS_SAMPLES : HOLDS_SPANS;
    unsigned all = format->holds;
    if (of == STACKS_OF_SPANS)
        return all & ~(unsigned)HOLDS_SAMPLES;
    return of == STACKS_OF_SAMPLES && all & HOLDS_SAMPLES ? HOLDS_SAMPLES : all;
}

static int has_span(const struct part *part) {
    struct part_span cut;
    for (uint32_t i = 0; i < part->trace->span_count; i++)
        if (part_has_span(part, &part->trace->spans[i], &cut))
            return 1;
    return 0;
}

static int has_sample(const struct part *part) {
    const struct samples *samples = &part->trace->reader.samples;
    struct taken_sample cut;
    for (uint32_t i = 0; i < samples->count; i++)
        if (part_has_sample(part, &samples->all[i], &cut))
            return 1;
    return 0;
}

static int has_point(const struct part *part) {
    const struct tracks *tracks = &part->trace->reader.tracks;
    for (uint32_t i = 0; i < tracks->count; i++)
        for (uint32_t j = 0; part->tracks[i] && j < tracks->all[i].count; j++)
            if (part_has_time(part, tracks->all[i].events[j].time_ns))
                return 1;
    return 0;
}

int format_finds(const struct format *format, const struct trace *trace,
                 const struct format_request *request) {
    unsigned kinds = format_kinds(format, trace, request);
    struct part part;
    int found = part_open(&part, trace, &request->filter);
    if (!found)
        found = (kinds & HOLDS_SPANS && has_span(&part)) ||
                (kinds & HOLDS_SAMPLES && has_sample(&part)) ||
                (kinds & HOLDS_POINTS && has_point(&part));
    part_close(&part);
    return found;
}
