/* See tail_lines.h. */
#include "cli/tail_lines.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tail_text.h"
#include "model/grow.h"
#include "model/inflate.h"
#include "model/processes.h"
#include "output/event_args.h"

enum { LINES_BATCH = 1 << 16 };

static const char loss_prefix[] = "marey lost: ";

/* ------------------------------------------------------------------- lines */

static int matches(const char *const *patterns, uint32_t count, const char *text) {
    for (uint32_t i = 0; i < count; i++)
        if (!fnmatch(patterns[i], text, 0))
            return 1;
    return count == 0;
}

static int wants(const struct tail_lines *self, const struct track *track, const char *name) {
    const struct tail_filter *filter = &self->filter;
    const struct track *owner = track_owner(&self->trace, track);
    char id[24];
    if (!matches(filter->names, filter->name_count, name))
        return 0;
    if (!filter->thread_count)
        return 1;
    if (!owner || owner->kind != TRACK_THREAD)
        return 0;
    snprintf(id, sizeof id, "%" PRId64, owner->tid);
    return matches(filter->threads, filter->thread_count, trace_text(&self->trace, owner->name)) ||
           matches(filter->threads, filter->thread_count, id);
}

static int compare_lines(const void *a, const void *b) {
    const struct tail_line *left = a, *right = b;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static void sort_lines(struct tail_lines *self) {
    if (self->line_count)
        qsort(self->lines, self->line_count, sizeof *self->lines, compare_lines);
}

/* Of very many lines the last that are wanted. */
static void drop_early(struct tail_lines *self) {
    uint64_t most = self->keep * 2 + LINES_BATCH;
    if (self->all || self->line_count < most)
        return;
    uint32_t drop = self->line_count - (uint32_t)self->keep;
    sort_lines(self);
    for (uint32_t i = 0; i < drop; i++)
        free(self->lines[i].text);
    memmove(self->lines, self->lines + drop, (self->line_count - drop) * sizeof *self->lines);
    self->line_count -= drop;
}

static void add_line(struct tail_lines *self, const struct happening *what) {
    char *text = tail_line_make(self, what);
    if (!text || GROW(self->lines, self->line_count, self->line_capacity)) {
        free(text);
        self->failed = 1;
        return;
    }
    self->lines[self->line_count++] = (struct tail_line){what->time_ns, self->numbers++, text};
    drop_early(self);
}

/* ------------------------------------------------------------------- events */

/* Arguments, as they go into a line; NULL for none. The caller frees. */
static char *args_text(const struct tail_lines *self, uint32_t place) {
    const struct arguments *arguments = &self->trace.reader.arguments;
    const struct detail *detail = place ? &arguments->details[place] : NULL;
    struct text text = {0};
    if (!detail || !detail->size)
        return NULL;
    for (uint32_t i = 0; i < detail->size;) {
        const struct value *value = &arguments->values[detail->first + i];
        text_add(&text, "  ");
        display_add(&text, trace_text(&self->trace, value->key), 0);
        text_add(&text, "=");
        value_add(&text, &self->trace, value, VALUE_WRITTEN);
        i += 1 + value->inside;
    }
    return text.bytes;
}

static char *args_object(const struct tail_lines *self, uint32_t place) {
    char *bytes = NULL;
    size_t size = 0;
    struct json json;
    FILE *memory = place ? open_memstream(&bytes, &size) : NULL;
    if (!memory)
        return NULL;
    json_init(&json, memory, 0);
    int any = event_args_json(&json, &self->trace, NULL, place);
    fclose(memory);
    if (!any) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static char *args_of(const struct tail_lines *self, uint32_t place) {
    return self->json ? args_object(self, place) : args_text(self, place);
}

static struct tail_track *track_at(struct tail_lines *self, uint32_t place) {
    while (place >= self->track_count) {
        if (GROW(self->tracks, self->track_count, self->track_capacity))
            return NULL;
        self->tracks[self->track_count++] = (struct tail_track){0};
    }
    return &self->tracks[place];
}

static void hear_begin(struct tail_lines *self, struct tail_track *track, const struct event *event,
                       int64_t time_ns) {
    if (track->depth >= SPAN_DEPTH_MAX)
        return;
    if (GROW(track->open, track->depth, track->capacity)) {
        self->failed = 1;
        return;
    }
    struct tail_open *open = &track->open[track->depth++];
    open->begin_ns = time_ns;
    open->name = strdup(trace_text(&self->trace, event->name));
    open->args = args_of(self, event->detail);
    self->failed |= !open->name;
}

/* The innermost span of that name, or the innermost; -1: none. */
static int find_open(const struct tail_lines *self, const struct tail_track *track,
                     const struct event *event) {
    const char *name = trace_text(&self->trace, event->name);
    int at = (int)track->depth - 1;
    while (at >= 0 && event->name &&
           strcmp(name, track->open[at].name ? track->open[at].name : "") != 0)
        at--;
    return at;
}

static void hear_end(struct tail_lines *self, struct tail_track *track, const struct track *where,
                     const struct event *event, int64_t time_ns) {
    int at = find_open(self, track, event);
    if (at < 0)
        return;
    struct tail_open span = track->open[at];
    memmove(&track->open[at], &track->open[at + 1],
            (track->depth - (uint32_t)at - 1) * sizeof *track->open);
    track->depth--;
    const char *name = span.name ? span.name : "";
    int64_t duration_ns = time_ns - span.begin_ns;
    if (wants(self, where, name) && duration_ns >= self->filter.min_ns) {
        char *end_args = args_of(self, event->detail);
        struct happening what = {"span",    where,    name, time_ns, duration_ns,
                                 span.args, end_args, 0,    NULL};
        add_line(self, &what);
        free(end_args);
    }
    free(span.name);
    free(span.args);
}

static void hear_instant(struct tail_lines *self, const struct track *where,
                         const struct event *event, int64_t time_ns) {
    const char *name = trace_text(&self->trace, event->name);
    if (self->filter.min_ns || !wants(self, where, name))
        return;
    char *args = args_of(self, event->detail);
    struct happening what = {"instant", where, name, time_ns, -1, args, NULL, 0, NULL};
    add_line(self, &what);
    free(args);
}

/* A counter of losses stands in the file once and changes there: what it says is news where it has risen. */
static void hear_value(struct tail_lines *self, struct tail_track *track, const struct track *where,
                       const struct event *event, int64_t time_ns) {
    const char *name = trace_text(&self->trace, where->name);
    int is_loss = !strncmp(name, loss_prefix, sizeof loss_prefix - 1);
    if (is_loss && event->value <= track->value)
        return;
    track->value = event->value;
    if (!is_loss && (self->filter.min_ns || !wants(self, where, name)))
        return;
    struct happening what = {
        is_loss ? "lost" : "counter",         where, name, time_ns, -1, NULL, NULL, event->value,
        trace_text(&self->trace, where->unit)};
    add_line(self, &what);
}

static void hear_event(void *context, uint32_t place, const struct event *event) {
    struct tail_lines *self = context;
    struct reader *reader = &self->trace.reader;
    int64_t time_ns = event->time_ns;
    struct tail_track *track = track_at(self, place);
    if (self->snapshots != reader->timebase.snapshot_count) {
        reader->timebase.step_count = 0;
        self->failed |= timebase_settle(&reader->timebase) != 0;
        self->snapshots = reader->timebase.snapshot_count;
    }
    if (!track) {
        self->failed = 1;
        return;
    }
    if (event->clock >= reader->timebase.clocks ||
        timebase_convert(&reader->timebase, event->clock, &time_ns))
        return;
    const struct track *where = &reader->tracks.all[place];
    switch (event->kind) {
    case EVENT_BEGIN: hear_begin(self, track, event, time_ns); break;
    case EVENT_END: hear_end(self, track, where, event, time_ns); break;
    case EVENT_INSTANT: hear_instant(self, where, event, time_ns); break;
    case EVENT_COUNTER: hear_value(self, track, where, event, time_ns); break;
    default: break;
    }
}

/* --------------------------------------------------------------------- file */

void tail_lines_init(struct tail_lines *self, int colour) {
    *self = (struct tail_lines){.colour = colour, .snapshots = UINT32_MAX};
    self->listener = (struct listener){.event = hear_event, .context = self};
    reader_init(&self->trace.reader);
    self->trace.reader.listener = &self->listener;
    self->trace.reader.arguments.wanted = ARGUMENTS_ALL;
}

void tail_lines_free(struct tail_lines *self) {
    for (uint32_t i = 0; i < self->track_count; i++) {
        for (uint32_t j = 0; j < self->tracks[i].depth; j++) {
            free(self->tracks[i].open[j].name);
            free(self->tracks[i].open[j].args);
        }
        free(self->tracks[i].open);
    }
    for (uint32_t i = 0; i < self->line_count; i++)
        free(self->lines[i].text);
    free(self->tracks);
    map_free(&self->processes);
    free(self->lines);
    reader_free(&self->trace.reader);
}

static void take_packet(struct tail_lines *self, const struct packet *packet) {
    struct reader *reader = &self->trace.reader;
    uint32_t strings = reader->strings.count;
    packet_read(reader, packet);
    reader_forget(reader, packet, strings);
}

static void take_compressed(struct tail_lines *self, const struct packet *packet) {
    struct reader *reader = &self->trace.reader;
    struct source source;
    struct walker walker;
    struct packet inner;
    uint8_t *plain;
    size_t size;
    if (inflate_bytes(packet->compressed, &plain, &size))
        return;
    source_open_memory(&source, plain, size);
    walker_open(&walker, &source, &reader->damage);
    for (uint32_t strings = reader->strings.count; reader_next(reader, &walker, &inner);
         strings = reader->strings.count)
        reader_forget(reader, &inner, strings);
    walker_close(&walker);
    free(plain);
}

void tail_lines_take(struct tail_lines *self, struct bytes bytes, uint64_t offset) {
    struct packet packet;
    self->trace.reader.packets++;
    if (packet_split(&packet, bytes, offset))
        return;
    if (packet.compressed.at)
        take_compressed(self, &packet);
    else
        take_packet(self, &packet);
}

void tail_lines_write(struct tail_lines *self, FILE *to) {
    uint32_t first = 0;
    sort_lines(self);
    if (!self->all && self->line_count > self->keep)
        first = self->line_count - (uint32_t)self->keep;
    for (uint32_t i = 0; i < self->line_count; i++) {
        if (i >= first)
            fputs(self->lines[i].text, to);
        free(self->lines[i].text);
    }
    self->line_count = 0;
}
