/* marey attach: samples running processes into a trace. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/ending.h"
#include "cli/pids.h"
#include "cli/sampling.h"
#include "marey.h"

enum { ROWS = 20, PATH_ROOM = 64 };

static const char help_text[] =
    "usage: marey attach [OPTIONS] PID...\n"
    "\n"
    "Samples running Python processes, and those that they start, into a trace: what each thread "
    "does, so many times a\n"
    "second. The processes need nothing of Marey and are not stopped. It ends with the last of "
    "them, after --duration,\n"
    "or by Ctrl-C (SIGINT, SIGTERM, SIGHUP), and reports. The file is whole at every instant, also "
    "when marey is killed.\n"
    "\n"
    "  -o, --output FILE     the trace; otherwise attach-PID.perfetto-trace here\n"
    "  -d, --duration TIME   so long: 10, 2.5s, 500ms, 5m, 1h\n"
    "      --ring SIZE       keep only the last SIZE bytes (64M, 1G): for days\n"
    "      --limit SIZE      stop recording when the file has this size (otherwise 8G)\n"
    "  -n, --rows N          rows of each table (otherwise 20; 0: all)\n"
    "  -j, --json            the report as one line of JSON\n"
    "  -q, --quiet           no report, and not what is going on\n"
    "  -h, --help            this page\n"
    "\n"
    "sampling:\n" SAMPLING_HELP "\n"
    "Reading another process takes the rights of a debugger, as for 'marey dump'.\n"
    "\n"
    "exit status: 0 sampled, 1 only some of the processes could be, 2 none could, or the trace "
    "cannot be made\n"
    "\n"
    "examples:\n"
    "  marey attach 4711\n"
    "  marey attach -d 30s -o busy.perfetto-trace $(pgrep -f gunicorn)\n"
    "  marey attach --mode gil --hz 5000 -d 5 4711\n";

struct request {
    struct sampling_request sampling;
    marey_options options;
    const char *output;
    char output_made[PATH_ROOM];
    int64_t duration_ns; /* 0: no end */
    uint32_t rows;
    int json, quiet;
    char **pids;
    int pids_count;
};

/* ---------------------------------------------------------------- options */

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'}, {"duration", required_argument, NULL, 'd'},
    {"ring", required_argument, NULL, 'r'},   {"limit", required_argument, NULL, 'l'},
    {"rows", required_argument, NULL, 'n'},   {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},        SAMPLING_OPTIONS,
    {"help", no_argument, NULL, 'h'},         {0}};

static int take_duration(struct request *to, const char *text) {
    if (parse_duration(text, &to->duration_ns) || !to->duration_ns)
        return usage_error("attach", "--duration: '%s' is no time; write 10, 2.5s, 500ms or 5m",
                           text);
    return -1;
}

/* One option with its value. Returns -1, or an exit status. */
static int take_option(struct request *to, int option, char **argv) {
    switch (option) {
    case 'o': to->output = optarg; return -1;
    case 'd': return take_duration(to, optarg);
    case 'r': return take_ring("attach", &to->options, optarg);
    case 'l': return take_limit("attach", &to->options, optarg);
    case 'n': return take_rows("attach", &to->rows, optarg);
    case 'j': to->json = 1; return -1;
    case 'q': to->quiet = 1; return -1;
    case 'h': fputs(help_text, stdout); return EXIT_OK;
    case '?':
    case ':': return option_error("attach", option, argv, long_options);
    default: return sampling_take_option("attach", &to->sampling, option);
    }
}

/* Returns -1, or an exit status. */
static int parse(struct request *to, int argc, char **argv) {
    int option, status;
    pid_t pid;
    *to = (struct request){.rows = ROWS};
    sampling_request_init(&to->sampling);
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:d:n:jqh", long_options, NULL)) != -1)
        if ((status = take_option(to, option, argv)) >= 0)
            return status;
    to->pids = argv + optind;
    to->pids_count = argc - optind;
    if (!to->pids_count)
        return usage_error("attach", "which process?");
    for (int i = 0; i < to->pids_count; i++)
        if (parse_pid(to->pids[i], &pid))
            return usage_error("attach", "'%s' is no process number", to->pids[i]);
    return -1;
}

/* ----------------------------------------------------------------- attach */

static struct sampling *interrupted; /* what a signal ends */

static void on_signal(int number) {
    (void)number;
    sampling_stop(interrupted);
}

/* The first one ends the sampling; a second one, while the report is made, ends us. */
static void catch_signals(struct sampling *sampling) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    interrupted = sampling;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* Hands those that can be sampled to the sampling. Returns how many. */
static int add_all(const struct request *request, struct sampling *sampling) {
    int added = 0;
    for (int i = 0; i < request->pids_count; i++) {
        pid_t pid;
        parse_pid(request->pids[i], &pid);
        if (!pid_check("attach", pid, request->sampling.options.mode) &&
            !sampling_add(sampling, pid, false))
            added++;
    }
    return added;
}

static void name_output(struct request *to) {
    pid_t pid;
    parse_pid(to->pids[0], &pid);
    snprintf(to->output_made, sizeof to->output_made, "attach-%d.perfetto-trace", (int)pid);
    if (!to->output)
        to->output = to->output_made;
}

/* For a person who waits. */
static void say_what_goes_on(const struct request *request, int count) {
    struct text line = {0};
    if (request->quiet || request->json || !isatty(STDERR_FILENO))
        return;
    text_addf(&line, "marey: sampling %d process%s into ", count, count == 1 ? "" : "es");
    display_add(&line, request->output, 0);
    fprintf(stderr, "%s%s\n", text_of(&line),
            request->duration_ns ? "" : "; Ctrl-C ends it and reports");
    text_free(&line);
}

static void report(const struct request *request, const struct sampling *sampling) {
    struct ending ending = {.command = "attach",
                            .path = request->output,
                            .to = stdout,
                            .rows = request->rows,
                            .json = request->json,
                            .by_thread = request->sampling.by_thread,
                            .sampling = sampling_result(sampling)};
    if (!request->quiet)
        ending_report(&ending);
}

static int record(struct request *request, struct sampling *sampling) {
    int count = add_all(request, sampling);
    if (!count)
        return EXIT_USAGE;
    name_output(request);
    marey_close(); /* where we were started in a recording: this one is another */
    int error = marey_open(request->output, &request->options);
    if (error)
        return record_error("attach", request->output, error);
    say_what_goes_on(request, count);
    catch_signals(sampling);
    sampling_run(sampling,
                 request->duration_ns ? marey_now_ns() + (uint64_t)request->duration_ns : 0);
    marey_close();
    report(request, sampling);
    return count == request->pids_count ? EXIT_OK : EXIT_FOUND;
}

static int run(int argc, char **argv) {
    struct request request;
    struct sampling *sampling;
    int status = parse(&request, argc, argv);
    if (status >= 0)
        return status;
    int error = sampling_open(&sampling, &request.sampling);
    if (error)
        return record_error("attach", request.pids[0], error);
    status = record(&request, sampling);
    sampling_close(sampling);
    return status;
}

const struct command command_attach = {"attach", "sample running processes into a trace", help_text,
                                       run};
