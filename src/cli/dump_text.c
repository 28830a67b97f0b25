/* See dump.h. */
#include <stdio.h>
#include <string.h>

#include "cli/dump.h"
#include "marey.h"

enum { FILE_COLUMNS_MIN = 16, NAME_COLUMNS_MIN = 12, INDENT = 4 };

static const char bold[] = "\033[1m", dim[] = "\033[2m", green[] = "\033[32m",
                  yellow[] = "\033[33m", plain[] = "\033[0m";

struct page {
    const struct dump_request *request;
    struct text line;
};

static void colour(struct page *page, const char *sequence) {
    if (page->request->colour)
        text_add(&page->line, sequence);
}

static void end_line(struct page *page) {
    puts(text_of(&page->line));
    text_free(&page->line);
}

/* ---- the process */

static void add_holder(struct text *line, const struct dump *dump) {
    if (!dump->has_gil)
        return;
    if (dump->gil_holder)
        text_addf(line, ", thread %d has the GIL", (int)dump->gil_holder);
    else
        text_add(line, ", a thread that is not listed has the GIL");
}

static void print_process(struct page *page, const struct dump *dump,
                          const struct process *process) {
    struct command_line command;
    struct text title = {0};
    size_t width = page->request->width;
    command_line_read(&command, process->memory.pid);
    text_addf(&title, "Process %d: ", (int)process->memory.pid);
    colour(page, bold);
    text_add(&page->line, text_of(&title));
    command_line_show(&command, &page->line, width > title.size ? width - title.size : width);
    colour(page, plain);
    end_line(page);
    text_free(&title);
    text_addf(&page->line, "Python %u.%u%s", process->version >> 8, process->version & 255,
              process->layout.free_threaded ? " (free-threaded)" : "");
    text_addf(&page->line, ", %d thread%s", dump->count, dump->count == 1 ? "" : "s");
    if (dump->other_threads)
        text_addf(&page->line, " and %d without Python", dump->other_threads);
    if (dump->interpreters > 1)
        text_addf(&page->line, ", %d interpreters", dump->interpreters);
    add_holder(&page->line, dump);
    end_line(page);
}

/* ---- a thread */

static void add_state(struct page *page, const struct dumped_thread *thread) {
    const char *paint = thread->waits_for_gil           ? yellow
                        : thread->state == PROC_RUNNING ? green
                        : thread->thread.holds_gil      ? yellow
                                                        : "";
    colour(page, paint);
    text_add(&page->line,
             thread->waits_for_gil ? "waits for the GIL" : dump_state_word(thread->state));
    if (thread->thread.holds_gil)
        text_add(&page->line, ", has the GIL");
    if (thread->thread.collecting)
        text_add(&page->line, ", collects garbage");
    colour(page, plain);
}

static void print_title(struct page *page, const struct dumped_thread *thread,
                        const struct process *process, const char *process_name) {
    const char *name = dump_thread_name(thread, process_name);
    colour(page, bold);
    if (thread->thread.tid)
        text_addf(&page->line, "Thread %d", (int)thread->thread.tid);
    else
        text_add(&page->line, "Thread ?");
    if (thread->thread.tid == process->memory.pid) {
        text_add(&page->line, " (main)");
    } else if (*name) {
        text_add(&page->line, " (");
        display_add(&page->line, name, 0);
        text_add(&page->line, ")");
    }
    colour(page, plain);
    if (thread->interpreter)
        text_addf(&page->line, ", interpreter %lld", (long long)thread->interpreter);
    text_add(&page->line, ": ");
    add_state(page, thread);
    end_line(page);
}

/* ---- a frame: "name (path:line)", its path cut at the front where the terminal is narrow */

/* Adds the end of a path, from a slash on where there is one, in at most so many columns. */
static void add_path_end(struct text *line, const char *path, size_t columns) {
    struct text shown = {0};
    size_t used = display_add(&shown, path, 0);
    const char *at = text_of(&shown);
    if (columns && used > columns) {
        size_t over = used - columns + 3;
        for (const char *end = at + shown.size; over && at < end;) {
            struct character one = character_at(at, end);
            size_t width = one.code < 0 ? 1 : character_columns(one.code);
            over -= width < over ? width : over;
            at += one.bytes;
        }
        const char *slash = strchr(at, '/');
        at = slash && slash[1] ? slash : at;
        text_add(line, "...");
    }
    text_add(line, at);
    text_free(&shown);
}

static void print_frame(struct page *page, const struct dumped_frame *frame) {
    char number[32] = "";
    size_t width = page->request->width, name_columns = 0, file_columns = 0;
    if (frame->line)
        snprintf(number, sizeof number, ":%d", (int)frame->line);
    size_t fixed = INDENT + strlen(" ()") + strlen(number);
    if (width > fixed + FILE_COLUMNS_MIN + NAME_COLUMNS_MIN)
        name_columns = width - fixed - FILE_COLUMNS_MIN;
    text_addf(&page->line, "%*s", INDENT, "");
    size_t used = display_add(&page->line, frame->name, name_columns);
    if (name_columns)
        file_columns = width - fixed - used;
    text_add(&page->line, " ");
    colour(page, dim);
    text_add(&page->line, "(");
    add_path_end(&page->line, frame->file, file_columns);
    text_addf(&page->line, "%s)", number);
    colour(page, plain);
    end_line(page);
}

static void print_frames(struct page *page, const struct dumped_thread *thread) {
    if (thread->error == MAREY_ETORN)
        puts("    (its stack changed each time that it was read)");
    else if (thread->error)
        puts("    (it ended)");
    else if (!thread->depth)
        puts("    (no Python code)");
    for (int i = 0; i < thread->depth; i++)
        print_frame(page, &thread->frames[i]);
    if (thread->cut)
        puts("    ... (deeper than can be shown)");
}

void dump_print_text(const struct dump *dump, const struct process *process,
                     const struct dump_request *request) {
    struct page page = {.request = request};
    char process_name[PROC_NAME_BYTES];
    proc_thread_name(process->memory.pid, process->memory.pid, process_name);
    print_process(&page, dump, process);
    for (int i = 0; i < dump->count; i++) {
        putchar('\n');
        print_title(&page, &dump->threads[i], process, process_name);
        print_frames(&page, &dump->threads[i]);
    }
}
