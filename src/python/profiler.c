/* See profiler.h and profiler_inside.h: forks, on and off, and what was seen. */
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "profiler_inside.h"

/* All that are open, for fork. */
static struct profiler *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

static void forget(struct profiler *self) {
    profile_clear(self->profile);
    recent_clear(self->recent);
}

/* --------------------------------------------------------------------- fork */

/* The thread rests while the process is copied, with all locks held by the thread that forks. */
static void before_fork(void) {
    pthread_mutex_lock(&all_lock);
    for (struct profiler *self = all; self; self = self->next)
        profiler_hold(self);
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
        self->alive = self->ending = self->its_turn = false;
        self->holds = 0;
        self->on_since_ns = 0;
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
    int error = self->alive ? MAREY_EBUSY : profiler_thread_start(self);
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

/* From now on it is neither off nor paused, or one of them. With the lock held. */
static void count_running(struct profiler *self, bool on) {
    uint64_t now_ns = profiler_now_ns();
    if (self->on_since_ns)
        self->past.running_ns += now_ns - self->on_since_ns;
    self->on_since_ns = on ? now_ns : 0;
}

void profiler_stop(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    self->state = PROFILER_OFF;
    pthread_cond_broadcast(&self->changed);
    profiler_wait_for_rest(self);
    count_running(self, false);
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

bool profiler_pause(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    bool was_on = self->state != PROFILER_OFF;
    if (was_on) {
        self->state = PROFILER_PAUSED;
        pthread_cond_broadcast(&self->changed);
        profiler_wait_for_rest(self);
    }
    if (self->state == PROFILER_PAUSED) /* nobody came between */
        count_running(self, false);
    pthread_mutex_unlock(&self->lock);
    return was_on;
}

bool profiler_resume(struct profiler *self) {
    pthread_mutex_lock(&self->lock);
    if (self->state == PROFILER_PAUSED) /* since just now, perhaps */
        profiler_wait_for_rest(self);
    if (self->state == PROFILER_PAUSED) {
        sampler_leave_out(self->sampler);
        count_running(self, true);
        self->state = PROFILER_ON;
        pthread_cond_broadcast(&self->changed);
    }
    bool was_on = self->state != PROFILER_OFF;
    pthread_mutex_unlock(&self->lock);
    return was_on;
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
    if (self->on_since_ns)
        stats.running_ns += profiler_now_ns() - self->on_since_ns;
    return stats;
}

void profiler_clear(struct profiler *self) {
    profiler_hold(self);
    forget(self);
    self->forgotten = so_far(self);
    pthread_mutex_unlock(&self->lock);
}

/* What is counted may be read while the thread runs: to ask does not keep it from its deadlines. */
void profiler_stats(struct profiler *self, struct profiler_stats *stats) {
    pthread_mutex_lock(&self->lock);
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

void profiler_hand_over(void) {
    pthread_mutex_lock(&all_lock);
    for (struct profiler *self = all; self; self = self->next)
        if (self->options.record) {
            profiler_hold(self);
            pthread_mutex_unlock(&self->lock);
        }
    pthread_mutex_unlock(&all_lock);
}

const struct profile *profiler_take(struct profiler *self, enum profiler_window window) {
    profiler_hold(self);
    if (window == PROFILER_ALL)
        return self->profile;
    struct profile *made =
        recent_profile(self->recent, window == PROFILER_MINUTE ? RECENT_MINUTE : RECENT_HOUR,
                       self->profile, profiler_now_ns());
    pthread_mutex_unlock(&self->lock);
    return made;
}

void profiler_give(struct profiler *self, const struct profile *profile) {
    if (profile == self->profile)
        pthread_mutex_unlock(&self->lock);
    else
        profile_close((struct profile *)(uintptr_t)profile);
}
