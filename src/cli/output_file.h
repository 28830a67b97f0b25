/* A file that a command writes: whole, or not there. It is written under another name beside its place, readable by its
 * owner alone, and renamed when all of it is on the disk's side of write(2). "-" is the standard output; what is no file
 * (a pipe, /dev/null) is written to as it comes. One at a time. */
#ifndef MAREY_CLI_OUTPUT_FILE_H
#define MAREY_CLI_OUTPUT_FILE_H

#include <stdio.h>

struct output_file {
    FILE *to;
    const char *command; /* for what is said */
    const char *shown;   /* the path, as the user wrote it */
    char *path;          /* where it shall be, links followed; NULL: it is written to as it comes */
    int fd;
    int error; /* an errno: why writing failed first, whatever happened since */
};

/* Says what is wrong. Returns 0, or -1. It stays where it is until its end: the FILE points to it. */
int output_open(struct output_file *output, const char *command, const char *path);
/* Ends it: the file has its name. Returns 0, or -1 after saying what was wrong; then it is not there. */
int output_finish(struct output_file *output);
/* Ends it after an enum marey_error, which is said: it is not there. */
void output_fail(struct output_file *output, int error);
/* The same, and nothing is said. */
void output_abandon(struct output_file *output);

/* Whether two paths ("-": standard input and output) are the same file, be it through links. */
int output_is_input(const char *output, const char *input);

#endif
