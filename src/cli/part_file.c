/* See part_file.h. */
#include "cli/part_file.h"

#include <string.h>

#include "cli/command.h"
#include "cli/reading.h"

int part_read(struct excerpt *excerpt, const char *path, unsigned keep,
              struct filter_options *options, struct progress *progress) {
    const struct excerpt_source from = {.path = path, .watch = &progress->watch};
    progress->times = strcmp(path, "-") ? EXCERPT_TIMES : 0;
    int error = excerpt_open(excerpt, &from, keep);
    int status = error ? EXIT_FOUND : filter_settle(options, progress->command, &excerpt->trace);
    if (!error && status < 0)
        error = excerpt_read(excerpt, &options->filter);
    if (!error)
        return status;
    progress_end(progress);
    return say_unreadable(progress->command, path, &excerpt->trace.reader, error);
}

void part_say_empty(const char *command, const char *path, const struct trace *trace,
                    const struct format *format, const struct format_request *request) {
    static const char empty[] = "what is written is empty";
    if (format_finds(format, trace, request) != 0)
        return;
    if (filter_is_any(&request->filter))
        say_of_file(command, path,
                    "nothing of that: %s; 'marey info' shows which processes and threads there are",
                    empty);
    else if (format_kinds(format, trace, request) == HOLDS_SPANS)
        say_of_file(command, path, "it has no spans: %s", empty);
    else if (format_kinds(format, trace, request) == HOLDS_SAMPLES)
        say_of_file(command, path, "it has no samples: %s", empty);
    else
        say_of_file(command, path, "it has nothing that the format %s has a place for: %s",
                    format->name, empty);
}
