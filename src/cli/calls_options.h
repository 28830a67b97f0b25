/* The options of `marey run` that say which calls to record, and how the program hears of them: a text in its environment, a
 * line an option, which marey/_autostart.py reads in each Python that starts. */
#ifndef MAREY_CLI_CALLS_OPTIONS_H
#define MAREY_CLI_CALLS_OPTIONS_H

#include <stdint.h>

#define CALLS_VARIABLE "MAREY_CALLS"

enum calls_option {
    CALLS_FIRST = 1000, /* getopt's codes: no letters */
    CALLS_ON = CALLS_FIRST,
    CALLS_ARGS,
    CALLS_C,
    CALLS_INCLUDE,
    CALLS_IGNORE,
    CALLS_MIN_DURATION,
    CALLS_MAX_DEPTH,
    CALLS_LAST = CALLS_MAX_DEPTH
};

#define CALLS_OPTIONS                                                                              \
    {"calls", no_argument, NULL, CALLS_ON}, {"args", no_argument, NULL, CALLS_ARGS},               \
        {"c-calls", no_argument, NULL, CALLS_C},                                                   \
        {"include", required_argument, NULL, CALLS_INCLUDE},                                       \
        {"ignore", required_argument, NULL, CALLS_IGNORE},                                         \
        {"min-duration", required_argument, NULL, CALLS_MIN_DURATION}, {                           \
        "max-depth", required_argument, NULL, CALLS_MAX_DEPTH                                      \
    }

#define CALLS_HELP                                                                                 \
    "      --calls           every call of a Python function, of all threads, tasks and child "    \
    "processes\n"                                                                                  \
    "      --args            with arguments and results; secrets are shown as ***\n"               \
    "      --include WHAT    only what this names: a module with all below it (app, app.models), " \
    "or, with a slash\n"                                                                           \
    "                        in it, a glob of the file's path (src/*, */site-packages/*). May be " \
    "given several times\n"                                                                        \
    "      --ignore WHAT     all but what this names, likewise\n"                                  \
    "      --min-duration T  only calls that take so long (100us, 5ms)\n"                          \
    "      --max-depth N     calls within calls, 1 to 500 (otherwise 500)\n"                       \
    "      --c-calls         functions written in C, too\n"

enum { CALLS_TEXT = 16384 };

struct calls_request {
    int on;
    /* the first option that was given and means nothing without --calls; NULL: none */
    const char *needs;
    char text[CALLS_TEXT];
    uint32_t used;
};

/* One option of the above with its value. Returns -1, or an exit status. */
int calls_take_option(struct calls_request *to, int option, const char *value);
/* All options are read. Returns -1, or an exit status. */
int calls_check(const struct calls_request *request);
/* Puts it into the environment, or takes an outer one's out. */
void calls_hand_over(const struct calls_request *request);

#endif
