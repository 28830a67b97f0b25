/* marey check: is a trace whole? */
#include <stdio.h>

#include "cli/command.h"
#include "cli/reading.h"
#include "cli/report.h"

static const char help_text[] =
    "usage: marey check [--json] [-q] FILE...\n"
    "\n"
    "Reads traces and says whether they are whole. Any Perfetto trace of track events will do, and "
    "JSON of Chrome's Trace\nEvent Format, plain or gzip'ed;\n"
    "'-' is the standard input.\n"
    "\n"
    "  -j, --json     for a program: an object a file\n"
    "  -q, --quiet    say nothing, only exit\n"
    "  -h, --help     this page\n"
    "\n"
    "For damage it says what, how often and at which bytes of the file it was first seen. A reader "
    "goes on behind it:\n"
    "'marey info' shows what is left.\n"
    "\n"
    "exit status: 0 all are whole, 1 one is damaged or cannot be read, 2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey check app.perfetto-trace\n"
    "  marey check --json *.perfetto-trace | python3 -m json.tool\n";

enum check_output { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_NONE };

static void print_text(const struct trace *trace, const char *path, int damaged) {
    struct text line = {0};
    display_add(&line, path, 0);
    if (damaged) {
        text_add(&line, ": damaged\n");
    } else {
        text_add(&line, ": whole: ");
        report_sentence(trace, &line);
        text_add(&line, "\n");
    }
    fputs(text_of(&line), stdout);
    text_free(&line);
    report_damage(trace, stdout, "  ");
}

static void print_json(const struct trace *trace, const char *path, int damaged) {
    struct json json;
    json_init(&json, stdout, 0);
    json_object(&json, NULL);
    json_text(&json, "file", path);
    json_bool(&json, "whole", !damaged);
    json_count(&json, "events", trace->reader.events);
    json_count(&json, "spans", trace->span_count);
    report_damage_json(trace, &json);
    json_end(&json);
    json_finish(&json);
}

static int check_file(const char *path, enum check_output output) {
    struct trace trace;
    int status = read_trace(&trace, "check", path, 0);
    if (status < 0) {
        int damaged = damage_total(&trace.reader.damage, HARM_DAMAGE) > 0;
        status = damaged ? EXIT_FOUND : EXIT_OK;
        if (output == OUTPUT_TEXT)
            print_text(&trace, path, damaged);
        else if (output == OUTPUT_JSON)
            print_json(&trace, path, damaged);
    }
    trace_free(&trace);
    return status;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    enum check_output output = OUTPUT_TEXT;
    int option, worst = EXIT_OK;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":jqh", options, NULL)) != -1) {
        switch (option) {
        case 'j': output = OUTPUT_JSON; break;
        case 'q': output = OUTPUT_NONE; break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return option_error("check", option, argv, options);
        }
    }
    if (optind == argc)
        return usage_error("check", "which file?");
    for (int i = optind; i < argc; i++) {
        int status = check_file(argv[i], output);
        worst = status > worst ? status : worst;
    }
    return worst;
}

const struct command command_check = {
    "check", "say whether a trace is whole, and where it is damaged", help_text, run};
