/* See spans.h.
 *
 * A track whose events came in order has its spans already, and their times take one addition. For any other, and where
 * clocks were set meanwhile, the events are converted, sorted and matched here. */
#include "model/spans.h"

#include "model/grow.h"
#include "model/matching.h"

/* ---------------------------------------------------------------- events */

/* An event that the trace has to do without. */
static void drop(struct track *track, struct event *event) {
    track->total--;
    track->instants -= event->kind == EVENT_INSTANT;
    track->values -= event->kind == EVENT_COUNTER;
    track->states -= event->kind == EVENT_STATE;
    event->kind = 0;
}

/* Times in the trace's clock; an event whose time cannot be told is dropped. */
static void convert_times(struct trace *trace, struct track *track) {
    struct reader *reader = &trace->reader;
    for (uint32_t i = 0; i < track->count; i++) {
        struct event *event = &track->events[i];
        if (timebase_convert(&reader->timebase, event->clock, &event->time_ns)) {
            damage_add(&reader->damage, DAMAGE_NO_CLOCK, 0);
            drop(track, event);
        } else if (event->time_ns < 0) {
            damage_add(&reader->damage, DAMAGE_NEGATIVE, 0);
            drop(track, event);
        } else if (event->kind == EVENT_COUNTER && track->kind != TRACK_COUNTER) {
            damage_add(&reader->damage, LOSS_COUNTER, 0);
            drop(track, event);
        }
    }
}

/* Takes out the events of some kinds, and gives back the memory. */
static void drop_kinds(struct track *track, uint32_t kinds) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < track->count; i++)
        if (!(kinds >> track->events[i].kind & 1))
            track->events[kept++] = track->events[i];
    track->count = kept;
    struct event *smaller = kept ? realloc(track->events, kept * sizeof *smaller) : NULL;
    if (!kept)
        free(track->events);
    track->events = kept && !smaller ? track->events : smaller;
    track->capacity = kept;
}

/* ----------------------------------------------------------------- spans */

/* Whether the spans of a track can stay as they are, and what comes to their times. */
static int is_settled(const struct trace *trace, const struct track *track, int64_t *add_ns) {
    int has_strange = track->values && track->kind != TRACK_COUNTER; /* they will be dropped */
    if (track->disordered || has_strange ||
        timebase_offset(&trace->reader.timebase, track->clock, add_ns))
        return 0;
    int64_t first = (int64_t)((uint64_t)track->first_ns + (uint64_t)*add_ns);
    int64_t last = (int64_t)((uint64_t)track->last_ns + (uint64_t)*add_ns);
    return first >= 0 && last >= first;
}

static void count_stray(struct damage *damage, unsigned flags) {
    damage_add(damage,
               flags & EVENT_DEEP        ? LOSS_DEPTH
               : flags & EVENT_OTHER_END ? LOSS_END
                                         : NOTE_END,
               0);
}

static int match(struct trace *trace, struct track *track) {
    for (uint32_t i = 0; i < track->count; i++) {
        const struct event *event = &track->events[i];
        if (!event_is_paired(event))
            continue;
        int stray = matching_take(track, event, &trace->reader.arguments);
        if (stray < 0)
            return -1;
        if (stray)
            count_stray(&trace->reader.damage, (unsigned)stray);
    }
    return 0;
}

/* Sorts what a track has kept, and matches all of it. */
static int rematch(struct trace *trace, struct track *track) {
    if (matching_undo(track, &trace->reader.arguments))
        return -1;
    convert_times(trace, track);
    drop_kinds(track, 1 << 0);
    if (events_sort(track->events, track->count) || match(trace, track))
        return -1;
    track->first_ns = track->count ? track->events[0].time_ns : 0;
    track->last_ns = track->count ? track->events[track->count - 1].time_ns : 0;
    return 0;
}

/* The same where the spans are there. */
static int convert(struct trace *trace, struct track *track, int64_t add_ns) {
    for (uint32_t i = 0; i < track->count; i++)
        if (event_is_paired(&track->events[i]))
            count_stray(&trace->reader.damage, track->events[i].flags);
    convert_times(trace, track);
    track->first_ns += add_ns;
    track->last_ns += add_ns;
    return events_sort(track->events, track->count);
}

static void count_track(struct trace *trace, struct track *track) {
    if (track->matching) {
        track->spans = track->matching->count;
        track->open_spans = track->matching->depth;
    }
    trace->span_count += track->spans;
    trace->open_spans += track->open_spans;
    trace->instants += track->instants;
    trace->values += track->values;
    trace->states += track->states;
}

static void note_times(struct trace *trace, const struct track *track, int *any) {
    if (!track->total)
        return;
    if (!*any || track->first_ns < trace->first_ns)
        trace->first_ns = track->first_ns;
    if (!*any || track->last_ns > trace->last_ns)
        trace->last_ns = track->last_ns;
    *any = 1;
}

/* Puts the spans of all tracks behind each other. add_ns: of each track. */
static int collect(struct trace *trace, const int64_t *add_ns) {
    uint32_t first = 0;
    trace->spans = malloc(((size_t)trace->span_count + 1) * sizeof *trace->spans);
    if (!trace->spans)
        return -1;
    trace->span_capacity = trace->span_count + 1;
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        struct track *track = &trace->reader.tracks.all[i];
        matching_move(track, trace->spans + first, first, i, add_ns[i]);
        first += track->spans;
    }
    return 0;
}

static int settle_tracks(struct trace *trace, int64_t *add_ns) {
    int any = 0;
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++) {
        struct track *track = &trace->reader.tracks.all[i];
        int is_there = is_settled(trace, track, &add_ns[i]);
        if (is_there ? convert(trace, track, add_ns[i]) : rematch(trace, track))
            return -1;
        add_ns[i] = is_there ? add_ns[i] : 0;
        drop_kinds(track, 1 << 0 | 1 << EVENT_BEGIN | 1 << EVENT_END);
        count_track(trace, track);
        note_times(trace, track, &any);
    }
    return collect(trace, add_ns);
}

int spans_settle(struct trace *trace) {
    int64_t *add_ns = calloc((size_t)trace->reader.tracks.count + 1, sizeof *add_ns);
    int error = add_ns ? settle_tracks(trace, add_ns) : -1;
    free(add_ns);
    return error;
}

/* --------------------------------------------------------------- sorting */

static uint32_t run_end(const struct event *events, uint32_t from, uint32_t count) {
    uint32_t at = from + 1;
    while (at < count && events[at - 1].time_ns <= events[at].time_ns)
        at++;
    return at < count ? at : count;
}

static void merge(const struct event *a, const struct event *a_end, const struct event *b,
                  const struct event *b_end, struct event *out) {
    while (a < a_end && b < b_end)
        *out++ = b->time_ns < a->time_ns ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* Merges neighbouring runs. Returns how many runs there were. */
static uint32_t merge_runs(const struct event *from, struct event *to, uint32_t count) {
    uint32_t runs = 0;
    for (uint32_t first = 0; first < count;) {
        uint32_t middle = run_end(from, first, count);
        uint32_t last = middle < count ? run_end(from, middle, count) : count;
        merge(from + first, from + middle, from + middle, from + last, to + first);
        runs += 1 + (middle < count);
        first = last;
    }
    return runs;
}

/* Natural merge sort: a trace is made of long runs, one a chunk. */
int events_sort(struct event *events, uint32_t count) {
    if (count < 2 || run_end(events, 0, count) == count)
        return 0;
    struct event *other = malloc(count * sizeof *other);
    if (!other)
        return -1;
    struct event *from = events, *to = other;
    while (merge_runs(from, to, count) > 2) {
        struct event *swap = from;
        from = to;
        to = swap;
    }
    if (to != events)
        memcpy(events, to, count * sizeof *events);
    free(other);
    return 0;
}
