/* See profiler.h.
 *
 * `lock` guards all but what the thread alone has. The thread is either in sampler_run, where it takes the lock for each
 * sample that it adds to the profile, or at rest: then nobody uses the sampler, and whoever has the lock may. */
#define _GNU_SOURCE
#include "profiler.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "marey.h"
#include "model/recent.h"
#include "trace/sample.h"

enum {
    THREAD_STACK_BYTES = 512 << 10, /* reserved; what is used is a tenth of it */
    TRY_AGAIN_NS = 100000000,       /* where there is no interpreter any more */
    COUNTS_NS = 250000000
};

struct profiler {
    struct profiler *next; /* in `all` */
    struct profiler_options options;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum profiler_state state, before_fork;
    bool alive;  /* there is a thread, not joined yet */
    bool ending; /* somebody is about to join it */
    bool rests;
    unsigned holds; /* so many want it to rest */
    pthread_t thread;
    struct sampler *sampler; /* while alive */
    struct profile *profile;
    struct recent *recent;           /* of it */
    uint64_t run_since_ns;           /* 0: it rests */
    struct profiler_stats past;      /* of threads before, and running_ns of this one */
    struct profiler_stats forgotten; /* by clear */

    struct samples_log *log; /* the thread's; NULL before its first sample that is recorded */
    uint64_t counts_ns;      /* when its counters are to be written next */
};

/* All that are open, for fork. */
static struct profiler *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ------------------------------------------------------------------ samples */

/* What the sampler did so far, for the counters of the trace. */
static void record_counts(struct profiler *self) {
    struct sampler_counts counts;
    sampler_counts(self->sampler, &counts);
    marey__samples_counts(self->log, &(struct sampling_counts){.taken = counts.samples,
                                                               .torn = counts.torn,
                                                               .missed = counts.missed,
                                                               .cpu_ns = counts.cpu_ns});
    self->counts_ns = now_ns() + COUNTS_NS;
}

static void record(struct profiler *self, const struct sample *sample) {
    if (!self->log)
        self->log = marey__samples_open(self->options.interval_ns, 0);
    if (!self->log)
        return;
    marey__samples_write(self->log, sample);
    if (now_ns() >= self->counts_ns)
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

static void forget(struct profiler *self) {
    profile_clear(self->profile);
    recent_clear(self->recent);
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

/* With the lock held, as on return. */
static void run(struct profiler *self) {
    self->rests = false;
    self->run_since_ns = now_ns();
    sampler_again(self->sampler);
    pthread_mutex_unlock(&self->lock);
    int error = sampler_run(self->sampler, 0);
    if (self->log)
        record_counts(self);
    pthread_mutex_lock(&self->lock);
    self->past.running_ns += now_ns() - self->run_since_ns;
    self->run_since_ns = 0;
    self->rests = true;
    pthread_cond_broadcast(&self->changed);
    if (error && may_run(self)) { /* the interpreter has ended; another one may be made */
        uint64_t until_ns = now_ns() + TRY_AGAIN_NS;
        struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
        pthread_cond_timedwait(&self->changed, &self->lock, &until);
        if (may_run(self))
            sampler_add(self->sampler, getpid(), true);
    }
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
static int start_thread(struct profiler *self) {
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

/* With the lock held: until the thread rests. */
static void wait_for_rest(struct profiler *self) {
    if (self->alive && !self->rests)
        sampler_stop(self->sampler);
    while (self->alive && !self->rests)
        pthread_cond_wait(&self->changed, &self->lock);
}

/* Takes the lock while the thread rests: what it saw so far is in the profile, and it goes on when the lock is free. */
static void hold(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    self->holds++;
    wait_for_rest(self);
    self->holds--;
    pthread_cond_broadcast(&self->changed);
}

/* --------------------------------------------------------------------- fork */

/* The thread rests while the process is copied, with all locks held by the thread that forks. */
static void before_fork(void) {
    pthread_mutex_lock(&all_lock);
    for (struct profiler *self = all; self; self = self->next)
        hold(self);
}

static void after_fork_in_parent(void) {
    for (struct profiler *self = all; self; self = self->next)
        pthread_mutex_unlock(&self->lock);
    pthread_mutex_unlock(&all_lock);
}

static void init_locks(struct profiler *self) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Who held or waited for what is gone. */
static void after_fork_in_child(void) {
    for (struct profiler *self = all; self; self = self->next) {
        init_locks(self);
        if (self->alive) {
            sampler_close(self->sampler);
            marey__samples_close(self->log);
        }
        self->log = NULL;
        self->alive = self->ending = false;
        self->holds = 0;
        self->before_fork = self->state;
        self->state = PROFILER_OFF;
        forget(self);
        self->past = self->forgotten = (struct profiler_stats){0};
    }
    pthread_mutex_init(&all_lock, NULL);
}

static void watch_forks(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* -------------------------------------------------------------- from outside */

struct profiler *profiler_open(const struct profiler_options *options) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct profiler *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->options = *options;
    self->profile = profile_open(options->nodes_limit, options->lines);
    self->recent = recent_open(options->nodes_limit);
    if (!self->profile || !self->recent) {
        profile_close(self->profile);
        recent_close(self->recent);
        free(self);
        return NULL;
    }
    init_locks(self);
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&all_lock);
    self->next = all;
    all = self;
    pthread_mutex_unlock(&all_lock);
    return self;
}

void profiler_close(struct profiler *self) {
    struct profiler **at;
    if (!self)
        return;
    profiler_stop(self);
    pthread_mutex_lock(&all_lock);
    for (at = &all; *at != self; at = &(*at)->next)
        continue;
    *at = self->next;
    pthread_mutex_unlock(&all_lock);
    profile_close(self->profile);
    recent_close(self->recent);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

int profiler_start(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    while (self->ending)
        pthread_cond_wait(&self->changed, &self->lock);
    int error = self->alive ? MAREY_EBUSY : open_sampler(self);
    if (!error) {
        self->state = PROFILER_ON;
        self->rests = true; /* it cannot run before the lock is free */
        error = start_thread(self);
        self->alive = !error;
        if (error) {
            self->state = PROFILER_OFF;
            sampler_close(self->sampler);
        }
    }
    pthread_mutex_unlock(&self->lock);
    return error;
}

/* What a thread has counted. */
static void add_counts(const struct profiler *self, struct profiler_stats *stats) {
    struct sampler_counts counts;
    sampler_counts(self->sampler, &counts);
    stats->ticks += counts.ticks;
    stats->missed += counts.missed;
    stats->samples += counts.samples;
    stats->idle += counts.idle;
    stats->torn += counts.torn;
    stats->unread += counts.unread;
    stats->late_ns += counts.late_ns;
    stats->gaps_us += counts.gaps_us;
    stats->gaps_us2 += counts.gaps_us2;
    stats->cpu_ns += counts.cpu_ns;
    stats->threads = counts.threads;
    if (counts.late_max_ns > stats->late_max_ns)
        stats->late_max_ns = counts.late_max_ns;
}

void profiler_stop(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    self->state = PROFILER_OFF;
    pthread_cond_broadcast(&self->changed);
    wait_for_rest(self);
    if (self->alive && !self->ending) {
        pthread_t thread = self->thread;
        self->ending = true;
        pthread_mutex_unlock(&self->lock);
        pthread_join(thread, NULL);
        pthread_mutex_lock(&self->lock);
        add_counts(self, &self->past);
        self->past.threads = 0;
        sampler_close(self->sampler);
        self->alive = self->ending = false;
        pthread_cond_broadcast(&self->changed);
    }
    while (self->alive) /* another thread joins it */
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static bool change_state(struct profiler *self, enum profiler_state state) {
    pthread_mutex_lock(&self->lock);
    bool was_on = self->state != PROFILER_OFF;
    if (was_on) {
        self->state = state;
        pthread_cond_broadcast(&self->changed);
    }
    if (was_on && state == PROFILER_PAUSED)
        wait_for_rest(self);
    pthread_mutex_unlock(&self->lock);
    return was_on;
}

bool profiler_pause(struct profiler *self) {
    return change_state(self, PROFILER_PAUSED);
}

bool profiler_resume(struct profiler *self) {
    return change_state(self, PROFILER_ON);
}

void profiler_set_interval(struct profiler *self, uint64_t interval_ns) {
    pthread_mutex_lock(&self->lock);
    self->options.interval_ns = interval_ns;
    if (self->alive)
        sampler_set_interval(self->sampler, interval_ns);
    pthread_mutex_unlock(&self->lock);
}

enum profiler_state profiler_state(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    enum profiler_state state = self->state;
    pthread_mutex_unlock(&self->lock);
    return state;
}

enum profiler_state profiler_before_fork(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    enum profiler_state state = self->before_fork;
    self->before_fork = PROFILER_OFF;
    pthread_mutex_unlock(&self->lock);
    return state;
}

/* --------------------------------------------------------- what has been seen */

static struct profiler_stats so_far(const struct profiler *self) {
    struct profiler_stats stats = self->past;
    if (self->alive)
        add_counts(self, &stats);
    if (self->run_since_ns)
        stats.running_ns += now_ns() - self->run_since_ns;
    return stats;
}

void profiler_clear(struct profiler *self) {
    hold(self);
    forget(self);
    self->forgotten = so_far(self);
    pthread_mutex_unlock(&self->lock);
}

void profiler_stats(struct profiler *self, struct profiler_stats *stats) {
    hold(self);
    const struct profiler_stats *forgotten = &self->forgotten;
    *stats = so_far(self);
    stats->running_ns -= forgotten->running_ns;
    stats->ticks -= forgotten->ticks;
    stats->missed -= forgotten->missed;
    stats->samples -= forgotten->samples;
    stats->idle -= forgotten->idle;
    stats->torn -= forgotten->torn;
    stats->unread -= forgotten->unread;
    stats->late_ns -= forgotten->late_ns;
    stats->gaps_us -= forgotten->gaps_us;
    stats->gaps_us2 -= forgotten->gaps_us2;
    stats->cpu_ns -= forgotten->cpu_ns;
    stats->interval_ns = self->options.interval_ns;
    stats->lost = profile_lost(self->profile);
    profile_nodes(self->profile, &stats->nodes);
    profile_functions(self->profile, &stats->functions);
    pthread_mutex_unlock(&self->lock);
}

const struct profile *profiler_take(struct profiler *self, enum profiler_window window) {
    hold(self);
    if (window == PROFILER_ALL)
        return self->profile;
    struct profile *made =
        recent_profile(self->recent, window == PROFILER_MINUTE ? RECENT_MINUTE : RECENT_HOUR,
                       self->profile, now_ns());
    pthread_mutex_unlock(&self->lock);
    return made;
}

void profiler_give(struct profiler *self, const struct profile *profile) {
    if (profile == self->profile)
        pthread_mutex_unlock(&self->lock);
    else
        profile_close((struct profile *)(uintptr_t)profile);
}
