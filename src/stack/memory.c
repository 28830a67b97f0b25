#define _GNU_SOURCE
#include "stack/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "marey.h"
#include "stack/proc.h"

static int error_of_read(int value) {
    switch (value) {
    case ESRCH: return MAREY_ENOPROCESS;
    case EPERM:
    case EACCES: return MAREY_EPTRACE;
    case EFAULT:
    case EIO: return MAREY_EADDRESS;
    case ENOMEM: return MAREY_ENOMEM;
    default: return MAREY_EINVAL;
    }
}

/* One call for all pieces. The kernel says how many bytes it could read: less is a bad address. */
static int read_by_call(struct memory *memory, const struct piece *pieces, int count) {
    struct iovec local[MEMORY_PIECES_MAX], remote[MEMORY_PIECES_MAX];
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        local[i] = (struct iovec){pieces[i].into, pieces[i].bytes};
        remote[i] = (struct iovec){(void *)(uintptr_t)pieces[i].address, pieces[i].bytes};
        bytes += pieces[i].bytes;
    }
    ssize_t got =
        process_vm_readv(memory->pid, local, (unsigned long)count, remote, (unsigned long)count, 0);
    if (got < 0)
        return error_of_read(errno);
    return (size_t)got == bytes ? 0 : MAREY_EADDRESS;
}

static int read_by_file(struct memory *memory, const struct piece *pieces, int count) {
    for (int i = 0; i < count; i++) {
        if (pieces[i].address > INT64_MAX)
            return MAREY_EADDRESS;
        ssize_t got = pread(memory->fd, pieces[i].into, pieces[i].bytes, (off_t)pieces[i].address);
        if (got == 0 && pieces[i].bytes) /* its address space is gone: it ended */
            return MAREY_ENOPROCESS;
        if (got < 0)
            return error_of_read(errno);
        if ((size_t)got != pieces[i].bytes)
            return MAREY_EADDRESS;
    }
    return 0;
}

/* Tries the call by reading nothing that can be there: the answer tells a bad address from a refusal. */
static int probe_call(struct memory *memory) {
    char byte;
    struct piece nowhere = {1, &byte, 1};
    return read_by_call(memory, &nowhere, 1);
}

int memory_open(struct memory *memory, pid_t pid) {
    *memory = (struct memory){.pid = pid, .fd = -1, .read = read_by_call};
    if (pid <= 0)
        return MAREY_ENOPROCESS;
    int error = probe_call(memory);
    if (error == MAREY_EADDRESS)
        return 0;
    if (error == MAREY_ENOPROCESS)
        return error;
    /* A filter of system calls may forbid the call where the file is allowed. */
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    memory->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (memory->fd < 0)
        return errno == ENOENT || errno == ESRCH ? MAREY_ENOPROCESS : MAREY_EPTRACE;
    memory->read = read_by_file;
    return 0;
}

void memory_close(struct memory *memory) {
    if (memory->fd >= 0)
        close(memory->fd);
    memory->fd = -1;
}

int memory_read_pieces(struct memory *memory, const struct piece *pieces, int count) {
    if (count < 1 || count > MEMORY_PIECES_MAX)
        return MAREY_EINVAL;
    memory->reads++;
    return memory->read(memory, pieces, count);
}

int memory_read(struct memory *memory, uint64_t address, void *into, size_t bytes) {
    struct piece piece = {address, into, bytes};
    return memory_read_pieces(memory, &piece, 1);
}

uint64_t memory_pointer(struct memory *memory, uint64_t address) {
    uint64_t value = 0;
    return memory_read(memory, address, &value, sizeof value) == 0 ? value : 0;
}

/* ---- why not */

static long ptrace_scope(void) {
    char text[32];
    if (proc_read_file("/proc/sys/kernel/yama/ptrace_scope", text, sizeof text) <= 0)
        return 0;
    return text[0] - '0';
}

/* The effective capabilities of this process hold CAP_SYS_PTRACE (19). */
static bool may_trace(void) {
    char text[4096];
    unsigned long long set = 0;
    if (proc_read_file("/proc/self/status", text, sizeof text) <= 0)
        return false;
    const char *line = strstr(text, "CapEff:");
    return line && sscanf(line, "CapEff: %llx", &set) == 1 && (set >> 19 & 1);
}

/* In a container root may be without the capability: then to be root is no way out. */
void memory_explain(pid_t pid, char *text) {
    char path[64];
    struct stat target = {0};
    bool is_root = geteuid() == 0;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int size = MEMORY_EXPLANATION_BYTES;
    if (pid <= 0 || stat(path, &target) != 0)
        snprintf(text, (size_t)size, "there is no process %d", (int)pid);
    else if (target.st_uid != geteuid() && !may_trace())
        snprintf(text, (size_t)size,
                 "process %d belongs to another user (uid %u, this one is %u): run as that user, "
                 "or %s",
                 (int)pid, (unsigned)target.st_uid, (unsigned)geteuid(),
                 is_root ? "give the container the capability that this root lacks: "
                           "--cap-add=SYS_PTRACE"
                         : "as root");
    else if (ptrace_scope() > 2)
        snprintf(text, (size_t)size,
                 "this machine forbids reading other processes until it is restarted "
                 "(kernel.yama.ptrace_scope is 3)");
    else if (ptrace_scope() > 0 && !may_trace())
        snprintf(text, (size_t)size,
                 "this machine lets a process be read by its parents or by root only "
                 "(kernel.yama.ptrace_scope is %ld): %s, start the program with marey, or "
                 "allow it by 'sysctl kernel.yama.ptrace_scope=0'",
                 ptrace_scope(),
                 is_root ? "give the container --cap-add=SYS_PTRACE" : "run as root");
    else if (!may_trace())
        snprintf(
            text, (size_t)size,
            "process %d may not be read: it has more rights than this one, or this is a container "
            "without the capability: give it --cap-add=SYS_PTRACE%s",
            (int)pid, is_root ? "" : ", or run as root");
    else
        snprintf(
            text, (size_t)size,
            "process %d may not be read, although this one may trace: a filter of system calls "
            "(seccomp) or a security module forbids it, or it is in another user namespace",
            (int)pid);
}
