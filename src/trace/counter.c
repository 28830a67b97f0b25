/* Counters: numbers over time. The value stands in the counter, whether something records or not, so that adding to it is
 * right at any time; adding is the one recording call that needs an atomic read-modify-write. */
#include <string.h>

#include "event.h"

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

static void write_value(struct marey_counter *counter, uint64_t time_ns, uint64_t value,
                        int is_double) {
    if (!marey_recording() || !recording_enter())
        return;
    event_write(&(struct event){.type = EVENT_COUNTER,
                                .track = &counter->track,
                                .time_ns = time_ns,
                                .is_double = is_double,
                                .value = value});
    recording_leave();
}

static void set(struct marey_counter *counter, uint64_t value, int is_double) {
    __atomic_store_n(&counter->is_double, is_double, __ATOMIC_RELAXED);
    __atomic_store_n(&counter->value.bits, value, __ATOMIC_RELAXED);
    write_value(counter, MAREY_NOW, value, is_double);
}

/* What the counter holds, as a double. */
static double current(int is_double, uint64_t bits) {
    return is_double ? double_of(bits) : (double)(int64_t)bits;
}

void marey_counter_set_i64(marey_counter *counter, int64_t value) {
    if (counter)
        set(counter, (uint64_t)value, 0);
}

void marey_counter_set_f64(marey_counter *counter, double value) {
    if (counter)
        set(counter, bits_of(value), 1);
}

void marey_counter_add_f64(marey_counter *counter, double delta) {
    if (!counter)
        return;
    uint64_t before = __atomic_load_n(&counter->value.bits, __ATOMIC_RELAXED), after;
    int was_double = __atomic_exchange_n(&counter->is_double, 1, __ATOMIC_RELAXED);
    do
        after = bits_of(current(was_double, before) + delta);
    while (!__atomic_compare_exchange_n(&counter->value.bits, &before, after, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    write_value(counter, MAREY_NOW, after, 1);
}

void marey_counter_add_i64(marey_counter *counter, int64_t delta) {
    if (!counter)
        return;
    if (__atomic_load_n(&counter->is_double, __ATOMIC_RELAXED)) {
        marey_counter_add_f64(counter, (double)delta);
        return;
    }
    uint64_t sum = __atomic_add_fetch(&counter->value.bits, (uint64_t)delta, __ATOMIC_RELAXED);
    write_value(counter, MAREY_NOW, sum, 0);
}

void marey_counter_at_i64(marey_counter *counter, uint64_t time_ns, int64_t value) {
    if (counter)
        write_value(counter, time_ns, (uint64_t)value, 0);
}

void marey_counter_at_f64(marey_counter *counter, uint64_t time_ns, double value) {
    if (counter)
        write_value(counter, time_ns, bits_of(value), 1);
}
