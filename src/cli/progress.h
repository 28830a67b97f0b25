/* How far a command has come with a large file: a line on the standard error, which goes away when the work is done. Only
 * where that is a terminal, and only when a second has passed. */
#ifndef MAREY_CLI_PROGRESS_H
#define MAREY_CLI_PROGRESS_H

#include "model/source.h"

struct progress {
    const char *command;
    uint64_t start_ns, shown_ns; /* shown_ns: of the line that stands there; 0: none does */
    int is_terminal;
    unsigned times, time; /* the file is read so often, and so often it has begun; 0: once */
    uint64_t heard_bytes; /* last */
    /* for trace_read_watched: "reading 45 % (1.1 GiB of 2.4 GiB)", or "reading 2 of 3, 45 % ..." */
    struct source_watch watch;
};

/* It stays where it is until its end: the watch points to it. */
void progress_begin(struct progress *progress, const char *command);
/* Something else begins, which nothing is known of: "writing". Shown where a line stands already. */
void progress_turn(struct progress *progress, const char *doing);
/* The line goes away. */
void progress_end(struct progress *progress);

#endif
