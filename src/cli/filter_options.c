/* See filter_options.h. */
#include "cli/filter_options.h"

#include "cli/command.h"
#include "output/display.h"

int filter_add_pattern(const char *command, const char *option, const char **patterns,
                       uint32_t *count, const char *pattern) {
    if (*count == FILTER_PATTERNS_MAX)
        return usage_error(command, "more than %d times --%s", FILTER_PATTERNS_MAX, option);
    patterns[(*count)++] = pattern;
    return -1;
}

static int take_moment(const char *command, const char *option, struct moment *moment,
                       const char *text) {
    moment->text = text;
    moment->from_end = *text == '-';
    if (parse_duration(text + moment->from_end, &moment->ns) == 0)
        return -1;
    return usage_error(command, "--%s: '%s' is no time; write 1.5s, 200ms or -10s", option, text);
}

int filter_take_option(struct filter_options *options, const char *command, int option,
                       const char *value) {
    struct trace_filter *filter = &options->filter;
    switch (option) {
    case FILTER_PROCESS:
        return filter_add_pattern(command, "process", options->processes, &filter->process_count,
                                  value);
    case FILTER_THREAD:
        return filter_add_pattern(command, "thread", options->threads, &filter->thread_count,
                                  value);
    case FILTER_FROM: return take_moment(command, "from", &options->from, value);
    default: return take_moment(command, "to", &options->to, value);
    }
}

int filter_is_given(const struct filter_options *options) {
    return options->from.text || options->to.text || filter_is_any(&options->filter);
}

/* In the trace's clock; not before the trace. */
static int64_t find_moment(const struct moment *moment, const struct trace *trace) {
    int64_t ns = moment->ns, found;
    if (moment->from_end)
        return trace->last_ns - trace->first_ns > ns ? trace->last_ns - ns : trace->first_ns;
    return __builtin_add_overflow(trace->first_ns, ns, &found) ? INT64_MAX : found;
}

int filter_settle(struct filter_options *options, const char *command, const struct trace *trace) {
    struct trace_filter *filter = &options->filter;
    const struct moment *from = &options->from, *to = &options->to;
    int64_t from_ns = from->text ? find_moment(from, trace) : trace->first_ns;
    int64_t to_ns = to->text ? find_moment(to, trace) : INT64_MAX;
    char length[DISPLAY_ROOM];
    filter->processes = options->processes;
    filter->threads = options->threads;
    filter->from_ns = from->text ? from_ns : 0;
    filter->to_ns = to->text ? to_ns : 0;
    if (from_ns < to_ns && (!from->text || from_ns <= trace->last_ns))
        return -1;
    display_duration(length, sizeof length, trace->last_ns - trace->first_ns);
    return usage_error(command, "nothing is from %s to %s in a trace of %s",
                       from->text ? from->text : "0s", to->text ? to->text : "its end", length);
}
