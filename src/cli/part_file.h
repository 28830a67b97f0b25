/* A part of a trace that becomes a file. */
#ifndef MAREY_CLI_PART_FILE_H
#define MAREY_CLI_PART_FILE_H

#include "cli/filter_options.h"
#include "cli/progress.h"
#include "model/excerpt.h"
#include "output/format.h"

/* Reads the part that the options want, and keeps no more than that, for the command that the progress is of, which has
 * begun and goes on. Returns -1, or an exit status after it has said why the file is not read; excerpt_close in every
 * case. */
int part_read(struct excerpt *excerpt, const char *path, unsigned keep,
              struct filter_options *options, struct progress *progress);

/* Says that what was written is empty, where it is: because of the part that was asked for, or because the trace has
 * nothing that the format has a place for. */
void part_say_empty(const char *command, const char *path, const struct trace *trace,
                    const struct format *format, const struct format_request *request);

#endif
