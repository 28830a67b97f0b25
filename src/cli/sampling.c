/* See sampling.h. */
#include "cli/sampling.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/pids.h"
#include "marey.h"
#include "trace/sample.h"

static const uint64_t SECOND_NS = 1000000000;

/* --------------------------------------------------------------- options */

void sampling_request_init(struct sampling_request *request) {
    *request = (struct sampling_request){.options = {.children = true}};
}

static int take_hz(const char *command, struct sampling_request *to, const char *text) {
    char *end;
    to->hz = strtod(text, &end);
    if (!strcmp(text, "max"))
        to->hz = -1;
    else if (end == text || *end || !(to->hz >= 0.1 && to->hz <= SAMPLING_HZ_MAX))
        return usage_error(command, "--hz: '%s' is not from 0.1 to %d, nor 'max'", text,
                           SAMPLING_HZ_MAX);
    return -1;
}

static int take_mode(const char *command, struct sampling_request *to, const char *text) {
    static const char *const modes[] = {
        [SAMPLER_WALL] = "wall", [SAMPLER_CPU] = "cpu", [SAMPLER_GIL] = "gil"};
    for (unsigned mode = 0; mode < sizeof modes / sizeof *modes; mode++)
        if (!strcmp(text, modes[mode])) {
            to->options.mode = (enum sampler_mode)mode;
            return -1;
        }
    return usage_error(command, "--mode: '%s' is none of wall, cpu and gil", text);
}

int sampling_take_option(const char *command, struct sampling_request *to, int option) {
    switch (option) {
    case OPTION_HZ: return take_hz(command, to, optarg);
    case OPTION_MODE: return take_mode(command, to, optarg);
    case OPTION_IDLE: to->options.idle = true; break;
    case OPTION_TASKS: to->options.tasks = true; break;
    case OPTION_FUNCTION: to->options.functions = true; break;
    case OPTION_NATIVE_MARKER: to->options.native_marker = true; break;
    case OPTION_BLOCKING: to->options.blocking = true; break;
    case OPTION_NO_CHILDREN: to->options.children = false; break;
    case OPTION_OLD_VIEWERS: to->old_viewers = 1; break;
    case OPTION_THREADS: to->by_thread = 1; break;
    default: break;
    }
    return -1;
}

uint64_t sampling_interval_ns(const struct sampling_request *request) {
    if (request->hz < 0)
        return 0;
    double usual = request->options.blocking ? SAMPLING_HZ_BLOCKING : SAMPLING_HZ;
    return (uint64_t)((double)SECOND_NS / (request->hz > 0 ? request->hz : usual));
}

/* -------------------------------------------------- from sampler to trace */

struct target {
    pid_t pid;
    bool wait;
};

struct sampling {
    struct sampler *sampler;
    struct samples_log *log; /* of the thread that samples, while it does */
    unsigned flags;
    uint64_t interval_ns;
    struct target *targets;
    size_t targets_count;
    struct sampling_result result;
    pthread_t thread;
    bool has_thread;
    bool found; /* a process that can be sampled */
    atomic_bool stopped;
};

static void take(void *context, const struct sample *sample) {
    struct sampling *sampling = context;
    marey__samples_write(sampling->log, sample);
}

/* The reason is found now, as long as the process is there. */
static void refuse(struct sampling *sampling, pid_t pid, int error, uint32_t version) {
    if (sampling->result.refused++ == 0)
        pid_explain(&sampling->result.refused_why, pid, error, version);
}

/* Of a program that has no Python nothing is said. */
static void write_counts(struct sampling *sampling) {
    struct sampler_counts counts;
    if (!sampling->found)
        return;
    sampler_counts(sampling->sampler, &counts);
    struct sampling_counts said = {
        .torn = counts.torn, .missed = counts.missed, .cpu_ns = counts.cpu_ns};
    marey__samples_counts(sampling->log, &said);
}

static void process_begins(void *context, const struct sampled_process *process) {
    struct sampling *sampling = context;
    if (process->error) {
        refuse(sampling, process->pid, process->error, process->version);
        return;
    }
    marey__samples_process(sampling->log, process->pid, process->name, process->command_line,
                           process->command_line_bytes);
    if (sampling->found)
        return;
    sampling->found = true;
    write_counts(sampling); /* deadlines that passed until now had nothing to be kept for */
}

static void thread_named(void *context, pid_t pid, pid_t tid, const char *name) {
    struct sampling *sampling = context;
    marey__samples_thread(sampling->log, pid, tid, name);
}

static void task_named(void *context, pid_t pid, uint64_t task, const char *name) {
    struct sampling *sampling = context;
    marey__samples_task(sampling->log, pid, task, name);
}

/* ------------------------------------------------------------------ runs */

int sampling_open(struct sampling **opened, const struct sampling_request *request) {
    struct sampling *sampling = calloc(1, sizeof *sampling);
    if (!sampling)
        return MAREY_ENOMEM;
    struct sampler_options options = request->options;
    struct sampler_sink sink = {.context = sampling,
                                .take = take,
                                .process = process_begins,
                                .thread = thread_named,
                                .task = task_named};
    options.interval_ns = sampling->interval_ns = sampling_interval_ns(request);
    sampling->flags = request->old_viewers ? SAMPLES_FOR_OLD_VIEWERS : 0;
    int error = sampler_open(&sampling->sampler, &options, &sink);
    if (error)
        sampling_close(sampling);
    else
        *opened = sampling;
    return error;
}

void sampling_close(struct sampling *sampling) {
    if (sampling->sampler)
        sampler_close(sampling->sampler);
    text_free(&sampling->result.refused_why);
    free(sampling->targets);
    free(sampling);
}

int sampling_add(struct sampling *sampling, pid_t pid, bool wait) {
    size_t count = sampling->targets_count;
    struct target *targets = realloc(sampling->targets, (count + 1) * sizeof *targets);
    if (!targets)
        return MAREY_ENOMEM;
    targets[count] = (struct target){pid, wait};
    sampling->targets = targets;
    sampling->targets_count++;
    return 0;
}

static void add_targets(struct sampling *sampling) {
    for (size_t i = 0; i < sampling->targets_count; i++) {
        const struct target *target = &sampling->targets[i];
        uint32_t told = sampling->result.refused;
        int error = sampler_add(sampling->sampler, target->pid, target->wait);
        bool was_quick = error == MAREY_ENOPROCESS;
        if (error && !was_quick && sampling->result.refused == told)
            refuse(sampling, target->pid, error, 0);
    }
}

/* Once a second the counts are written, so that they are there whatever becomes of this process. */
static void sample_until(struct sampling *sampling, uint64_t until_ns) {
    int error = 0;
    while (!error && !atomic_load(&sampling->stopped)) {
        uint64_t now = marey_now_ns(), slice = now + SECOND_NS;
        if (until_ns && now >= until_ns)
            break;
        error = sampler_run(sampling->sampler, until_ns && until_ns < slice ? until_ns : slice);
        write_counts(sampling);
    }
}

/* The log is this thread's: opened, written and closed here. */
void sampling_run(struct sampling *sampling, uint64_t until_ns) {
    sampling->log = marey__samples_open(sampling->interval_ns, sampling->flags);
    if (!sampling->log)
        return;
    add_targets(sampling);
    sample_until(sampling, until_ns);
    marey__samples_close(sampling->log);
    sampling->log = NULL;
}

static void *run_thread(void *context) {
    sampling_run(context, 0);
    return NULL;
}

int sampling_start(struct sampling *sampling) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sampling->has_thread = pthread_create(&sampling->thread, NULL, run_thread, sampling) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return sampling->has_thread ? 0 : MAREY_ENOMEM;
}

void sampling_end(struct sampling *sampling) {
    sampling_stop(sampling);
    if (sampling->has_thread)
        pthread_join(sampling->thread, NULL);
    sampling->has_thread = false;
}

void sampling_stop(struct sampling *sampling) {
    atomic_store(&sampling->stopped, true);
    sampler_stop(sampling->sampler);
}

const struct sampling_result *sampling_result(const struct sampling *sampling) {
    return &sampling->result;
}
