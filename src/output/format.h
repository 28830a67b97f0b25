/* The formats that a trace can be converted to: one of output/'s files each, listed in formats.c. */
#ifndef MAREY_OUTPUT_FORMAT_H
#define MAREY_OUTPUT_FORMAT_H

#include <stdio.h>

#include "base/sample.h"
#include "model/filter.h"

/* What weighted stacks are made of, where a format holds those. */
enum stacks_of {
    STACKS_OF_WHAT_THERE_IS, /* samples where the trace has some, else spans and calls */
    STACKS_OF_SAMPLES,
    STACKS_OF_SPANS, /* each span and call weighs its own time */
};

/* What is wanted. All zero: all of the trace. */
struct format_request {
    struct trace_filter filter;
    enum stacks_of of;
    enum sample_weight weight; /* of samples, where the format holds one weight only */
    int lines;                 /* frames are told apart by line */
    const char *title;         /* NULL: the format's usual one */
};

/* What a format has a place for. */
enum format_holds {
    HOLDS_SPANS = 1,
    HOLDS_SAMPLES = 2,
    HOLDS_POINTS = 4,  /* instants, and values of counters */
    HOLDS_ONE = 8,     /* spans or samples, as the request says: the former, where it does not */
    HOLDS_STACKS = 16, /* likewise; where it does not: what there is, samples first */
};

struct format {
    const char *name; /* of --to */
    /* ".folded", ...; the longest that the output's name ends in counts; ends in NULL */
    const char *const *extensions;
    const char *summary; /* a line of the help */
    unsigned keep;       /* enum trace_keep: how the trace has to be read */
    unsigned holds;      /* enum format_holds */
    int by_event; /* what is written of a part takes no more than the part: model/excerpt.h */
    int binary;   /* not for a terminal */
    /* Writes all of it; what was short or refused shows by ferror(to). Returns 0 or an enum marey_error. */
    int (*write)(FILE *to, struct trace *trace, const struct format_request *request);
};

/* Ends in NULL. */
extern const struct format *const formats[];
extern const struct format format_perfetto;

/* What of a trace is wanted in that format: HOLDS_SPANS, HOLDS_SAMPLES, HOLDS_POINTS or several. */
unsigned format_kinds(const struct format *format, const struct trace *trace,
                      const struct format_request *request);
/* Whether there is any of that. Returns 1, 0, or an enum marey_error where memory is short. */
int format_finds(const struct format *format, const struct trace *trace,
                 const struct format_request *request);

#endif
