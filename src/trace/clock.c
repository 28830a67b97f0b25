/* See clock.h. */
#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

#define CLOCK_SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define SLOPE_MIN_NS 1000000u /* a rate measured over less is not believed */
#define JUMP_MAX_NS 1000000u  /* the machine slept, or moved: the counter and the clock parted */
#define PAIR_TRIES 5

uint64_t clock_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The kernel keeps time by the counter only while that runs evenly and in step on all processors. */
static int kernel_uses_counter(void) {
    char name[32] = "";
    int fd = open(CLOCK_SOURCE, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    if (n <= 0)
        return 0;
    return strncmp(name, "tsc", 3) == 0 || strncmp(name, "arch_sys_counter", 16) == 0;
}

int marey__stamp_is_ticks;
static int counter_usable = -1;
static struct clock_pair first_pair;

/* At load, so that by the first recording the rate has been measured over some milliseconds already. */
__attribute__((constructor)) static void clock_load(void) {
    counter_usable = kernel_uses_counter();
    marey__stamp_is_ticks = counter_usable;
    first_pair = clock_pair_now();
}

int clock_counter_usable(void) {
    return counter_usable == 1;
}

struct clock_pair clock_pair_now(void) {
    struct clock_pair best = {0, clock_monotonic_ns()};
    if (!clock_counter_usable())
        return best;
    uint64_t best_window = UINT64_MAX;
    for (int i = 0; i < PAIR_TRIES; i++) {
        uint64_t before = clock_ticks();
        uint64_t ns = clock_monotonic_ns();
        uint64_t window = clock_ticks() - before;
        if (window < best_window) {
            best_window = window;
            best = (struct clock_pair){before + window / 2, ns};
        }
    }
    return best;
}

/* Sets rate and shift. What cannot be measured leaves them. */
static void set_rate(struct clock *clock, struct clock_pair from, struct clock_pair to) {
    if (to.ticks <= from.ticks || to.ns <= from.ns)
        return;
    uint64_t ticks = to.ticks - from.ticks, ns = to.ns - from.ns;
    unsigned shift = 0;
    while (shift < 32 && ns >= ticks << shift)
        shift++;
    clock->shift = shift;
    clock->rate = (uint64_t)(((unsigned __int128)ns << 64) / ((unsigned __int128)ticks << shift));
}

void clock_init(struct clock *clock, struct clock_pair origin) {
    *clock = (struct clock){.origin_ns = origin.ns};
    if (!clock_counter_usable() || origin.ticks == 0)
        return;
    clock->slope_from = origin.ns < first_pair.ns ? origin : first_pair;
    struct clock_pair now;
    do
        now = clock_pair_now();
    while (now.ns - clock->slope_from.ns < SLOPE_MIN_NS);
    set_rate(clock, clock->slope_from, now);
    clock->base_ticks = now.ticks;
    clock->base_ns = now.ns - origin.ns;
}

void clock_correct(struct clock *clock, uint64_t at_least) {
    if (clock->rate == 0)
        return;
    struct clock_pair now = clock_pair_now();
    uint64_t told = clock_at(clock, now.ticks);
    uint64_t is = now.ns - clock->origin_ns;
    uint64_t error = told > is ? told - is : is - told;
    if (error > JUMP_MAX_NS || now.ticks <= clock->slope_from.ticks)
        clock->slope_from = now; /* keep the rate, measure it anew from here */
    else if (now.ns - clock->slope_from.ns >= SLOPE_MIN_NS)
        set_rate(clock, clock->slope_from, now);
    clock->base_ticks = now.ticks;
    clock->base_ns = is > at_least ? is : at_least;
}
