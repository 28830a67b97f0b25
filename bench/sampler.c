/* What sampling costs: sampler PID SECONDS HZ [TRACE] [option...], HZ 0: as fast as it can. Options: children, idle,
 * functions, blocking, native, tasks. With TRACE ("-": none) samples are written into that recording. PID 0: nothing is
 * sampled; it only sleeps as often, with the same deadlines and no slack: the floor.
 *
 * Prints one line of JSON: rate, cost on a CPU, lateness, what was torn, memory (the peak: VmHWM). */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "marey.h"
#include "stack/sampler.h"
#include "trace/sample.h"

struct sums {
    struct samples_log *log;
    uint64_t samples, runs, frames, weights_ns[SAMPLE_WEIGHTS];
};

static void take(void *context, const struct sample *sample) {
    struct sums *sums = context;
    sums->runs++;
    sums->samples += sample->count;
    sums->frames += (uint64_t)sample->count * sample->depth;
    for (int i = 0; i < SAMPLE_WEIGHTS; i++)
        sums->weights_ns[i] += sample->weights_ns[i];
    if (sums->log)
        marey__samples_write(sums->log, sample);
}

static void take_process(void *context, const struct sampled_process *process) {
    struct sums *sums = context;
    if (sums->log)
        marey__samples_process(sums->log, process->pid, process->name, process->command_line,
                               process->command_line_bytes);
}

static void take_thread(void *context, pid_t pid, pid_t tid, const char *name) {
    struct sums *sums = context;
    if (sums->log)
        marey__samples_thread(sums->log, pid, tid, name);
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void set_option(struct sampler_options *options, const char *word) {
    options->children |= strcmp(word, "children") == 0;
    options->idle |= strcmp(word, "idle") == 0;
    options->functions |= strcmp(word, "functions") == 0;
    options->blocking |= strcmp(word, "blocking") == 0;
    options->native_marker |= strcmp(word, "native") == 0;
    options->tasks |= strcmp(word, "tasks") == 0;
}

/* Not of getrusage: that begins with what the program had that started this one. */
static long peak_kib(void) {
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "VmHWM: %ld", &kib);
    if (f)
        fclose(f);
    return kib;
}

/* The floor. */
static void only_sleep(double seconds, uint64_t interval_ns) {
    uint64_t start = now_ns(CLOCK_MONOTONIC), end = start + (uint64_t)(seconds * 1e9), ticks = 0;
    uint64_t cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    prctl(PR_SET_TIMERSLACK, 1);
    for (uint64_t next = start + interval_ns; next < end; next += interval_ns, ticks++) {
        struct timespec t = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
    cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
    double wall_ns = (double)(now_ns(CLOCK_MONOTONIC) - start);
    printf("{\"ticks_per_s\": %.1f, \"cpu_percent\": %.3f}\n", (double)ticks / wall_ns * 1e9,
           100 * (double)cpu_ns / wall_ns);
}

static void print(const struct sums *sums, const struct sampler_counts *c, uint64_t cpu_ns) {
    double samples = sums->samples ? (double)sums->samples : 1, wall = (double)c->wall_ns / 1e9;
    printf("{\"samples_per_s\": %.1f, \"samples_per_cpu_s\": %.1f, \"cpu_percent\": %.3f, "
           "\"ticks_per_s\": %.1f, \"missed\": %llu, \"torn_percent\": %.4f, \"depth\": %.1f, "
           "\"runs_percent\": %.1f, \"late_us\": %.1f, \"late_max_us\": %.1f, \"threads\": %u, "
           "\"processes\": %u, \"peak_kib\": %ld, \"on_cpu\": %.3f, \"gil\": %.3f, \"gil_wait\": "
           "%.3f}\n",
           samples / wall, samples / ((double)cpu_ns / 1e9), 100 * (double)cpu_ns / 1e9 / wall,
           (double)c->ticks / wall, (unsigned long long)c->missed,
           100 * (double)c->torn / (samples + (double)c->torn), (double)sums->frames / samples,
           100 * (double)sums->runs / samples,
           (double)c->late_ns / 1e3 / (double)(c->ticks + !c->ticks), (double)c->late_max_ns / 1e3,
           c->threads, c->processes, peak_kib(), (double)sums->weights_ns[SAMPLE_CPU] / 1e9 / wall,
           (double)sums->weights_ns[SAMPLE_GIL] / 1e9 / wall,
           (double)sums->weights_ns[SAMPLE_GIL_WAIT] / 1e9 / wall);
}

int main(int argc, char **argv) {
    struct sums sums = {0};
    struct sampler_options options = {0};
    struct sampler_sink sink = {&sums, take, take_process, take_thread, NULL, NULL};
    struct sampler *sampler;
    struct sampler_counts counts;
    if (argc < 4) {
        fprintf(stderr, "usage: sampler PID SECONDS HZ [TRACE] [option...]\n");
        return 2;
    }
    pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
    double seconds = strtod(argv[2], NULL), hz = strtod(argv[3], NULL);
    options.interval_ns = hz > 0 ? (uint64_t)(1e9 / hz) : 0;
    if (!pid && options.interval_ns) {
        only_sleep(seconds, options.interval_ns);
        return 0;
    }
    for (int i = 5; i < argc; i++)
        set_option(&options, argv[i]);
    bool record = argc > 4 && strcmp(argv[4], "-") != 0;
    int error = record ? marey_open(argv[4], NULL) : 0;
    if (record)
        sums.log = marey__samples_open(options.interval_ns, 0);
    if (!error)
        error = sampler_open(&sampler, &options, &sink);
    if (!error)
        error = sampler_add(sampler, pid, false);
    if (error) {
        fprintf(stderr, "sampler: %s\n", marey_strerror(error));
        return 1;
    }
    uint64_t cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    sampler_run(sampler, now_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9));
    cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
    sampler_counts(sampler, &counts);
    print(&sums, &counts, cpu_ns);
    sampler_close(sampler);
    if (sums.log)
        marey__samples_close(sums.log);
    if (record)
        marey_close();
    return 0;
}
