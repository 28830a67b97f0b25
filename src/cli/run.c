/* marey run: a program inside a recording, and a report at its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/calls_options.h"
#include "cli/command.h"
#include "cli/ending.h"
#include "cli/launch.h"
#include "cli/sampling.h"
#include "marey.h"
#include "output/display.h"

enum {
    ROWS = 20,
    PATH_ROOM = 4096,
    SHOWN_ARGUMENTS = 48, /* of the command line, in the trace */
};

static const char extension[] = ".perfetto-trace";

static const char help_text[] =
    "usage: marey run [OPTIONS] [--] SCRIPT.py [ARG]...\n"
    "       marey run [OPTIONS] -m MODULE [ARG]...\n"
    "       marey run [OPTIONS] -c CODE [ARG]...\n"
    "       marey run [OPTIONS] [--] PROGRAM [ARG]...\n"
    "\n"
    "Runs a program and records it, and all the processes that it starts, into one file. A process "
    "records what it\n"
    "marks with Marey: spans, instants, counters, flows; and of those that run Python, samples are "
    "taken from outside.\n"
    "The file is whole at every instant; if the program is killed, nothing is lost. At the end one "
    "line says what was\n"
    "recorded and where, and tables show spans and functions.\n"
    "\n"
    "  -o, --output FILE     the trace; otherwise NAME.perfetto-trace here, NAME being the "
    "program's\n"
    "      --ring SIZE       keep only the last SIZE bytes (64M, 1G): for programs that run long. "
    "On /dev/shm it costs\n"
    "                        no disk\n"
    "      --limit SIZE      stop recording when the file has this size (otherwise 8G)\n"
    "  -n, --rows N          rows of each table (otherwise 20; 0: all)\n"
    "  -j, --json            the report as one line of JSON, the last on the standard error\n"
    "  -q, --quiet           no report\n"
    "  -h, --help            this page\n"
    "\n"
    "sampling:\n"
    "      --no-samples      none\n" SAMPLING_HELP "\n"
    "calls:\n" CALLS_HELP "\n"
    "Python programs run under the Python beside this command, else that of $VIRTUAL_ENV, else "
    "python3. The program\n"
    "has the standard streams to itself: the report goes to the standard error, after its end.\n"
    "\n"
    "exit status: the program's; where a signal killed it, the same signal. 2: the trace cannot be "
    "made, and nothing\n"
    "was run. 126: the program cannot be executed. 127: it cannot be found.\n"
    "\n"
    "examples:\n"
    "  marey run app.py --fast\n"
    "  marey run -o tests.perfetto-trace -m pytest -x tests\n"
    "  marey run --ring 64M -o /dev/shm/server.perfetto-trace ./server\n";

struct request {
    const char *output;
    char output_made[PATH_ROOM]; /* where none was given */
    marey_options options;
    uint32_t rows;
    int json, quiet, no_samples;
    struct sampling_request sampling;
    struct calls_request calls;
    int is_python;
    char **argv; /* of the program; ends in NULL */
    char program[PATH_ROOM];
    const char *name; /* for people: app.py, pytest, make */
};

/* --------------------------------------------------------------- options */

static const struct option long_options[] = {{"output", required_argument, NULL, 'o'},
                                             {"ring", required_argument, NULL, 'r'},
                                             {"limit", required_argument, NULL, 'l'},
                                             {"rows", required_argument, NULL, 'n'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"quiet", no_argument, NULL, 'q'},
                                             {"no-samples", no_argument, NULL, 'S'},
                                             SAMPLING_OPTIONS,
                                             CALLS_OPTIONS,
                                             {"help", no_argument, NULL, 'h'},
                                             {0}};

/* One option with its value. Returns -1, or an exit status. */
static int take_option(struct request *to, int option, char **argv) {
    if (option >= CALLS_FIRST && option <= CALLS_LAST)
        return calls_take_option(&to->calls, option, optarg);
    switch (option) {
    case 'o': to->output = optarg; return -1;
    case 'j': to->json = 1; return -1;
    case 'q': to->quiet = 1; return -1;
    case 'r': return take_ring("run", &to->options, optarg);
    case 'l': return take_limit("run", &to->options, optarg);
    case 'n': return take_rows("run", &to->rows, optarg);
    case 'S': to->no_samples = 1; return -1;
    case 'h': fputs(help_text, stdout); return EXIT_OK;
    case '?':
    case ':': return option_error("run", option, argv, long_options);
    default: return sampling_take_option("run", &to->sampling, option);
    }
}

static int ends_in(const char *word, const char *end) {
    size_t length = strlen(word), tail = strlen(end);
    return length > tail && !strcmp(word + length - tail, end);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Puts "python" before the program's words. Those from -m or -c on are Python's own. Returns 0 or -1. */
static int prefix_python(struct request *to, char **words) {
    size_t count = 0;
    while (words[count])
        count++;
    to->argv = calloc(count + 2, sizeof *to->argv);
    if (!to->argv)
        return -1;
    to->argv[0] = to->program;
    memcpy(to->argv + 1, words, count * sizeof *words);
    to->is_python = 1;
    return 0;
}

/* Splits the command line. What stands behind the program, -m MODULE or -c CODE is the program's own. Returns -1, or an
 * exit status. */
static int parse(struct request *to, int argc, char **argv) {
    int option;
    *to = (struct request){.argv = argv + argc, .rows = ROWS, .options = {.flags = MAREY_CHILDREN}};
    sampling_request_init(&to->sampling);
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:o:n:m:c:jqh", long_options, NULL)) != -1) {
        if (option != 'm' && option != 'c') {
            int status = take_option(to, option, argv);
            if (status >= 0)
                return status;
            continue;
        }
        /* -m and its value: two words, or one where they are joined. */
        int first = optarg == argv[optind - 1] ? optind - 2 : optind - 1;
        to->name = option == 'm' ? optarg : "python";
        return prefix_python(to, argv + first) ? EXIT_USAGE : -1;
    }
    if (optind == argc)
        return usage_error("run", "which program?");
    to->argv = argv + optind;
    to->name = base_name(argv[optind]);
    if (ends_in(to->name, ".py") || ends_in(to->name, ".pyz") || ends_in(to->name, ".pyw"))
        return prefix_python(to, argv + optind) ? EXIT_USAGE : -1;
    return -1;
}

/* The name of the file where none was given: the program's without its ending, in the current directory. */
static void name_output(struct request *to) {
    size_t length = strlen(to->name);
    const char *dot = strrchr(to->name, '.');
    if (to->output)
        return;
    if (to->is_python && dot && dot != to->name && !strncmp(dot, ".py", 3))
        length = (size_t)(dot - to->name);
    snprintf(to->output_made, sizeof to->output_made, "%.*s%s", (int)length, to->name, extension);
    to->output = to->output_made;
}

/* ------------------------------------------------------------------- run */

static void record_begin(marey_track *track, const struct request *request) {
    marey_arg words[SHOWN_ARGUMENTS];
    size_t count = 0;
    for (; count < SHOWN_ARGUMENTS && request->argv[count]; count++)
        words[count] = MAREY_STR("", request->argv[count]);
    marey_arg command = {
        .name = marey_name_id("command"), .kind = MAREY_KIND_ARRAY, .args = words, .count = count};
    marey_track_begin(track, MAREY_NOW, request->name, command);
}

static void record_killed(marey_track *track, int signal_number) {
    marey_track_end(track, MAREY_NOW, MAREY_I64("signal", signal_number),
                    MAREY_STR("error", strsignal(signal_number)));
}

/* error: an errno, 0 where the program ran. */
static void record_end(marey_track *track, int error, int status) {
    if (!error && WIFSIGNALED(status)) {
        record_killed(track, WTERMSIG(status));
        return;
    }
    marey_arg how =
        error ? MAREY_STR("error", strerror(error)) : MAREY_I64("exit status", WEXITSTATUS(status));
    marey_track_end(track, MAREY_NOW, how);
}

/* So that the program knows that it is the one that is run, and not a child of it; and that samplers of its own need not
 * write into the file what we write there. */
static void name_ourselves(int samples) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("MAREY_RUN", pid, 1);
    if (samples)
        setenv("MAREY_SAMPLED", pid, 1);
    else
        unsetenv("MAREY_SAMPLED");
}

static void sample(void *context, pid_t pid) {
    struct sampling *sampling = context;
    if (!sampling_add(sampling, pid, true))
        sampling_start(sampling);
}

/* The program as a span of its own: what was run, and how it ended. */
static int record_program(const struct request *request, struct sampling *sampling, int *status) {
    struct launch_watch watch = {sampling, sample};
    marey_track *track = marey_track_open("marey run", MAREY_OF_PROCESS);
    record_begin(track, request);
    int error = launch_run(request->program, request->argv, sampling ? &watch : NULL, status);
    if (sampling)
        sampling_end(sampling);
    record_end(track, error, *status);
    marey_track_close(track);
    return error;
}

static int cannot_start(const struct request *request, int error) {
    struct text shown = {0};
    const char *name = request->is_python ? "python3" : request->argv[0];
    display_add(&shown, name, 0);
    fprintf(stderr, "marey run: %s: %s\n", text_of(&shown),
            error == ENOENT && !strchr(name, '/') ? "command not found" : strerror(error));
    text_free(&shown);
    return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* Finds the program before anything is written: an old trace survives a wrong word. */
static int find_program(struct request *request) {
    return request->is_python
               ? launch_find_python(request->program, sizeof request->program)
               : launch_find(request->argv[0], request->program, sizeof request->program);
}

static void report(const struct request *request, const struct sampling *sampling, int status) {
    struct ending ending = {.command = "run",
                            .path = request->output,
                            .to = stderr,
                            .rows = request->rows,
                            .json = request->json,
                            .by_thread = request->sampling.by_thread,
                            .status = &status,
                            .sampling = sampling ? sampling_result(sampling) : NULL};
    if (!request->quiet)
        ending_report(&ending);
}

/* Runs the program in the recording that is open, and closes that. Returns an errno. */
static int run_and_report(const struct request *request, int *status) {
    struct sampling *sampling = NULL;
    if (!request->no_samples)
        sampling_open(&sampling, &request->sampling); /* without memory for it, without it */
    int error = record_program(request, sampling, status);
    marey_close();
    if (!error)
        report(request, sampling, *status);
    if (sampling)
        sampling_close(sampling);
    return error;
}

static int run_recorded(struct request *request) {
    int status;
    int error = find_program(request);
    if (error)
        return cannot_start(request, error);
    name_output(request);
    marey_close(); /* where we were started in a recording: this one is another */
    error = marey_open(request->output, &request->options);
    if (error)
        return record_error("run", request->output, error);
    name_ourselves(!request->no_samples);
    calls_hand_over(&request->calls);
    error = run_and_report(request, &status);
    if (error)
        return cannot_start(request, error);
    launch_die_alike(status);
    return launch_exit_status(status);
}

static int run(int argc, char **argv) {
    struct request request;
    int status = parse(&request, argc, argv);
    if (status < 0)
        status = calls_check(&request.calls);
    if (status < 0)
        status = run_recorded(&request);
    if (request.is_python)
        free(request.argv);
    return status;
}

const struct command command_run = {"run", "run a program and record it", help_text, run};
