/* Processes that are looked into: by their numbers on the command line, by their words for people, and why one cannot
 * be looked into. */
#ifndef MAREY_CLI_PIDS_H
#define MAREY_CLI_PIDS_H

#include <stdint.h>
#include <sys/types.h>

#include "output/display.h"
#include "stack/sampler.h"

enum { COMMAND_LINE_MAX = 16384 /* bytes of one; more is cut */ };

/* A process's arguments, each NUL-terminated, and how many bytes. 0 bytes where it has none, or is gone. */
struct command_line {
    char words[COMMAND_LINE_MAX];
    size_t bytes;
};
void command_line_read(struct command_line *line, pid_t pid);
/* The next word, or NULL: `for (const char *word = NULL; (word = command_line_next(line, word));)`. */
const char *command_line_next(const struct command_line *line, const char *word);
/* As one would type it, made harmless, cut to `columns` (0: not cut). */
void command_line_show(const struct command_line *line, struct text *to, size_t columns);

/* A number of a process. Returns 0, or -1. */
int parse_pid(const char *text, pid_t *pid);

/* Can it be sampled in this mode? Returns 0, or EXIT_USAGE after it has said why not. */
int pid_check(const char *command, pid_t pid, enum sampler_mode mode);

/* "4711 (nginx): there is no Python in it": what pid_error says, for a place of one's own. */
void pid_explain(struct text *to, pid_t pid, int error, uint32_t version);

/* Says on stderr why a process cannot be looked into, and what to do. error: what process_open returned, version: what
 * it found (0: nothing). Returns EXIT_USAGE. */
int pid_error(const char *command, pid_t pid, int error, uint32_t version);

#endif
