/* marey top: where the time of running processes goes, live. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/sampling.h"
#include "cli/top_screen.h"
#include "marey.h"
#include "stack/process.h"

static const char help_text[] =
    "usage: marey top [OPTIONS] PID...\n"
    "\n"
    "Shows live where the time of running Python processes goes: functions by their own time and "
    "with what they call,\n"
    "lines, threads, the share of processor and GIL. Keys: s sort, f filter, t threads, l lines, "
    "space pause, r reset,\n"
    "h help, q quit.\n"
    "\n"
    "  -d, --delay SECONDS   from one picture to the next (1)\n"
    "      --hz N            so many samples a second (1000); 'max': as fast as it goes\n"
    "      --mode MODE       wall: threads that do not sleep (as without it); cpu: those that run "
    "on a processor; gil:\n"
    "                        those that hold the GIL\n"
    "      --idle            threads that sleep or wait, too\n"
    "      --tasks           asyncio tasks that wait, too, each with what it awaits\n"
    "      --native-marker   a line <native> for C code, <GC> for garbage collection\n"
    "      --blocking        stop the process for each sample\n"
    "      --no-children     not the processes that it starts\n"
    "  -h, --help            this page\n"
    "\n"
    "Reading another process takes the rights of a debugger, as for 'marey dump'.\n"
    "\n"
    "exit status: 0 it was left, or all processes ended; 2 a process cannot be read, or this is no "
    "terminal\n"
    "\n"
    "examples:\n"
    "  marey top 4711\n"
    "  marey top --mode cpu $(pgrep -f gunicorn)\n";

struct request {
    struct sampling_request sampling;
    double delay_s;
    char **pids;
    int pids_count;
};

static volatile sig_atomic_t quit_signal;

static void on_signal(int number) {
    quit_signal = number;
}

static void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* ---------------------------------------------------------------- options */

static const struct option long_options[] = {
    {"delay", required_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'},
    {"hz", required_argument, NULL, OPTION_HZ},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"idle", no_argument, NULL, OPTION_IDLE},
    {"tasks", no_argument, NULL, OPTION_TASKS},
    {"native-marker", no_argument, NULL, OPTION_NATIVE_MARKER},
    {"blocking", no_argument, NULL, OPTION_BLOCKING},
    {"no-children", no_argument, NULL, OPTION_NO_CHILDREN},
    {0}};

static int take_delay(struct request *to, const char *text) {
    char *end;
    to->delay_s = strtod(text, &end);
    if (end == text || *end || !(to->delay_s >= 0.1 && to->delay_s <= 60))
        return usage_error("top", "--delay: '%s' is not from 0.1 to 60 seconds", text);
    return -1;
}

/* Returns -1, or an exit status. */
static int parse(struct request *to, int argc, char **argv) {
    int option, status = -1;
    pid_t pid;
    *to = (struct request){.delay_s = 1};
    sampling_request_init(&to->sampling);
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":d:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'd': status = take_delay(to, optarg); break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        case '?':
        case ':': return option_error("top", option, argv, long_options);
        default: status = sampling_take_option("top", &to->sampling, option);
        }
    }
    if (status >= 0)
        return status;
    to->pids = argv + optind;
    to->pids_count = argc - optind;
    if (!to->pids_count)
        return usage_error("top", "which process?");
    for (int i = 0; i < to->pids_count; i++)
        if (parse_pid(to->pids[i], &pid))
            return usage_error("top", "'%s' is no process number", to->pids[i]);
    return -1;
}

/* ------------------------------------------------------------------- show */

/* "4711 python3 server.py", or "marey top: 4711 4712 4713". */
static void make_title(struct text *title, const struct request *request) {
    struct command_line line;
    pid_t pid;
    for (int i = 0; i < request->pids_count; i++)
        text_addf(title, "%s ", request->pids[i]);
    if (request->pids_count > 1 || parse_pid(request->pids[0], &pid))
        return;
    command_line_read(&line, pid);
    command_line_show(&line, title, 0);
}

static void make_what(struct text *what, const struct request *request) {
    static const char *const modes[] = {
        [SAMPLER_WALL] = "wall", [SAMPLER_CPU] = "cpu", [SAMPLER_GIL] = "gil"};
    uint64_t interval_ns = sampling_interval_ns(&request->sampling);
    text_add(what, modes[request->sampling.options.mode]);
    if (interval_ns)
        text_addf(what, ", %.6g Hz", 1e9 / (double)interval_ns);
}

/* Until someone or something ends it. Returns whether all processes ended. */
static bool show(struct top_gather *gather, struct top_view *view) {
    struct top_look look = {0};
    bool ended = false;
    top_screen_draw(&look, view);
    while (!quit_signal && !ended) {
        enum top_key_result key = top_screen_key(view);
        if (key == KEY_QUIT)
            break;
        if (key == KEY_RESET_ALL)
            top_gather_reset(gather);
        bool newer = !view->paused && top_gather_take(gather, &look);
        ended = newer && look.ended;
        if (newer || key != KEY_NOTHING)
            top_screen_draw(&look, view);
    }
    top_look_free(&look);
    return ended;
}

static int show_on_terminal(const struct request *request, struct top_gather *gather) {
    struct text title = {0}, what = {0};
    struct top_view view = {0};
    bool ended = false;
    make_title(&title, request);
    make_what(&what, request);
    view.title = text_of(&title);
    view.what = text_of(&what);
    catch_signals();
    int error = top_screen_open();
    if (!error) {
        ended = !top_gather_start(gather) && show(gather, &view);
        top_screen_close();
    }
    text_free(&title);
    text_free(&what);
    if (error)
        return usage_error("top", "this terminal ($TERM) is not known here");
    if (ended)
        puts(request->pids_count > 1 ? "marey top: the processes have ended"
                                     : "marey top: the process has ended");
    return EXIT_OK;
}

static int add_all(const struct request *request, struct top_gather *gather) {
    for (int i = 0; i < request->pids_count; i++) {
        pid_t pid;
        parse_pid(request->pids[i], &pid);
        int status = pid_check("top", pid, request->sampling.options.mode);
        int error = status ? 0 : top_gather_add(gather, pid);
        if (error)
            status = pid_error("top", pid, error, 0);
        if (status)
            return status;
    }
    return EXIT_OK;
}

static int run_top(const struct request *request) {
    struct top_gather *gather;
    struct sampler_options options = request->sampling.options;
    options.interval_ns = sampling_interval_ns(&request->sampling);
    int error = top_gather_open(&gather, &options, (uint64_t)(request->delay_s * 1e9));
    if (error) {
        fprintf(stderr, "marey top: %s\n", marey_strerror(error));
        return EXIT_USAGE;
    }
    int status = add_all(request, gather);
    if (!status)
        status = show_on_terminal(request, gather);
    top_gather_close(gather);
    return status;
}

static int run(int argc, char **argv) {
    struct request request;
    int status = parse(&request, argc, argv);
    if (status >= 0)
        return status;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return usage_error("top", "this is no terminal; 'marey attach' samples into a file");
    status = run_top(&request);
    if (quit_signal) { /* as one that knows nothing of it would */
        signal(quit_signal, SIG_DFL);
        raise(quit_signal);
    }
    return status;
}

const struct command command_top = {"top", "show live where a running process's time goes",
                                    help_text, run};
