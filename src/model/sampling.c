/* See sampling.h. */
#include "model/sampling.h"

#include <stdlib.h>
#include <string.h>

#include "model/sums.h"

/* ------------------------------------------------------------ how they were taken */

static const struct track *find_counter(const struct trace *trace, const char *name) {
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        const struct track *track = &trace->reader.tracks.all[i];
        if (track->kind == TRACK_COUNTER && track->values &&
            !strcmp(trace_text(trace, track->name), name))
            return track;
    }
    return NULL;
}

static uint64_t whole(double value) {
    return value > 0 && value < 1e18 ? (uint64_t)value : 0;
}

static uint64_t last_value(const struct trace *trace, const char *name) {
    const struct track *track = find_counter(trace, name);
    return track ? whole(track->events[track->count - 1].value) : 0;
}

/* Of the ticks that there should have been since the counter was first written, those that were kept. */
static double rate_of(const struct trace *trace, uint64_t interval_ns) {
    const struct track *missed = find_counter(trace, SAMPLES_MISSED);
    if (!missed || !interval_ns)
        return 0;
    const struct event *first = &missed->events[0], *last = &missed->events[missed->count - 1];
    double ticks = (double)(last->time_ns - first->time_ns) / (double)interval_ns;
    double lost = last->value - first->value;
    return ticks >= 1 && lost < ticks ? 1e9 / (double)interval_ns * (1 - lost / ticks) : 0;
}

void sampling_find(struct sampling *sampling, const struct trace *trace) {
    *sampling = (struct sampling){.known = find_counter(trace, SAMPLES_TAKEN) != NULL};
    if (!sampling->known)
        return;
    sampling->taken = last_value(trace, SAMPLES_TAKEN);
    sampling->torn = last_value(trace, SAMPLES_TORN);
    sampling->missed = last_value(trace, SAMPLES_MISSED);
    sampling->cpu_ns = last_value(trace, SAMPLING_COST);
    sampling->interval_ns = last_value(trace, SAMPLING_INTERVAL);
    sampling->rate = rate_of(trace, sampling->interval_ns);
}

/* --------------------------------------------------------------------- times */

void sample_times_add(struct sample_times *to, const struct sample_times *more) {
    sum_add(&to->count, more->count);
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        sum_add(&to->ns[weight], more->ns[weight]);
}

static void add_sample(struct sample_times *times, const struct taken_sample *sample) {
    sum_add(&times->count, sample->count);
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        sum_add(&times->ns[weight], sample->weights_ns[weight]);
}

/* What of the sample is within the filter's time. */
static void add_part(struct sample_times *times, const struct taken_sample *sample,
                     const struct trace_filter *filter) {
    struct taken_sample part = *sample;
    if (filter_clip_sample(filter, &part))
        add_sample(times, &part);
}

void sampling_times(const struct trace *trace, const struct trace_filter *filter,
                    struct sample_times *times) {
    const struct samples *samples = &trace->reader.samples;
    memset(times, 0, samples->thread_count * sizeof *times);
    for (uint32_t i = 0; i < samples->count; i++)
        add_part(&times[samples->all[i].thread], &samples->all[i], filter);
    for (uint32_t i = 0; i < samples->thread_count; i++)
        if (!filter_has_thread(filter, trace, samples->threads[i].thread))
            times[i] = (struct sample_times){0};
}
