/* marey: which command. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "marey.h"

static const struct command *const commands[] = {
    &command_run,   &command_attach, &command_dump, &command_top,     &command_report,
    &command_tree,  &command_diff,   &command_view, &command_convert, &command_info,
    &command_check, &command_cut,    &command_pack, &command_merge,   &command_tail};
enum { COMMANDS = sizeof commands / sizeof(struct command *) };

static const char head[] =
    "Marey shows what a program does: one Perfetto trace file, whole at every instant.\n"
    "\n"
    "usage: marey COMMAND [OPTIONS] ...\n"
    "\n";

static const char foot[] =
    "\n"
    "  marey help COMMAND    what a command does and takes\n"
    "  marey --version       the version\n"
    "\n"
    "examples:\n"
    "  marey run app.py                      record app.py into app.perfetto-trace\n"
    "  marey run -m pytest -x                record a module\n"
    "  marey run -o build.perfetto-trace make -j4\n"
    "  marey info app.perfetto-trace         what is in it\n"
    "  marey view app.perfetto-trace         look at it in the browser\n"
    "  marey attach 4711                     sample process 4711 until Ctrl-C\n"
    "  marey top 4711                        watch it\n"
    "  marey dump 4711                       what it does now\n"
    "\n"
    "Open the trace at https://ui.perfetto.dev. It stays on your machine.\n";

static int print_help(FILE *to) {
    fputs(head, to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  marey %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs(foot, to);
    return to == stdout ? EXIT_OK : EXIT_USAGE;
}

static const struct command *find_command(const char *name) {
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static int unknown_command(const char *name) {
    const char *words[COMMANDS + 1];
    size_t length = strlen(name);
    for (int i = 0; i < COMMANDS; i++)
        words[i] = commands[i]->name;
    words[COMMANDS] = "help";
    const char *nearest = nearest_word(name, words, COMMANDS + 1);
    if (*name == '-')
        return usage_error("", "unknown option '%s'", name);
    if (nearest)
        return usage_error("", "unknown command '%s'. Did you mean '%s'?", name, nearest);
    if (length > 3 && !strcmp(name + length - 3, ".py"))
        return usage_error("", "unknown command '%s'. Did you mean 'marey run %s'?", name, name);
    if (access(name, R_OK) == 0)
        return usage_error("", "unknown command '%s'. Did you mean 'marey info %s'?", name, name);
    return usage_error("", "unknown command '%s'", name);
}

static int help(int argc, char **argv) {
    if (argc < 2)
        return print_help(stdout);
    const struct command *command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    fputs(command->help, stdout);
    return EXIT_OK;
}

static int is_help(const char *word) {
    return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int dispatch(int argc, char **argv) {
    if (argc < 2)
        return print_help(stderr);
    if (is_help(argv[1]))
        return print_help(stdout);
    if (!strcmp(argv[1], "help"))
        return help(argc - 1, argv + 1);
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts("marey " MAREY_VERSION);
        return EXIT_OK;
    }
    const struct command *command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    if (argc > 2 && is_help(argv[2])) {
        fputs(command->help, stdout);
        return EXIT_OK;
    }
    return command->run(argc - 1, argv + 1);
}

/* Whether the standard output is a pipe whose reader is gone. */
static int is_unread(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

/* What was to be printed and was not is an error, too: a full disk behind a redirection. Of a pipe that nobody reads
 * there is nothing to say. */
static int flush_output(int status) {
    int failed = fflush(stdout);
    if (!failed && !ferror(stdout))
        return status;
    if (!is_unread())
        fprintf(stderr, "marey: standard output: %s\n",
                failed ? strerror(errno) : "not all of it could be written");
    return status ? status : EXIT_FOUND;
}

int main(int argc, char **argv) {
    return flush_output(dispatch(argc, argv));
}
