/* Who this process and its threads are: names, the command line. See session.h. */
#include "session_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *process_name; /* by the user; under the session's lock */

static void read_process_name(char *name, size_t size) {
    char comm[32] = "";
    FILE *file = fopen("/proc/self/comm", "re");
    if (file) {
        if (fgets(comm, sizeof comm, file))
            comm[strcspn(comm, "\n")] = 0;
        fclose(file);
    }
    snprintf(name, size, "%s", process_name ? process_name : comm);
}

size_t identity_command_line(char *out, size_t size) {
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t n = file ? fread(out, 1, size - 1, file) : 0;
    if (file)
        fclose(file);
    out[n] = 0;
    return n ? n + (out[n - 1] != 0) : 0;
}

void identity_of_self(struct process *process) {
    process->pid = (int32_t)getpid();
    read_process_name(process->name, sizeof process->name);
    process->command_line_bytes =
        identity_command_line(process->command_line, sizeof process->command_line);
}

/* Asked often, and the same but for the name. */
void session_describe(struct process *process) {
    static struct process self;
    session_lock();
    if (self.pid != (int32_t)getpid())
        identity_of_self(&self);
    *process = self;
    const char *name = session_current ? session_current->process.name : process_name;
    if (name)
        snprintf(process->name, sizeof process->name, "%s", name);
    session_unlock();
}

void identity_take_name(struct writer *writer) {
    session_lock();
    memcpy(writer->process_name, writer->session->process.name, sizeof writer->process_name);
    session_unlock();
}

/* The current chunk says so at once; each further one says it at its start. */
static void describe_again(void (*describe)(struct writer *, uint64_t)) {
    if (!marey_recording() || !recording_enter())
        return;
    struct writer *writer = session_writer(DESCRIPTOR_BYTES);
    if (writer)
        describe(writer, writer->last);
    recording_leave();
}

void marey_thread_name(const char *name) {
    if (!name || !marey_recording())
        return;
    struct writer *writer = session_attach();
    if (!writer)
        return;
    snprintf(writer->thread_name, sizeof writer->thread_name, "%s", name);
    writer->named = 1;
    describe_again(writer_describe_thread);
}

static void describe_process(struct writer *writer, uint64_t time) {
    identity_take_name(writer);
    writer_describe_process(writer, time);
}

void marey_process_name(const char *name) {
    if (!name)
        return;
    session_lock();
    free(process_name);
    process_name = strdup(name);
    if (session_is_on())
        snprintf(session_current->process.name, sizeof session_current->process.name, "%s", name);
    session_unlock();
    describe_again(describe_process);
}
