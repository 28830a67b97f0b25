/* See stacks.h. */
#include "output/stacks.h"

#include <stdio.h>
#include <string.h>

#include "marey.h"

enum { FILE_COLUMNS_MIN = 16, NAME_COLUMNS_MIN = 12, INDENT = 4, INDENT_TWICE = 2 * INDENT };

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
    if (dump->unstopped)
        text_addf(page->to, ", %d could not be stopped", dump->unstopped);
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

/* "        name = value", cut at the width. */
static void add_variables(struct page *page, const struct dumped_frame *frame) {
    size_t width = page->style->width;
    for (int i = 0; i < frame->variables_count; i++) {
        struct text line = {0};
        text_addf(&line, "%s = %s", frame->variables[i].name, frame->variables[i].value);
        text_addf(page->to, "%*s", INDENT_TWICE, "");
        display_add(page->to, text_of(&line), width > INDENT_TWICE ? width - INDENT_TWICE : 0);
        text_add(page->to, "\n");
        text_free(&line);
    }
    if (frame->variables_cut)
        text_addf(page->to, "%*s...\n", INDENT_TWICE, "");
    if (frame->variables_torn)
        text_addf(page->to, "%*s(its variables changed meanwhile)\n", INDENT_TWICE, "");
}

static void add_frames(struct page *page, const struct dumped_stack *stack) {
    if (stack->error == MAREY_ETORN)
        text_add(page->to, "    (its stack changed each time that it was read)\n");
    else if (stack->error)
        text_add(page->to, "    (it ended)\n");
    else if (!stack->depth)
        text_add(page->to, "    (no Python code)\n");
    for (int i = 0; i < stack->depth; i++) {
        add_frame(page, &stack->frames[i]);
        add_variables(page, &stack->frames[i]);
    }
    if (stack->cut)
        text_add(page->to, "    ... (deeper than can be shown)\n");
}

/* ---- tasks: those that wait alike are shown once */

enum { ALIKE_MAX = 256, AWAITERS_SHOWN = 3 };

static bool same_frame(const struct dumped_frame *a, const struct dumped_frame *b) {
    return a->line == b->line && !strcmp(a->name, b->name) && !strcmp(a->file, b->file) &&
           !a->variables_count && !b->variables_count;
}

static bool are_alike(const struct dumped_task *a, const struct dumped_task *b) {
    if (a->task.state != b->task.state || a->tid || b->tid || a->stack.error != b->stack.error ||
        a->stack.depth != b->stack.depth || !a->stack.depth)
        return false;
    for (int i = 0; i < a->stack.depth; i++)
        if (!same_frame(&a->stack.frames[i], &b->stack.frames[i]))
            return false;
    return true;
}

/* Tasks that stand for others, and for how many. */
struct alike {
    int task[ALIKE_MAX], more[ALIKE_MAX];
    int count;
};

static void group_tasks(struct alike *alike, const struct dump *dump) {
    alike->count = 0;
    for (int i = 0; i < dump->tasks_count; i++) {
        int at = 0;
        while (at < alike->count && !are_alike(&dump->tasks[alike->task[at]], &dump->tasks[i]))
            at++;
        if (at == ALIKE_MAX)
            continue;
        if (at < alike->count) {
            alike->more[at]++;
            continue;
        }
        alike->task[at] = i;
        alike->more[at] = 0;
        alike->count++;
    }
}

static const char *name_of_task(const struct dump *dump, uint64_t address) {
    for (int i = 0; i < dump->tasks_count; i++)
        if (dump->tasks[i].task.address == address)
            return dump->tasks[i].task.name;
    return "?";
}

static void add_awaiters(struct page *page, const struct dump *dump,
                         const struct asyncio_task *task) {
    for (int i = 0; i < task->awaited_by_count && i < AWAITERS_SHOWN; i++) {
        text_add(page->to, i ? ", " : "; awaited by ");
        display_add(page->to, name_of_task(dump, dump->listed.awaiters[task->awaited_by + i]), 0);
    }
    if (task->awaited_by_count > AWAITERS_SHOWN)
        text_addf(page->to, " and %d more", task->awaited_by_count - AWAITERS_SHOWN);
}

/* "waits", "is ready to run", or "runs". */
static const char *task_word(enum asyncio_state state) {
    switch (state) {
    case ASYNCIO_RUNNING: return "runs";
    case ASYNCIO_READY: return "is ready to run";
    default: return "waits";
    }
}

static void add_task(struct page *page, const struct dump *dump, const struct dumped_task *task,
                     int more) {
    colour(page, bold);
    text_add(page->to, "\nTask ");
    display_add(page->to, task->task.name, 0);
    colour(page, plain);
    if (more)
        text_addf(page->to, " and %d more like it", more);
    text_addf(page->to, ": %s", task_word(task->task.state));
    if (task->task.thread)
        text_addf(page->to, " on thread %d", (int)task->tid);
    else if (!more)
        add_awaiters(page, dump, &task->task);
    text_add(page->to, "\n");
    if (!task->task.thread)
        add_frames(page, &task->stack);
}

static void add_tasks(struct page *page, const struct dump *dump) {
    struct alike alike;
    int shown = 0;
    if (!dump->tasks_count && !dump->tasks_torn)
        return;
    text_addf(page->to, "\n%d asyncio task%s", dump->tasks_count,
              dump->tasks_count == 1 ? "" : "s");
    if (dump->tasks_torn)
        text_addf(page->to, " and %d that changed while they were read", dump->tasks_torn);
    text_add(page->to, "\n");
    group_tasks(&alike, dump);
    for (int i = 0; i < alike.count; i++) {
        add_task(page, dump, &dump->tasks[alike.task[i]], alike.more[i]);
        shown += 1 + alike.more[i];
    }
    if (shown < dump->tasks_count)
        text_addf(page->to, "\n... and %d tasks more\n", dump->tasks_count - shown);
}

/* ---- all of it */

void stacks_show(struct text *to, const struct dump *dump, const struct process *process,
                 const struct stacks_style *style) {
    struct page page = {style, to};
    char process_name[PROC_NAME_BYTES];
    proc_thread_name(process->memory.pid, process->memory.pid, process_name);
    add_process(&page, dump, process);
    for (int i = 0; i < dump->count; i++) {
        text_add(to, "\n");
        add_title(&page, &dump->threads[i], process, process_name);
        add_frames(&page, &dump->threads[i].stack);
    }
    add_tasks(&page, dump);
}
