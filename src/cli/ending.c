/* See ending.h. */
#include "cli/ending.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/launch.h"
#include "cli/reading.h"
#include "cli/report.h"
#include "cli/sampling.h"

/* A larger file is not read at the end: that takes longer than one likes to wait. */
enum { REPORT_BYTES_MAX = 1 << 30 };

static void print_unread(const struct ending *ending, uint64_t bytes) {
    char size[DISPLAY_ROOM];
    struct text path = {0};
    display_size(size, sizeof size, bytes);
    display_add(&path, ending->path, 0);
    fprintf(stderr, "marey: %s: %s recorded; 'marey info --spans' shows the spans\n",
            text_of(&path), size);
    text_free(&path);
}

static void add_status(struct text *line, int status) {
    if (WIFSIGNALED(status))
        text_addf(line, "; killed by signal %d (%s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        text_addf(line, "; exit status %d", WEXITSTATUS(status));
}

static void print_refused(const struct ending *ending) {
    const struct sampling_result *sampling = ending->sampling;
    struct text line = {0};
    if (!sampling || !sampling->refused)
        return;
    text_add(&line, "not sampled: ");
    display_add(&line, text_of(&sampling->refused_why), 0);
    if (sampling->refused > 1)
        text_addf(&line, "; nor %u more", sampling->refused - 1);
    fprintf(ending->to, "  %s\n", text_of(&line));
    text_free(&line);
}

static int print_text(const struct ending *ending, struct trace *trace) {
    struct report_request tables = {
        .rows = ending->rows,
        .by = ending->by_thread ? REPORT_BY_THREAD : REPORT_BY_FUNCTION,
        .style = {table_terminal_width(ending->to), table_terminal_colour(ending->to), "", 0}};
    struct text line = {0};
    text_add(&line, "marey: ");
    display_add(&line, ending->path, 0);
    text_add(&line, ": ");
    report_sentence(trace, &line);
    if (ending->status)
        add_status(&line, *ending->status);
    fprintf(ending->to, "%s\n", text_of(&line));
    text_free(&line);
    print_refused(ending);
    report_losses(trace, ending->to, "  ");
    report_damage(trace, ending->to, "  ");
    return report_tables(trace, &tables, ending->to);
}

static void refused_json(const struct ending *ending, struct json *json) {
    const struct sampling_result *sampling = ending->sampling;
    if (!sampling || !sampling->refused)
        return;
    json_object(json, "not_sampled");
    json_count(json, "processes", sampling->refused);
    json_text(json, "reason", text_of(&sampling->refused_why));
    json_end(json);
}

static int print_json(const struct ending *ending, struct trace *trace) {
    struct report_request tables = {.rows = ending->rows};
    struct json json;
    json_init(&json, ending->to, 0);
    json_object(&json, NULL);
    json_text(&json, "file", ending->path);
    if (ending->status)
        json_integer(&json, "exit_status", launch_exit_status(*ending->status));
    if (ending->status && WIFSIGNALED(*ending->status))
        json_integer(&json, "signal", WTERMSIG(*ending->status));
    report_counts_json(trace, &json);
    refused_json(ending, &json);
    report_losses_json(trace, &json);
    report_damage_json(trace, &json);
    int error = report_tables_json(trace, &tables, &json);
    json_end(&json);
    json_finish(&json);
    return error;
}

static void report(const struct ending *ending) {
    struct trace trace;
    int error = trace_read(&trace, ending->path, TRACE_CALLS | TRACE_LEAN);
    if (!error)
        error = ending->json ? print_json(ending, &trace) : print_text(ending, &trace);
    if (error)
        say_unreadable(ending->command, ending->path, &trace.reader, error);
    trace_free(&trace);
}

void ending_report(const struct ending *ending) {
    struct stat info;
    int ended = 0;
    uint64_t bytes = stat(ending->path, &info) ? 0 : (uint64_t)info.st_size;
    fflush(ending->to);
    pid_t child = bytes > REPORT_BYTES_MAX ? -1 : fork();
    if (child == 0) {
        report(ending);
        fflush(ending->to);
        _exit(EXIT_OK);
    }
    if (child > 0)
        waitpid(child, &ended, 0);
    if (child < 0 || ended)
        print_unread(ending, bytes);
}
