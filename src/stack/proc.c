#define _GNU_SOURCE
#include "stack/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t proc_read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t have = 0;
    while (have < size - 1) {
        ssize_t got = read(fd, text + have, size - 1 - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    close(fd);
    text[have] = '\0';
    return (ssize_t)have;
}

static ssize_t read_task_file(pid_t pid, pid_t tid, const char *name, char *text, size_t size) {
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
    return proc_read_file(path, text, size);
}

/* How many numbers a thread has ("NSpid: 4711 12 1": one for each namespace), and its last one, in the innermost. The
 * same as outside where the kernel does not say. */
static int inner_tid(pid_t pid, pid_t tid, pid_t *inner) {
    char text[4096];
    int count = 0;
    *inner = tid;
    if (read_task_file(pid, tid, "status", text, sizeof text) <= 0)
        return 0;
    const char *line = strstr(text, "\nNSpid:");
    for (line = line ? line + 7 : ""; *line == ' ' || *line == '\t'; count++) {
        char *end;
        pid_t number = (pid_t)strtol(line, &end, 10);
        if (end == line)
            break;
        *inner = number;
        line = end;
    }
    return count;
}

pid_t proc_of_thread(pid_t tid) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
    const char *line = proc_read_file(path, text, sizeof text) > 0 ? strstr(text, "\nTgid:") : NULL;
    return line ? (pid_t)strtol(line + strlen("\nTgid:"), NULL, 10) : 0;
}

bool proc_is_nested(pid_t pid) {
    pid_t inner;
    return inner_tid(pid, pid, &inner) > 1;
}

int proc_threads(pid_t pid, struct proc_thread *threads, int max, bool nested) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid <= 0)
            continue;
        if (count < max) {
            threads[count] = (struct proc_thread){tid, tid};
            if (nested)
                inner_tid(pid, tid, &threads[count].inner_tid);
        }
        count++;
    }
    closedir(folder);
    return count;
}

void proc_thread_name(pid_t pid, pid_t tid, char *name) {
    char text[64];
    if (read_task_file(pid, tid, "comm", text, sizeof text) < 0)
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    text[PROC_NAME_BYTES - 1] = '\0';
    memcpy(name, text, strlen(text) + 1);
}

/* What stands behind "pid (name) ": the name may hold anything, so it ends at the last bracket. */
static const char *after_name(const char *stat) {
    const char *end = strrchr(stat, ')');
    return end && end[1] == ' ' ? end + 2 : NULL;
}

enum proc_state proc_thread_state(pid_t pid, pid_t tid) {
    char text[1024];
    if (read_task_file(pid, tid, "stat", text, sizeof text) <= 0)
        return PROC_UNKNOWN;
    const char *state = after_name(text);
    if (!state)
        return PROC_UNKNOWN;
    switch (*state) {
    case 'R': return PROC_RUNNING;
    case 'T':
    case 't': return PROC_STOPPED;
    case 'X':
    case 'Z': return PROC_DEAD;
    default: return PROC_IDLE;
    }
}

uint64_t proc_thread_futex(pid_t pid, pid_t tid) {
    char text[256];
    if (read_task_file(pid, tid, "syscall", text, sizeof text) <= 0)
        return 0;
    char *end;
    long number = strtol(text, &end, 10); /* "running" has none */
    if (end == text || number != SYS_futex)
        return 0;
    return strtoull(end, NULL, 16);
}

/* A number in what stands behind the name, by the place that proc(5) gives it; the state is field 3. */
static uint64_t stat_field(const char *after_name, int wanted) {
    for (int field = 3; after_name && field < wanted; field++) {
        after_name = strchr(after_name, ' ');
        after_name = after_name ? after_name + 1 : NULL;
    }
    return after_name ? strtoull(after_name, NULL, 10) : 0;
}

int proc_thread_cpu(pid_t pid, pid_t tid) {
    enum { PROCESSOR = 39 };
    char text[1024];
    const char *at =
        read_task_file(pid, tid, "stat", text, sizeof text) > 0 ? after_name(text) : NULL;
    return at ? (int)stat_field(at, PROCESSOR) : -1;
}

bool proc_identify(pid_t pid, struct proc_identity *identity) {
    enum { START_TIME = 22, STACK_START = 28 };
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const char *at = proc_read_file(path, text, sizeof text) > 0 ? after_name(text) : NULL;
    *identity = (struct proc_identity){stat_field(at, START_TIME), stat_field(at, STACK_START),
                                       at && strchr("XZ", *at)};
    return at != NULL;
}

uint64_t proc_start_time(pid_t pid) {
    struct proc_identity identity;
    return proc_identify(pid, &identity) ? identity.start_time : 0;
}
