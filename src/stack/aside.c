#define _GNU_SOURCE
#include "stack/aside.h"

/* More processors than a set has room for are an error here, and then nothing is done. */
static bool may_run_on(cpu_set_t *set) {
    return sched_getaffinity(0, sizeof *set, set) == 0;
}

/* Returns whether that is another set than before. */
static bool choose(struct aside *aside, const cpu_set_t *set) {
    if (CPU_EQUAL(set, &aside->chosen))
        return false;
    aside->able = sched_setaffinity(0, sizeof *set, set) == 0;
    aside->chosen = *set;
    return true;
}

void aside_begin(struct aside *aside) {
    aside->able = may_run_on(&aside->allowed) && CPU_COUNT(&aside->allowed) > 1;
    aside->chosen = aside->allowed;
    aside->look_ns = aside->look_after_ns = 0;
}

/* Somebody else has said where the thread is to run: that counts from now on. */
static void heed_others(struct aside *aside) {
    cpu_set_t set;
    if (may_run_on(&set) && !CPU_EQUAL(&set, &aside->chosen))
        aside->allowed = aside->chosen = set;
}

/* Is there a reason to be limited? Not before somebody was disturbed, and not for ever after that. */
static bool needed(const struct aside *aside, const cpu_set_t *busy, int here) {
    if (CPU_EQUAL(&aside->chosen, &aside->allowed))
        return here >= 0 && CPU_ISSET(here, busy);
    return aside->look_after_ns < ASIDE_LOOK_MAX_NS;
}

void aside_from(struct aside *aside, const cpu_set_t *busy, int here, uint64_t now_ns) {
    cpu_set_t left;
    if (!aside->able)
        return;
    heed_others(aside);
    CPU_AND(&left, &aside->allowed, busy);
    CPU_XOR(&left, &aside->allowed, &left);
    bool limit = needed(aside, busy, here) && CPU_COUNT(&left);
    if (choose(aside, limit ? &left : &aside->allowed) || !aside->look_after_ns)
        aside->look_after_ns = ASIDE_LOOK_NS;
    else if (aside->look_after_ns < ASIDE_LOOK_MAX_NS)
        aside->look_after_ns *= 2;
    aside->look_ns = now_ns + aside->look_after_ns;
}

void aside_pause(struct aside *aside, uint64_t now_ns) {
    aside_end(aside);
    aside->look_ns = now_ns + ASIDE_PAUSE_NS;
}

void aside_end(struct aside *aside) {
    if (!aside->able)
        return;
    heed_others(aside);
    choose(aside, &aside->allowed);
}
