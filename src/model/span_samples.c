/* See span_samples.h.
 *
 * Spans and samples both stand in order of time, spans track by track. So samples are put track by track as well (a counting
 * sort), and each track is walked once, with the spans that are open kept as a stack. */
#include "model/span_samples.h"

#include <stdlib.h>

#include "marey.h"
#include "model/calls.h"
#include "model/grow.h"
#include "model/processes.h"

struct finding {
    const struct trace *trace;
    const struct samples *samples;
    uint32_t *span_of;  /* of a sample: the innermost open span; MAP_NONE: none, or not yet known */
    uint32_t *track_of; /* of a sample: where to look; MAP_NONE: nowhere */
    uint32_t *order;    /* samples, track by track */
    uint32_t *start;    /* of a track in the order; one more at the end */
    uint32_t *first;    /* of a track: its first span; one more at the end */
    struct map task_tracks; /* process and name to track */
};

/* ------------------------------------------------------------- where to look */

static uint64_t task_key(uint32_t process, uint32_t name) {
    return (uint64_t)process << 32 | name;
}

/* Tracks of tasks by their names. Of two with one name the one with more spans counts. */
static int map_tasks(struct finding *self) {
    const struct tracks *tracks = &self->trace->reader.tracks;
    for (uint32_t i = 0; i < tracks->count; i++) {
        const struct track *track = &tracks->all[i], *owner = track_owner(self->trace, track);
        if (track->kind != TRACK_CUSTOM || !track->spans || !owner)
            continue;
        uint64_t key = task_key(track->process, track->name);
        uint32_t known = map_get(&self->task_tracks, key);
        if (known != MAP_NONE && tracks->all[known].spans >= track->spans)
            continue;
        if (map_put(&self->task_tracks, key, i))
            return -1;
    }
    return 0;
}

static uint32_t thread_track(const struct finding *self, const struct taken_sample *sample) {
    return self->trace->threads[self->samples->threads[sample->thread].thread].track;
}

static uint32_t task_track(const struct finding *self, const struct taken_sample *sample) {
    const struct thread *thread =
        &self->trace->threads[self->samples->threads[sample->thread].thread];
    return sample->task ? map_get(&self->task_tracks, task_key(thread->process, sample->task))
                        : (uint32_t)MAP_NONE;
}

/* Samples whose span is not known yet, track by track. */
static void sort_by_track(struct finding *self) {
    uint32_t tracks = self->trace->reader.tracks.count, sum = 0;
    memset(self->start, 0, (tracks + 2) * sizeof *self->start);
    for (uint32_t i = 0; i < self->samples->count; i++)
        if (self->track_of[i] != MAP_NONE)
            self->start[self->track_of[i] + 2]++;
    for (uint32_t i = 0; i < tracks; i++)
        self->start[i + 2] = sum += self->start[i + 2];
    for (uint32_t i = 0; i < self->samples->count; i++)
        if (self->track_of[i] != MAP_NONE)
            self->order[self->start[self->track_of[i] + 1]++] = i;
}

/* ------------------------------------------------------------------ one track */

static int is_open(const struct trace *trace, uint32_t place, int64_t time_ns) {
    const struct span *span = &trace->spans[place];
    return span->duration_ns < 0 || time_ns - span->begin_ns < span->duration_ns;
}

/* The innermost open span at each of the track's samples. */
static void walk_track(struct finding *self, uint32_t track) {
    const struct trace *trace = self->trace;
    uint32_t next = self->first[track], end = self->first[track + 1];
    uint32_t at = MAP_NONE; /* the latest span that may be open: others are among its parents */
    for (uint32_t i = self->start[track]; i < self->start[track + 1]; i++) {
        int64_t time_ns = self->samples->all[self->order[i]].time_ns;
        while (next < end && trace->spans[next].begin_ns <= time_ns)
            at = next++;
        while (at != MAP_NONE && !is_open(trace, at, time_ns))
            at = trace->spans[at].parent;
        uint32_t found = at;
        while (found != MAP_NONE && (calls_is_call_or_scope(trace, trace->spans[found].category) ||
                                     !is_open(trace, found, time_ns)))
            found = trace->spans[found].parent;
        self->span_of[self->order[i]] = found;
    }
}

static void walk_tracks(struct finding *self) {
    sort_by_track(self);
    for (uint32_t track = 0; track < self->trace->reader.tracks.count; track++)
        walk_track(self, track);
}

/* --------------------------------------------------------------------- sums */

struct adding {
    struct span_samples *made;
    struct map rows;   /* name and category to row */
    uint32_t *counted; /* of a row: the run that was added to its total last */
    uint32_t counted_count, counted_capacity, run;
};

static uint32_t find_row(struct adding *self, const struct span *span) {
    uint64_t key = (uint64_t)span->name << 32 | span->category;
    uint32_t row = map_get(&self->rows, key);
    if (row != MAP_NONE)
        return row;
    row = self->made->count;
    if (GROW(self->made->rows, row, self->made->capacity) ||
        GROW(self->counted, self->counted_count, self->counted_capacity) ||
        map_put(&self->rows, key, row))
        return MAP_NONE;
    self->made->rows[self->made->count++] =
        (struct span_samples_row){.name = span->name, .category = span->category};
    self->counted[self->counted_count++] = 0;
    return row;
}

/* Adds what stands for one span and those around it. */
static int add_run(struct adding *self, const struct trace *trace, uint32_t span,
                   const struct sample_times *times) {
    if (!times->count)
        return 0;
    sample_times_add(&self->made->all, times);
    if (span == MAP_NONE)
        sample_times_add(&self->made->outside, times);
    self->run++;
    for (uint32_t at = span; at != MAP_NONE; at = trace->spans[at].parent) {
        if (calls_is_call_or_scope(trace, trace->spans[at].category))
            continue;
        uint32_t row = find_row(self, &trace->spans[at]);
        if (row == MAP_NONE || !self->counted)
            return -1;
        if (at == span)
            sample_times_add(&self->made->rows[row].self, times);
        if (self->counted[row] != self->run)
            sample_times_add(&self->made->rows[row].total, times);
        self->counted[row] = self->run;
    }
    return 0;
}

/* Samples of a thread that follow each other are mostly of one span: they are added together. */
static int add_up(const struct finding *finding, struct span_samples *made,
                  const struct trace_filter *filter, const uint8_t *wanted) {
    const struct samples *samples = finding->samples;
    struct adding adding = {.made = made};
    struct sample_times times = {0};
    uint32_t span = MAP_NONE;
    int failed = 0;
    for (uint32_t i = 0; !failed && i < samples->count; i++) {
        struct taken_sample part = samples->all[i];
        if (!wanted[part.thread] || !filter_clip_sample(filter, &part))
            continue;
        if (finding->span_of[i] != span) {
            failed = add_run(&adding, finding->trace, span, &times);
            times = (struct sample_times){0};
            span = finding->span_of[i];
        }
        struct sample_times one = {.count = part.count};
        memcpy(one.ns, part.weights_ns, sizeof one.ns);
        sample_times_add(&times, &one);
    }
    failed = failed || add_run(&adding, finding->trace, span, &times);
    map_free(&adding.rows);
    free(adding.counted);
    return failed ? -1 : 0;
}

/* ---------------------------------------------------------------------- all */

static int compare_rows(const void *a, const void *b) {
    const struct span_samples_row *left = a, *right = b;
    uint64_t mine = left->self.ns[SAMPLE_WALL], other = right->self.ns[SAMPLE_WALL];
    if (mine != other)
        return mine > other ? -1 : 1;
    if (left->self.count != right->self.count)
        return left->self.count > right->self.count ? -1 : 1;
    if (left->total.count != right->total.count)
        return left->total.count > right->total.count ? -1 : 1;
    return (left->name > right->name) - (left->name < right->name);
}

/* The first span of each track. */
static void find_firsts(struct finding *self) {
    uint32_t tracks = self->trace->reader.tracks.count, at = 0;
    for (uint32_t track = 0; track <= tracks; track++) {
        while (at < self->trace->span_count && self->trace->spans[at].track < track)
            at++;
        self->first[track] = at;
    }
}

static int find_spans(struct finding *self) {
    uint32_t count = self->samples->count;
    if (map_tasks(self))
        return -1;
    find_firsts(self);
    for (uint32_t i = 0; i < count; i++) {
        self->span_of[i] = MAP_NONE;
        self->track_of[i] = task_track(self, &self->samples->all[i]);
    }
    walk_tracks(self);
    for (uint32_t i = 0; i < count; i++)
        self->track_of[i] = self->span_of[i] == MAP_NONE
                                ? thread_track(self, &self->samples->all[i])
                                : (uint32_t)MAP_NONE;
    walk_tracks(self);
    return 0;
}

int span_samples_make(struct span_samples *made, const struct trace *trace,
                      const struct trace_filter *filter) {
    const struct samples *samples = &trace->reader.samples;
    size_t tracks = trace->reader.tracks.count, count = samples->count;
    struct finding self = {.trace = trace,
                           .samples = samples,
                           .span_of = malloc((count + 1) * sizeof *self.span_of),
                           .track_of = malloc((count + 1) * sizeof *self.track_of),
                           .order = malloc((count + 1) * sizeof *self.order),
                           .start = malloc((tracks + 2) * sizeof *self.start),
                           .first = malloc((tracks + 1) * sizeof *self.first)};
    uint8_t *wanted = filter_sampled(filter, trace);
    *made = (struct span_samples){0};
    int failed =
        !self.span_of || !self.track_of || !self.order || !self.start || !self.first || !wanted;
    failed = failed || find_spans(&self) || add_up(&self, made, filter, wanted);
    if (made->count)
        qsort(made->rows, made->count, sizeof *made->rows, compare_rows);
    map_free(&self.task_tracks);
    free(self.span_of);
    free(self.track_of);
    free(self.order);
    free(self.start);
    free(self.first);
    free(wanted);
    return failed ? MAREY_ENOMEM : 0;
}

void span_samples_choose(struct span_samples *made, const struct trace *trace,
                         const struct patterns *names) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < made->count; i++)
        if (patterns_choose_name(names, trace_text(trace, made->rows[i].name), NULL))
            made->rows[kept++] = made->rows[i];
    made->count = kept;
}

void span_samples_free(struct span_samples *made) {
    free(made->rows);
    *made = (struct span_samples){0};
}
