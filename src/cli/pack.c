/* marey pack: a trace compressed, so that viewers still open it; or uncompressed again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/output_file.h"
#include "output/display.h"
#include "output/packets.h"

enum { LEVEL_USUAL = 6, LEVEL_MAX = 9 };
enum { OPTION_LEVEL = 256 };

static const char help_text[] =
    "usage: marey pack [OPTIONS] FILE -o OUT\n"
    "\n"
    "Makes a trace smaller, 4 to 10 times as a rule. It stays a trace that viewers and Marey open "
    "as "
    "it is: its packets are\n"
    "compressed by zlib, many at a time, and space that is not used is left out. Any Perfetto "
    "trace "
    "will do, plain or\n"
    "gzip'ed; '-' is the standard input, and for OUT the standard output.\n"
    "\n"
    "  -o, --output OUT   the file to write; one that is there is replaced once all is written\n"
    "      --level N      1 (fast) to 9 (small); otherwise 6\n"
    "  -u, --unpack       the other way: plain packets\n"
    "  -q, --quiet        no word of sizes\n"
    "  -h, --help         this page\n"
    "\n"
    "exit status: 0 done, 1 the trace cannot be read or is damaged (what is whole of it is in "
    "OUT), "
    "2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey pack app.perfetto-trace -o small.perfetto-trace\n"
    "  marey pack --unpack small.perfetto-trace -o - | marey info -\n";

struct request {
    const char *path, *output;
    int level; /* of packets_open */
    int quiet;
};

static void say_sizes(const struct input *input, const struct packet_writer *packets) {
    char before[DISPLAY_ROOM], after[DISPLAY_ROOM], count[DISPLAY_ROOM];
    uint64_t read = input->source.file_bytes ? input->source.file_bytes : input->source.offset;
    display_size(before, sizeof before, read);
    display_size(after, sizeof after, packets->bytes);
    display_count(count, sizeof count, packets->packets);
    fprintf(stderr, "%s -> %s", before, after);
    if (packets->bytes * 11 < read * 10)
        fprintf(stderr, " (%.1f times smaller)", (double)read / (double)packets->bytes);
    fprintf(stderr, ", %s packets\n", count);
}

/* Returns an exit status. */
static int copy(struct input *input, struct output_file *output, const struct request *request) {
    struct packet_writer packets;
    packets_open(&packets, output->to, request->level);
    while (!ferror(output->to) && input_next(input))
        packets_put(&packets, input->packet.all);
    int error = packets_close(&packets);
    if (error)
        read_error("pack", request->path, error);
    if (error || input->reader.error || !packets.packets) {
        output_abandon(output);
        return error || input_check(input) ? EXIT_FOUND : EXIT_OK;
    }
    progress_end(&input->progress);
    if (output_finish(output))
        return EXIT_FOUND;
    if (!request->quiet)
        say_sizes(input, &packets);
    return input_check(input) ? EXIT_FOUND : EXIT_OK;
}

static int pack(const struct request *request) {
    static const struct listener nobody;
    struct input input;
    struct output_file output;
    int status = EXIT_FOUND;
    if (output_is_input(request->output, request->path))
        return usage_error("pack", "%s: the output would overwrite the input", request->output);
    if (input_open(&input, "pack", request->path, &nobody))
        return EXIT_FOUND;
    if (output_open(&output, "pack", request->output) == 0)
        status = copy(&input, &output, request);
    input_close(&input);
    return status;
}

/* Returns -1, or an exit status. */
static int take_option(struct request *to, int option) {
    uint32_t level;
    switch (option) {
    case 'o': to->output = optarg; return -1;
    case 'u': to->level = PACKETS_PLAIN; return -1;
    case 'q': to->quiet = 1; return -1;
    case OPTION_LEVEL:
        if (parse_count(optarg, &level) || level < 1 || level > LEVEL_MAX)
            return usage_error("pack", "--level takes 1 to 9, not '%s'", optarg);
        to->level = (int)level;
        return -1;
    default: fputs(help_text, stdout); return EXIT_OK;
    }
}

static int run(int argc, char **argv) {
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"level", required_argument, NULL, OPTION_LEVEL},
        {"unpack", no_argument, NULL, 'u'},       {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct request request = {.level = LEVEL_USUAL};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:uqh", options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return option_error("pack", option, argv, options);
        int status = take_option(&request, option);
        if (status >= 0)
            return status;
    }
    if (optind == argc)
        return usage_error("pack", "which file?");
    if (argc - optind > 1)
        return usage_error("pack", "one file at a time");
    if (!request.output)
        return usage_error("pack", "where to? Give -o OUT");
    request.path = argv[optind];
    return pack(&request);
}

const struct command command_pack = {"pack", "make a trace smaller; it still opens in the viewer",
                                     help_text, run};
