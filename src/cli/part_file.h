/* A part of a trace that becomes a file. */
#ifndef MAREY_CLI_PART_FILE_H
#define MAREY_CLI_PART_FILE_H

#include "cli/filter_options.h"
#include "output/format.h"

/* Says that what was written is empty, where it is: because of the part that was asked for, or because the trace has
 * nothing that the format has a place for. */
void part_say_empty(const char *command, const char *path, const struct trace *trace,
                    const struct format *format, const struct format_request *request);

#endif
