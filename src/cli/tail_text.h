/* A line of `marey tail`: for people, or as an object of JSON. */
#ifndef MAREY_CLI_TAIL_TEXT_H
#define MAREY_CLI_TAIL_TEXT_H

#include "cli/tail_lines.h"

/* What a line is about. */
struct happening {
    const char *kind; /* "span", "instant", "counter", "lost" */
    const struct track *track;
    const char *name;
    int64_t time_ns, duration_ns; /* duration -1: it has none */
    const char *args, *end_args;  /* as texts or objects, made by who hears of it; NULL: none */
    double value;                 /* of a counter, a loss */
    const char *unit;
};

/* The line, which ends in a newline. The caller frees; NULL where memory is short. */
char *tail_line_make(struct tail_lines *lines, const struct happening *what);

#endif
