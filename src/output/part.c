/* See part.h. */
#include "output/part.h"

#include <stdlib.h>

#include "marey.h"
#include "model/processes.h"

int part_open(struct part *part, const struct trace *trace, const struct trace_filter *filter) {
    *part = (struct part){.trace = trace,
                          .filter = filter,
                          .from_ns = filter->from_ns,
                          .to_ns = filter->to_ns ? filter->to_ns : INT64_MAX};
    part->tracks = filter_tracks(filter, trace);
    part->threads = malloc(trace->thread_count + 1u);
    for (uint32_t i = 0; part->threads && i < trace->thread_count; i++)
        part->threads[i] = (uint8_t)filter_has_thread(filter, trace, i);
    return part->tracks && part->threads ? 0 : MAREY_ENOMEM;
}

void part_close(struct part *part) {
    free(part->tracks);
    free(part->threads);
    *part = (struct part){0};
}

int part_has_time(const struct part *part, int64_t time_ns) {
    return time_ns >= part->from_ns && time_ns < part->to_ns;
}

int64_t part_since(const struct part *part, int64_t time_ns) {
    return time_ns - part->trace->first_ns;
}

int part_has_span(const struct part *part, const struct span *span, struct part_span *cut) {
    int64_t begin = span->begin_ns;
    int open = span->duration_ns < 0;
    int64_t end = open ? part->trace->last_ns : begin + span->duration_ns;
    if (!part->tracks[span->track] || begin >= part->to_ns)
        return 0;
    if (end < part->from_ns || (end == part->from_ns && begin < end))
        return 0;
    begin = begin < part->from_ns ? part->from_ns : begin;
    open &= end <= part->to_ns;
    end = end > part->to_ns ? part->to_ns : end;
    *cut = (struct part_span){part_since(part, begin), part_since(part, end), open};
    return 1;
}

int part_has_sample(const struct part *part, const struct taken_sample *sample) {
    const struct samples *samples = &part->trace->reader.samples;
    return part->threads[samples->threads[sample->thread].thread] &&
           part_has_time(part, sample->time_ns);
}

const struct process *part_process(const struct part *part, const struct track *track) {
    return track->process == MAP_NONE ? NULL : &part->trace->processes[track->process];
}

const struct track *part_thread(const struct part *part, const struct track *track) {
    const struct track *owner = track_owner(part->trace, track);
    return owner && owner->kind == TRACK_THREAD ? owner : NULL;
}
