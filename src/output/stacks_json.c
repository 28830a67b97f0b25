/* See stacks.h. */
#include <stdio.h>

#include "marey.h"
#include "output/stacks.h"

static void number_or_null(struct json *json, const char *key, int64_t number) {
    if (number)
        json_integer(json, key, number);
    else
        json_null(json, key);
}

static void text_or_null(struct json *json, const char *key, const char *text) {
    if (*text)
        json_text(json, key, text);
    else
        json_null(json, key);
}

static void variables_json(struct json *json, const struct dumped_frame *frame) {
    static const char *const kinds[] = {[VARIABLE_ARGUMENT] = "argument",
                                        [VARIABLE_LOCAL] = "local",
                                        [VARIABLE_CELL] = "cell",
                                        [VARIABLE_FREE] = "free"};
    json_array(json, "locals");
    for (int i = 0; i < frame->variables_count; i++) {
        json_object(json, NULL);
        json_text(json, "name", frame->variables[i].name);
        json_text(json, "value", frame->variables[i].value);
        json_text(json, "kind", kinds[frame->variables[i].kind]);
        json_end(json);
    }
    json_end(json);
    if (frame->variables_cut)
        json_bool(json, "locals_cut", 1);
    if (frame->variables_torn)
        json_bool(json, "locals_torn", 1);
}

static void frame_json(struct json *json, const struct dumped_frame *frame, bool locals) {
    json_object(json, NULL);
    json_text(json, "function", frame->name);
    json_text(json, "file", frame->file);
    number_or_null(json, "line", frame->line);
    number_or_null(json, "first_line", frame->first_line);
    if (locals)
        variables_json(json, frame);
    json_end(json);
}

static void stack_json(struct json *json, const struct dumped_stack *stack, bool locals) {
    if (stack->error)
        json_text(json, "error", marey_strerror(stack->error));
    if (stack->cut)
        json_bool(json, "cut", 1);
    json_array(json, "frames");
    for (int i = 0; i < stack->depth; i++)
        frame_json(json, &stack->frames[i], locals);
    json_end(json);
}

static void task_json(struct json *json, const struct dump *dump, const struct dumped_task *task,
                      bool locals) {
    static const char *const states[] = {
        [ASYNCIO_WAITING] = "waiting", [ASYNCIO_READY] = "ready", [ASYNCIO_RUNNING] = "running"};
    char id[32];
    json_object(json, NULL);
    snprintf(id, sizeof id, "0x%llx", (unsigned long long)task->task.address);
    json_text(json, "id", id);
    json_text(json, "name", task->task.name);
    json_text(json, "state", states[task->task.state]);
    number_or_null(json, "tid", task->tid);
    json_array(json, "awaited_by");
    for (int i = 0; i < task->task.awaited_by_count; i++) {
        snprintf(id, sizeof id, "0x%llx",
                 (unsigned long long)dump->listed.awaiters[task->task.awaited_by + i]);
        json_text(json, NULL, id);
    }
    json_end(json);
    stack_json(json, &task->stack, locals);
    json_end(json);
}

static void thread_json(struct json *json, const struct dumped_thread *thread, pid_t pid,
                        const char *process_name, bool locals) {
    json_object(json, NULL);
    number_or_null(json, "tid", thread->thread.tid);
    text_or_null(json, "name", stacks_thread_name(thread, process_name));
    json_bool(json, "main", thread->thread.tid == pid);
    json_integer(json, "interpreter", thread->interpreter);
    json_text(json, "state", stacks_state_word(thread->state));
    json_bool(json, "has_gil", thread->thread.holds_gil);
    json_bool(json, "waits_for_gil", thread->waits_for_gil);
    json_bool(json, "collects_garbage", thread->thread.collecting);
    stack_json(json, &thread->stack, locals);
    json_end(json);
}

void stacks_add_json(struct json *json, const struct dump *dump, const struct process *process,
                     bool locals) {
    pid_t pid = process->memory.pid;
    char process_name[PROC_NAME_BYTES], version[32];
    proc_thread_name(pid, pid, process_name);
    snprintf(version, sizeof version, "%u.%u", process->version >> 8, process->version & 255);
    json_text(json, "python", version);
    json_bool(json, "free_threaded", process->layout.free_threaded);
    json_bool(json, "gil_is_held", dump->has_gil);
    number_or_null(json, "gil_holder", dump->gil_holder);
    json_integer(json, "other_threads", dump->other_threads);
    if (dump->unstopped)
        json_integer(json, "unstopped_threads", dump->unstopped);
    json_array(json, "threads");
    for (int i = 0; i < dump->count; i++)
        thread_json(json, &dump->threads[i], pid, process_name, locals);
    json_end(json);
    json_array(json, "tasks");
    for (int i = 0; i < dump->tasks_count; i++)
        task_json(json, dump, &dump->tasks[i], locals);
    json_end(json);
    if (dump->tasks_torn)
        json_integer(json, "tasks_torn", dump->tasks_torn);
}
