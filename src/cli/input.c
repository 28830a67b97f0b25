/* See input.h. */
#include "cli/input.h"

#include <inttypes.h>

#include "cli/command.h"
#include "cli/reading.h"
#include "model/json.h"

int input_open(struct input *self, const char *command, const char *path,
               const struct listener *listener) {
    *self = (struct input){.command = command, .path = path};
    int error = source_open(&self->source, path);
    if (error) {
        read_error(command, path, error);
        return -1;
    }
    if (json_is_next(&self->source)) {
        say_of_file(command, path,
                    "JSON, of which 'marey convert' makes a Perfetto trace: marey %s takes that",
                    command);
        source_close(&self->source);
        return -1;
    }
    progress_begin(&self->progress, command);
    self->source.watch = &self->progress.watch;
    reader_init(&self->reader);
    reader_look(&self->reader, &self->source);
    self->reader.listener = listener;
    walker_open(&self->walker, &self->source, &self->reader.damage);
    return 0;
}

int input_next(struct input *self) {
    uint64_t lost;
    if (self->reader.packets)
        reader_forget(&self->reader, &self->packet, self->strings);
    do {
        self->strings = self->reader.strings.count;
        lost = self->reader.damage.count[DAMAGE_TIME];
        if (!reader_next(&self->reader, &self->walker, &self->packet))
            return 0;
    } while (self->reader.damage.count[DAMAGE_TIME] != lost);
    return 1;
}

static void say_damage(const struct input *self, enum damage_kind kind) {
    const struct damage *damage = &self->reader.damage;
    say_of_file(self->command, self->path, "%" PRIu64 " x %s (first at byte %" PRIu64 ")",
                damage->count[kind], damage_text(kind), damage->place[kind][0]);
}

int input_check(struct input *self) {
    const struct damage *damage = &self->reader.damage;
    int wrong = 0;
    int error = self->reader.error               ? self->reader.error
                : reader_is_trace(&self->reader) ? 0
                                                 : MAREY_ENOTRACE;
    progress_end(&self->progress);
    if (error)
        return say_unreadable(self->command, self->path, &self->reader, error);
    for (int kind = 0; kind < DAMAGE_KINDS; kind++) {
        int matters = damage_harm(kind) == HARM_DAMAGE || kind == LOSS_NESTED || kind == LOSS_ZSTD;
        if (!matters || !damage->count[kind])
            continue;
        say_damage(self, kind);
        wrong = 1;
    }
    return wrong;
}

void input_close(struct input *self) {
    progress_end(&self->progress);
    walker_close(&self->walker);
    source_close(&self->source);
    reader_free(&self->reader);
}
