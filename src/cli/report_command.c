/* marey report: the tables of a trace. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/filter_options.h"
#include "cli/reading.h"
#include "cli/report.h"
#include "model/slowest.h"

enum { ROWS = 20, SLOWEST = 5, ARGUMENT_BYTES_MAX = 64 << 20 };

static const char help_text[] =
    "usage: marey report [OPTIONS] FILE\n"
    "\n"
    "Says where the time went and what was slow, by what the trace has: its samples and its calls, "
    "added up by function,\nits spans, by name, the pauses of the garbage collector, and the spans "
    "that took longest. '<====' marks your own\ncode: not the standard library's, not what was "
    "installed. '-' is the standard input. The file may still be growing.\n"
    "\n"
    "  -n, --rows N          rows of each table (otherwise 20; 0: all)\n"
    "  -b, --by WHAT         samples by function, line, file, module, thread, process or span "
    "(otherwise function);\n"
    "                        by span: which of your spans the sampled threads were in\n"
    "  -s, --sort HOW        by self (time in the function itself), total (with what it calls), "
    "count, mean, max or name;\n"
    "                        where a table has no such column it is sorted as usual\n"
    "  -f, --filter PATTERN  only functions and spans whose name is like that ('load*', 'User.*'); "
    "'!PATTERN' leaves\n"
    "                        them out; may be given again. Shares are still of everything\n"
    "      --slowest N       single spans, those that took longest (otherwise 5; 0: "
    "none)\n" FILTER_HELP
    "      --own GLOB        files that are your own code: '*/site-packages/mine/*'\n"
    "      --not-own GLOB    files that are not; of both the last one that matches counts\n"
    "  -j, --json            everything, for a program; times in nanoseconds\n"
    "      --csv             the tables as comma-separated values, likewise\n"
    "  -h, --help            this page\n"
    "\n"
    "exit status: 0 shown, 1 the file cannot be read or is no trace, 2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey report app.perfetto-trace\n"
    "  marey report --by line --own '*/mylib/*' app.perfetto-trace\n"
    "  marey report --by span --from 10s --to 20s app.perfetto-trace\n"
    "  marey report --filter 'db.*' --sort max --slowest 20 app.perfetto-trace\n";

enum { OPTION_OWN = 256, OPTION_NOT_OWN, OPTION_SLOWEST, OPTION_CSV };

struct request {
    struct report_request report;
    struct own_rules own;
    struct filter_options filter;
    const char *names[FILTER_PATTERNS_MAX];
    int json, csv;
};

static int print_text(struct trace *trace, const char *path, const struct request *request) {
    report_head(trace, path);
    return report_tables(trace, &request->report, stdout);
}

static int print_json(struct trace *trace, const char *path, const struct request *request) {
    struct json json;
    json_init(&json, stdout, 2);
    json_object(&json, NULL);
    json_text(&json, "file", path);
    report_counts_json(trace, &json);
    report_losses_json(trace, &json);
    report_damage_json(trace, &json);
    int error = report_tables_json(trace, &request->report, &json);
    json_end(&json);
    json_finish(&json);
    return error;
}

static int print(struct trace *trace, const char *path, const struct request *request) {
    if (request->csv)
        return report_tables_csv(trace, &request->report, stdout);
    return request->json ? print_json(trace, path, request) : print_text(trace, path, request);
}

/* Arguments are shown with single spans alone, and take more memory than all the rest: of a large file they are not kept. */
static unsigned what_to_keep(const char *path, const struct request *request) {
    struct stat info;
    int is_small =
        stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= ARGUMENT_BYTES_MAX;
    return TRACE_LEAN | (request->report.slowest && is_small ? TRACE_ARGUMENTS : TRACE_CALLS);
}

static int show(const char *path, struct request *request) {
    struct trace trace;
    int status = read_trace(&trace, "report", path, what_to_keep(path, request));
    if (status < 0)
        status = filter_settle(&request->filter, "report", &trace);
    if (status < 0) {
        request->report.filter = request->filter.filter;
        int error = print(&trace, path, request);
        status = error ? read_error("report", path, error) : EXIT_OK;
        if (request->csv) /* the others have a place for it */
            say_damaged("report", path, &trace, "shown");
    }
    trace_free(&trace);
    return status;
}

/* The place of a word in a list that ends in NULL. -1: it is none of them, which is said. */
static int choose(const char *option, const char *word, const char *const *words) {
    for (int i = 0; words[i]; i++)
        if (!strcmp(word, words[i]))
            return i;
    struct text all = {0};
    for (int i = 0; words[i]; i++)
        text_addf(&all, "%s%s", i ? (words[i + 1] ? ", " : " or ") : "", words[i]);
    usage_error("report", "--%s takes %s, not '%s'", option, text_of(&all), word);
    text_free(&all);
    return -1;
}

static int add_own(struct request *request, const char *pattern, int own) {
    if (own_rule_add(&request->own, pattern, own) == 0)
        return 0;
    usage_error("report", "more than %d times --own and --not-own", OWN_RULES_MAX);
    return -1;
}

/* Returns 0, or -1 after saying what is wrong. */
static int take_option(struct request *request, int option) {
    static const char *const by[] = {"function", "line",    "file", "module",
                                     "thread",   "process", "span", NULL};
    static const char *const sort[] = {"self", "total", "count", "mean", "max", "name", NULL};
    struct report_request *report = &request->report;
    int choice = 0;
    switch (option) {
    case 'j': request->json = 1; return 0;
    case OPTION_CSV: request->csv = 1; return 0;
    case OPTION_SLOWEST:
        if (parse_count(optarg, &report->slowest) == 0 && report->slowest <= SLOWEST_MAX)
            return 0;
        usage_error("report", "--slowest: '%s' is no number up to %d", optarg, SLOWEST_MAX);
        return -1;
    case 'f':
        return filter_add_pattern("report", "filter", request->names, &report->names.count,
                                  optarg) < 0
                   ? 0
                   : -1;
    case 'n':
        if (parse_count(optarg, &report->rows) == 0)
            return 0;
        usage_error("report", "--rows: '%s' is no number", optarg);
        return -1;
    case 'b':
        choice = choose("by", optarg, by);
        report->by = choice < 0 ? REPORT_BY_FUNCTION : (enum report_by)choice;
        return choice < 0 ? -1 : 0;
    case 's':
        choice = choose("sort", optarg, sort);
        report->order = choice < 0 ? ORDER_USUAL : (enum order)(ORDER_SELF + choice);
        return choice < 0 ? -1 : 0;
    case OPTION_OWN:
    case OPTION_NOT_OWN: return add_own(request, optarg, option == OPTION_OWN);
    default: return filter_take_option(&request->filter, "report", option, optarg) < 0 ? 0 : -1;
    }
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"rows", required_argument, NULL, 'n'},
                                            {"by", required_argument, NULL, 'b'},
                                            {"sort", required_argument, NULL, 's'},
                                            FILTER_OPTIONS,
                                            {"own", required_argument, NULL, OPTION_OWN},
                                            {"not-own", required_argument, NULL, OPTION_NOT_OWN},
                                            {"filter", required_argument, NULL, 'f'},
                                            {"slowest", required_argument, NULL, OPTION_SLOWEST},
                                            {"json", no_argument, NULL, 'j'},
                                            {"csv", no_argument, NULL, OPTION_CSV},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request request = {.report = {.rows = ROWS,
                                         .slowest = SLOWEST,
                                         .style = {table_terminal_width(stdout),
                                                   table_terminal_colour(stdout), "  ", 0}}};
    int option;
    request.report.own = &request.own;
    request.report.names.all = request.names;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":n:b:s:f:p:t:jh", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return EXIT_OK;
        }
        if (option == '?' || option == ':')
            return option_error("report", option, argv, options);
        if (take_option(&request, option))
            return EXIT_USAGE;
    }
    if (request.json && request.csv)
        return usage_error("report", "--json or --csv, not both");
    if (optind == argc)
        return usage_error("report", "which file?");
    if (argc - optind > 1)
        return usage_error("report", "one file at a time");
    return show(argv[optind], &request);
}

const struct command command_report = {"report", "where the time went, as tables", help_text, run};
