/* See filter.h. */
#include "model/filter.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/processes.h"

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

int filter_has_thread(const struct trace_filter *filter, const struct trace *trace,
                      uint32_t place) {
    const struct thread *thread = &trace->threads[place];
    return has_process(filter, trace, thread->process) &&
           matches(filter->threads, filter->thread_count, thread->tid,
                   trace_text(trace, thread->name));
}

static int has_track(const struct trace_filter *filter, const struct trace *trace,
                     const struct track *track) {
    if (!filter->process_count && !filter->thread_count)
        return 1;
    if (track->process == MAP_NONE || !has_process(filter, trace, track->process))
        return 0;
    const struct track *owner = track_owner(trace, track);
    return !filter->thread_count || (owner && owner->kind == TRACK_THREAD &&
                                     matches(filter->threads, filter->thread_count, owner->tid,
                                             trace_text(trace, owner->name)));
}

uint8_t *filter_tracks(const struct trace_filter *filter, const struct trace *trace) {
    const struct tracks *tracks = &trace->reader.tracks;
    uint8_t *wanted = malloc(tracks->count + 1);
    for (uint32_t i = 0; wanted && i < tracks->count; i++)
        wanted[i] = (uint8_t)has_track(filter, trace, &tracks->all[i]);
    return wanted;
}
