/* marey info: what is in a trace. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/info.h"
#include "cli/reading.h"

enum { ROWS = 20 };

static const char help_text[] =
    "usage: marey info [OPTIONS] FILE\n"
    "\n"
    "Shows what is in a trace: processes, threads, tracks, counters, how many events of each, how "
    "long, what was lost\n"
    "while recording and what is damaged. Any Perfetto trace of track events will do, plain or "
    "gzip'ed; '-' is the\n"
    "standard input. The file may still be growing.\n"
    "\n"
    "  -s, --spans      the table of spans as well: how often each name, and how long\n"
    "  -n, --rows N     rows of each table (otherwise 20; 0: all)\n"
    "  -j, --json       everything, for a program\n"
    "  -h, --help       this page\n"
    "\n"
    "exit status: 0 shown, 1 the file cannot be read or is no trace, 2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey info app.perfetto-trace\n"
    "  marey info --spans -n 0 app.perfetto-trace\n"
    "  marey info --json app.perfetto-trace | python3 -m json.tool\n";

/* Returns an exit status. */
static int print(struct trace *trace, const char *path, const struct info_request *request) {
    struct summary summary = {0};
    int error = request->spans || request->json ? summary_make(&summary, trace) : 0;
    if (error)
        read_error("info", path, error);
    else if (request->json)
        info_print_json(trace, path, request, &summary);
    else
        info_print_text(trace, path, request, &summary);
    summary_free(&summary);
    return error ? EXIT_FOUND : EXIT_OK;
}

static int show(const char *path, const struct info_request *request) {
    struct trace trace;
    int status = read_trace(&trace, "info", path, TRACE_LEAN);
    if (status < 0)
        status = print(&trace, path, request);
    trace_free(&trace);
    return status;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"spans", no_argument, NULL, 's'},
                                            {"rows", required_argument, NULL, 'n'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct info_request request = {
        .rows = ROWS,
        .style = {table_terminal_width(stdout), table_terminal_colour(stdout), "  ", 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":sn:jh", options, NULL)) != -1) {
        switch (option) {
        case 's': request.spans = 1; break;
        case 'j': request.json = 1; break;
        case 'n':
            if (parse_count(optarg, &request.rows))
                return usage_error("info", "--rows: '%s' is no number", optarg);
            break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return option_error("info", option, argv, options);
        }
    }
    if (optind == argc)
        return usage_error("info", "which file?");
    if (argc - optind > 1)
        return usage_error("info", "one file at a time");
    return show(argv[optind], &request);
}

const struct command command_info = {"info", "show what is in a trace", help_text, run};
