/* The commands of `marey`, and what they share: options, errors, the nearest word. */
#ifndef MAREY_CLI_COMMAND_H
#define MAREY_CLI_COMMAND_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

#include "marey.h"

enum {
    EXIT_OK = 0,
    /* the trace is damaged, is none or cannot be read, or what was looked for is there */
    EXIT_FOUND = 1,
    EXIT_USAGE = 2, /* a wrong option */
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
};

struct command {
    const char *name;
    const char *summary;
    const char *help; /* the whole page */
    /* argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run, command_attach, command_dump, command_top, command_report,
    command_tree, command_view, command_convert, command_info, command_check, command_pack,
    command_merge, command_tail, command_cut, command_diff;

/* Says on stderr what is wrong: "marey info: ...". Returns EXIT_USAGE. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* After getopt_long gave '?' or ':': says which option is wrong, and the nearest. Returns EXIT_USAGE. */
int option_error(const char *command, int code, char **argv, const struct option *options);
/* Says something of a file that is read ("-": the standard input): "marey info: FILE: ...". Returns EXIT_FOUND. */
int say_of_file(const char *command, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of one that cannot be read: an enum marey_error. */
int read_error(const char *command, const char *path, int error);
/* A trace that cannot be made: the same, and what to do about it. Returns EXIT_USAGE. */
int record_error(const char *command, const char *path, int error);

/* The word among `count` that looks most like `word`; NULL where none does. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

/* A whole number from 0 on. Returns 0, or -1. */
int parse_count(const char *text, uint32_t *count);
/* "10", "2.5s", "500ms", "50us", "100ns", "5m", "1h": nanoseconds, up to thirty years. Returns 0, or -1. */
int parse_duration(const char *text, int64_t *ns);

/* Values of the options that each recording command has. Return -1, or an exit status after they have said what is
 * wrong. */
int take_ring(const char *command, marey_options *options, const char *text);
int take_limit(const char *command, marey_options *options, const char *text);
int take_rows(const char *command, uint32_t *rows, const char *text);

#endif
