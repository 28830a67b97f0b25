/* See dump.h. */
#include <stdio.h>

#include "cli/dump.h"

static void command_json(struct json *json, pid_t pid) {
    struct command_line line;
    command_line_read(&line, pid);
    json_array(json, "command");
    for (const char *word = NULL; (word = command_line_next(&line, word));)
        json_text(json, NULL, word);
    json_end(json);
}

void dump_print_json(const struct dump *dump, const struct process *process, bool locals) {
    pid_t pid = process->memory.pid;
    char process_name[PROC_NAME_BYTES];
    struct json json;
    proc_thread_name(pid, pid, process_name);
    json_init(&json, stdout, 0);
    json_object(&json, NULL);
    json_integer(&json, "pid", pid);
    json_text(&json, "name", process_name);
    command_json(&json, pid);
    stacks_add_json(&json, dump, process, locals);
    json_end(&json);
    json_finish(&json);
}
