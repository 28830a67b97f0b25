/* See recent.h.
 *
 *   samples -> the step that goes on -> 12 steps
 *                                    -> the minute that goes on -> 60 minutes
 *
 * A step stands in its ring at its number (its time divided by its length) modulo the ring's size, so an old one is
 * overwritten when its place is needed, and told by its number before. */
#include "model/recent.h"

#include <stdlib.h>
#include <string.h>

#include "model/grow.h"
#include "model/map.h"

enum { KEPT_MAX = 60 };

static const struct {
    uint64_t step_ns;
    uint32_t kept;
} shapes[] = {[RECENT_MINUTE] = {5000000000, 12}, [RECENT_HOUR] = {60000000000, 60}};
enum { RINGS = sizeof shapes / sizeof *shapes };

/* What was added to a node. */
struct entry {
    uint32_t node, count;
    uint64_t weights_ns[SAMPLE_WEIGHTS];
};

/* Entries in the making: each node's is found at once. */
struct sums {
    struct entry *entries;
    uint32_t count, capacity;
    uint32_t *places; /* by node: place in the entries and 1; 0: none */
    uint32_t places_count;
};

struct step {
    uint64_t number;
    struct entry *entries;
    uint32_t count;
};

struct ring {
    struct step steps[KEPT_MAX];
    struct sums now; /* the step that goes on, */
    uint64_t number; /* and its number */
};

struct recent {
    struct ring rings[RINGS];
    uint32_t count, limit; /* of all entries */
};

/* --------------------------------------------------------------------- sums */

static int room_for_node(struct sums *sums, uint32_t node) {
    if (node < sums->places_count)
        return 0;
    uint32_t larger = node < PROFILE_NODES_MAX / 2 ? 2 * node + 64 : PROFILE_NODES_MAX;
    uint32_t *places = realloc(sums->places, larger * sizeof *places);
    if (!places)
        return -1;
    memset(places + sums->places_count, 0, (larger - sums->places_count) * sizeof *places);
    sums->places = places;
    sums->places_count = larger;
    return 0;
}

static int sums_has(const struct sums *sums, uint32_t node) {
    return node < sums->places_count && sums->places[node];
}

/* The node's entry, new or known; NULL where there is no memory. */
static struct entry *sums_entry(struct sums *sums, uint32_t node) {
    if (room_for_node(sums, node))
        return NULL;
    uint32_t place = sums->places[node];
    if (place)
        return &sums->entries[place - 1];
    if (GROW(sums->entries, sums->count, sums->capacity))
        return NULL;
    sums->entries[sums->count] = (struct entry){.node = node};
    sums->places[node] = sums->count + 1;
    return &sums->entries[sums->count++];
}

static void entry_add(struct entry *entry, uint32_t count, const uint64_t *weights_ns) {
    if (__builtin_add_overflow(entry->count, count, &entry->count))
        entry->count = UINT32_MAX;
    for (int i = 0; i < SAMPLE_WEIGHTS; i++)
        entry->weights_ns[i] += weights_ns[i];
}

static void sums_clear(struct sums *sums) {
    for (uint32_t i = 0; i < sums->count; i++)
        sums->places[sums->entries[i].node] = 0;
    sums->count = 0;
}

static void sums_free(struct sums *sums) {
    free(sums->entries);
    free(sums->places);
    *sums = (struct sums){0};
}

/* -------------------------------------------------------------------- steps */

static void step_forget(struct recent *self, struct step *step) {
    self->count -= step->count;
    free(step->entries);
    *step = (struct step){0};
}

/* Forgets the step that began first, of the hour before those of the minute. Returns whether there was one. */
static int forget_oldest(struct recent *self) {
    struct step *oldest = NULL;
    for (int ring = RINGS - 1; ring >= 0 && !oldest; ring--)
        for (uint32_t i = 0; i < shapes[ring].kept; i++) {
            struct step *step = &self->rings[ring].steps[i];
            if (step->count && (!oldest || step->number < oldest->number))
                oldest = step;
        }
    if (oldest)
        step_forget(self, oldest);
    return oldest != NULL;
}

/* Adds to the step that goes on. */
static void add_now(struct recent *self, struct ring *ring, uint32_t node, uint32_t count,
                    const uint64_t *weights_ns) {
    uint32_t before = ring->now.count;
    if (self->count >= self->limit && !sums_has(&ring->now, node) && !forget_oldest(self))
        return;
    struct entry *entry = sums_entry(&ring->now, node);
    self->count += ring->now.count - before;
    if (entry)
        entry_add(entry, count, weights_ns);
}

/* What goes on becomes a step among the others. Where memory is short it is lost. */
static void settle(struct recent *self, struct ring *ring, uint32_t kept) {
    struct step *step = &ring->steps[ring->number % kept];
    size_t bytes = ring->now.count * sizeof *step->entries;
    step_forget(self, step);
    step->entries = bytes ? malloc(bytes) : NULL;
    if (step->entries) {
        memcpy(step->entries, ring->now.entries, bytes);
        step->number = ring->number;
        step->count = ring->now.count;
    } else {
        self->count -= ring->now.count;
    }
    sums_clear(&ring->now);
}

/* To the step of that time, if it is not past already. */
static void turn_to(struct recent *self, int place, uint64_t time_ns) {
    struct ring *ring = &self->rings[place], *longer = ring + 1;
    uint64_t number = time_ns / shapes[place].step_ns;
    if (number <= ring->number)
        return;
    if (place + 1 < RINGS) {
        turn_to(self, place + 1, ring->number * shapes[place].step_ns);
        for (uint32_t i = 0; i < ring->now.count; i++) {
            const struct entry *entry = &ring->now.entries[i];
            add_now(self, longer, entry->node, entry->count, entry->weights_ns);
        }
    }
    settle(self, ring, shapes[place].kept);
    ring->number = number;
}

/* ------------------------------------------------------------------ windows */

static int sum_entries(struct sums *sums, const struct entry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct entry *entry = sums_entry(sums, entries[i].node);
        if (!entry)
            return -1;
        entry_add(entry, entries[i].count, entries[i].weights_ns);
    }
    return 0;
}

/* All that the window holds, which ends with the step that goes on. Returns 0, or -1 where memory is short. */
static int sum_window(struct sums *sums, const struct recent *self, enum recent_window window,
                      uint64_t now_ns) {
    const struct ring *ring = &self->rings[window];
    uint64_t now = now_ns / shapes[window].step_ns, kept = shapes[window].kept;
    for (uint32_t i = 0; i < kept; i++)
        if (ring->steps[i].number + kept >= now &&
            sum_entries(sums, ring->steps[i].entries, ring->steps[i].count))
            return -1;
    for (int shorter = (int)window; shorter >= 0; shorter--) {
        const struct ring *going = &self->rings[shorter];
        if (going->number * shapes[shorter].step_ns / shapes[window].step_ns + kept >= now &&
            sum_entries(sums, going->now.entries, going->now.count))
            return -1;
    }
    return 0;
}

/* What is copied of a profile. */
struct copy {
    struct profile *to;
    const struct profile_node *nodes;
    const struct profile_function *functions;
    uint32_t *places;          /* by node: its place in the copy; MAP_NONE: not wanted */
    uint32_t *function_places; /* likewise */
};

static uint32_t copy_function(struct copy *copy, uint32_t function) {
    if (copy->function_places[function] == MAP_NONE)
        copy->function_places[function] = profile_function(copy->to, &copy->functions[function]);
    return copy->function_places[function];
}

/* The nodes that have sums and those above them, parents first, as their numbers are. */
static void copy_nodes(struct copy *copy, const struct sums *sums, uint32_t count) {
    enum { WANTED = UINT32_MAX - 1 }; /* no place */
    for (uint32_t i = 0; i < sums->count; i++)
        for (uint32_t node = sums->entries[i].node; copy->places[node] == MAP_NONE;
             node = copy->nodes[node].parent)
            copy->places[node] = WANTED;
    copy->places[0] = 0;
    for (uint32_t i = 1; i < count; i++)
        if (copy->places[i] == WANTED)
            copy->places[i] =
                profile_child(copy->to, copy->places[copy->nodes[i].parent],
                              copy_function(copy, copy->nodes[i].function), copy->nodes[i].line);
    for (uint32_t i = 0; i < sums->count; i++)
        profile_weigh(copy->to, copy->places[sums->entries[i].node], sums->entries[i].count,
                      sums->entries[i].weights_ns);
    profile_sum(copy->to);
}

static struct profile *copy_profile(const struct profile *of, const struct sums *sums) {
    uint32_t nodes, functions;
    struct copy copy = {.to = profile_open(PROFILE_NODES_MAX, 1),
                        .nodes = profile_nodes(of, &nodes),
                        .functions = profile_functions(of, &functions)};
    copy.places = malloc(nodes * sizeof *copy.places);
    copy.function_places = malloc(functions * sizeof *copy.function_places);
    if (copy.to && copy.places && copy.function_places) {
        memset(copy.places, 0xff, nodes * sizeof *copy.places);
        memset(copy.function_places, 0xff, functions * sizeof *copy.function_places);
        copy_nodes(&copy, sums, nodes);
    } else {
        profile_close(copy.to);
        copy.to = NULL;
    }
    free(copy.places);
    free(copy.function_places);
    return copy.to;
}

struct profile *recent_profile(struct recent *self, enum recent_window window,
                               const struct profile *of, uint64_t now_ns) {
    struct sums sums = {0};
    turn_to(self, RECENT_MINUTE, now_ns);
    struct profile *made = sum_window(&sums, self, window, now_ns) ? NULL : copy_profile(of, &sums);
    sums_free(&sums);
    return made;
}

/* ------------------------------------------------------------------- recent */

struct recent *recent_open(uint32_t entries_limit) {
    struct recent *self = calloc(1, sizeof *self);
    if (self)
        self->limit = entries_limit;
    return self;
}

void recent_clear(struct recent *self) {
    for (int ring = 0; ring < RINGS; ring++) {
        for (uint32_t i = 0; i < KEPT_MAX; i++)
            step_forget(self, &self->rings[ring].steps[i]);
        self->count -= self->rings[ring].now.count;
        sums_free(&self->rings[ring].now);
    }
}

void recent_close(struct recent *self) {
    if (self)
        recent_clear(self);
    free(self);
}

void recent_add(struct recent *self, uint32_t node, const struct sample *sample) {
    turn_to(self, RECENT_MINUTE, sample->time_ns);
    add_now(self, &self->rings[RECENT_MINUTE], node, sample->count, sample->weights_ns);
}
