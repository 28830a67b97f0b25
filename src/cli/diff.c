/* marey diff: what changed from one trace to another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/filter_options.h"
#include "cli/output_file.h"
#include "cli/reading.h"
#include "model/sample_profile.h"
#include "model/span_profile.h"
#include "output/difference_table.h"
#include "output/svg.h"

enum { ROWS = 20 };

static const char help_text[] =
    "usage: marey diff [OPTIONS] BEFORE AFTER\n"
    "\n"
    "Says what changed from one trace to another: the shares of functions in the samples, the "
    "calls "
    "of functions, and\nspans, by name; those with the largest effect first. What is no more than "
    "chance is left out: a row is 'sure' where\nless than one in a hundred such rows is by chance, "
    "'likely' where less than one in twenty is, else 'noise'. Calls are\n'counted' where they are "
    "more or fewer. One of the files may be '-', the standard input.\n"
    "\n"
    "  -a, --all             rows that are noise, too\n"
    "  -n, --rows N          rows of each table (otherwise 20; 0: all)\n"
    "  -b, --by WHAT         samples by function, line or file (otherwise function)\n"
    "  -f, --filter PATTERN  only functions and spans whose name is like that; '!PATTERN' leaves "
    "them out; may be given\n"
    "                        again. Shares are still of everything\n" FILTER_HELP
    "      --fail-above P    exit with 1 if something has surely grown by more than P (5%): a "
    "function's own share of the\n"
    "                        samples by so many points; or the mean time of a span or call by so "
    "much of what it was, if\n"
    "                        that costs at least a hundredth of the trace's length\n"
    "  -o, --output FILE     a flame graph of the difference, as SVG: red has grown, blue has "
    "shrunk\n"
    "  -j, --json            for a program; times in nanoseconds\n"
    "      --csv             comma-separated values, likewise\n"
    "  -h, --help            this page\n"
    "\n"
    "Both recordings are of one run each. What differs from run to run, as by a machine that was "
    "busy, is a difference too.\n"
    "\n"
    "exit status: 0 shown, 1 a file cannot be read or is no trace, or --fail-above found "
    "something, "
    "2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey diff before.perfetto-trace after.perfetto-trace\n"
    "  marey diff --fail-above 5% main.perfetto-trace branch.perfetto-trace\n"
    "  marey diff -o diff.svg before.perfetto-trace after.perfetto-trace\n";

enum { OPTION_FAIL_ABOVE = 256, OPTION_CSV };

static const struct option long_options[] = {
    {"all", no_argument, NULL, 'a'},
    {"rows", required_argument, NULL, 'n'},
    {"by", required_argument, NULL, 'b'},
    {"filter", required_argument, NULL, 'f'},
    FILTER_OPTIONS,
    {"fail-above", required_argument, NULL, OPTION_FAIL_ABOVE},
    {"output", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"csv", no_argument, NULL, OPTION_CSV},
    {"help", no_argument, NULL, 'h'},
    {0}};

struct request {
    struct difference_style style;
    struct filter_options part;
    const char *names[FILTER_PATTERNS_MAX];
    struct patterns filter;
    const char *output; /* NULL: none */
    double fail_above;  /* a part of the whole; negative: never */
    int json, csv;
};

/* While both are compared. */
struct comparing {
    struct request *request;
    const char *paths[SIDES];
    struct difference difference;
    struct profile *profiles[SIDES]; /* of --output; NULL otherwise */
};

/* ------------------------------------------------------------------ reading */

/* Of samples, where both have some; the other trace is not read yet when the first is. So of what the first has. */
static int take_profile(struct comparing *self, int side, struct trace *trace) {
    const struct trace_filter *filter = &self->request->part.filter;
    int samples = side == BEFORE ? trace->samples > 0 : self->difference.samples[BEFORE] > 0;
    if (!self->request->output)
        return 0;
    return samples ? sample_profile(&self->profiles[side], trace, filter, GROUP_WHOLE, NULL)
                   : span_profile(&self->profiles[side], trace, filter, NULL);
}

/* Returns -1, or an exit status. */
static int take(struct comparing *self, int side) {
    const char *path = self->paths[side];
    struct trace trace;
    int status = read_trace(&trace, "diff", path, TRACE_CALLS | TRACE_LEAN);
    if (status < 0)
        status = filter_settle(&self->request->part, "diff", &trace);
    if (status < 0) {
        int error = difference_take(&self->difference, side, &trace, &self->request->part.filter,
                                    self->request->style.grouping);
        if (!error)
            error = take_profile(self, side, &trace);
        status = error ? read_error("diff", path, error) : -1;
        say_damaged("diff", path, &trace, "compared");
    }
    trace_free(&trace);
    return status;
}

/* ------------------------------------------------------------------ showing */

static void show_json(const struct comparing *self) {
    struct json json;
    json_init(&json, stdout, 2);
    json_object(&json, NULL);
    for (int side = 0; side < SIDES; side++) {
        json_object(&json, side == BEFORE ? "before" : "after");
        json_text(&json, "file", self->paths[side]);
        json_count(&json, "samples", self->difference.samples[side]);
        json_integer(&json, "duration_ns", self->difference.length_ns[side]);
        json_end(&json);
    }
    difference_json(&self->difference, &json, &self->request->style);
    json_end(&json);
    json_finish(&json);
}

static void show(const struct comparing *self) {
    const struct request *request = self->request;
    if (request->output && !strcmp(request->output, "-"))
        return; /* the picture stands there */
    if (request->json)
        show_json(self);
    else if (request->csv)
        difference_csv(&self->difference, stdout, &request->style);
    else
        difference_print(&self->difference, stdout, &request->style);
}

/* Returns -1, or an exit status. */
static int draw(struct comparing *self) {
    struct output_file output;
    struct svg_style style = {.title = "What changed"};
    if (!self->request->output)
        return -1;
    if (output_open(&output, "diff", self->request->output))
        return EXIT_FOUND;
    style.weight = self->difference.timed[BEFORE] || !self->difference.samples[BEFORE]
                       ? (unsigned)SAMPLE_WALL
                       : (unsigned)PROFILE_COUNT;
    int error = svg_difference(output.to, self->profiles[BEFORE], self->profiles[AFTER], &style);
    if (!error)
        return output_finish(&output) ? EXIT_FOUND : -1;
    output_fail(&output, error);
    return EXIT_FOUND;
}

/* --------------------------------------------------------------- fail-above */

static void say_share(const struct difference *difference, const struct changed_share *row) {
    struct text name = {0};
    display_add(&name, difference_text(difference, row->name), 0);
    fprintf(stderr, "marey diff: %s: %.1f%% -> %.1f%% of the samples\n", text_of(&name),
            100 * difference_self(difference, row, BEFORE),
            100 * difference_self(difference, row, AFTER));
    text_free(&name);
}

static void say_span(const struct difference *difference, const struct changed_span *row) {
    struct text name = {0};
    char before[DISPLAY_ROOM], after[DISPLAY_ROOM];
    display_duration(before, sizeof before, row->side[BEFORE].mean_ns);
    display_duration(after, sizeof after, row->side[AFTER].mean_ns);
    display_add(&name, difference_text(difference, row->name), 0);
    fprintf(stderr, "marey diff: %s: mean %s -> %s (%+.1f%%)\n", text_of(&name), before, after,
            100 * difference_growth(row));
    text_free(&name);
}

static int has_grown(const struct difference *difference, double part) {
    int grown = 0;
    if (part < 0)
        return 0;
    for (uint32_t i = 0; i < difference->share_count; i++)
        if (difference_share_grew(difference, &difference->shares[i], part)) {
            say_share(difference, &difference->shares[i]);
            grown = 1;
        }
    for (uint32_t i = 0; i < difference->span_count; i++)
        if (difference_span_grew(difference, &difference->spans[i], part)) {
            say_span(difference, &difference->spans[i]);
            grown = 1;
        }
    return grown;
}

static int compare(struct comparing *self) {
    int status = take(self, BEFORE);
    if (status < 0)
        status = take(self, AFTER);
    if (status >= 0)
        return status;
    int error = difference_settle(&self->difference, &self->request->filter);
    if (error)
        return read_error("diff", self->paths[AFTER], error);
    show(self);
    status = draw(self);
    if (status >= 0)
        return status;
    return has_grown(&self->difference, self->request->fail_above) ? EXIT_FOUND : EXIT_OK;
}

/* ------------------------------------------------------------------ options */

/* Returns -1, or an exit status. */
static int take_by(struct request *to, const char *word) {
    static const struct {
        const char *word;
        enum sample_grouping grouping;
    } words[] = {{"function", GROUP_FUNCTIONS}, {"line", GROUP_LINES}, {"file", GROUP_FILES}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(word, words[i].word)) {
            to->style.grouping = words[i].grouping;
            return -1;
        }
    return usage_error("diff", "--by takes function, line or file, not '%s'", word);
}

/* "5%", "0.5 %", "5". */
static int take_limit_of_growth(struct request *to, const char *text) {
    char *end;
    double value = strtod(text, &end);
    while (*end == ' ')
        end++;
    end += *end == '%';
    if (end == text || *end || !(value >= 0 && value <= 1e6))
        return usage_error("diff", "--fail-above: '%s' is no share; write 5%%", text);
    to->fail_above = value / 100;
    return -1;
}

/* Returns -1, or an exit status. */
static int take_option(struct request *to, int option, char **argv) {
    switch (option) {
    case 'a': to->style.all = 1; return -1;
    case 'n': return take_rows("diff", &to->style.rows, optarg);
    case 'b': return take_by(to, optarg);
    case 'f': return filter_add_pattern("diff", "filter", to->names, &to->filter.count, optarg);
    case OPTION_FAIL_ABOVE: return take_limit_of_growth(to, optarg);
    case 'o': to->output = optarg; return -1;
    case 'j': to->json = 1; return -1;
    case OPTION_CSV: to->csv = 1; return -1;
    case 'h': fputs(help_text, stdout); return EXIT_OK;
    case '?':
    case ':': return option_error("diff", option, argv, long_options);
    default: return filter_take_option(&to->part, "diff", option, optarg);
    }
}

/* Returns -1, or an exit status. */
static int check(const struct request *request, int argc, char **argv) {
    if (argc - optind != 2)
        return usage_error("diff", "which two files?");
    if (!strcmp(argv[optind], "-") && !strcmp(argv[optind + 1], "-"))
        return usage_error("diff", "one of the files may be '-', not both");
    if (request->json && request->csv)
        return usage_error("diff", "--json or --csv, not both");
    for (int i = optind; request->output && i < argc; i++)
        if (output_is_input(request->output, argv[i]))
            return usage_error("diff", "'%s' would be written over", argv[i]);
    return -1;
}

static int run(int argc, char **argv) {
    struct request request = {
        .style = {.rows = ROWS,
                  .table = {table_terminal_width(stdout), table_terminal_colour(stdout), "", 0}},
        .fail_above = -1};
    int option, status;
    request.filter.all = request.names;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":an:b:f:p:t:o:jh", long_options, NULL)) != -1) {
        status = take_option(&request, option, argv);
        if (status >= 0)
            return status;
    }
    status = check(&request, argc, argv);
    if (status >= 0)
        return status;
    struct comparing comparing = {.request = &request, .paths = {argv[optind], argv[optind + 1]}};
    status = compare(&comparing);
    difference_free(&comparing.difference);
    profile_close(comparing.profiles[BEFORE]);
    profile_close(comparing.profiles[AFTER]);
    return status;
}

const struct command command_diff = {"diff", "what changed from one trace to another", help_text,
                                     run};
