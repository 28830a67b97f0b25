/* See statistics.h. One thread, which sleeps but for a few reads of /proc at each interval. */
#include "statistics.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "marey.h"

enum { INTERVAL_MIN_MS = 10, INTERVAL_MAX_MS = 60000, STACK_BYTES = 128 << 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static pthread_t thread;
static int running; /* the thread is there */
static int stopping;
static unsigned interval_ms;

struct counters {
    marey_counter *cpu, *memory, *files, *threads;
};

static double process_cpu_seconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static double seconds_now(void) {
    return (double)marey_now_ns() * 1e-9;
}

static int64_t resident_bytes(void) {
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*d %lld", &pages) != 1)
        pages = 0;
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t entries_of(const char *path, int64_t not_counted) {
    int64_t count = -not_counted;
    DIR *directory = opendir(path);
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void take_sizes(const struct counters *counters) {
    marey_counter_set_i64(counters->memory, resident_bytes());
    marey_counter_set_i64(counters->files,
                          entries_of("/proc/self/fd", 1)); /* the one it is read by */
    marey_counter_set_i64(counters->threads, entries_of("/proc/self/task", 1)); /* this one */
}

/* The share of one processor since the last time. */
static void take_share(const struct counters *counters, double *cpu_before, double *time_before) {
    double cpu = process_cpu_seconds(), time = seconds_now();
    if (time > *time_before)
        marey_counter_set_f64(counters->cpu, 100 * (cpu - *cpu_before) / (time - *time_before));
    *cpu_before = cpu;
    *time_before = time;
}

/* Until the interval is over. Returns 0 when it is time to stop. */
static int sleep_interval(void) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += interval_ms / 1000;
    until.tv_nsec += (long)(interval_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    while (!stopping && pthread_cond_timedwait(&wake, &lock, &until) != ETIMEDOUT)
        continue;
    int go_on = !stopping;
    pthread_mutex_unlock(&lock);
    return go_on;
}

static void *run(void *unused) {
    struct counters counters = {
        marey_counter_open("CPU", "%", MAREY_OF_PROCESS),
        marey_counter_open("resident memory", "bytes", MAREY_OF_PROCESS),
        marey_counter_open("open files", "files", MAREY_OF_PROCESS),
        marey_counter_open("threads", "threads", MAREY_OF_PROCESS),
    };
    double cpu = process_cpu_seconds(), time = seconds_now();
    prctl(PR_SET_NAME, "marey-stats");
    for (int go_on = 1; go_on && marey_recording();) {
        take_sizes(&counters);
        go_on = sleep_interval();
        take_share(&counters, &cpu, &time);
    }
    marey_counter_close(counters.cpu);
    marey_counter_close(counters.memory);
    marey_counter_close(counters.files);
    marey_counter_close(counters.threads);
    return unused;
}

/* The program's signals are for its own threads. */
static int start_thread(void) {
    pthread_condattr_t monotonic;
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed ? MAREY_ENOMEM : 0;
}

int marey_statistics_start(unsigned interval) {
    if (interval < INTERVAL_MIN_MS || interval > INTERVAL_MAX_MS)
        return MAREY_EINVAL;
    marey_statistics_stop();
    pthread_mutex_lock(&lock);
    interval_ms = interval;
    stopping = 0;
    int code = start_thread();
    running = code == 0;
    pthread_mutex_unlock(&lock);
    return code;
}

void marey_statistics_stop(void) {
    pthread_mutex_lock(&lock);
    int was_running = running;
    running = 0;
    stopping = 1;
    if (was_running)
        pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
    if (was_running)
        pthread_join(thread, NULL);
}

void statistics_after_fork(void) {
    pthread_mutex_init(&lock, NULL);
    running = 0;
}
