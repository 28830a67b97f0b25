/* See busy.h. */
#include "model/busy.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/processes.h"
#include "model/sums.h"

/* -------------------------------------------------------------------- spans */

/* For each track the thread that its spans are of; MAP_NONE: nobody's. Custom tracks below a thread are the process's alone:
 * what runs on them overlaps with what the thread does. */
static void find_threads(const struct trace *trace, int processes, uint32_t *thread_of) {
    const struct tracks *tracks = &trace->reader.tracks;
    for (uint32_t i = 0; i < tracks->count; i++) {
        uint32_t process = tracks->all[i].process;
        int is_known = processes && process != MAP_NONE && trace->processes[process].threads;
        thread_of[i] = is_known ? trace->processes[process].first_thread : (uint32_t)MAP_NONE;
    }
    for (uint32_t i = 0; i < trace->thread_count && !processes; i++)
        if (trace->threads[i].track != MAP_NONE)
            thread_of[trace->threads[i].track] = i;
}

static void add_spans(const struct trace *trace, const struct trace_filter *filter,
                      const uint8_t *tracks, const uint32_t *thread_of, struct busy *rows) {
    for (uint32_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        uint32_t thread = thread_of[span->track];
        int64_t begin_ns, end_ns;
        if (thread == MAP_NONE || !tracks[span->track] ||
            !filter_clip_span(filter, trace, span, &begin_ns, &end_ns))
            continue;
        rows[thread].spans++;
        if (span->parent == MAP_NONE)
            sum_add_ns(&rows[thread].in_spans_ns, end_ns - begin_ns);
    }
}

/* ------------------------------------------------------------------ samples */

static int add_samples(const struct trace *trace, const struct trace_filter *filter, int processes,
                       struct busy *rows) {
    const struct samples *samples = &trace->reader.samples;
    struct sample_times *times = calloc(samples->thread_count + 1, sizeof *times);
    if (!times)
        return -1;
    sampling_times(trace, filter, times);
    for (uint32_t i = 0; i < samples->thread_count; i++) {
        uint32_t thread = samples->threads[i].thread;
        uint32_t process = trace->threads[thread].process;
        uint32_t row = processes ? trace->processes[process].first_thread : thread;
        sample_times_add(&rows[row].times, &times[i]);
    }
    free(times);
    return 0;
}

/* ---------------------------------------------------------------------- all */

static int compare(const void *a, const void *b) {
    const struct busy *left = a, *right = b;
    uint64_t mine = left->times.ns[SAMPLE_WALL], other = right->times.ns[SAMPLE_WALL];
    if (mine != other)
        return mine > other ? -1 : 1;
    if (left->times.count != right->times.count)
        return left->times.count > right->times.count ? -1 : 1;
    if (left->in_spans_ns != right->in_spans_ns)
        return left->in_spans_ns > right->in_spans_ns ? -1 : 1;
    return left->thread < right->thread ? -1 : left->thread > right->thread;
}

int busy_make(struct busy_list *list, const struct trace *trace, const struct trace_filter *filter,
              int processes) {
    uint8_t *tracks = filter_tracks(filter, trace);
    uint32_t *thread_of = malloc((trace->reader.tracks.count + 1) * sizeof *thread_of);
    *list = (struct busy_list){.rows = calloc(trace->thread_count + 1, sizeof *list->rows)};
    int failed = !tracks || !thread_of || !list->rows;
    if (!failed) {
        find_threads(trace, processes, thread_of);
        add_spans(trace, filter, tracks, thread_of, list->rows);
        failed = add_samples(trace, filter, processes, list->rows);
    }
    for (uint32_t i = 0; !failed && i < trace->thread_count; i++) {
        list->rows[i].thread = i;
        if (list->rows[i].times.count || list->rows[i].spans)
            list->rows[list->count++] = list->rows[i];
    }
    if (list->count)
        qsort(list->rows, list->count, sizeof *list->rows, compare);
    free(tracks);
    free(thread_of);
    return failed ? MAREY_ENOMEM : 0;
}

void busy_free(struct busy_list *list) {
    free(list->rows);
    *list = (struct busy_list){0};
}
