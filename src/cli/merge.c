/* marey merge: several traces as one. Each file is read twice, packet by packet: to see what ids and clocks it has, and
 * to copy it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/merge_plan.h"
#include "cli/merge_tar.h"
#include "cli/output_file.h"
#include "output/display.h"
#include "output/packets.h"

static const char help_text[] =
    "usage: marey merge [OPTIONS] FILE... -o OUT\n"
    "\n"
    "Makes one trace of several: of hosts, runs or tools. Their clocks are related by the "
    "wall-clock "
    "time that each file\n"
    "holds; processes of equal ids stay apart, and so do tracks and flows. Any Perfetto trace will "
    "do, plain, packed or\n"
    "gzip'ed; the same file twice is two.\n"
    "\n"
    "  -o, --output OUT        the file to write ('-': the standard output)\n"
    "  -l, --label FILE=NAME   put NAME in front of the names of a file's processes; may be given "
    "again\n"
    "      --align             let all files begin at the same moment, whatever their clocks say\n"
    "      --join-flows        flows of the same number in several files are one\n"
    "      --tar               a TAR of the files as they are, with a manifest of whose each is; "
    "newer viewers open it\n"
    "  -q, --quiet             no word of clocks\n"
    "  -h, --help              this page\n"
    "\n"
    "A file without wall-clock time is said and taken at the times that it has.\n"
    "\n"
    "exit status: 0 done, 1 a trace cannot be read or is damaged (what is whole is in OUT), 2 "
    "wrong "
    "usage\n"
    "\n"
    "examples:\n"
    "  marey merge web1.perfetto-trace web2.perfetto-trace -o both.perfetto-trace\n"
    "  marey merge a.perfetto-trace b.perfetto-trace --label a.perfetto-trace=before -o "
    "ab.perfetto-trace\n";

enum { OPTION_ALIGN = 256, OPTION_JOIN_FLOWS, OPTION_TAR };

struct request {
    struct merge_options merge;
    const char *output;
    int tar, quiet;
};

/* "+1.25s", "-3.00ms". */
static void add_shift(struct text *to, int64_t ns) {
    char length[DISPLAY_ROOM];
    display_duration(length, sizeof length, ns == INT64_MIN ? INT64_MAX : ns < 0 ? -ns : ns);
    text_addf(to, "%s%s", ns < 0 ? "-" : "+", length);
}

static void say_file(const struct merge_file *file, const struct merge_plan *plan) {
    struct text line = {0};
    display_add(&line, file->path, 0);
    if (plan->align)
        text_add(&line, ": begins with the others, shifted by ");
    else if (!file->has_wall)
        text_add(&line, ": no wall-clock time in it: its times are taken as they are");
    else if (file == plan->base)
        text_add(&line, ": the others are put on its clock");
    else if (file->same_clock)
        text_add(&line, ": of the same clock as ");
    else
        text_add(&line, ": shifted by ");
    if (file->same_clock)
        display_add(&line, plan->base->path, 0);
    else if (plan->align || (file != plan->base && file->has_wall))
        add_shift(&line, file->shift_ns);
    if (file->first_machine)
        text_addf(&line, ", machine %u", file->first_machine);
    fprintf(stderr, "%s\n", text_of(&line));
    text_free(&line);
}

static void say_plan(const struct merge_plan *plan, int quiet) {
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct merge_file *file = &plan->files[i];
        if (!quiet || (!file->has_wall && !plan->align))
            say_file(file, plan);
    }
}

/* The clocks of the common trace, once for each machine. */
static void put_clocks(const struct merge_plan *plan, struct packet_writer *packets) {
    struct text message = {0};
    for (uint32_t machine = 0; machine < plan->machines; machine++) {
        message.size = 0;
        if (merge_clock_packet(plan, machine, &message))
            packets_put(packets, message_all(&message));
    }
    text_free(&message);
}

/* Returns 0, or -1 after saying what is wrong. */
static int copy_file(struct merge_file *file, struct packet_writer *packets, struct text *message) {
    static const struct listener nobody;
    struct input input;
    int made = 0;
    if (input_open(&input, "merge", file->path, &nobody))
        return -1;
    while (made >= 0 && !ferror(packets->to) && input_next(&input)) {
        made = renaming_packet(&file->renaming, &input.reader, &input.packet, message);
        if (made > 0)
            packets_put(packets, message_all(message));
    }
    if (made < 0)
        read_error("merge", file->path, message->failed ? MAREY_ENOMEM : MAREY_ELIMIT);
    else if (input.reader.error)
        input_check(&input);
    int failed = made < 0 || input.reader.error != 0;
    input_close(&input);
    return failed ? -1 : 0;
}

static int write_packets(struct merge_plan *plan, FILE *to) {
    struct packet_writer packets;
    struct text message = {0};
    int failed = 0;
    packets_open(&packets, to, PACKETS_PLAIN);
    put_clocks(plan, &packets);
    for (uint32_t i = 0; !failed && !ferror(to) && i < plan->count; i++)
        failed = copy_file(&plan->files[i], &packets, &message);
    text_free(&message);
    return packets_close(&packets) || failed ? -1 : 0;
}

/* Says what was lost on the way. Returns whether anything was. */
static int say_lost(const struct merge_plan *plan) {
    int any = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct merge_file *file = &plan->files[i];
        struct text shown = {0};
        any |= file->damaged || file->renaming.lost;
        if (!file->renaming.lost)
            continue;
        display_add(&shown, file->path, 0);
        fprintf(stderr, "marey merge: %s: %" PRIu64 " x %s\n", text_of(&shown), file->renaming.lost,
                damage_text(DAMAGE_NO_CLOCK));
        text_free(&shown);
    }
    return any;
}

static int write_output(struct merge_plan *plan, const struct request *request) {
    struct output_file output;
    if (output_open(&output, "merge", request->output))
        return EXIT_FOUND;
    say_plan(plan, request->quiet || request->tar);
    int failed = request->tar ? merge_write_tar(plan, output.to) : write_packets(plan, output.to);
    if (failed && !ferror(output.to)) {
        output_abandon(&output);
        return EXIT_FOUND;
    }
    if (output_finish(&output))
        return EXIT_FOUND;
    return say_lost(plan) ? EXIT_FOUND : EXIT_OK;
}

static int merge(const struct request *request, char **paths, int count) {
    struct merge_plan plan;
    for (int i = 0; i < count; i++) {
        if (!strcmp(paths[i], "-"))
            return usage_error("merge", "files are read twice: '-' cannot be one");
        if (output_is_input(request->output, paths[i]))
            return usage_error("merge", "%s: the output would overwrite an input", request->output);
    }
    int status = merge_plan_make(&plan, &request->merge, paths, (uint32_t)count);
    if (status < 0)
        status = write_output(&plan, request);
    merge_plan_free(&plan);
    return status;
}

/* Returns -1, or an exit status. */
static int take_option(struct request *to, int option) {
    struct merge_options *merge_options = &to->merge;
    switch (option) {
    case 'o': to->output = optarg; return -1;
    case 'q': to->quiet = 1; return -1;
    case 'l':
        if (merge_options->label_count == MERGE_FILES_MAX)
            return usage_error("merge", "more than %d times --label", MERGE_FILES_MAX);
        if (!strrchr(optarg, '='))
            return usage_error("merge", "--label takes FILE=NAME, not '%s'", optarg);
        merge_options->labels[merge_options->label_count++] = optarg;
        return -1;
    case OPTION_ALIGN: merge_options->align = 1; return -1;
    case OPTION_JOIN_FLOWS: merge_options->join_flows = 1; return -1;
    case OPTION_TAR: to->tar = 1; return -1;
    default: fputs(help_text, stdout); return EXIT_OK;
    }
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"label", required_argument, NULL, 'l'},
                                            {"align", no_argument, NULL, OPTION_ALIGN},
                                            {"join-flows", no_argument, NULL, OPTION_JOIN_FLOWS},
                                            {"tar", no_argument, NULL, OPTION_TAR},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct request request; /* large */
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:l:qh", options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return option_error("merge", option, argv, options);
        int status = take_option(&request, option);
        if (status >= 0)
            return status;
    }
    if (optind == argc)
        return usage_error("merge", "which files?");
    if (argc - optind > MERGE_FILES_MAX)
        return usage_error("merge", "more than %d files", MERGE_FILES_MAX);
    if (!request.output)
        return usage_error("merge", "where to? Give -o OUT");
    return merge(&request, argv + optind, argc - optind);
}

const struct command command_merge = {"merge", "make one trace of several", help_text, run};
