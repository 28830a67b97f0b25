/* See tail_text.h. */
#include "cli/tail_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/processes.h"
#include "output/event_args.h"

enum { NS_PER_SECOND = 1000000000, NS_PER_US = 1000 };

static const char DIM[] = "\033[2m", BOLD[] = "\033[1m", RED[] = "\033[31m", PLAIN[] = "\033[0m";

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

char *tail_line_make(struct tail_lines *self, const struct happening *what) {
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
