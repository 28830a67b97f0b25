/* See excerpt.h. */
#include "model/excerpt.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/grow.h"
#include "model/json.h"
#include "model/processes.h"

static int open_source(const struct excerpt_source *from, struct source *source) {
    if (!from->path) {
        source_open_memory(source, from->bytes, from->size);
        return 0;
    }
    int error = source_open(source, from->path);
    source->watch = from->watch;
    return error;
}

/* ------------------------------------------------------------ what there is */

static void note_time(struct excerpt *self, uint8_t clock, int64_t time_ns) {
    struct excerpt_times *times = clock < CLOCKS_MAX ? &self->times[clock] : NULL;
    if (!times)
        return;
    times->first_ns = times->any && times->first_ns < time_ns ? times->first_ns : time_ns;
    times->last_ns = times->any && times->last_ns > time_ns ? times->last_ns : time_ns;
    times->any = 1;
}

static void note_event(void *context, uint32_t place, const struct event *event) {
    struct excerpt *self = context;
    struct track *track = &self->trace.reader.tracks.all[place];
    track->disordered |= !track_note(track, event);
    note_time(self, event->clock, event->time_ns);
}

static void note_sample(void *context, const struct taken_sample *sample) {
    note_time(context, sample->clock, sample->time_ns);
}

static void settle_times(struct excerpt *self) {
    struct trace *trace = &self->trace;
    int any = 0;
    for (uint32_t clock = 0; clock < trace->reader.timebase.clocks; clock++) {
        struct excerpt_times times = self->times[clock];
        if (!times.any || timebase_convert(&trace->reader.timebase, clock, &times.first_ns) ||
            timebase_convert(&trace->reader.timebase, clock, &times.last_ns) || times.last_ns < 0)
            continue;
        int64_t first_ns = times.first_ns < 0 ? 0 : times.first_ns;
        trace->first_ns = any && trace->first_ns < first_ns ? trace->first_ns : first_ns;
        trace->last_ns = any && trace->last_ns > times.last_ns ? trace->last_ns : times.last_ns;
        any = 1;
    }
}

static int look_over(struct excerpt *self, struct source *source) {
    const struct listener listener = {note_event, note_sample, self};
    struct reader *reader = &self->trace.reader;
    reader->listener = &listener;
    int error = reader_read(reader, source);
    reader->listener = NULL;
    reader->size_bytes = source->file_bytes;
    source_close(source);
    if (error == MAREY_ENOMEM || timebase_settle(&reader->timebase) || processes_find(&self->trace))
        return MAREY_ENOMEM;
    settle_times(self);
    return error ? error : reader_is_trace(reader) ? 0 : MAREY_ENOTRACE;
}

int excerpt_open(struct excerpt *self, const struct excerpt_source *from, unsigned keep) {
    struct source source;
    *self = (struct excerpt){.from = *from, .keep = keep};
    trace_begin(&self->trace, keep);
    int error = open_source(from, &source);
    if (error)
        return error;
    self->is_whole =
        !source.file_bytes || (from->path && !strcmp(from->path, "-")) || json_is_next(&source);
    if (!self->is_whole)
        return look_over(self, &source);
    trace_free(&self->trace);
    return trace_read_source(&self->trace, &source, keep, NULL);
}

void excerpt_close(struct excerpt *self) {
    trace_free(&self->trace);
}

/* ---------------------------------------------------------- what is needed */

enum side { BEFORE_PART, IN_PART, BEHIND_PART };

/* A begin whose end has not been found. Texts are told by length and hash: their numbers serve again. */
struct open_begin {
    uint64_t number, name, category;
    enum side side;
};

/* How much of a track is kept. */
enum share {
    SHARE_NONE,
    SHARE_PART,
    /* all begins and ends: they are in no order, and will be matched when they are sorted */
    SHARE_SPANS,
    SHARE_ALL, /* what the recorder lost is told in any case */
};

struct search_track {
    enum share share;
    struct open_begin *open;
    uint32_t depth, capacity;
    uint64_t value; /* number of the last value before the part */
    int64_t value_ns;
    int has_value;
};

/* The second reading and the third. Events go by their numbers among all of the trace. */
struct search {
    const struct trace_filter *filter;
    struct timebase *timebase;   /* of all of the trace */
    struct trace second;         /* of the second reading */
    struct search_track *tracks; /* by place */
    uint32_t track_count;
    uint8_t *threads; /* by place among the sampled ones: not 0 where wanted */
    uint32_t thread_count;
    uint64_t number;  /* of the next event */
    uint64_t *needed; /* events that are not in the part, and that it needs */
    uint32_t needed_count, needed_capacity, next_needed;
    int has_changed; /* the file */
    int failed;      /* memory is short */
};

static struct search_track *track_of(const struct search *self, uint32_t place) {
    return place < self->track_count ? &self->tracks[place] : NULL;
}

/* Where in the trace's time a moment is. An event whose time cannot be told is no less wanted than others: what is made of
 * it, settling says. */
static enum side side_of(const struct search *self, uint8_t clock, int64_t *time_ns) {
    const struct trace_filter *filter = self->filter;
    if (clock >= self->timebase->clocks || timebase_convert(self->timebase, clock, time_ns))
        return IN_PART;
    if (filter->from_ns && *time_ns < filter->from_ns)
        return BEFORE_PART;
    return filter->to_ns && *time_ns >= filter->to_ns ? BEHIND_PART : IN_PART;
}

static void need(struct search *self, uint64_t number) {
    if (GROW(self->needed, self->needed_count, self->needed_capacity))
        self->failed = 1;
    else
        self->needed[self->needed_count++] = number;
}

static uint64_t text_of(const struct search *self, uint32_t string) {
    const struct string *text = &self->second.reader.strings.all[string];
    return string ? (uint64_t)text->length << 32 | text->hash : 0;
}

static void match_begin(struct search *self, struct search_track *track,
                        const struct open_begin *begin) {
    if (track->depth == SPAN_DEPTH_MAX)
        return;
    if (GROW(track->open, track->depth, track->capacity))
        self->failed = 1;
    else
        track->open[track->depth++] = *begin;
}

/* As matching.c does it. */
static void match_end(struct search *self, struct search_track *track,
                      const struct open_begin *end) {
    uint32_t at = track->depth;
    while (at > 0 && ((end->name && end->name != track->open[at - 1].name) ||
                      (end->category && end->category != track->open[at - 1].category)))
        at--;
    if (!at)
        return;
    struct open_begin begin = track->open[--at];
    track->depth--;
    memmove(track->open + at, track->open + at + 1, (track->depth - at) * sizeof *track->open);
    /* Of one that ends before others that it was around, these know their depth by it. */
    int is_around = begin.side == BEFORE_PART && end->side == BEFORE_PART && at < track->depth;
    if (is_around || (begin.side == BEFORE_PART && end->side != BEFORE_PART))
        need(self, begin.number);
    if (is_around || (begin.side != BEHIND_PART && end->side == BEHIND_PART))
        need(self, end->number);
}

static void match_value(struct search_track *track, uint64_t number, int64_t time_ns) {
    if (track->has_value && time_ns < track->value_ns)
        return;
    track->value = number;
    track->value_ns = time_ns;
    track->has_value = 1;
}

static void match_event(void *context, uint32_t place, const struct event *event) {
    struct search *self = context;
    struct search_track *track = track_of(self, place);
    uint64_t number = self->number++;
    int64_t time_ns = event->time_ns;
    if (!track || track->share == SHARE_NONE)
        return;
    enum side side = side_of(self, event->clock, &time_ns);
    if (event->kind == EVENT_COUNTER && side == BEFORE_PART)
        match_value(track, number, time_ns);
    if (track->share != SHARE_PART || !event_is_paired(event))
        return;
    const struct open_begin one = {number, text_of(self, event->name),
                                   text_of(self, event->category), side};
    if (event->kind == EVENT_BEGIN)
        match_begin(self, track, &one);
    else
        match_end(self, track, &one);
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* What is open at the end, and the values. */
static void match_rest(struct search *self) {
    for (uint32_t i = 0; i < self->track_count; i++) {
        const struct search_track *track = &self->tracks[i];
        for (uint32_t j = 0; j < track->depth; j++)
            if (track->open[j].side == BEFORE_PART)
                need(self, track->open[j].number);
        if (track->has_value)
            need(self, track->value);
    }
    if (self->needed_count)
        qsort(self->needed, self->needed_count, sizeof *self->needed, compare_numbers);
}

/* ----------------------------------------------------------- what is kept */

static int is_needed(struct search *self, uint64_t number) {
    int found = self->next_needed < self->needed_count && self->needed[self->next_needed] == number;
    self->next_needed += (uint32_t)found;
    return found;
}

static int choose_event(void *context, uint32_t place, const struct event *event) {
    struct search *self = context;
    const struct search_track *track = track_of(self, place);
    int64_t time_ns = event->time_ns;
    int needed = is_needed(self, self->number++);
    if (!track || track->share == SHARE_NONE)
        return 0;
    return needed || track->share == SHARE_ALL ||
           (track->share == SHARE_SPANS && event_is_paired(event)) ||
           side_of(self, event->clock, &time_ns) == IN_PART;
}

static int choose_sample(void *context, const struct taken_sample *sample) {
    struct search *self = context;
    struct taken_sample part = *sample;
    if (sample->thread >= self->thread_count || !self->threads[sample->thread])
        return 0;
    return sample->clock >= self->timebase->clocks ||
           timebase_convert(self->timebase, sample->clock, &part.time_ns) ||
           filter_clip_sample(self->filter, &part);
}

/* ------------------------------------------------------------------- all */

static int search_open(struct search *self, const struct excerpt *excerpt,
                       const struct trace_filter *filter) {
    const struct trace *trace = &excerpt->trace;
    const struct tracks *tracks = &trace->reader.tracks;
    const struct samples *samples = &trace->reader.samples;
    uint8_t *wanted = filter_tracks(filter, trace);
    self->tracks = calloc(tracks->count + 1u, sizeof *self->tracks);
    self->threads = malloc(samples->thread_count + 1u);
    int failed = !wanted || !self->tracks || !self->threads;
    for (uint32_t i = 0; !failed && i < tracks->count; i++)
        self->tracks[i].share = trace_is_loss(trace, &tracks->all[i]) ? SHARE_ALL
                                : !wanted[i]                          ? SHARE_NONE
                                : tracks->all[i].disordered           ? SHARE_SPANS
                                                                      : SHARE_PART;
    for (uint32_t i = 0; !failed && i < samples->thread_count; i++)
        self->threads[i] = (uint8_t)filter_has_thread(filter, trace, samples->threads[i].thread);
    self->track_count = tracks->count;
    self->thread_count = samples->thread_count;
    free(wanted);
    return failed ? MAREY_ENOMEM : 0;
}

static void search_close(struct search *self) {
    for (uint32_t i = 0; self->tracks && i < self->track_count; i++)
        free(self->tracks[i].open);
    free(self->tracks);
    free(self->threads);
    free(self->needed);
}

/* The second reading. */
static int search_match(struct search *self, const struct excerpt *excerpt) {
    const struct listener listener = {.event = match_event, .context = self};
    struct reader *reader = &self->second.reader;
    struct source source;
    int error = open_source(&excerpt->from, &source);
    if (error)
        return error;
    /* By what will be kept: what is read otherwise may be found damaged otherwise. */
    trace_begin(&self->second, excerpt->keep);
    reader->listener = &listener;
    error = reader_read(reader, &source);
    match_rest(self);
    self->has_changed |= reader->packets != excerpt->trace.reader.packets;
    trace_free(&self->second);
    source_close(&source);
    return self->failed ? MAREY_ENOMEM : error;
}

/* The third. */
static int search_keep(struct search *self, const struct excerpt *excerpt, struct trace *part) {
    const struct chooser chooser = {choose_event, choose_sample, self};
    struct source source;
    int error = open_source(&excerpt->from, &source);
    if (error)
        return error;
    self->number = 0;
    error = trace_read_source(part, &source, excerpt->keep, &chooser);
    self->has_changed |= part->reader.packets != excerpt->trace.reader.packets;
    return error;
}

static int read_part(struct excerpt *self, const struct trace_filter *filter, struct trace *part) {
    struct search search = {.filter = filter, .timebase = &self->trace.reader.timebase};
    int error = search_open(&search, self, filter);
    if (!error && (filter->from_ns || filter->to_ns))
        error = search_match(&search, self);
    if (!error)
        error = search_keep(&search, self, part);
    self->is_whole = search.has_changed;
    search_close(&search);
    return error;
}

/* The part is the trace from now on, with the times of all of it. */
static void put_part(struct excerpt *self, const struct trace *part) {
    int64_t first_ns = self->trace.first_ns, last_ns = self->trace.last_ns;
    trace_free(&self->trace);
    self->trace = *part;
    if (!part->first_ns || first_ns < part->first_ns)
        self->trace.first_ns = first_ns;
    if (last_ns > part->last_ns)
        self->trace.last_ns = last_ns;
}

int excerpt_read(struct excerpt *self, const struct trace_filter *filter) {
    struct trace part = {.spans = NULL};
    struct source source;
    if (self->is_whole)
        return 0;
    int error = read_part(self, filter, &part);
    put_part(self, &part);
    if (error || !self->is_whole)
        return error;
    trace_free(&self->trace);
    error = open_source(&self->from, &source);
    return error ? error : trace_read_source(&self->trace, &source, self->keep, NULL);
}
