/* marey cut: a part of a trace as a trace. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/part_file.h"
#include "cli/reading.h"

static const char help_text[] =
    "usage: marey cut [OPTIONS] FILE -o OUT\n"
    "\n"
    "Makes a trace of a part of one: of some time, some processes, some threads. It is whole by "
    "itself: spans that reach\n"
    "into the part are clipped to it, with their names and arguments, those without an end stay "
    "open; counters begin with\n"
    "the value that they had; what the recorder lost is told. Memory is in proportion to the part; "
    "'-', the standard\n"
    "input, is held whole. For OUT it is the standard output.\n"
    "\n"
    "  -o, --output OUT      the file to write; one that is there is replaced once all is written\n"
    "\n" FILTER_HELP
    "      --track NAME      only tracks that are named like this, and those below them; may be "
    "given several times\n"
    "  -h, --help            this page\n"
    "\n"
    "exit status: 0 done, 1 the trace cannot be read or is damaged (what is whole is in OUT), 2 "
    "wrong usage\n"
    "\n"
    "examples:\n"
    "  marey cut --from 1.5s --to 2s app.perfetto-trace -o moment.perfetto-trace\n"
    "  marey cut --from -10s --process 'worker*' app.perfetto-trace -o end.perfetto-trace\n";

struct request {
    const char *path, *output;
    struct filter_options filter;
    const char *tracks[FILTER_PATTERNS_MAX];
};

enum { OPTION_TRACK = 256 };

/* Returns an exit status. */
static int write_part(struct trace *trace, struct request *request, struct progress *progress) {
    struct format_request part = {.filter = request->filter.filter};
    struct output_file output;
    progress_turn(progress, "writing");
    if (output_open(&output, "cut", request->output))
        return EXIT_FOUND;
    int error = format_perfetto.write(output.to, trace, &part);
    progress_end(progress);
    if (error && !ferror(output.to)) {
        output_fail(&output, error);
        return EXIT_FOUND;
    }
    if (output_finish(&output))
        return EXIT_FOUND;
    part_say_empty("cut", request->path, trace, &format_perfetto, &part);
    return say_damaged("cut", request->path, trace, "cut") ? EXIT_FOUND : EXIT_OK;
}

static int cut(struct request *request) {
    struct excerpt excerpt;
    struct progress progress;
    if (output_is_input(request->output, request->path))
        return usage_error("cut", "%s: the output would overwrite the input", request->output);
    progress_begin(&progress, "cut");
    int status =
        part_read(&excerpt, request->path, format_perfetto.keep, &request->filter, &progress);
    if (status < 0)
        status = write_part(&excerpt.trace, request, &progress);
    progress_end(&progress);
    excerpt_close(&excerpt);
    return status;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            FILTER_OPTIONS,
                                            {"track", required_argument, NULL, OPTION_TRACK},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request request = {.path = NULL};
    int option, status = -1;
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":o:p:t:h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return EXIT_OK;
        }
        if (option == '?' || option == ':')
            return option_error("cut", option, argv, options);
        if (option == 'o')
            request.output = optarg;
        else if (option == OPTION_TRACK)
            status = filter_add_pattern("cut", "track", request.tracks,
                                        &request.filter.filter.track_count, optarg);
        else
            status = filter_take_option(&request.filter, "cut", option, optarg);
    }
    if (status >= 0)
        return status;
    if (optind == argc)
        return usage_error("cut", "which file?");
    if (argc - optind > 1)
        return usage_error("cut", "one file at a time");
    if (!request.output)
        return usage_error("cut", "where to? Give -o OUT");
    request.path = argv[optind];
    request.filter.filter.tracks = request.tracks;
    return cut(&request);
}

const struct command command_cut = {"cut", "make a trace of a part of one", help_text, run};
