/* marey convert: a trace in another format. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/part_file.h"
#include "cli/reading.h"
#include "output/display.h"
#include "output/format.h"
#include "page/formats.h"
#include "page/html.h"

enum { FORMATS_MAX = 32 };

static const char help_text[] =
    "usage: marey convert [OPTIONS] FILE -o OUTPUT\n"
    "\n"
    "Writes a trace in another format, which the output's extension says, or --to. '-' is the "
    "standard input or output.\n"
    "The output appears when it is whole.\n"
    "\n"
    "  perfetto     .perfetto-trace, .pftrace\n"
    "                              a Perfetto trace anew: of a part, of a gzip'ed or another "
    "writer's trace\n"
    "  chrome       .json          Chrome's JSON, for chrome://tracing and many others\n"
    "  speedscope   .speedscope.json, .speedscope\n"
    "                              for speedscope.app: spans and calls by time, samples with their "
    "weights\n"
    "  firefox      .firefox.json, .profile.json\n"
    "                              for profiler.firefox.com: samples, and spans as markers\n"
    "  pprof        .pb.gz, .pprof for go tool pprof: all weights of samples, or spans and calls\n"
    "  callgrind    .callgrind     for KCachegrind and callgrind_annotate: callers, callees, "
    "lines\n"
    "  folded       .folded        for flame graph tools: a line a stack, and its weight in "
    "nanoseconds\n"
    "  svg          .svg           a flame graph: zooms, searches and turns over in a browser\n"
    "  html         .html, .htm    the page of marey view as one file: no server, no network\n"
    "  csv          .csv           a table: a row a span; with --of samples: a row a sample\n"
    "\n"
    "  -o, --output FILE     where to; without it, the standard output\n"
    "      --to NAME         which format (--to TIME: below)\n"
    "      --of WHAT         what stacks and tables are of: samples or spans\n"
    "  -w, --weight WHAT     what samples count by, where the format holds one number: wall "
    "(otherwise), cpu, gil, gil-wait\n"
    "  -l, --lines           tell frames apart by line\n"
    "      --title TEXT      the output's title, where the format has one\n" FILTER_HELP
    "  -h, --help            this page\n"
    "\n"
    "exit status: 0 converted, 1 the file cannot be read, is damaged (what can be read of it is "
    "converted), or the output\n"
    "cannot be written, 2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey convert app.perfetto-trace -o spans.csv\n"
    "  marey convert --of samples --to csv app.perfetto-trace | head\n";

enum { OPTION_OF = 256, OPTION_TITLE };

static const struct option long_options[] = {{"output", required_argument, NULL, 'o'},
                                             {"of", required_argument, NULL, OPTION_OF},
                                             {"weight", required_argument, NULL, 'w'},
                                             {"lines", no_argument, NULL, 'l'},
                                             {"title", required_argument, NULL, OPTION_TITLE},
                                             FILTER_OPTIONS,
                                             {"help", no_argument, NULL, 'h'},
                                             {0}};

struct request {
    struct format_request format;
    const char *output, *to;
    struct filter_options filter;
};

/* ------------------------------------------------------------ which format */

static const struct format *find_by_name(const char *name) {
    const char *words[FORMATS_MAX];
    size_t count = 0;
    struct text all = {0};
    for (; page_format(count) && count < FORMATS_MAX; count++) {
        words[count] = page_format(count)->name;
        text_addf(&all, "%s%s", count ? ", " : "", words[count]);
        if (!strcmp(name, words[count])) {
            text_free(&all);
            return page_format(count);
        }
    }
    const char *nearest = nearest_word(name, words, count);
    if (nearest)
        usage_error("convert", "unknown format '%s'. Did you mean '%s'?", name, nearest);
    else
        usage_error("convert", "unknown format '%s'; there are %s", name, text_of(&all));
    text_free(&all);
    return NULL;
}

/* How many bytes of the path are that extension; 0: it is another. */
static size_t ends_in(const char *path, const char *extension) {
    size_t length = strlen(path), bytes = strlen(extension);
    return length > bytes && !strcmp(path + length - bytes, extension) ? bytes : 0;
}

static void add_extensions(struct text *all) {
    for (size_t i = 0; page_format(i); i++)
        for (int j = 0; page_format(i)->extensions[j]; j++)
            text_addf(all, "%s%s", i || j ? ", " : "", page_format(i)->extensions[j]);
}

static const struct format *find_by_extension(const char *path) {
    const struct format *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; page_format(i); i++)
        for (int j = 0; page_format(i)->extensions[j]; j++)
            if (ends_in(path, page_format(i)->extensions[j]) > longest) {
                longest = ends_in(path, page_format(i)->extensions[j]);
                found = page_format(i);
            }
    if (!found) {
        struct text all = {0};
        add_extensions(&all);
        usage_error("convert", "%s: which format? No extension of %s, and no --to", path,
                    text_of(&all));
        text_free(&all);
    }
    return found;
}

/* NULL after saying what is wrong. */
static const struct format *find_format(const struct request *request) {
    if (request->to)
        return find_by_name(request->to);
    if (strcmp(request->output, "-") != 0)
        return find_by_extension(request->output);
    usage_error("convert", "which format? -o FILE says it by its extension, or --to");
    return NULL;
}

/* --------------------------------------------------------------- converting */

static int write_output(struct trace *trace, const char *path, const struct format *format,
                        struct request *request, struct progress *progress) {
    struct output_file output;
    if (strcmp(request->output, "-") != 0)
        progress_turn(progress, "writing");
    else
        progress_end(progress);
    request->format.filter = request->filter.filter;
    if (format == &format_html && !request->format.title)
        request->format.title = path;
    if (output_open(&output, "convert", request->output))
        return EXIT_FOUND;
    int error = format->write(output.to, trace, &request->format);
    progress_end(progress);
    if (error) {
        output_fail(&output, error);
        return EXIT_FOUND;
    }
    if (output_finish(&output))
        return EXIT_FOUND;
    part_say_empty("convert", path, trace, format, &request->format);
    return EXIT_OK;
}

/* Of a part no more is kept than that, where the format bears it. Returns -1, or an exit status. */
static int read_wanted(struct excerpt *excerpt, const char *path, const struct format *format,
                       struct filter_options *filter, struct progress *progress) {
    if (format->by_event && filter_is_given(filter))
        return part_read(excerpt, path, format->keep, filter, progress);
    int status = read_watched(&excerpt->trace, path, format->keep, progress);
    return status < 0 ? filter_settle(filter, "convert", &excerpt->trace) : status;
}

static int convert(const char *path, const struct format *format, struct request *request) {
    struct excerpt excerpt;
    struct progress progress;
    progress_begin(&progress, "convert");
    int status = read_wanted(&excerpt, path, format, &request->filter, &progress);
    if (status < 0)
        status = write_output(&excerpt.trace, path, format, request, &progress);
    progress_end(&progress);
    if (!status && say_damaged("convert", path, &excerpt.trace, "converted"))
        status = EXIT_FOUND;
    excerpt_close(&excerpt);
    return status;
}

/* ------------------------------------------------------------------ options */

/* The place of a word in a list that ends in NULL. -1: it is none of them, which is said. */
static int choose(const char *option, const char *const *words) {
    struct text all = {0};
    for (int i = 0; words[i]; i++) {
        if (!strcmp(optarg, words[i])) {
            text_free(&all);
            return i;
        }
        text_addf(&all, "%s%s", i ? (words[i + 1] ? ", " : " or ") : "", words[i]);
    }
    usage_error("convert", "--%s takes %s, not '%s'", option, text_of(&all), optarg);
    text_free(&all);
    return -1;
}

static int choose_of(struct format_request *format) {
    static const char *const of[] = {"samples", "spans", NULL};
    int choice = choose("of", of);
    format->of = choice ? STACKS_OF_SPANS : STACKS_OF_SAMPLES;
    return choice < 0 ? EXIT_USAGE : -1;
}

static int choose_weight(struct format_request *format) {
    static const char *const weights[] = {"wall", "cpu", "gil", "gil-wait", NULL};
    int choice = choose("weight", weights);
    format->weight = choice < 0 ? SAMPLE_WALL : (enum sample_weight)choice;
    return choice < 0 ? EXIT_USAGE : -1;
}

/* Returns -1, or an exit status. */
static int take_option(struct request *request, int option, char **argv) {
    struct format_request *format = &request->format;
    switch (option) {
    case 'o': request->output = optarg; return -1;
    case OPTION_TITLE: format->title = optarg; return -1;
    case 'l': format->lines = 1; return -1;
    case 'h': fputs(help_text, stdout); return EXIT_OK;
    case OPTION_OF: return choose_of(format);
    case 'w': return choose_weight(format);
    case FILTER_TO: /* a format's name begins with a letter, a time does not */
        if (!isalpha((unsigned char)*optarg))
            return filter_take_option(&request->filter, "convert", option, optarg);
        request->to = optarg;
        return -1;
    case FILTER_PROCESS:
    case FILTER_THREAD:
    case FILTER_FROM: return filter_take_option(&request->filter, "convert", option, optarg);
    default: return option_error("convert", option, argv, long_options);
    }
}

static int check_and_convert(const char *path, struct request *request) {
    const struct format *format = find_format(request);
    if (!format)
        return EXIT_USAGE;
    if (output_is_input(request->output, path))
        return usage_error("convert", "%s is what is read; it would be overwritten",
                           strcmp(request->output, "-") ? request->output : "standard output");
    if (format->binary && !strcmp(request->output, "-") && isatty(STDOUT_FILENO))
        return usage_error("convert", "%s is not for a terminal; -o FILE", format->name);
    return convert(path, format, request);
}

static int run(int argc, char **argv) {
    struct request request = {.output = "-"};
    int option, status = -1;
    opterr = 0;
    while (status < 0 &&
           (option = getopt_long(argc, argv, ":o:w:lp:t:h", long_options, NULL)) != -1)
        status = take_option(&request, option, argv);
    if (status >= 0)
        return status;
    if (optind == argc)
        return usage_error("convert", "which file?");
    if (argc - optind > 1)
        return usage_error("convert", "one file at a time");
    return check_and_convert(argv[optind], &request);
}

const struct command command_convert = {"convert", "write a trace in another format", help_text,
                                        run};
