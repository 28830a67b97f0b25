/* See input.h. */
#include "cli/input.h"

#include <inttypes.h>
#include <stdio.h>

#include "output/display.h"

static void say(const struct input *input, const char *what) {
    struct text shown = {0};
    display_add(&shown, input->path, 0);
    fprintf(stderr, "marey %s: %s: %s\n", input->command, text_of(&shown), what);
    text_free(&shown);
}

int input_open(struct input *self, const char *command, const char *path,
               const struct listener *listener) {
    *self = (struct input){.command = command, .path = path};
    int error = source_open(&self->source, path);
    if (error) {
        say(self, marey_strerror(error));
        return -1;
    }
    reader_init(&self->reader);
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
    char line[512];
    snprintf(line, sizeof line, "%" PRIu64 " x %s (first at byte %" PRIu64 ")", damage->count[kind],
             damage_text(kind), damage->place[kind][0]);
    say(self, line);
}

int input_check(const struct input *self) {
    const struct damage *damage = &self->reader.damage;
    int wrong = 0;
    if (self->reader.error) {
        say(self, marey_strerror(self->reader.error));
        return 1;
    }
    if (!reader_is_trace(&self->reader)) {
        say(self, marey_strerror(MAREY_ENOTRACE));
        return 1;
    }
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
    walker_close(&self->walker);
    source_close(&self->source);
    reader_free(&self->reader);
}
