/* The thread of a profiler: it samples, adds to the profile, records, and rests when it is asked to (profiler_inside.h). */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "marey.h"
#include "profiler_inside.h"

enum {
    THREAD_STACK_BYTES = 512 << 10, /* reserved; what is used is a tenth of it */
    TRY_AGAIN_NS = 100000000,       /* where there is no interpreter any more */
    COUNTS_NS = 250000000
};

uint64_t profiler_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ------------------------------------------------------------------ samples */

/* What the sampler did so far, for the counters of the trace. */
static void record_counts(struct profiler *self) {
    struct sampler_counts counts;
    sampler_counts(self->sampler, &counts);
    marey__samples_counts(self->log, &(struct sampling_counts){.torn = counts.torn,
                                                               .missed = counts.missed,
                                                               .cpu_ns = counts.cpu_ns});
    self->counts_ns = profiler_now_ns() + COUNTS_NS;
}

static void record(struct profiler *self, const struct sample *sample) {
    if (!self->log)
        self->log = marey__samples_open(self->options.interval_ns, 0);
    if (!self->log)
        return;
    bool first = marey__samples_write(self->log, sample);
    if (first || profiler_now_ns() >= self->counts_ns)
        record_counts(self);
}

static void take(void *context, const struct sample *sample) {
    struct profiler *self = context;
    pthread_mutex_lock(&self->lock);
    recent_add(self->recent, profile_add(self->profile, sample), sample);
    pthread_mutex_unlock(&self->lock);
    if (self->options.record && marey_recording())
        record(self, sample);
}

static void take_thread(void *context, pid_t pid, pid_t tid, const char *name) {
    struct profiler *self = context;
    if (self->log)
        marey__samples_thread(self->log, pid, tid, name);
}

static void take_task(void *context, pid_t pid, uint64_t task, const char *name) {
    struct profiler *self = context;
    if (self->log)
        marey__samples_task(self->log, pid, task, name);
}

/* ---------------------------------------------------------------- the thread */

static bool may_run(const struct profiler *self) {
    return self->state == PROFILER_ON && !self->holds;
}

/* The interpreter has ended; another one may be made. With the lock held, as on return. */
static void try_again_later(struct profiler *self) {
    uint64_t until_ns = profiler_now_ns() + TRY_AGAIN_NS;
    struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
    pthread_cond_timedwait(&self->changed, &self->lock, &until);
    if (!may_run(self))
        return;
    sampler_add(self->sampler, getpid(), true);
    sampler_leave_out(self->sampler);
}

/* With the lock held, as on return. */
static void run(struct profiler *self) {
    self->rests = self->its_turn = false;
    pthread_cond_broadcast(&self->changed);
    sampler_again(self->sampler);
    pthread_mutex_unlock(&self->lock);
    int error = sampler_run(self->sampler, 0);
    if (self->log)
        record_counts(self);
    pthread_mutex_lock(&self->lock);
    self->rests = true;
    pthread_cond_broadcast(&self->changed);
    if (error && may_run(self))
        try_again_later(self);
}

static void *sample_process(void *argument) {
    struct profiler *self = argument;
    prctl(PR_SET_NAME, "marey sampler");
    pthread_mutex_lock(&self->lock);
    while (self->state != PROFILER_OFF)
        if (may_run(self))
            run(self);
        else
            pthread_cond_wait(&self->changed, &self->lock);
    marey__samples_close(self->log);
    self->log = NULL;
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* No signal is for it. */
static int make_thread(struct profiler *self) {
    pthread_attr_t attributes;
    sigset_t every, before;
    if (pthread_attr_init(&attributes))
        return MAREY_ENOMEM;
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, &before);
    int error = pthread_create(&self->thread, &attributes, sample_process, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error ? MAREY_ENOMEM : 0;
}

static int open_sampler(struct profiler *self) {
    const struct profiler_options *o = &self->options;
    struct sampler_options options = {.interval_ns = o->interval_ns,
                                      .mode = o->mode,
                                      .idle = o->idle,
                                      .functions = !o->lines && !o->record,
                                      .native_marker = o->native,
                                      .tasks = o->tasks};
    struct sampler_sink sink = {
        .context = self, .take = take, .thread = take_thread, .task = take_task};
    int error = sampler_open(&self->sampler, &options, &sink);
    if (error)
        return error;
    error = sampler_add(self->sampler, getpid(), false);
    if (error)
        sampler_close(self->sampler);
    return error;
}

int profiler_thread_start(struct profiler *self) {
    int error = open_sampler(self);
    if (error)
        return error;
    self->state = PROFILER_ON;
    self->on_since_ns = profiler_now_ns();
    self->rests = true; /* it cannot run before the lock is free */
    self->its_turn = false;
    error = make_thread(self);
    self->alive = !error;
    if (error) {
        self->state = PROFILER_OFF;
        self->on_since_ns = 0;
        sampler_close(self->sampler);
    }
    return error;
}

/* --------------------------------------------------------------------- rest */

void profiler_wait_for_rest(struct profiler *self) {
    if (self->alive && !self->rests)
        sampler_stop(self->sampler);
    while (self->alive && !self->rests)
        pthread_cond_wait(&self->changed, &self->lock);
}

void profiler_hold(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    while (self->alive && self->its_turn && may_run(self))
        pthread_cond_wait(&self->changed, &self->lock);
    self->holds++;
    profiler_wait_for_rest(self);
    self->holds--;
    self->its_turn = true;
    pthread_cond_broadcast(&self->changed);
}
