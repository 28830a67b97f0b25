/* See filter.h. */
#include "model/filter.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/processes.h"

int filter_is_any(const struct trace_filter *filter) {
    return filter->process_count || filter->thread_count || filter->track_count ||
           filter->only_threads || filter->from_ns || filter->to_ns;
}

static int matches(const char *const *patterns, uint32_t count, int64_t id, const char *name) {
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)id);
    for (uint32_t i = 0; i < count; i++)
        if (fnmatch(patterns[i], number, 0) == 0 || fnmatch(patterns[i], name, 0) == 0)
            return 1;
    return count == 0;
}

static int has_process(const struct trace_filter *filter, const struct trace *trace,
                       uint32_t place) {
    const struct process *process = &trace->processes[place];
    return matches(filter->processes, filter->process_count, process->pid,
                   trace_text(trace, process->name));
}

/* Whether the track, or one above it, has a wanted name. */
static int has_named_track(const struct trace_filter *filter, const struct trace *trace,
                           const struct track *track) {
    for (int i = 0; track && i < PARENTS_MAX && filter->track_count; i++) {
        const char *name = trace_text(trace, track->name);
        for (uint32_t pattern = 0; pattern < filter->track_count; pattern++)
            if (fnmatch(filter->tracks[pattern], name, 0) == 0)
                return 1;
        track = trace_parent(trace, track);
    }
    return !filter->track_count;
}

int filter_has_thread(const struct trace_filter *filter, const struct trace *trace,
                      uint32_t place) {
    const struct thread *thread = &trace->threads[place];
    const struct track *track =
        thread->track == MAP_NONE ? NULL : &trace->reader.tracks.all[thread->track];
    return (!filter->only_threads || filter->only_threads[place]) &&
           has_named_track(filter, trace, track) && has_process(filter, trace, thread->process) &&
           matches(filter->threads, filter->thread_count, thread->tid,
                   trace_text(trace, thread->name));
}

static int has_track(const struct trace_filter *filter, const struct trace *trace,
                     const struct track *track, const uint8_t *chosen) {
    if (!has_named_track(filter, trace, track))
        return 0;
    if (!filter->process_count && !filter->thread_count && !filter->only_threads)
        return 1;
    if (track->process == MAP_NONE || !has_process(filter, trace, track->process))
        return 0;
    if (!filter->thread_count && !filter->only_threads)
        return 1;
    const struct track *owner = track_owner(trace, track);
    return owner && owner->kind == TRACK_THREAD &&
           (!chosen || chosen[owner - trace->reader.tracks.all]) &&
           matches(filter->threads, filter->thread_count, owner->tid,
                   trace_text(trace, owner->name));
}

/* For each track whether it is one of a thread that is chosen by its place. NULL where memory is short. */
static uint8_t *choose_tracks(const struct trace_filter *filter, const struct trace *trace) {
    uint8_t *chosen = calloc((size_t)trace->reader.tracks.count + 1, 1);
    for (uint32_t i = 0; chosen && i < trace->thread_count; i++)
        if (trace->threads[i].track != MAP_NONE)
            chosen[trace->threads[i].track] = filter->only_threads[i];
    return chosen;
}

uint8_t *filter_tracks(const struct trace_filter *filter, const struct trace *trace) {
    const struct tracks *tracks = &trace->reader.tracks;
    uint8_t *wanted = malloc(tracks->count + 1);
    uint8_t *chosen = filter->only_threads ? choose_tracks(filter, trace) : NULL;
    if (!wanted || (filter->only_threads && !chosen)) {
        free(wanted);
        free(chosen);
        return NULL;
    }
    for (uint32_t i = 0; i < tracks->count; i++)
        wanted[i] = (uint8_t)has_track(filter, trace, &tracks->all[i], chosen);
    free(chosen);
    return wanted;
}

uint8_t *filter_sampled(const struct trace_filter *filter, const struct trace *trace) {
    const struct samples *samples = &trace->reader.samples;
    uint8_t *wanted = malloc(samples->thread_count + (size_t)1);
    for (uint32_t i = 0; wanted && i < samples->thread_count; i++)
        wanted[i] = (uint8_t)filter_has_thread(filter, trace, samples->threads[i].thread);
    return wanted;
}

int filter_clip(const struct trace_filter *filter, int64_t *begin_ns, int64_t *end_ns) {
    int64_t begin = *begin_ns, end = *end_ns;
    int has_length = end > begin;
    if (filter->from_ns && begin < filter->from_ns)
        begin = filter->from_ns;
    if (filter->to_ns && end > filter->to_ns)
        end = filter->to_ns;
    if (has_length ? begin >= end : begin != *begin_ns || (filter->to_ns && begin >= filter->to_ns))
        return 0;
    *begin_ns = begin;
    *end_ns = end;
    return 1;
}

int filter_clip_span(const struct trace_filter *filter, const struct trace *trace,
                     const struct span *span, int64_t *begin_ns, int64_t *end_ns) {
    *begin_ns = span->begin_ns;
    *end_ns = span->duration_ns < 0 ? trace->last_ns : span->begin_ns + span->duration_ns;
    return filter_clip(filter, begin_ns, end_ns);
}

/* How many of a sample's moments lie before a time. */
static uint32_t moments_before(const struct taken_sample *sample, int64_t time_ns) {
    uint64_t wall_ns = sample->weights_ns[SAMPLE_WALL];
    if (time_ns <= sample->time_ns)
        return 0;
    unsigned __int128 later_ns = (unsigned __int128)((__int128)time_ns - sample->time_ns);
    if (later_ns >= wall_ns)
        return sample->count;
    return (uint32_t)((later_ns * sample->count + wall_ns - 1) / wall_ns);
}

int filter_clip_sample(const struct trace_filter *filter, struct taken_sample *sample) {
    uint32_t first = filter->from_ns ? moments_before(sample, filter->from_ns) : 0;
    uint32_t last = filter->to_ns ? moments_before(sample, filter->to_ns) : sample->count;
    uint32_t part = last > first ? last - first : 0;
    if (part == sample->count)
        return 1;
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        sample->weights_ns[weight] =
            (uint64_t)((unsigned __int128)sample->weights_ns[weight] * part / sample->count);
    sample->count = part;
    return part > 0;
}
