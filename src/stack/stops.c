#define _GNU_SOURCE
#include "stack/stops.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "marey.h"
#include "stack/proc.h"
#include "stack/schedule.h"

#define FINISH_NS UINT64_C(5000000000)

void stops_begin(struct stops *stops) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &stops->signals);
}

/* Is it stopped by now? Any request but that for a stop is refused before. */
static bool has_stopped(pid_t tid) {
    siginfo_t info;
    return ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) == 0 || errno == EINVAL;
}

/* Mostly it stops within microseconds; who is woken to run on the same CPU needs it. */
static bool wait_for_stop(pid_t tid) {
    enum { TRIES = 50 };
    uint64_t end_ns = schedule_now_ns() + STOP_WAIT_NS;
    for (int i = 0; !has_stopped(tid); i++) {
        if (errno != ESRCH || schedule_now_ns() > end_ns)
            return false;
        if (i < TRIES)
            sched_yield();
        else
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    return true;
}

/* What would be told to who waits for this thread is taken away, unless it is its end. */
static void take_notice(pid_t tid) {
    siginfo_t info;
    waitid(P_PID, (id_t)tid, &info, WSTOPPED | WNOHANG | __WALL);
}

int stops_add(struct stops *stops, pid_t pid, pid_t tid) {
    if (stops->count == STOPS_MAX)
        return MAREY_ELIMIT;
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
        return errno == ESRCH ? MAREY_ENOPROCESS : MAREY_EPTRACE;
    struct stop *stop = &stops->list[stops->count++];
    *stop = (struct stop){.pid = pid, .tid = tid};
    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0)
        return MAREY_ENOPROCESS;
    stop->stopped = wait_for_stop(tid);
    take_notice(tid);
    return stop->stopped ? 0 : MAREY_ETORN;
}

/* The signal that it was stopped with, before it could be handled; 0: none. */
static int signal_on_its_way(pid_t tid) {
    siginfo_t info;
    if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) != 0)
        return 0; /* stopped by a signal that was handled: it stays stopped */
    bool asked = info.si_code >> 8 == PTRACE_EVENT_STOP;
    return asked ? 0 : info.si_signo;
}

/* A thread that ended while it was traced has to be taken note of: its process cannot exec, or its parent does not
 * learn of its end, before that. But a child of ours is left to who waits for it. */
static void bury(const struct stop *stop) {
    char path[64], status[4096];
    siginfo_t info;
    snprintf(path, sizeof path, "/proc/%d/status", (int)stop->pid);
    if (stop->tid == stop->pid && proc_read_file(path, status, sizeof status) > 0) {
        const char *parent = strstr(status, "\nPPid:");
        if (parent && strtol(parent + 6, NULL, 10) == getpid())
            return;
    }
    waitid(P_PID, (id_t)stop->tid, &info, WEXITED | WNOHANG | __WALL);
}

/* Lets it go. False: it has not stopped yet, and can only then be. */
static bool release(const struct stop *stop) {
    long number = signal_on_its_way(stop->tid);
    if (ptrace(PTRACE_DETACH, stop->tid, NULL, number) == 0)
        return true;
    enum proc_state state = proc_thread_state(stop->pid, stop->tid);
    if (state != PROC_DEAD && state != PROC_UNKNOWN)
        return false;
    bury(stop);
    return true;
}

void stops_end(struct stops *stops) {
    int kept = 0;
    for (int i = 0; i < stops->count; i++)
        if (!release(&stops->list[i]))
            stops->list[kept++] = stops->list[i];
    stops->count = kept;
    pthread_sigmask(SIG_SETMASK, &stops->signals, NULL);
}

void stops_finish(struct stops *stops) {
    uint64_t end_ns = schedule_now_ns() + FINISH_NS;
    while (stops->count && schedule_now_ns() < end_ns) {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        stops_begin(stops);
        stops_end(stops);
    }
}
