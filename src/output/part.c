/* See part.h. */
#include "output/part.h"

#include <stdlib.h>

#include "marey.h"
#include "model/processes.h"

int part_open(struct part *part, const struct trace *trace, const struct trace_filter *filter) {
    *part = (struct part){.trace = trace, .filter = filter};
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
    int64_t end_ns = time_ns;
    return filter_clip(part->filter, &time_ns, &end_ns);
}

int64_t part_since(const struct part *part, int64_t time_ns) {
    return time_ns - part->trace->first_ns;
}

int part_has_span(const struct part *part, const struct span *span, struct part_span *cut) {
    int64_t begin_ns, end_ns;
    if (!part->tracks[span->track] ||
        !filter_clip_span(part->filter, part->trace, span, &begin_ns, &end_ns))
        return 0;
    cut->begin_ns = part_since(part, begin_ns);
    cut->end_ns = part_since(part, end_ns);
    cut->open = span->duration_ns < 0 && end_ns == part->trace->last_ns;
    return 1;
}

int part_has_sample(const struct part *part, const struct taken_sample *sample,
                    struct taken_sample *cut) {
    const struct samples *samples = &part->trace->reader.samples;
    *cut = *sample;
    return part->threads[samples->threads[sample->thread].thread] &&
           filter_clip_sample(part->filter, cut);
}

const struct process *part_process(const struct part *part, const struct track *track) {
    return track->process == MAP_NONE ? NULL : &part->trace->processes[track->process];
}

const struct track *part_thread(const struct part *part, const struct track *track) {
    const struct track *owner = track_owner(part->trace, track);
    return owner && owner->kind == TRACK_THREAD ? owner : NULL;
}

static void add_named(struct text *label, const char *name, int64_t id) {
    text_add(label, name);
    if (id)
        text_addf(label, "%s%lld", *name ? " " : "", (long long)id);
}

void part_label_track(struct text *label, const struct part *part, const struct track *track) {
    const struct process *process = part_process(part, track);
    const char *name = trace_text(part->trace, track->name);
    if (process) {
        add_named(label, trace_text(part->trace, process->name), process->pid);
        if (track->kind == TRACK_PROCESS)
            return;
        text_add(label, ": ");
    }
    add_named(label, name, track->kind == TRACK_THREAD ? track->tid : 0);
}

void part_label_thread(struct text *label, const struct part *part, const struct thread *thread) {
    const struct process *process = &part->trace->processes[thread->process];
    add_named(label, trace_text(part->trace, process->name), process->pid);
    text_add(label, ": ");
    add_named(label, trace_text(part->trace, thread->name), thread->tid);
}
