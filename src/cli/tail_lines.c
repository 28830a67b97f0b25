/* See tail_lines.h. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/tail_lines.h"
#include "model/grow.h"
#include "model/inflate.h"
#include "model/processes.h"
#include "output/event_args.h"

enum { LINES_BATCH = 1 << 16, NS_PER_SECOND = 1000000000, NS_PER_US = 1000 };

static const char DIM[] = "\033[2m", BOLD[] = "\033[1m", RED[] = "\033[31m", PLAIN[] = "\033[0m";
static const char loss_prefix[] = "marey lost: ";

/* ---------------------------------------------------------- who, where, when */

static const struct listed_process *listed_process(const struct tail_lines *self,
                                                   const struct track *owner) {
    const struct process_tree *tree = &self->trace.reader.tree;
    for (uint32_t i = 0; i < tree->process_count; i++)
        if (tree->processes[i].pid == owner->pid && tree->processes[i].machine == owner->machine)
            return &tree->processes[i];
    return NULL;
}

/* The place of the process's own track; MAP_NONE where it has none. Those that were found are known from then on. */
static uint32_t process_track(struct tail_lines *self, const struct track *owner) {
    const struct tracks *tracks = &self->trace.reader.tracks;
    uint64_t key = (uint64_t)owner->machine << 32 | (uint32_t)owner->pid;
    uint32_t known = map_get(&self->processes, key);
    for (uint32_t i = 0; known == MAP_NONE && i < tracks->count; i++) {
        const struct track *track = &tracks->all[i];
        if (track->kind != TRACK_PROCESS || track->pid != owner->pid ||
            track->machine != owner->machine)
            continue;
        known = i;
        (void)map_put(&self->processes, key, i);
    }
    return known;
}

/* The name of the process that a track belongs to; "" for none. */
static const char *process_name(struct tail_lines *self, const struct track *owner) {
    uint32_t place = owner ? process_track(self, owner) : (uint32_t)MAP_NONE;
    if (place != MAP_NONE && self->trace.reader.tracks.all[place].name)
        return trace_text(&self->trace, self->trace.reader.tracks.all[place].name);
    const struct listed_process *listed = owner ? listed_process(self, owner) : NULL;
    return listed ? trace_text(&self->trace, listed->name) : "";
}

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

/* The wall-clock time, or the trace's own where that is not known. */
static void add_time(struct text *to, const struct tail_lines *self, int64_t time_ns) {
    int64_t wall_ns = timebase_wall_ns(&self->trace.reader.timebase, time_ns);
    int64_t shown = wall_ns ? wall_ns : time_ns;
    time_t seconds = shown / NS_PER_SECOND;
    char clock[32];
    struct tm local;
    if (wall_ns && localtime_r(&seconds, &local) &&
        strftime(clock, sizeof clock, "%H:%M:%S", &local))
        text_add(to, clock);
    else
        text_addf(to, "%" PRId64, (int64_t)seconds);
    text_addf(to, ".%06" PRId64, shown % NS_PER_SECOND / NS_PER_US);
}

/* ------------------------------------------------------------------- a line */

/* What a line is about. */
struct happening {
    const char *kind; /* "span", "instant", "counter", "lost" */
    const struct track *track;
    const char *name;
    int64_t time_ns, duration_ns; /* duration -1: it has none */
    const char *args, *end_args;  /* as texts or objects, see args_text; NULL: none */
    double value;                 /* of a counter, a loss */
    const char *unit;
};

static void add_styled(const struct tail_lines *self, struct text *to, const char *style,
                       const char *string) {
    if (self->colour)
        text_add(to, style);
    display_add(to, string, 0);
    if (self->colour)
        text_add(to, PLAIN);
}

static void add_where(struct tail_lines *self, struct text *to, const struct track *track) {
    const struct track *owner = track_owner(&self->trace, track);
    if (owner) {
        text_add(to, "  ");
        display_add(to, process_name(self, owner), 0);
        text_addf(to, " %" PRId64, owner->pid);
    }
    if (owner && owner->kind == TRACK_THREAD && owner->name) {
        text_add(to, "  ");
        display_add(to, trace_text(&self->trace, owner->name), 0);
    }
    if (track != owner && track->kind == TRACK_CUSTOM && track->name) {
        text_add(to, "  ");
        display_add(to, trace_text(&self->trace, track->name), 0);
    }
}

static void add_value(struct text *to, const struct happening *what) {
    text_addf(to, "  = %.15g", what->value);
    if (what->unit && *what->unit) {
        text_add(to, " ");
        display_add(to, what->unit, 0);
    }
}

static void text_line(struct tail_lines *self, const struct happening *what, struct text *to) {
    char length[DISPLAY_ROOM];
    int is_value = *what->kind == 'c' || *what->kind == 'l';
    if (self->colour)
        text_add(to, DIM);
    add_time(to, self, what->time_ns);
    add_where(self, to, what->track);
    if (self->colour)
        text_add(to, PLAIN);
    text_add(to, "  ");
    add_styled(self, to, *what->kind == 'l' ? RED : BOLD, what->name);
    if (what->duration_ns >= 0) {
        display_duration(length, sizeof length, what->duration_ns);
        text_addf(to, "  %s", length);
    }
    if (is_value)
        add_value(to, what);
    text_add(to, what->args ? what->args : "");
    text_add(to, what->end_args ? what->end_args : "");
    text_add(to, "\n");
}

static void json_place(struct tail_lines *self, struct json *json, const struct track *track) {
    const struct track *owner = track_owner(&self->trace, track);
    if (owner) {
        json_integer(json, "pid", owner->pid);
        json_text(json, "process", process_name(self, owner));
    }
    if (owner && owner->kind == TRACK_THREAD) {
        json_integer(json, "tid", owner->tid);
        json_text(json, "thread", trace_text(&self->trace, owner->name));
    }
    if (track != owner && track->kind == TRACK_CUSTOM)
        json_text(json, "track", trace_text(&self->trace, track->name));
}

/* Those of a span's begin and end as one object. */
static void json_args(struct json *json, const struct happening *what) {
    struct text both = {0};
    if (what->args && what->end_args) {
        text_add_bytes(&both, what->args, strlen(what->args) - 1);
        text_addf(&both, ", %s", what->end_args + 1);
        json_raw(json, "args", text_of(&both));
    } else if (what->args || what->end_args) {
        json_raw(json, "args", what->args ? what->args : what->end_args);
    }
    text_free(&both);
}

static void json_line(struct tail_lines *self, const struct happening *what, FILE *to) {
    const struct timebase *timebase = &self->trace.reader.timebase;
    int64_t begin_ns = what->time_ns - (what->duration_ns > 0 ? what->duration_ns : 0);
    int64_t wall_ns = timebase_wall_ns(timebase, begin_ns);
    struct json json;
    json_init(&json, to, 0);
    json_object(&json, NULL);
    json_text(&json, "kind", what->kind);
    json_text(&json, "name", what->name);
    json_integer(&json, "time_ns", begin_ns);
    if (wall_ns)
        json_integer(&json, "wall_ns", wall_ns);
    if (what->duration_ns >= 0)
        json_integer(&json, "duration_ns", what->duration_ns);
    json_place(self, &json, what->track);
    if (*what->kind == 'c' || *what->kind == 'l')
        json_double(&json, "value", what->value);
    if (what->unit && *what->unit)
        json_text(&json, "unit", what->unit);
    json_args(&json, what);
    json_end(&json);
    json_finish(&json);
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

static char *make_line(struct tail_lines *self, const struct happening *what) {
    struct text line = {0};
    char *bytes = NULL;
    size_t size = 0;
    if (!self->json) {
        text_line(self, what, &line);
        return line.bytes;
    }
    FILE *memory = open_memstream(&bytes, &size);
    if (!memory)
        return NULL;
    json_line(self, what, memory);
    fclose(memory);
    return bytes;
}

static void add_line(struct tail_lines *self, const struct happening *what) {
    char *text = make_line(self, what);
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
