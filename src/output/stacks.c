/* See stacks.h. */
#include "output/stacks.h"

#include <stdio.h>
#include <string.h>

#include "marey.h"

enum { FILE_COLUMNS_MIN = 16, NAME_COLUMNS_MIN = 12, INDENT = 4 };

static const char bold[] = "\033[1m", dim[] = "\033[2m", green[] = "\033[32m",
                  yellow[] = "\033[33m", plain[] = "\033[0m";

struct page {
    const struct stacks_style *style;
    struct text *to;
};

static void colour(struct page *page, const char *sequence) {
    if (page->style->colour)
        text_add(page->to, sequence);
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

static void add_process(struct page *page, const struct dump *dump, const struct process *process) {
    text_addf(page->to, "Python %u.%u%s", process->version >> 8, process->version & 255,
              process->layout.free_threaded ? " (free-threaded)" : "");
    text_addf(page->to, ", %d thread%s", dump->count, dump->count == 1 ? "" : "s");
    if (dump->other_threads)
        text_addf(page->to, " and %d without Python", dump->other_threads);
    if (dump->interpreters > 1)
        text_addf(page->to, ", %d interpreters", dump->interpreters);
    add_holder(page->to, dump);
    text_add(page->to, "\n");
}

/* ---- a thread */

const char *stacks_state_word(enum proc_state state) {
    switch (state) {
    case PROC_RUNNING: return "running";
    case PROC_IDLE: return "idle";
    case PROC_STOPPED: return "stopped";
    case PROC_DEAD: return "ended";
    default: return "unknown";
    }
}

const char *stacks_thread_name(const struct dumped_thread *thread, const char *process_name) {
    return strcmp(thread->name, process_name) ? thread->name : "";
}

static void add_state(struct page *page, const struct dumped_thread *thread) {
    const char *paint = thread->waits_for_gil           ? yellow
                        : thread->state == PROC_RUNNING ? green
                        : thread->thread.holds_gil      ? yellow
                                                        : "";
    colour(page, paint);
    text_add(page->to,
             thread->waits_for_gil ? "waits for the GIL" : stacks_state_word(thread->state));
    if (thread->thread.holds_gil)
        text_add(page->to, ", has the GIL");
    if (thread->thread.collecting)
        text_add(page->to, ", collects garbage");
    colour(page, plain);
}

static void add_title(struct page *page, const struct dumped_thread *thread,
                      const struct process *process, const char *process_name) {
    const char *name = stacks_thread_name(thread, process_name);
    colour(page, bold);
    if (thread->thread.tid)
        text_addf(page->to, "Thread %d", (int)thread->thread.tid);
    else
        text_add(page->to, "Thread ?");
    if (thread->thread.tid == process->memory.pid) {
        text_add(page->to, " (main)");
    } else if (*name) {
        text_add(page->to, " (");
        display_add(page->to, name, 0);
        text_add(page->to, ")");
    }
    colour(page, plain);
    if (thread->interpreter)
        text_addf(page->to, ", interpreter %lld", (long long)thread->interpreter);
    text_add(page->to, ": ");
    add_state(page, thread);
    text_add(page->to, "\n");
}

/* ---- a frame: "name (path:line)", its path cut at the front where the terminal is narrow */

static void add_frame(struct page *page, const struct dumped_frame *frame) {
    char number[32] = "";
    size_t width = page->style->width, name_columns = 0, file_columns = 0;
    if (frame->line)
        snprintf(number, sizeof number, ":%d", (int)frame->line);
    size_t fixed = INDENT + strlen(" ()") + strlen(number);
    if (width > fixed + FILE_COLUMNS_MIN + NAME_COLUMNS_MIN)
        name_columns = width - fixed - FILE_COLUMNS_MIN;
    text_addf(page->to, "%*s", INDENT, "");
    size_t used = display_add(page->to, frame->name, name_columns);
    if (name_columns)
        file_columns = width - fixed - used;
    text_add(page->to, " ");
    colour(page, dim);
    text_add(page->to, "(");
    display_add_end(page->to, frame->file, file_columns);
    text_addf(page->to, "%s)", number);
    colour(page, plain);
    text_add(page->to, "\n");
}

static void add_frames(struct page *page, const struct dumped_thread *thread) {
    if (thread->error == MAREY_ETORN)
        text_add(page->to, "    (its stack changed each time that it was read)\n");
    else if (thread->error)
        text_add(page->to, "    (it ended)\n");
    else if (!thread->depth)
        text_add(page->to, "    (no Python code)\n");
    for (int i = 0; i < thread->depth; i++)
        add_frame(page, &thread->frames[i]);
    if (thread->cut)
        text_add(page->to, "    ... (deeper than can be shown)\n");
}

void stacks_show(struct text *to, const struct dump *dump, const struct process *process,
                 const struct stacks_style *style) {
    struct page page = {style, to};
    char process_name[PROC_NAME_BYTES];
    proc_thread_name(process->memory.pid, process->memory.pid, process_name);
    add_process(&page, dump, process);
    for (int i = 0; i < dump->count; i++) {
        text_add(to, "\n");
        add_title(&page, &dump->threads[i], process, process_name);
        add_frames(&page, &dump->threads[i]);
    }
}
