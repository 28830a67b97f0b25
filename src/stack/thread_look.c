#define _GNU_SOURCE
#include "stack/thread_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stack/proc.h"

enum { FILES_MAX = 1024 };

void thread_files_init(struct thread_files *files) {
    struct rlimit limit;
    files->left = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < FILES_MAX
                      ? (int)(limit.rlim_cur / 4)
                      : FILES_MAX;
}

void thread_look_init(struct thread_look *look, pid_t pid, pid_t tid) {
    *look = (struct thread_look){
        .pid = pid, .tid = tid, .state_fd = -1, .time_fd = -1, .own = pid == getpid()};
}

static void close_kept(int *fd, struct thread_files *files) {
    if (*fd < 0)
        return;
    close(*fd);
    *fd = -1;
    files->left++;
}

void thread_look_fini(struct thread_look *look, struct thread_files *files) {
    close_kept(&look->state_fd, files);
    close_kept(&look->time_fd, files);
}

/* Reads one of the thread's files, by its kept descriptor if it has one. Returns how many bytes, ended with NUL, or -1
 * with errno. */
static ssize_t read_file(const struct thread_look *look, struct thread_files *files, int *kept,
                         const char *name, char *text, size_t size) {
    int fd = *kept;
    if (fd < 0) {
        char path[96];
        snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)look->pid, (int)look->tid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return -1;
    }
    ssize_t got = pread(fd, text, size - 1, 0);
    int error = errno;
    if (got > 0 && *kept < 0 && files->left > 0 && !look->own) {
        *kept = fd;
        files->left--;
    } else if (fd != *kept) {
        close(fd);
    } else if (got <= 0) {
        close_kept(kept, files);
    }
    text[got > 0 ? got : 0] = '\0';
    errno = error;
    return got;
}

static enum thread_doing state_by_stat(const struct thread_look *look) {
    switch (proc_thread_state(look->pid, look->tid)) {
    case PROC_RUNNING: return THREAD_RUNS;
    case PROC_IDLE:
    case PROC_STOPPED: return THREAD_SLEEPS;
    default: return THREAD_GONE;
    }
}

enum thread_doing thread_look_state(struct thread_look *look, struct thread_files *files,
                                    uint64_t *futex) {
    char text[256], *end;
    *futex = 0;
    if (look->by_stat)
        return state_by_stat(look);
    ssize_t got = read_file(look, files, &look->state_fd, "syscall", text, sizeof text);
    if (got < 0 && errno != ESRCH) {
        enum thread_doing doing = state_by_stat(look);
        look->by_stat = doing != THREAD_GONE;
        return doing;
    }
    if (got <= 0)
        return THREAD_GONE;
    if (text[0] == 'r') /* "running" */
        return THREAD_RUNS;
    /* "202 0x7f... 0x189 ...": the system call and its arguments; "-1 ...": it is in none */
    if (strtol(text, &end, 10) == SYS_futex)
        *futex = strtoull(end, NULL, 16);
    return THREAD_SLEEPS;
}

/* The clock of a thread by its number is the kernel's (include/linux/posix-timers_types.h: CPUCLOCK_PERTHREAD_MASK and
 * CPUCLOCK_SCHED). pthread_getcpuclockid() makes the same one, but of a pthread_t, which may be gone. */
static uint64_t read_clock(const struct thread_look *look) {
    enum { PER_THREAD = 4, SCHEDULED = 2 };
    struct timespec ran;
    clockid_t clock = (clockid_t)(~(unsigned)look->tid << 3 | PER_THREAD | SCHEDULED);
    if (!look->own || clock_gettime(clock, &ran) != 0)
        return 0;
    return (uint64_t)ran.tv_sec * 1000000000u + (uint64_t)ran.tv_nsec;
}

/* Where such clocks go by ticks (gVisor's: 10 ms), a thread may run between two of them, and they are always at one. */
uint64_t thread_look_ran_ns(const struct thread_look *look) {
    enum { TICK_NS = 1000000 };
    uint64_t ran_ns = read_clock(look);
    return ran_ns % TICK_NS ? ran_ns : 0;
}

/* "time on a CPU, time in the queue for one, how often" (Documentation/scheduler/sched-stats.rst). */
bool thread_look_cpu_ns(struct thread_look *look, struct thread_files *files, uint64_t *cpu_ns) {
    char text[96], *end;
    if (look->own)
        return (*cpu_ns = read_clock(look)) != 0;
    if (read_file(look, files, &look->time_fd, "schedstat", text, sizeof text) <= 0)
        return false;
    *cpu_ns = strtoull(text, &end, 10);
    return end != text;
}
