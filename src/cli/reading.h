/* How a command reads a trace: how far it has come, what is wrong with it. */
#ifndef MAREY_CLI_READING_H
#define MAREY_CLI_READING_H

#include "cli/progress.h"
#include "model/trace.h"

/* trace_read for the command that the progress is of, which has begun and goes on. Returns -1, or an exit status after it
 * has said why the file is not read; trace_free in every case. */
int read_watched(struct trace *trace, const char *path, unsigned keep, struct progress *progress);
/* The same where nothing that takes long comes behind it. */
int read_trace(struct trace *trace, const char *command, const char *path, unsigned keep);

/* Says why something is no trace that reader_look has looked at, or why reading it failed. Returns EXIT_FOUND. */
int say_unreadable(const char *command, const char *path, const struct reader *reader, int error);
/* Whether the trace is damaged, which is said: at which byte, and what became of the rest: "shown". */
int say_damaged(const char *command, const char *path, const struct trace *trace, const char *done);

#endif
