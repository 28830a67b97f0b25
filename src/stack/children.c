#define _GNU_SOURCE
#include "stack/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/proc.h"
#include "stack/schedule.h"

enum { LIST_BYTES = 65536 /* of one list of children: some 8,000 */ };

void children_init(struct children *children) {
    *children = (struct children){.scan_soon = true};
    children->fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
}

void children_fini(struct children *children) {
    if (children->fd >= 0)
        close(children->fd);
}

void children_scan_soon(struct children *children) {
    children->scan_soon = true;
}

static void found(const struct children_family *family, pid_t pid, pid_t parent) {
    if (pid > 0 && !family->has(family->context, pid))
        family->add(family->context, pid, parent);
}

/* ---- all lists */

static void scan_list(const struct children_family *family, pid_t pid, const char *tid,
                      char *list) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, tid);
    if (proc_read_file(path, list, LIST_BYTES) <= 0)
        return;
    for (char *at = list, *end;; at = end) {
        pid_t child = (pid_t)strtol(at, &end, 10);
        if (end == at)
            return;
        found(family, child, pid);
    }
}

static void scan_process(const struct children_family *family, pid_t pid, char *list) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            scan_list(family, pid, entry->d_name, list);
    closedir(folder);
}

static void scan(struct children *children, const struct children_family *family, uint64_t now_ns) {
    char *list = malloc(LIST_BYTES);
    pid_t pid;
    for (int i = 0; list && (pid = family->member(family->context, i)); i++)
        scan_process(family, pid, list);
    free(list);
    uint64_t after_ns = CHILDREN_SCAN_SHARE * (schedule_now_ns() - now_ns);
    children->scan_ns = now_ns + (after_ns > CHILDREN_SCAN_NS ? after_ns : CHILDREN_SCAN_NS);
    children->scan_soon = false;
}

/* ---- new numbers */

/* "0.01 0.02 0.03 1/97 4711": the last number that was given to a process or thread; 0: not known. */
static pid_t last_number(const struct children *children) {
    char text[128];
    ssize_t got = children->fd < 0 ? -1 : pread(children->fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char *last = strrchr(text, ' ');
    return last ? (pid_t)strtol(last, NULL, 10) : 0;
}

static long field(const char *status, const char *name) {
    const char *at = strstr(status, name);
    return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

/* Is this number a child of the family? False: there is no such process or thread, perhaps not yet. */
static bool ask(const struct children_family *family, pid_t pid) {
    char path[64], status[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (proc_read_file(path, status, sizeof status) <= 0)
        return false;
    pid_t parent = (pid_t)field(status, "\nPPid:");
    if (field(status, "\nTgid:") == pid && family->has(family->context, parent))
        found(family, pid, parent);
    return true;
}

static void ask_again(struct children *children, const struct children_family *family) {
    int kept = 0;
    for (int i = 0; i < children->late_count; i++) {
        struct late_child late = children->late[i];
        if (!ask(family, late.pid) && ++late.looks < CHILDREN_LATE_LOOKS)
            children->late[kept++] = late;
    }
    children->late_count = kept;
}

static void ask_new(struct children *children, const struct children_family *family, pid_t last) {
    if (last < children->last || last - children->last > CHILDREN_NEW_MAX) {
        children->scan_soon = true; /* the numbers began anew, or there are too many */
        return;
    }
    for (pid_t pid = children->last + 1; pid <= last; pid++)
        if (!ask(family, pid) && children->late_count < CHILDREN_LATE)
            children->late[children->late_count++] = (struct late_child){pid, 0};
}

void children_look(struct children *children, const struct children_family *family,
                   uint64_t now_ns) {
    if (now_ns < children->look_ns)
        return;
    children->look_ns = now_ns + CHILDREN_LOOK_NS;
    pid_t last = last_number(children);
    ask_again(children, family);
    if (children->last && last)
        ask_new(children, family, last);
    children->last = last;
    if (children->scan_soon || now_ns >= children->scan_ns)
        scan(children, family, now_ns);
}
