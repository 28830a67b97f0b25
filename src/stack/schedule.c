#define _GNU_SOURCE
#include "stack/schedule.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t schedule_now_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t schedule_cpu_ns(void) {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void schedule_init(struct schedule *schedule, uint64_t interval_ns) {
    *schedule = (struct schedule){.random = schedule_now_ns() | 1};
    atomic_init(&schedule->wanted_ns, interval_ns);
}

/* xorshift64 (Marsaglia, 2003): enough to have no period of a program's. */
static uint64_t random_below(struct schedule *schedule, uint64_t limit) {
    uint64_t x = schedule->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    schedule->random = x;
    return (uint64_t)(((unsigned __int128)x * limit) >> 64);
}

static void set_deadline(struct schedule *schedule, uint64_t stratum) {
    schedule->stratum = stratum;
    schedule->deadline_ns = schedule->start_ns + stratum * schedule->interval_ns +
                            random_below(schedule, schedule->interval_ns);
}

void schedule_begin(struct schedule *schedule, uint64_t now_ns) {
    schedule->interval_ns = atomic_load_explicit(&schedule->wanted_ns, memory_order_relaxed);
    schedule->start_ns = schedule->deadline_ns = now_ns;
    schedule->owed = 0;
    if (schedule->interval_ns)
        set_deadline(schedule, 0);
}

/* As fast as it can: what is seen stands for the time since the tick before. */
static void take_now(struct schedule *schedule, uint64_t now_ns, struct schedule_tick *tick) {
    *tick =
        (struct schedule_tick){.now_ns = now_ns, .stands_for_ns = now_ns - schedule->deadline_ns};
    schedule->deadline_ns = now_ns;
}

bool schedule_due(struct schedule *schedule, uint64_t now_ns, struct schedule_tick *tick) {
    if (schedule->interval_ns != atomic_load_explicit(&schedule->wanted_ns, memory_order_relaxed))
        schedule_begin(schedule, now_ns);
    if (!schedule->interval_ns) {
        take_now(schedule, now_ns, tick);
        return true;
    }
    if (now_ns < schedule->deadline_ns)
        return false;
    uint64_t kept = schedule->stratum;
    *tick =
        (struct schedule_tick){.now_ns = now_ns,
                               .stands_for_ns = (kept + 1 - schedule->owed) * schedule->interval_ns,
                               .late_ns = now_ns - schedule->deadline_ns,
                               .missed = kept - schedule->owed};
    schedule->owed = kept + 1;
    uint64_t current = (now_ns - schedule->start_ns) / schedule->interval_ns;
    set_deadline(schedule, current > kept ? current : kept + 1);
    if (schedule->deadline_ns < now_ns)
        set_deadline(schedule, current + 1);
    return true;
}

/* There is no wrapper of it in the C library. Fails at once where `wake` is another value already. */
static void futex_wait_until(_Atomic uint32_t *wake, uint32_t value, uint64_t until_ns) {
    struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
    syscall(SYS_futex, wake, FUTEX_WAIT_BITSET_PRIVATE, value, &until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

void schedule_sleep(struct schedule *schedule, uint64_t now_ns, uint64_t until_ns) {
    uint32_t value = atomic_load(&schedule->wake);
    if (schedule->interval_ns && schedule->deadline_ns < until_ns)
        until_ns = schedule->deadline_ns;
    if (atomic_load(&schedule->stopped) || until_ns <= now_ns)
        return;
    if (schedule->interval_ns && schedule->interval_ns <= SCHEDULE_SPIN_NS)
        return; /* the caller looks at the clock again */
    futex_wait_until(&schedule->wake, value, until_ns);
}

static void wake(struct schedule *schedule) {
    atomic_fetch_add(&schedule->wake, 1);
    syscall(SYS_futex, &schedule->wake, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void schedule_stop(struct schedule *schedule) {
    atomic_store(&schedule->stopped, true);
    wake(schedule);
}

void schedule_set_interval(struct schedule *schedule, uint64_t interval_ns) {
    atomic_store(&schedule->wanted_ns, interval_ns);
    wake(schedule);
}
