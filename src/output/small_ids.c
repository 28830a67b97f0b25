/* See small_ids.h. */
#include "output/small_ids.h"

#include <stdlib.h>

#include "marey.h"

enum { MADE_UP = 1000000000 }; /* from there on; the kernel gives at most 4,194,304 */

/* The id, or the next that is made up. 0: memory is short. */
static uint32_t take(struct map *taken, uint32_t *made_up, int64_t id) {
    uint32_t given = id > 0 && id < MADE_UP ? (uint32_t)id : 0;
    if (!given || map_get(taken, given) != MAP_NONE)
        given = (*made_up)++;
    return map_put(taken, given, 0) ? 0 : given;
}

int small_ids_make(struct small_ids *ids, const struct trace *trace) {
    struct map processes = {0}, threads = {0};
    uint32_t made_up = MADE_UP, last = 1;
    ids->processes = calloc(trace->process_count + 1u, sizeof *ids->processes);
    ids->threads = calloc(trace->thread_count + 1u, sizeof *ids->threads);
    ids->tracks = calloc(trace->reader.tracks.count + 1u, sizeof *ids->tracks);
    ids->nobody = made_up++;
    int error = !ids->processes || !ids->threads || !ids->tracks;
    for (uint32_t i = 0; !error && last && i < trace->process_count; i++)
        last = ids->processes[i] = take(&processes, &made_up, trace->processes[i].pid);
    for (uint32_t i = 0; !error && last && i < trace->thread_count; i++) {
        last = ids->threads[i] = take(&threads, &made_up, trace->threads[i].tid);
        if (trace->threads[i].track != MAP_NONE)
            ids->tracks[trace->threads[i].track] = last;
    }
    map_free(&processes);
    map_free(&threads);
    return error || !last ? MAREY_ENOMEM : 0;
}

void small_ids_free(struct small_ids *ids) {
    free(ids->processes);
    free(ids->threads);
    free(ids->tracks);
    *ids = (struct small_ids){0};
}
