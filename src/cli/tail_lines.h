/* What happens in a trace that is being written, as lines: a span when it ends, an instant, a counter's value, a loss. */
#ifndef MAREY_CLI_TAIL_LINES_H
#define MAREY_CLI_TAIL_LINES_H

#include <stdio.h>

#include "model/packet.h"
#include "model/trace.h"

enum { TAIL_PATTERNS_MAX = 64 };

/* What is wanted. */
struct tail_filter {
    const char *names[TAIL_PATTERNS_MAX],
        *threads[TAIL_PATTERNS_MAX]; /* fnmatch(3); threads also by id */
    uint32_t name_count, thread_count;
    int64_t min_ns; /* of spans; what has no duration is left out where it is not 0 */
};

struct tail_line {
    int64_t time_ns; /* in the trace's clock */
    uint64_t number; /* lines of one time stay in their order */
    char *text;
};

/* A span that has begun: all of it that its line will say. */
struct tail_open {
    int64_t begin_ns;
    char *name;
    char *args;
};

struct tail_track {
    struct tail_open *open;
    uint32_t depth, capacity;
    double value; /* of a counter of losses: what was said last */
};

struct tail_lines {
    struct trace trace; /* its reader alone: nothing is kept but what names and times mean */
    struct listener listener;
    struct tail_filter filter;
    int json, colour;
    int all;                   /* every line is wanted, */
    uint64_t keep;             /* or so many of the last ones */
    struct tail_track *tracks; /* by the reader's places */
    uint32_t track_count, track_capacity;
    struct map processes; /* tracks by machine and process id */
    struct tail_line *lines;
    uint32_t line_count, line_capacity;
    uint64_t numbers;
    uint32_t snapshots; /* that the times were settled with */
    int failed;         /* memory is short */
};

void tail_lines_init(struct tail_lines *lines, int colour);
void tail_lines_free(struct tail_lines *lines);
/* Takes in a packet of the file. */
void tail_lines_take(struct tail_lines *lines, struct bytes packet, uint64_t offset);
/* Writes the lines that there are and are wanted, in the order of time, and forgets them. */
void tail_lines_write(struct tail_lines *lines, FILE *to);

#endif
