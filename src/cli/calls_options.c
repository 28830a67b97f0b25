/* See calls_options.h. */
#include "cli/calls_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

enum { DEPTH_MAX = 500 };

static const char *const names[] = {
    [CALLS_ON - CALLS_FIRST] = "calls",
    [CALLS_ARGS - CALLS_FIRST] = "args",
    [CALLS_C - CALLS_FIRST] = "c-calls",
    [CALLS_INCLUDE - CALLS_FIRST] = "include",
    [CALLS_IGNORE - CALLS_FIRST] = "ignore",
    [CALLS_MIN_DURATION - CALLS_FIRST] = "min-duration",
    [CALLS_MAX_DEPTH - CALLS_FIRST] = "max-depth",
};

/* Returns -1, or an exit status. */
static int add_line(struct calls_request *to, const char *name, const char *value) {
    size_t room = sizeof to->text - to->used;
    int n = snprintf(to->text + to->used, room, "%s=%s\n", name, value);
    if (n < 0 || (size_t)n >= room)
        return usage_error("run", "--%s: too much of it", name);
    to->used += (uint32_t)n;
    return -1;
}

static int bad_duration(const char *value) {
    return usage_error("run", "--min-duration: '%s' is no time; write 100us, 5ms or 1s", value);
}

int calls_take_option(struct calls_request *to, int option, const char *value) {
    const char *name = names[option - CALLS_FIRST];
    uint32_t depth;
    int64_t ns;
    char number[32];
    if (option == CALLS_ON) {
        to->on = 1;
        return -1;
    }
    if (!to->needs)
        to->needs = name;
    switch (option) {
    case CALLS_INCLUDE:
    case CALLS_IGNORE:
        if (!*value || strchr(value, '\n'))
            return usage_error("run", "--%s: '%s' names nothing", name, value);
        return add_line(to, name, value);
    case CALLS_MIN_DURATION:
        if (parse_duration(value, &ns) || ns <= 0)
            return bad_duration(value);
        snprintf(number, sizeof number, "%lld", (long long)ns);
        return add_line(to, name, number);
    case CALLS_MAX_DEPTH:
        if (parse_count(value, &depth) || depth < 1 || depth > DEPTH_MAX)
            return usage_error("run", "--max-depth: '%s' is not from 1 to %d", value, DEPTH_MAX);
        return add_line(to, name, value);
    default: return add_line(to, name, "1");
    }
}

int calls_check(const struct calls_request *request) {
    if (!request->on && request->needs)
        return usage_error("run", "--%s is of --calls, which is not given", request->needs);
    return -1;
}

void calls_hand_over(const struct calls_request *request) {
    if (request->on)
        setenv(CALLS_VARIABLE, request->text, 1);
    else
        unsetenv(CALLS_VARIABLE);
}
