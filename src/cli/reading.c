/* See reading.h. */
#include "cli/reading.h"

#include <inttypes.h>

#include "cli/command.h"

int say_unreadable(const char *command, const char *path, const struct reader *reader, int error) {
    const char *text = marey_strerror(error);
    return error == MAREY_ENOTRACE
               ? say_of_file(command, path, "%s, but %s", text, reader->looks_like)
               : say_of_file(command, path, "%s", text);
}

int read_watched(struct trace *trace, const char *path, unsigned keep, struct progress *progress) {
    int error = trace_read_watched(trace, path, keep, &progress->watch);
    if (!error)
        return -1;
    progress_end(progress);
    return say_unreadable(progress->command, path, &trace->reader, error);
}

int read_trace(struct trace *trace, const char *command, const char *path, unsigned keep) {
    struct progress progress;
    progress_begin(&progress, command);
    int status = read_watched(trace, path, keep, &progress);
    progress_end(&progress);
    return status;
}

int say_damaged(const char *command, const char *path, const struct trace *trace,
                const char *done) {
    const struct damage *damage = &trace->reader.damage;
    uint64_t place = damage_first_place(damage, HARM_DAMAGE);
    if (!damage_total(damage, HARM_DAMAGE))
        return 0;
    if (place == UINT64_MAX)
        say_of_file(command, path, "damaged; what can be read of it is %s (marey check says more)",
                    done);
    else
        say_of_file(command, path,
                    "damaged at byte %" PRIu64
                    "; what can be read of it is %s (marey check says more)",
                    place, done);
    return 1;
}
