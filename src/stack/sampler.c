#define _GNU_SOURCE
#include "stack/sampler.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "marey.h"
#include "stack/aside.h"
#include "stack/children.h"
#include "stack/schedule.h"
#include "stack/target.h"

enum {
    INTERVAL_MIN_NS = 10000,
    CHECK_NS = 250000000, /* whether each process is still the same one is asked after so long */
    SPENT_NS = 100000000, /* how long the sampler was on a CPU, likewise */
    REST_NS = 100000000   /* it sleeps no longer than this */
};
#define INTERVAL_MAX_NS UINT64_C(10000000000)

/* Written by the sampling thread alone. */
struct shared_counts {
    _Atomic uint64_t ticks, missed, samples, idle, torn, unread, late_ns, late_max_ns, gaps_us,
        gaps_us2, cpu_ns, wall_ns;
    _Atomic uint32_t processes, threads, refused;
};

struct sampler {
    struct sampling sampling;
    struct schedule schedule;
    struct children children;
    struct aside aside;
    struct target **targets;
    int targets_count, targets_room;
    uint64_t clock_ns; /* grows by what each tick stands for */
    uint64_t begun_ns; /* the first tick */
    uint64_t tick_ns;  /* the latest, or when the schedule began; 0: it has not */
    uint64_t check_ns, spent_ns;
    uint64_t cpu_before_ns, cpu_begun_ns; /* of earlier runs; of the thread when this one began */
    struct shared_counts counts;
};

/* ---- counts */

static void set(_Atomic uint64_t *count, uint64_t value) {
    atomic_store_explicit(count, value, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *count) {
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void add(_Atomic uint64_t *count, uint64_t value) {
    set(count, get(count) + value);
}

static void count_spent(struct sampler *sampler, uint64_t now_ns) {
    uint32_t processes = 0, threads = 0;
    for (int i = 0; i < sampler->targets_count; i++) {
        processes += sampler->targets[i]->state == TARGET_SAMPLED;
        threads += (uint32_t)sampler->targets[i]->threads_count;
    }
    struct shared_counts *counts = &sampler->counts;
    atomic_store_explicit(&counts->processes, processes, memory_order_relaxed);
    atomic_store_explicit(&counts->threads, threads, memory_order_relaxed);
    set(&counts->cpu_ns, sampler->cpu_before_ns + schedule_cpu_ns() - sampler->cpu_begun_ns);
    sampler->spent_ns = now_ns + SPENT_NS;
}

static void count_stacks(struct sampler *sampler) {
    set(&sampler->counts.samples, sampler->sampling.samples);
    set(&sampler->counts.idle, sampler->sampling.idle);
    set(&sampler->counts.torn, sampler->sampling.torn);
    set(&sampler->counts.unread, sampler->sampling.unread);
}

static void count_tick(struct sampler *sampler, const struct schedule_tick *due) {
    struct shared_counts *counts = &sampler->counts;
    if (!sampler->begun_ns)
        sampler->begun_ns = due->now_ns;
    add(&counts->ticks, 1);
    add(&counts->missed, due->missed);
    add(&counts->late_ns, due->late_ns);
    if (due->late_ns > get(&counts->late_max_ns))
        set(&counts->late_max_ns, due->late_ns);
    uint64_t gap_us = (due->now_ns - sampler->tick_ns) / 1000;
    sampler->tick_ns = due->now_ns;
    add(&counts->gaps_us, gap_us);
    add(&counts->gaps_us2, gap_us * gap_us);
    count_stacks(sampler);
    set(&counts->wall_ns, due->now_ns - sampler->begun_ns);
}

void sampler_counts(const struct sampler *sampler, struct sampler_counts *counts) {
    const struct shared_counts *from = &sampler->counts;
    *counts = (struct sampler_counts){
        .ticks = get(&from->ticks),
        .missed = get(&from->missed),
        .samples = get(&from->samples),
        .idle = get(&from->idle),
        .torn = get(&from->torn),
        .unread = get(&from->unread),
        .late_ns = get(&from->late_ns),
        .late_max_ns = get(&from->late_max_ns),
        .gaps_us = get(&from->gaps_us),
        .gaps_us2 = get(&from->gaps_us2),
        .cpu_ns = get(&from->cpu_ns),
        .wall_ns = get(&from->wall_ns),
        .processes = atomic_load_explicit(&from->processes, memory_order_relaxed),
        .threads = atomic_load_explicit(&from->threads, memory_order_relaxed),
        .refused = atomic_load_explicit(&from->refused, memory_order_relaxed)};
}

/* ---- open, close */

static bool interval_valid(uint64_t interval_ns) {
    return interval_ns == 0 || (interval_ns >= INTERVAL_MIN_NS && interval_ns <= INTERVAL_MAX_NS);
}

int sampler_open(struct sampler **out, const struct sampler_options *options,
                 const struct sampler_sink *sink) {
    if (!options || !sink || !sink->take || !interval_valid(options->interval_ns) ||
        (unsigned)options->mode > SAMPLER_GIL)
        return MAREY_EINVAL;
    struct sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler)
        return MAREY_ENOMEM;
    sampler->sampling.options = *options;
    sampler->sampling.sink = *sink;
    schedule_init(&sampler->schedule, options->interval_ns);
    children_init(&sampler->children);
    thread_files_init(&sampler->sampling.files);
    int error = naming_init(&sampler->sampling.naming, options->functions);
    if (options->blocking && !(sampler->sampling.stops = calloc(1, sizeof(struct stops))))
        error = MAREY_ENOMEM;
    if (error) {
        sampler_close(sampler);
        return error;
    }
    *out = sampler;
    return 0;
}

void sampler_close(struct sampler *sampler) {
    if (!sampler)
        return;
    for (int i = 0; i < sampler->targets_count; i++)
        target_close(sampler->targets[i], &sampler->sampling);
    free(sampler->targets);
    children_fini(&sampler->children);
    naming_fini(&sampler->sampling.naming);
    still_fini(&sampler->sampling.still);
    free(sampler->sampling.stops);
    free(sampler);
}

void sampler_stop(struct sampler *sampler) {
    schedule_stop(&sampler->schedule);
}

void sampler_again(struct sampler *sampler) {
    atomic_store(&sampler->schedule.stopped, false);
}

void sampler_leave_out(struct sampler *sampler) {
    sampler->tick_ns = 0;
}

void sampler_set_interval(struct sampler *sampler, uint64_t interval_ns) {
    if (interval_valid(interval_ns))
        schedule_set_interval(&sampler->schedule, interval_ns);
}

/* ---- processes */

static void refuse(struct sampler *sampler) {
    atomic_fetch_add_explicit(&sampler->counts.refused, 1, memory_order_relaxed);
}

static int add_target(struct sampler *sampler, struct target *target) {
    if (sampler->targets_count == sampler->targets_room) {
        int room = sampler->targets_room ? 2 * sampler->targets_room : 8;
        struct target **targets = realloc(sampler->targets, (size_t)room * sizeof(struct target *));
        if (!targets)
            return MAREY_ENOMEM;
        sampler->targets = targets;
        sampler->targets_room = room;
    }
    sampler->targets[sampler->targets_count++] = target;
    children_scan_soon(&sampler->children);
    return 0;
}

static struct target *find(const struct sampler *sampler, pid_t pid) {
    for (int i = 0; i < sampler->targets_count; i++)
        if (sampler->targets[i]->pid == pid)
            return sampler->targets[i];
    return NULL;
}

int sampler_add(struct sampler *sampler, pid_t pid, bool wait) {
    struct sampling *sampling = &sampler->sampling;
    if (pid <= 0)
        return MAREY_ENOPROCESS;
    if (sampling->stops && pid == getpid())
        return MAREY_EINVAL;
    if (find(sampler, pid))
        return 0;
    if (sampler->targets_count >= SAMPLER_PROCESSES_MAX)
        return MAREY_ELIMIT;
    struct target *target = target_make(sampling, pid, 0, NULL);
    if (!target)
        return MAREY_ENOMEM;
    target_retry(target, sampling, 0);
    bool may_come = target->error == MAREY_ENOTPYTHON || target->error == MAREY_ENOTYET ||
                    target->error == MAREY_ENOGIL;
    int error = target->state == TARGET_ENDED ? MAREY_ENOPROCESS : target->error;
    if (error && target->state != TARGET_ENDED && wait && may_come)
        error = 0;
    if (!error)
        error = add_target(sampler, target);
    if (error)
        target_close(target, sampling);
    return error;
}

/* ---- children */

static bool family_has(void *context, pid_t pid) {
    return find(context, pid) != NULL;
}

static pid_t family_member(void *context, int i) {
    struct sampler *sampler = context;
    return i < sampler->targets_count ? sampler->targets[i]->pid : 0;
}

static void family_add(void *context, pid_t pid, pid_t parent) {
    struct sampler *sampler = context;
    if (pid == getpid())
        return;
    struct target *target = NULL;
    if (sampler->targets_count < SAMPLER_PROCESSES_MAX)
        target = target_make(&sampler->sampling, pid, parent, find(sampler, parent));
    if (target && add_target(sampler, target) == 0) {
        target_retry(target, &sampler->sampling, 0);
        return;
    }
    refuse(sampler);
    if (target)
        target_close(target, &sampler->sampling);
}

static void find_children(struct sampler *sampler, uint64_t now_ns) {
    struct children_family family = {sampler, family_has, family_add, family_member};
    if (sampler->sampling.options.children)
        children_look(&sampler->children, &family, now_ns);
}

/* ---- what is done beside sampling */

static void drop_ended(struct sampler *sampler) {
    int kept = 0;
    for (int i = 0; i < sampler->targets_count; i++) {
        struct target *target = sampler->targets[i];
        if (target->state == TARGET_ENDED)
            target_close(target, &sampler->sampling);
        else
            sampler->targets[kept++] = target;
    }
    sampler->targets_count = kept;
}

static void flush_all(struct sampler *sampler) {
    for (int i = 0; i < sampler->targets_count; i++)
        target_flush(sampler->targets[i], &sampler->sampling);
}

static void keep_house(struct sampler *sampler, uint64_t now_ns) {
    bool check = now_ns >= sampler->check_ns;
    if (check)
        sampler->check_ns = now_ns + CHECK_NS;
    find_children(sampler, now_ns);
    for (int i = 0; i < sampler->targets_count; i++) {
        if (check)
            target_check(sampler->targets[i], &sampler->sampling);
        target_retry(sampler->targets[i], &sampler->sampling, now_ns);
    }
    drop_ended(sampler);
    if (functions_full(&sampler->sampling.naming.functions)) {
        flush_all(sampler);
        naming_clear(&sampler->sampling.naming);
    }
    if (now_ns >= sampler->spent_ns)
        count_spent(sampler, now_ns);
}

/* The processors of the threads that ran when they were seen last; false: they are too many. */
static bool find_busy(const struct sampler *sampler, cpu_set_t *busy) {
    int found = 0;
    CPU_ZERO(busy);
    for (int i = 0; i < sampler->targets_count; i++) {
        const struct target *target = sampler->targets[i];
        for (int k = 0; k < target->threads_count; k++) {
            const struct sampled_thread *thread = target->threads[k];
            if (thread->doing != THREAD_RUNS)
                continue;
            if (++found > ASIDE_THREADS_MAX)
                return false;
            int cpu = proc_thread_cpu(target->pid, thread->thread.tid);
            if (cpu >= 0)
                CPU_SET(cpu, busy);
        }
    }
    return true;
}

static void step_aside(struct sampler *sampler, const struct schedule_tick *due) {
    struct aside *aside = &sampler->aside;
    cpu_set_t busy;
    if (due->now_ns < aside->look_ns || !aside->able ||
        sampler->schedule.interval_ns > ASIDE_INTERVAL_NS)
        return;
    if (due->late_ns >= ASIDE_LATE_NS || !find_busy(sampler, &busy))
        aside_pause(aside, due->now_ns);
    else
        aside_from(aside, &busy, sched_getcpu(), due->now_ns);
}

/* When something has to be done though no deadline is due. */
static uint64_t house_ns(const struct sampler *sampler, uint64_t now_ns) {
    uint64_t next_ns = now_ns + REST_NS;
    if (sampler->sampling.options.children && sampler->children.look_ns < next_ns)
        next_ns = sampler->children.look_ns;
    for (int i = 0; i < sampler->targets_count; i++) {
        const struct target *target = sampler->targets[i];
        if (target->state == TARGET_WAITS && target->retry_ns < next_ns)
            next_ns = target->retry_ns;
    }
    return next_ns;
}

/* ---- the run */

static void sample_all(struct sampler *sampler, const struct schedule_tick *due) {
    sampler->clock_ns += due->stands_for_ns;
    struct tick tick = {due->now_ns, sampler->clock_ns, due->stands_for_ns};
    for (int i = 0; i < sampler->targets_count; i++)
        if (sampler->targets[i]->state == TARGET_SAMPLED)
            target_sample(sampler->targets[i], &sampler->sampling, &tick);
    count_tick(sampler, due);
    step_aside(sampler, due);
}

static bool is_over(const struct sampler *sampler, uint64_t until_ns, uint64_t now_ns) {
    return !sampler->targets_count || atomic_load(&sampler->schedule.stopped) ||
           (until_ns && now_ns >= until_ns);
}

/* What is due is taken before anybody asks whether to go on: who makes the sampler rest again and again does not keep it
 * from sampling. */
static void run(struct sampler *sampler, uint64_t until_ns) {
    uint64_t now_ns = schedule_now_ns(), house = now_ns;
    for (;;) {
        struct schedule_tick due;
        if (sampler->targets_count && schedule_due(&sampler->schedule, now_ns, &due))
            sample_all(sampler, &due);
        if (now_ns >= house) {
            keep_house(sampler, now_ns);
            house = house_ns(sampler, now_ns);
        }
        now_ns = schedule_now_ns();
        if (is_over(sampler, until_ns, now_ns))
            break;
        if (sampler->schedule.interval_ns) {
            schedule_sleep(&sampler->schedule, now_ns,
                           until_ns && until_ns < house ? until_ns : house);
            now_ns = schedule_now_ns();
        }
    }
    flush_all(sampler);
    if (sampler->sampling.stops)
        stops_finish(sampler->sampling.stops);
    count_spent(sampler, now_ns);
}

int sampler_run(struct sampler *sampler, uint64_t until_ns) {
    int slack_ns = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, 1); /* else the kernel may wake us 50 us later than asked */
    sampler->sampling.own_tid = (pid_t)syscall(SYS_gettid);
    sampler->cpu_begun_ns = schedule_cpu_ns();
    if (!sampler->tick_ns) {
        sampler->tick_ns = schedule_now_ns();
        schedule_begin(&sampler->schedule, sampler->tick_ns);
    }
    if (!sampler->sampling.stops) /* who is stopped needs no processor meanwhile */
        aside_begin(&sampler->aside);
    run(sampler, until_ns);
    aside_end(&sampler->aside);
    sampler->cpu_before_ns += schedule_cpu_ns() - sampler->cpu_begun_ns;
    count_stacks(sampler);
    prctl(PR_SET_TIMERSLACK, slack_ns > 0 ? slack_ns : 0);
    return sampler->targets_count ? 0 : MAREY_ENOPROCESS;
}
