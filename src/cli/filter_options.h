/* The options that say which part of a trace is wanted: --process, --thread, --from, --to. */
#ifndef MAREY_CLI_FILTER_OPTIONS_H
#define MAREY_CLI_FILTER_OPTIONS_H

#include "model/filter.h"

enum { FILTER_PATTERNS_MAX = 64 };

enum filter_option {
    FILTER_PROCESS = 'p',
    FILTER_THREAD = 't',
    FILTER_FROM = 2000, /* getopt's codes: no letters */
    FILTER_TO,
};

/* For getopt_long; the short ones are "p:t:". */
#define FILTER_OPTIONS                                                                             \
    {"process", required_argument, NULL, FILTER_PROCESS},                                          \
        {"thread", required_argument, NULL, FILTER_THREAD},                                        \
        {"from", required_argument, NULL, FILTER_FROM}, {                                          \
        "to", required_argument, NULL, FILTER_TO                                                   \
    }

#define FILTER_HELP                                                                                \
    "  -p, --process WHICH   only processes of this id, or whose name is like this: 'worker*'\n"   \
    "  -t, --thread WHICH    only threads, likewise; both may be given several times\n"            \
    "      --from TIME       only from there on: 1.5s, 200ms after the trace's start; -10s "       \
    "before "                                                                                      \
    "its end\n"                                                                                    \
    "      --to TIME         only up to there, likewise\n"

/* A time as it was given: after the trace's start, or before its end. */
struct moment {
    const char *text; /* NULL: not given */
    int64_t ns;
    int from_end;
};

/* All zero: all of a trace. */
struct filter_options {
    const char *processes[FILTER_PATTERNS_MAX], *threads[FILTER_PATTERNS_MAX];
    struct moment from, to;
    struct trace_filter filter; /* once it is settled; it points into this */
};

/* One of FILTER_OPTIONS with its value. Returns -1, or an exit status after it has said what is wrong. */
int filter_take_option(struct filter_options *options, const char *command, int option,
                       const char *value);
/* One more pattern, up to FILTER_PATTERNS_MAX. Returns as above. */
int filter_add_pattern(const char *command, const char *option, const char **patterns,
                       uint32_t *count, const char *pattern);
/* Whether less than all is wanted, before it is settled. */
int filter_is_given(const struct filter_options *options);
/* The trace is read: finds the times. Returns as above. Another trace may be settled after it. */
int filter_settle(struct filter_options *options, const char *command, const struct trace *trace);

#endif
