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

struct format {
    const char *name; /* of --to */
    /* ".folded", ...; the longest that the output's name ends in counts; ends in NULL */
    const char *const *extensions;
    const char *summary; /* a line of the help */
    unsigned keep;       /* enum trace_keep: how the trace has to be read */
    int binary;          /* not for a terminal */
    /* Writes all of it; what was short or refused shows by ferror(to). Returns 0 or an enum marey_error. */
    int (*write)(FILE *to, struct trace *trace, const struct format_request *request);
};

/* Ends in NULL. */
extern const struct format *const formats[];
extern const struct format format_perfetto;

#endif
