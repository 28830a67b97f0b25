/* See timebase.h. */
#include "model/timebase.h"

#include <string.h>

#include "format/perfetto.h"
#include "model/grow.h"

void timebase_init(struct timebase *self) {
    *self = (struct timebase){.clocks = 1};
}

void timebase_free(struct timebase *self) {
    free(self->snapshots);
    free(self->readings);
    free(self->steps);
    timebase_init(self);
}

uint32_t timebase_clock(struct timebase *self, uint32_t id) {
    if (!id)
        return 0;
    for (uint32_t clock = 1; clock < self->clocks; clock++)
        if (self->ids[clock] == id)
            return clock;
    if (self->clocks == CLOCKS_MAX)
        return CLOCK_UNKNOWN;
    self->ids[self->clocks] = id;
    self->ways[self->clocks].to = -1; /* until they are settled anew */
    return self->clocks++;
}

int timebase_add(struct timebase *self, const struct clock_reading *readings, uint32_t count) {
    if (self->snapshot_count >= SNAPSHOTS_MAX ||
        GROW(self->snapshots, self->snapshot_count, self->snapshot_capacity))
        return -1;
    self->snapshots[self->snapshot_count] = (struct clock_snapshot){count, self->reading_count};
    for (uint32_t i = 0; i < count; i++) {
        if (GROW(self->readings, self->reading_count, self->reading_capacity))
            return -1;
        self->readings[self->reading_count++] = readings[i];
    }
    self->snapshot_count++;
    return 0;
}

static const struct clock_reading *reading_of(const struct timebase *self, uint32_t snapshot,
                                              uint32_t clock) {
    const struct clock_snapshot *all = &self->snapshots[snapshot];
    for (uint32_t i = 0; i < all->count; i++)
        if (self->readings[all->first + i].clock == clock)
            return &self->readings[all->first + i];
    return NULL;
}

/* BOOTTIME is the trace's clock by default; the others serve where it is not there. */
static uint32_t choose(const struct timebase *self) {
    static const uint32_t order[] = {CLOCK_ID_BOOTTIME, CLOCK_ID_MONOTONIC, CLOCK_ID_REALTIME};
    if (self->primary)
        return self->primary;
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        for (uint32_t clock = 1; clock < self->clocks; clock++)
            if (self->ids[clock] == order[i])
                return clock;
    return self->clocks > 1 ? 1 : 0;
}

static int compare_steps(const void *a, const void *b) {
    const struct clock_step *left = a, *right = b;
    return (left->from_ns > right->from_ns) - (left->from_ns < right->from_ns);
}

/* The steps from one clock to another, from every snapshot that has both. Returns how many, or -1. */
static int64_t find_steps(struct timebase *self, uint32_t from, uint32_t to) {
    uint32_t first = self->step_count;
    for (uint32_t i = 0; i < self->snapshot_count; i++) {
        const struct clock_reading *a = reading_of(self, i, from), *b = reading_of(self, i, to);
        if (!a || !b)
            continue;
        if (GROW(self->steps, self->step_count, self->step_capacity))
            return -1;
        int64_t add = (int64_t)((uint64_t)b->time_ns - (uint64_t)a->time_ns);
        self->steps[self->step_count++] = (struct clock_step){a->time_ns, add};
    }
    uint32_t count = self->step_count - first;
    if (count)
        qsort(self->steps + first, count, sizeof *self->steps, compare_steps);
    return count;
}

/* Breadth first from the trace's clock outwards. */
int timebase_settle(struct timebase *self) {
    uint32_t queue[CLOCKS_MAX], head = 0, tail = 0;
    self->trace_clock = choose(self);
    for (uint32_t clock = 0; clock < self->clocks; clock++)
        self->ways[clock].to = -1;
    queue[tail++] = self->trace_clock;
    while (head < tail) {
        uint32_t near = queue[head++];
        for (uint32_t far = 1; far < self->clocks; far++) {
            if (far == self->trace_clock || self->ways[far].to >= 0)
                continue;
            uint32_t first = self->step_count;
            int64_t count = find_steps(self, far, near);
            if (count < 0)
                return -1;
            if (!count)
                continue;
            self->ways[far] = (struct clock_way){(int32_t)near, first, (uint32_t)count, 0};
            queue[tail++] = far;
        }
    }
    return 0;
}

/* The last step that begins before the time, or the first. */
static int64_t step_add(const struct timebase *self, struct clock_way *way, int64_t time_ns) {
    const struct clock_step *steps = self->steps + way->first;
    uint32_t low = 0, high = way->count;
    uint32_t recent = way->recent;
    int fits = steps[recent].from_ns <= time_ns &&
               (recent + 1 == way->count || steps[recent + 1].from_ns > time_ns);
    if (fits)
        return steps[recent].add_ns;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (steps[middle].from_ns <= time_ns)
            low = middle;
        else
            high = middle;
    }
    way->recent = low;
    return steps[low].add_ns;
}

int timebase_convert(struct timebase *self, uint32_t clock, int64_t *time_ns) {
    if (!clock)
        return 0;
    while (clock != self->trace_clock) {
        struct clock_way *way = &self->ways[clock];
        if (way->to < 0)
            return -1;
        *time_ns = (int64_t)((uint64_t)*time_ns + (uint64_t)step_add(self, way, *time_ns));
        clock = (uint32_t)way->to;
    }
    return 0;
}

int timebase_offset(const struct timebase *self, uint32_t clock, int64_t *add_ns) {
    uint64_t add = 0;
    for (; clock && clock != self->trace_clock; clock = (uint32_t)self->ways[clock].to) {
        const struct clock_way *way = &self->ways[clock];
        if (way->to < 0 || way->count != 1)
            return -1;
        add += (uint64_t)self->steps[way->first].add_ns;
    }
    *add_ns = (int64_t)add;
    return 0;
}

int timebase_back(const struct timebase *self, uint32_t id, int64_t *time_ns) {
    uint32_t other = 0;
    for (uint32_t clock = 1; clock < self->clocks; clock++)
        if (self->ids[clock] == id)
            other = clock;
    if (other && other == self->trace_clock)
        return 0;
    for (uint32_t i = 0; other && i < self->snapshot_count; i++) {
        const struct clock_reading *a = reading_of(self, i, self->trace_clock),
                                   *b = reading_of(self, i, other);
        if (!a || !b)
            continue;
        *time_ns = (int64_t)((uint64_t)*time_ns - (uint64_t)a->time_ns + (uint64_t)b->time_ns);
        return 0;
    }
    return -1;
}

int64_t timebase_wall_ns(const struct timebase *self, int64_t time_ns) {
    return timebase_back(self, CLOCK_ID_REALTIME, &time_ns) ? 0 : time_ns;
}

const char *timebase_name(const struct timebase *self) {
    switch (self->ids[self->trace_clock]) {
    case CLOCK_ID_REALTIME: return "REALTIME";
    case CLOCK_ID_MONOTONIC: return "MONOTONIC";
    case CLOCK_ID_BOOTTIME: return "BOOTTIME";
    default: return "its own";
    }
}
