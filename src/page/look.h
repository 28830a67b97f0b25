/* Inside the page: what a part of a track looks like on so many pixels. What is narrower than a pixel is merged with what
 * else is in that pixel, so there are never more things than pixels, and what is merged is never visited: an answer costs
 * O(pixels x log n). Pixels stand at multiples of their width, so that a picture that is moved does not flicker. */
#ifndef MAREY_PAGE_LOOK_H
#define MAREY_PAGE_LOOK_H

#include "page/index.h"

enum { LOOK_THINGS_MAX = 1 << 18 }; /* of one kind in a look; then there is no room for more */

/* In the trace's clock. */
struct view {
    int64_t from_ns, to_ns; /* [from, to) */
    int64_t pixel_ns;       /* width of a pixel, >= 1 */
};

struct seen_span {
    int64_t begin_ns, end_ns;
    uint32_t place; /* of one of the spans, whose name stands for all */
    uint32_t count, failed;
    uint32_t depth;
};

struct seen_instant {
    int64_t time_ns;
    uint32_t place, count; /* place in the track's events: the first one */
};

struct seen_value {
    int64_t time_ns; /* of the last one */
    struct value_range range;
    double last;
};

/* The thread's samples from begin on, as shares of the time that they stand for. */
struct seen_sample {
    int64_t begin_ns, end_ns;
    double running, gil_wait; /* 0 to 1 */
    uint64_t count;
};

/* All zero is empty; used again for the next track. */
struct look {
    struct seen_span *spans;
    uint32_t span_count, span_capacity;
    struct seen_instant *instants;
    uint32_t instant_count, instant_capacity;
    struct seen_value *values;
    uint32_t value_count, value_capacity;
    struct seen_sample *samples;
    uint32_t sample_count, sample_capacity;
};

/* What is seen of a track; of a thread's samples. What the look had before goes. Each returns 0, -1 where memory is short
 * or the look is full: with wider pixels there is room. */
int look_at_track(struct look *look, const struct index *index, const struct trace *trace,
                  uint32_t track, const struct view *view);
int look_at_samples(struct look *look, const struct index *index, const struct trace *trace,
                    uint32_t thread, const struct view *view);
void look_clear(struct look *look);
void look_free(struct look *look);

#endif
