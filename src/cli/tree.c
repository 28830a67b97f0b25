/* marey tree: the calls of a trace, as a tree or by function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/filter_options.h"
#include "cli/reading.h"
#include "model/patterns.h"
#include "model/sample_profile.h"
#include "output/function_table.h"
#include "output/profile_text.h"
#include "output/tree.h"
#include "output/tree_json.h"

enum { PATTERNS_MAX = 64, FUNCTION_ROWS = 40 };
#define MIN_SHARE 0.01

static const char help_text[] =
    "usage: marey tree [OPTIONS] FILE\n"
    "\n"
    "Shows the calls of a trace as a tree: which function called which, with what, what came of it "
    "and how long it took.\n"
    "Spans are shown among them. Of a large trace the calls that took longest are shown, and how "
    "many there are inside the\nothers. Samples, where there is nothing else or --samples is "
    "given, "
    "are merged: functions below those that call them,\nwith their shares. '-' is the standard "
    "input.\n"
    "\n"
    "  -n, --rows N          rows (otherwise 250; 0: all)\n"
    "  -d, --depth N         levels (otherwise all)\n"
    "      --fold N          so many calls of a function in a row become one row (otherwise 3; 0: "
    "none)\n"
    "      --min LEAST       leave out rows that took less (50us, 1.5ms, 2s); of samples, that "
    "have "
    "a smaller share (2%;\n"
    "                        otherwise 1%)\n"
    "      --samples         the samples, although there are calls or spans\n"
    "\n"
    "  -f, --filter PATTERN  only functions whose name is like that ('load*', 'User.*', "
    "'app.views.index'); '!PATTERN'\n"
    "                        leaves them out; may be given again\n"
    "      --where PATTERN   only calls of such functions with all that is inside them; '!PATTERN' "
    "leaves such functions\n"
    "                        out: what they called stands in their place; may be given again\n"
    "      --module PATTERN  only functions of such modules ('app' is also 'app.views'); "
    "'!PATTERN' leaves them out\n"
    "      --exception PATTERN\n"
    "                        only calls that such an exception left ('*': any, 'KeyError', '*: no "
    "such file*')\n"
    "\n" FILTER_HELP "      --task WHICH      only asyncio tasks of such names, likewise\n"
    "\n"
    "  -m, --modules         names with their modules\n"
    "  -l, --locations       file and line of each function\n"
    "      --no-args, --no-results, --no-self\n"
    "                        without arguments, results, self time\n"
    "      --ascii           no lines but of - | `\n"
    "      --color           colours, although the output is no terminal\n"
    "\n"
    "  -F, --functions       a table of the functions instead: calls, total, self, mean, p50, p99, "
    "max\n"
    "  -j, --json            everything, for a program (with --functions: the table)\n"
    "  -h, --help            this page\n"
    "\n"
    "A row: name(arguments) -> result [time, self time]; ' !! ' stands before the exception that "
    "left a call.\n"
    "[x500] stands for so many calls in one row: their arguments are shown where all have the "
    "same, else '...'.\n"
    "A coroutine or generator is one call; 'waited' is the time in which it did not run.\n"
    "\n"
    "exit status: 0 shown, 1 the file cannot be read or is no trace, 2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey tree app.perfetto-trace\n"
    "  marey tree --module app --min 1ms app.perfetto-trace\n"
    "  marey tree --where 'handle*' --where '!json.*' --from 10s app.perfetto-trace\n"
    "  marey tree --functions app.perfetto-trace\n";

enum {
    OPTION_FOLD = 256,
    OPTION_MIN,
    OPTION_SAMPLES,
    OPTION_WHERE,
    OPTION_TASK,
    OPTION_MODULE,
    OPTION_EXCEPTION,
    OPTION_NO_ARGS,
    OPTION_NO_RESULTS,
    OPTION_NO_SELF,
    OPTION_ASCII,
    OPTION_COLOR
};

static const struct option long_options[] = {
    {"rows", required_argument, NULL, 'n'},
    {"depth", required_argument, NULL, 'd'},
    {"fold", required_argument, NULL, OPTION_FOLD},
    {"min", required_argument, NULL, OPTION_MIN},
    {"min-time", required_argument, NULL, OPTION_MIN}, /* its older name */
    {"samples", no_argument, NULL, OPTION_SAMPLES},
    {"where", required_argument, NULL, OPTION_WHERE},
    {"task", required_argument, NULL, OPTION_TASK},
    {"filter", required_argument, NULL, 'f'},
    {"module", required_argument, NULL, OPTION_MODULE},
    {"exception", required_argument, NULL, OPTION_EXCEPTION},
    FILTER_OPTIONS,
    {"modules", no_argument, NULL, 'm'},
    {"locations", no_argument, NULL, 'l'},
    {"no-args", no_argument, NULL, OPTION_NO_ARGS},
    {"no-results", no_argument, NULL, OPTION_NO_RESULTS},
    {"no-self", no_argument, NULL, OPTION_NO_SELF},
    {"ascii", no_argument, NULL, OPTION_ASCII},
    {"color", no_argument, NULL, OPTION_COLOR},
    {"functions", no_argument, NULL, 'F'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {0}};

struct request {
    struct tree_options tree;
    const char *names[PATTERNS_MAX], *within[PATTERNS_MAX], *modules[PATTERNS_MAX];
    const char *tasks[PATTERNS_MAX];
    uint32_t task_count;
    struct call_filter filter;
    double min_share;     /* of samples: 0 to 1 */
    const char *of_calls; /* an option that was given and means nothing for samples; NULL: none */
    struct filter_options part;
    int has_rows, functions, json, help, samples;
};

static int bad_number(const char *option) {
    return usage_error("tree", "--%s: '%s' is no number", option, optarg);
}

static int add_pattern(const char **patterns, uint32_t *count, const char *option) {
    if (*count == PATTERNS_MAX)
        return usage_error("tree", "--%s: no more than %d", option, PATTERNS_MAX);
    patterns[(*count)++] = optarg;
    return -1;
}

/* A time, or a share with "%". */
static int take_least(struct request *to) {
    char *end;
    double percent = strtod(optarg, &end);
    if (end != optarg && !strcmp(end, "%") && percent >= 0 && percent <= 100) {
        to->min_share = percent / 100;
        return -1;
    }
    if (parse_duration(optarg, &to->tree.limits.min_ns) == 0)
        return -1;
    return usage_error("tree", "--min: '%s' is no time and no share; write 50us, 1.5ms, 2s or 2%%",
                       optarg);
}

/* Options with a value. Returns -1, or an exit status. */
static int take_value(struct request *to, int option, char **argv) {
    struct tree_limits *limits = &to->tree.limits;
    switch (option) {
    case 'n': to->has_rows = 1; return parse_count(optarg, &limits->rows) ? bad_number("rows") : -1;
    case 'd': return parse_count(optarg, &limits->depth) ? bad_number("depth") : -1;
    case OPTION_FOLD: return parse_count(optarg, &limits->fold) ? bad_number("fold") : -1;
    case OPTION_MIN: return take_least(to);
    case OPTION_WHERE:
        to->of_calls = "where";
        return *optarg == '!' ? add_pattern(to->names, &to->filter.name_count, "where")
                              : add_pattern(to->within, &to->filter.within_count, "where");
    case OPTION_TASK: to->of_calls = "task"; return add_pattern(to->tasks, &to->task_count, "task");
    case 'f':
        to->of_calls = "filter";
        return add_pattern(to->names, &to->filter.name_count, "filter");
    case OPTION_MODULE:
        to->of_calls = "module";
        return add_pattern(to->modules, &to->filter.module_count, "module");
    case OPTION_EXCEPTION: to->filter.exception = optarg; return -1;
    case '?':
    case ':': return option_error("tree", option, argv, long_options);
    default: return filter_take_option(&to->part, "tree", option, optarg);
    }
}

/* Returns -1, or an exit status. */
static int take_option(struct request *to, int option, char **argv) {
    switch (option) {
    case 'm': to->tree.modules = 1; return -1;
    case 'l': to->tree.locations = 1; return -1;
    case 'F': to->functions = 1; return -1;
    case 'j': to->json = 1; return -1;
    case OPTION_SAMPLES: to->samples = 1; return -1;
    case OPTION_NO_ARGS: to->tree.no_arguments = 1; return -1;
    case OPTION_NO_RESULTS: to->tree.no_results = 1; return -1;
    case OPTION_NO_SELF: to->tree.no_self = 1; return -1;
    case OPTION_ASCII: to->tree.ascii = 1; return -1;
    case OPTION_COLOR: to->tree.colour = 1; return -1;
    case 'h': fputs(help_text, stdout); return EXIT_OK;
    default: return take_value(to, option, argv);
    }
}

/* Whether the terminal's characters are Unicode's: the first of these variables that is set says so. */
static int is_unicode(void) {
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return 0;
}

static void print_json(const struct calls *calls, const struct call_stats *stats, const char *path,
                       const struct request *request) {
    struct json json;
    json_init(&json, stdout, 0);
    json_object(&json, NULL);
    json_text(&json, "trace", path);
    if (request->functions)
        function_table_json(stats, calls, &json, "functions",
                            request->has_rows ? request->tree.limits.rows : 0);
    else
        tree_json(calls, &json);
    json_end(&json);
    json_finish(&json);
}

/* Returns 0 or MAREY_ENOMEM. */
static int print(const struct calls *calls, const char *path, const struct request *request) {
    struct call_stats stats = {0};
    struct table_style style = {request->tree.width, request->tree.colour, "", 0};
    int error = request->functions ? call_stats_make(&stats, calls) : 0;
    if (error)
        ;
    else if (request->json)
        print_json(calls, &stats, path, request);
    else if (request->functions)
        function_table_print(&stats, calls, stdout,
                             request->has_rows ? request->tree.limits.rows : FUNCTION_ROWS, &style);
    else
        error = tree_print(calls, stdout, &request->tree);
    call_stats_free(&stats);
    return error;
}

/* Which tracks are those of the wanted tasks. NULL where memory is short. */
static uint8_t *choose_tasks(const struct trace *trace, const struct request *request) {
    const struct tracks *tracks = &trace->reader.tracks;
    const struct patterns names = {request->tasks, request->task_count};
    uint8_t *chosen = malloc(tracks->count + 1);
    for (uint32_t i = 0; chosen && i < tracks->count; i++) {
        const char *name = trace_text(trace, tracks->all[i].name);
        chosen[i] = !names.count ||
                    (tracks->all[i].kind == TRACK_CUSTOM && patterns_choose(&names, &name, 1));
    }
    return chosen;
}

static int show_calls(struct trace *trace, const char *path, struct request *request) {
    struct calls calls = {0}, wanted = {0};
    uint8_t *tracks = choose_tasks(trace, request);
    int error = tracks ? calls_make_part(&calls, trace, &request->part.filter) : MAREY_ENOMEM;
    request->filter.tracks = tracks;
    if (!error)
        error = calls_filter(&wanted, &calls, &request->filter);
    calls_free(&calls);
    if (!error)
        error = print(&wanted, path, request);
    calls_free(&wanted);
    free(tracks);
    return error ? read_error("tree", path, error) : EXIT_OK;
}

static void print_samples(const struct profile *profile, const char *path,
                          const struct request *request) {
    struct profile_tree_style style = {request->min_share, request->tree.limits.depth};
    if (request->json) {
        struct json json;
        json_init(&json, stdout, 0);
        json_object(&json, NULL);
        json_text(&json, "trace", path);
        profile_tree_json(&json, profile, &style);
        json_end(&json);
        json_finish(&json);
        return;
    }
    struct text text = {0};
    profile_tree(&text, profile, &style);
    fputs(text_of(&text), stdout);
    text_free(&text);
}

static int show_samples(struct trace *trace, const char *path, const struct request *request) {
    struct profile *profile;
    if (request->of_calls)
        return usage_error("tree", "--%s is of calls and spans, not of samples", request->of_calls);
    int error = sample_profile(&profile, trace, &request->part.filter, GROUP_WHOLE, NULL);
    if (!error)
        print_samples(profile, path, request);
    profile_close(profile);
    return error ? read_error("tree", path, error) : EXIT_OK;
}

static int show(const char *path, struct request *request) {
    struct trace trace;
    int status = read_trace(&trace, "tree", path, TRACE_ARGUMENTS);
    if (status < 0)
        status = filter_settle(&request->part, "tree", &trace);
    if (status < 0)
        status = request->samples || (!trace.span_count && trace.samples)
                     ? show_samples(&trace, path, request)
                     : show_calls(&trace, path, request);
    if (status == EXIT_OK)
        say_damaged("tree", path, &trace, "shown");
    trace_free(&trace);
    return status;
}

static int run(int argc, char **argv) {
    struct request request = {.min_share = MIN_SHARE,
                              .tree = {.limits = {.rows = TREE_ROWS_USUAL, .fold = TREE_FOLD_USUAL},
                                       .width = table_terminal_width(stdout),
                                       .colour = table_terminal_colour(stdout),
                                       .ascii = !is_unicode()}};
    int option;
    request.filter.names = request.names;
    request.filter.within = request.within;
    request.filter.modules = request.modules;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":n:d:f:p:t:mlFjh", long_options, NULL)) != -1) {
        int status = take_option(&request, option, argv);
        if (status >= 0)
            return status;
    }
    if (optind == argc)
        return usage_error("tree", "which file?");
    if (argc - optind > 1)
        return usage_error("tree", "one file at a time");
    return show(argv[optind], &request);
}

const struct command command_tree = {"tree", "show the calls of a trace as a tree", help_text, run};
