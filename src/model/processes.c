/* See processes.h. */
#include "model/processes.h"

#include "model/grow.h"

enum { PARENTS_MAX = 100 }; /* trace_processor's limit of nested tracks */

/* The process of that id, new or known. MAP_NONE where memory is short. */
static uint32_t find_process(struct trace *trace, struct map *places, int64_t pid) {
    uint32_t place = map_get(places, (uint64_t)pid);
    if (place != MAP_NONE)
        return place;
    place = trace->process_count;
    if (GROW(trace->processes, place, trace->process_capacity) ||
        map_put(places, (uint64_t)pid, place))
        return MAP_NONE;
    trace->processes[place] = (struct process){.pid = pid};
    trace->process_count++;
    return place;
}

/* The track that says whose this one is: itself or the next of its parents that is a thread or process. */
static const struct track *owner(const struct trace *trace, const struct track *track) {
    for (int i = 0; track && i < PARENTS_MAX; i++) {
        if (track->kind == TRACK_PROCESS || track->kind == TRACK_THREAD)
            return track;
        track = trace_parent(trace, track);
    }
    return NULL;
}

static int assign(struct trace *trace, struct map *places, struct track *track) {
    const struct track *whose = owner(trace, track);
    if (!whose)
        return 0;
    track->process = find_process(trace, places, whose->pid);
    if (track->process == MAP_NONE)
        return -1;
    struct process *process = &trace->processes[track->process];
    process->events += track->total;
    process->spans += track->spans;
    process->threads += track->kind == TRACK_THREAD;
    if (track->kind == TRACK_PROCESS) {
        process->name = track->name ? track->name : process->name;
        process->command_line = track->command_line ? track->command_line : process->command_line;
    }
    return 0;
}

/* Puts the threads process by process, in the order in which the file has them. */
static int list_threads(struct trace *trace) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < trace->process_count; i++) {
        trace->processes[i].first_thread = total;
        total += trace->processes[i].threads;
        trace->processes[i].threads = 0;
    }
    if (!total)
        return 0;
    trace->threads = calloc(total, sizeof *trace->threads);
    if (!trace->threads)
        return -1;
    trace->thread_count = total;
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        const struct track *track = &trace->reader.tracks.all[i];
        if (track->kind != TRACK_THREAD)
            continue;
        struct process *process = &trace->processes[track->process];
        struct thread *thread = &trace->threads[process->first_thread + process->threads++];
        *thread = (struct thread){i, track->total, track->spans};
    }
    return 0;
}

int processes_find(struct trace *trace) {
    struct map places = {0};
    int error = 0;
    for (uint32_t i = 0; !error && i < trace->reader.tracks.count; i++)
        error = assign(trace, &places, &trace->reader.tracks.all[i]);
    map_free(&places);
    return error ? error : list_threads(trace);
}
