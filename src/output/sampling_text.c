/* See hot_table.h: how samples were taken, and what they come to. */
#include "output/hot_table.h"

static void add_count(struct text *to, uint64_t count) {
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, count);
    text_add(to, shown);
}

void sampling_sentence(struct text *to, const struct sampling *sampling, uint64_t count) {
    add_count(to, count);
    text_add(to, count == 1 ? " sample" : " samples");
    if (sampling->rate > 0) {
        text_add(to, " at ");
        add_count(to, (uint64_t)(sampling->rate + 0.5));
        text_add(to, "/s of ");
        add_count(to, (1000000000 + sampling->interval_ns / 2) / sampling->interval_ns);
    }
    if (!sampling->known)
        return;
    uint64_t tried = sampling->taken + sampling->torn;
    text_add(to, ", ");
    add_count(to, sampling->torn);
    text_addf(to, " torn (%.2f%%), ", tried ? 100.0 * (double)sampling->torn / (double)tried : 0.0);
    add_count(to, sampling->missed);
    text_add(to, " missed");
}

static double percent(uint64_t part, uint64_t all) {
    return all ? 100.0 * (double)part / (double)all : 0;
}

/* Neither on a CPU nor waiting for the GIL: it sleeps, waits for something else, or for a CPU. */
uint64_t sample_idle_ns(const struct sample_times *times) {
    uint64_t busy = times->ns[SAMPLE_CPU] + times->ns[SAMPLE_GIL_WAIT];
    return busy < times->ns[SAMPLE_WALL] ? times->ns[SAMPLE_WALL] - busy : 0;
}

void sample_states(struct text *to, const struct sample_times *times) {
    uint64_t wall = times->ns[SAMPLE_WALL];
    text_addf(to,
              "on CPU %.1f%%, waiting for the GIL %.1f%%, otherwise off CPU %.1f%%; holding the "
              "GIL %.1f%%",
              percent(times->ns[SAMPLE_CPU], wall), percent(times->ns[SAMPLE_GIL_WAIT], wall),
              percent(sample_idle_ns(times), wall), percent(times->ns[SAMPLE_GIL], wall));
}

void sample_times_json(struct json *json, const char *key, const struct sample_times *times) {
    json_object(json, key);
    json_count(json, "samples", times->count);
    json_count(json, "wall_ns", times->ns[SAMPLE_WALL]);
    json_count(json, "cpu_ns", times->ns[SAMPLE_CPU]);
    json_count(json, "gil_ns", times->ns[SAMPLE_GIL]);
    json_count(json, "gil_wait_ns", times->ns[SAMPLE_GIL_WAIT]);
    json_end(json);
}
