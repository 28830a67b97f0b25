/* marey dump: the stacks of running processes, now. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump.h"
#include "marey.h"
#include "output/table.h"

static const char help_text[] =
    "usage: marey dump [OPTIONS] PID...\n"
    "\n"
    "Shows what running Python processes do now: the stack of each thread, the most recent call "
    "first, and whether the\n"
    "thread runs, is idle, has the GIL, waits for it or collects garbage; then each asyncio task, "
    "with what it awaits. The\n"
    "processes need nothing of Marey, are not stopped, and may hang: it is their memory that is "
    "read.\n"
    "\n"
    "  -l, --locals    the variables of each frame as well; those that are named like secrets show "
    "as ***\n"
    "  -b, --blocking  stop the threads for the moment of reading: all is of one moment\n"
    "  -j, --json      for a program: an object a process, a line each\n"
    "  -h, --help      this page\n"
    "\n"
    "Reading another process takes the rights of a debugger: the same user or root, and where the "
    "kernel.yama.ptrace_scope\n"
    "is 1 or more, or in a container, root or CAP_SYS_PTRACE.\n"
    "\n"
    "exit status: 0 shown, 1 the stack of a thread could not be read, 2 a process could not be "
    "read\n"
    "\n"
    "examples:\n"
    "  marey dump 4711\n"
    "  marey dump $(pgrep -f gunicorn)\n"
    "  marey dump --json 4711 | python3 -m json.tool\n";

struct request {
    int json;
    struct dump_options what;
    struct stacks_style style;
};

static void print_text(const struct dump *dump, const struct process *process,
                       const struct stacks_style *style) {
    struct command_line command;
    struct text text = {0};
    command_line_read(&command, process->memory.pid);
    text_addf(&text, "%sProcess %d: ", style->colour ? "\033[1m" : "", (int)process->memory.pid);
    size_t used = text.size - (style->colour ? strlen("\033[1m") : 0);
    command_line_show(&command, &text, style->width > used ? style->width - used : style->width);
    text_add(&text, style->colour ? "\033[0m\n" : "\n");
    stacks_show(&text, dump, process, style);
    fputs(text_of(&text), stdout);
    text_free(&text);
}

static int is_incomplete(const struct dump *dump) {
    for (int i = 0; i < dump->count; i++)
        if (dump->threads[i].stack.error == MAREY_ETORN)
            return 1;
    return 0;
}

static int show(pid_t pid, const struct request *request) {
    struct process process;
    struct dump dump;
    int error = process_open(&process, pid);
    if (error)
        return pid_error("dump", pid, error, process.version);
    int status = EXIT_OK;
    error = dump_take(&dump, &process, &request->what);
    if (error)
        status = pid_error("dump", pid, error, process.version);
    else if (request->json)
        dump_print_json(&dump, &process, request->what.locals);
    else
        print_text(&dump, &process, &request->style);
    if (!error && is_incomplete(&dump))
        status = EXIT_FOUND;
    dump_free(&dump);
    process_close(&process);
    return status;
}

static int show_all(char **words, int count, const struct request *request) {
    int worst = EXIT_OK;
    pid_t pid;
    for (int i = 0; i < count; i++)
        if (parse_pid(words[i], &pid))
            return usage_error("dump", "'%s' is no process number", words[i]);
    for (int i = 0; i < count; i++) {
        parse_pid(words[i], &pid);
        if (i && !request->json)
            putchar('\n');
        int status = show(pid, request);
        worst = status > worst ? status : worst;
    }
    return worst;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"locals", no_argument, NULL, 'l'},
                                            {"blocking", no_argument, NULL, 'b'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request request = {
        .what = {.tasks = true},
        .style = {.width = table_terminal_width(stdout), .colour = table_terminal_colour(stdout)}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":lbjh", options, NULL)) != -1) {
        switch (option) {
        case 'l': request.what.locals = true; break;
        case 'b': request.what.blocking = true; break;
        case 'j': request.json = 1; break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return option_error("dump", option, argv, options);
        }
    }
    if (optind == argc)
        return usage_error("dump", "which process?");
    return show_all(argv + optind, argc - optind, &request);
}

const struct command command_dump = {"dump", "show the stacks of a running process", help_text,
                                     run};
