/* See pids.h. */
#define _GNU_SOURCE
#include "cli/pids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "marey.h"
#include "stack/process.h"

/* ---------------------------------------------------------- command line */

void command_line_read(struct command_line *line, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    ssize_t bytes = proc_read_file(path, line->words, sizeof line->words);
    line->bytes = bytes > 0 ? (size_t)bytes : 0;
    /* What sets its title may leave out the last NUL, or fill up with them. */
    while (line->bytes && !line->words[line->bytes - 1])
        line->bytes--;
    line->bytes += line->bytes > 0;
}

const char *command_line_next(const struct command_line *line, const char *word) {
    const char *next = word ? word + strlen(word) + 1 : line->words;
    return next < line->words + line->bytes ? next : NULL;
}

static int needs_quotes(const char *word) {
    return !*word || strpbrk(word, " \t\n\"'$`\\|&;<>()*?[]#~!{}");
}

static void add_word(struct text *to, const char *word) {
    if (!needs_quotes(word)) {
        text_add(to, word);
        return;
    }
    text_add(to, "'");
    for (; *word; word++)
        if (*word == '\'')
            text_add(to, "'\\''");
        else
            text_add_bytes(to, word, 1);
    text_add(to, "'");
}

void command_line_show(const struct command_line *line, struct text *to, size_t columns) {
    struct text words = {0};
    for (const char *word = NULL; (word = command_line_next(line, word));) {
        if (word != line->words)
            text_add(&words, " ");
        add_word(&words, word);
    }
    display_add(to, text_of(&words), columns);
    text_free(&words);
}

/* ---------------------------------------------------------------- errors */

int parse_pid(const char *text, pid_t *pid) {
    uint32_t number;
    if (parse_count(text, &number) || number == 0 || number > INT32_MAX)
        return -1;
    *pid = (pid_t)number;
    return 0;
}

/* Nothing to be looked into stands behind this number. */
static void explain_no_process(struct text *line, pid_t pid) {
    pid_t owner = proc_of_thread(pid);
    if (!owner)
        text_add(line, "there is no such process");
    else if (owner != pid)
        text_addf(line, "this is a thread of process %d: name the process", (int)owner);
    else if (proc_thread_state(pid, pid) == PROC_DEAD)
        text_add(line, "it has ended; its parent has not noticed yet");
    else
        text_add(line, "it has no memory: it is one of the kernel's, or is ending");
}

static int runs_python(pid_t pid) {
    struct process process;
    int error = process_open(&process, pid);
    if (!error)
        process_close(&process);
    return !error;
}

/* A shell, sudo or env waits for what was meant: the first of its children that is a Python is named. */
static void add_child(struct text *line, pid_t pid) {
    char path[96], children[1024], name[PROC_NAME_BYTES], *end;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    if (proc_read_file(path, children, sizeof children) <= 0)
        return;
    for (const char *at = children; *at; at = end) {
        pid_t child = (pid_t)strtol(at, &end, 10);
        if (end == at || child <= 0)
            return;
        if (!runs_python(child))
            continue;
        proc_thread_name(child, child, name);
        text_addf(line, "\nhint: its child %d (", (int)child);
        display_add(line, name, 0);
        text_add(line, ") runs Python");
        return;
    }
}

static void explain_version(struct text *line, uint32_t version) {
    if (version)
        text_addf(line, "Python %u.%u, which is too %s: 3.%u to 3.%u are known", version >> 8,
                  version & 255, version < LAYOUT_OLDEST ? "old" : "new", LAYOUT_OLDEST & 255,
                  LAYOUT_NEWEST & 255);
    else
        text_addf(line, "a Python that is not known: CPython 3.%u to 3.%u are", LAYOUT_OLDEST & 255,
                  LAYOUT_NEWEST & 255);
}

static void explain(struct text *line, pid_t pid, int error, uint32_t version) {
    char reason[MEMORY_EXPLANATION_BYTES];
    switch (error) {
    case MAREY_ENOPROCESS: explain_no_process(line, pid); break;
    case MAREY_EPTRACE:
        memory_explain(pid, reason);
        text_add(line, reason);
        break;
    case MAREY_ENOTPYTHON:
        text_add(line, "there is no Python in it");
        add_child(line, pid);
        break;
    case MAREY_EVERSION: explain_version(line, version); break;
    case MAREY_ENOTYET:
        text_add(line, "its Python has not started yet, or is ending; try again a little later");
        break;
    case MAREY_ENOGIL:
        text_add(line, "its Python runs without a GIL, and --mode gil takes the threads that hold "
                       "it: use --mode cpu");
        break;
    case MAREY_ETORN:
    case MAREY_EADDRESS:
        text_add(line, "its Python changed while it was read; try again a little later");
        break;
    default: text_add(line, marey_strerror(error));
    }
}

void pid_explain(struct text *to, pid_t pid, int error, uint32_t version) {
    char name[PROC_NAME_BYTES];
    proc_thread_name(pid, pid, name);
    text_addf(to, "%d", (int)pid);
    if (*name) {
        text_add(to, " (");
        display_add(to, name, 0);
        text_add(to, ")");
    }
    text_add(to, ": ");
    explain(to, pid, error, version);
}

int pid_error(const char *command, pid_t pid, int error, uint32_t version) {
    struct text line = {0};
    pid_explain(&line, pid, error, version);
    fprintf(stderr, "marey %s: %s\n", command, text_of(&line));
    text_free(&line);
    return EXIT_USAGE;
}

static bool is_without_gil(struct process *process) {
    struct thread_list list = {0};
    bool without = process_threads(process, &list) == 0 && thread_list_without_gil(&list);
    thread_list_free(&list);
    return without;
}

int pid_check(const char *command, pid_t pid, enum sampler_mode mode) {
    struct process process;
    int error = process_open(&process, pid);
    if (error)
        return pid_error(command, pid, error, process.version);
    if (mode == SAMPLER_GIL && is_without_gil(&process))
        error = pid_error(command, pid, MAREY_ENOGIL, 0);
    process_close(&process);
    return error;
}
