/* See walk.h.
 *
 * A span's depth says how many were open when it began. So those that have to end before it are as many as there are too
 * many; those that end first, of equal ones the innermost. */
#include "output/walk.h"

static int64_t end_of(const struct span *span) {
    return span->duration_ns < 0 ? INT64_MAX : span->begin_ns + span->duration_ns;
}

void walk_init(struct walk *walk, const struct part *part, uint32_t first, uint32_t last) {
    const struct span *spans = part->trace->spans;
    walk->part = part;
    walk->next = first;
    walk->last = last;
    walk->depth = 0;
    walk->nested = 1;
    for (uint32_t i = first; walk->nested && i < last; i++)
        walk->nested =
            spans[i].parent == MAP_NONE || end_of(&spans[i]) <= end_of(&spans[spans[i].parent]);
}

/* Which of the open spans ends first. */
static uint32_t first_to_end(const struct walk *walk) {
    uint32_t found = walk->depth - 1;
    for (uint32_t i = found; !walk->nested && i-- > 0;)
        if (walk->open[i].end_ns < walk->open[found].end_ns)
            found = i;
    return found;
}

static int is_innermost(const struct walk *walk, uint32_t at) {
    while (++at < walk->depth)
        if (walk->open[at].wanted)
            return 0;
    return 1;
}

/* Returns whether the step is wanted. */
static int end_one(struct walk *walk, struct walk_step *step) {
    uint32_t at = first_to_end(walk);
    const struct walk_open *open = &walk->open[at];
    int wanted = open->wanted;
    *step = (struct walk_step){0, is_innermost(walk, at), open->span, open->cut.end_ns, open->cut};
    for (walk->depth--; at < walk->depth; at++)
        walk->open[at] = walk->open[at + 1];
    return wanted;
}

static int begin_one(struct walk *walk, struct walk_step *step) {
    struct walk_open *open = &walk->open[walk->depth++];
    const struct span *span = &walk->part->trace->spans[walk->next];
    open->span = walk->next++;
    open->end_ns = end_of(span);
    open->wanted = (uint8_t)part_has_span(walk->part, span, &open->cut);
    *step = (struct walk_step){1, 1, open->span, open->cut.begin_ns, open->cut};
    return open->wanted;
}

int walk_next(struct walk *walk, struct walk_step *step) {
    const struct span *spans = walk->part->trace->spans;
    for (;;) {
        if (walk->next < walk->last && walk->depth <= spans[walk->next].depth &&
            walk->depth <= SPAN_DEPTH_MAX) {
            if (begin_one(walk, step))
                return 1;
        } else if (!walk->depth) {
            return 0;
        } else if (end_one(walk, step)) {
            return 1;
        }
    }
}

int walk_is_past(const struct walk *walk, const struct walk_step *step, int64_t time_ns) {
    int64_t step_ns = step->time_ns + walk->part->trace->first_ns;
    return step->begins ? time_ns < step_ns : time_ns <= step_ns;
}

uint32_t walk_track_end(const struct trace *trace, uint32_t first) {
    uint32_t track = trace->spans[first].track;
    while (first < trace->span_count && trace->spans[first].track == track)
        first++;
    return first;
}
