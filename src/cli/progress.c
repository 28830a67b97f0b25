/* See progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "output/display.h"

static const uint64_t silent_ns = 1000000000, between_ns = 100000000;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* So many bytes of `of` (0: not known) are done. */
static void step(struct progress *progress, const char *doing, uint64_t bytes, uint64_t of) {
    char done[DISPLAY_ROOM], all[DISPLAY_ROOM];
    if (!progress->is_terminal)
        return;
    uint64_t now = now_ns();
    if (now - progress->start_ns < silent_ns || now - progress->shown_ns < between_ns)
        return;
    progress->shown_ns = now;
    display_size(done, sizeof done, bytes);
    display_size(all, sizeof all, of);
    if (of && bytes <= of)
        fprintf(stderr, "\rmarey %s: %s %.0f %% (%s of %s)\033[K", progress->command, doing,
                100.0 * (double)bytes / (double)of, done, all);
    else
        fprintf(stderr, "\rmarey %s: %s %s\033[K", progress->command, doing, done);
    fflush(stderr);
}

static void hear_reading(void *context, uint64_t bytes, uint64_t of) {
    struct progress *progress = context;
    char doing[64] = "reading";
    if (progress->times) {
        progress->time += !progress->time || bytes < progress->heard_bytes;
        snprintf(doing, sizeof doing, "reading %u of %u,", progress->time, progress->times);
    }
    progress->heard_bytes = bytes;
    step(progress, doing, bytes, of);
}

void progress_begin(struct progress *progress, const char *command) {
    *progress = (struct progress){.command = command,
                                  .start_ns = now_ns(),
                                  .is_terminal = isatty(STDERR_FILENO),
                                  .watch = {hear_reading, progress}};
}

void progress_turn(struct progress *progress, const char *doing) {
    if (!progress->shown_ns)
        return;
    fprintf(stderr, "\rmarey %s: %s\033[K", progress->command, doing);
    fflush(stderr);
}

void progress_end(struct progress *progress) {
    if (progress->shown_ns)
        fputs("\r\033[K", stderr);
    progress->shown_ns = 0;
}
