/* See matching.h. */
#include "model/matching.h"

#include "model/grow.h"

enum { FIRST_SPANS = 8, BLOCK_SPANS = 1 << 14 };

/* What an end said, for events that are made of spans again. */
enum end_says { END_SAYS_NAME = 1, END_SAYS_CATEGORY = 2 };

/* ---------------------------------------------------------------- taking */

static int add_block(struct matching *self) {
    uint32_t capacity = self->last ? self->last->capacity * 2 : FIRST_SPANS;
    if (capacity > BLOCK_SPANS)
        capacity = BLOCK_SPANS;
    struct span_block *block = malloc(sizeof *block + capacity * sizeof *block->spans);
    if (!block)
        return -1;
    block->next = NULL;
    block->count = 0;
    block->capacity = capacity;
    if (self->last)
        self->last->next = block;
    else
        self->first = block;
    self->last = block;
    return 0;
}

static int begin(struct matching *self, const struct event *event) {
    if (self->depth == SPAN_DEPTH_MAX)
        return EVENT_DEEP;
    if (GROW(self->open, self->depth, self->open_capacity) ||
        ((!self->last || self->last->count == self->last->capacity) && add_block(self)))
        return -1;
    struct span *span = &self->last->spans[self->last->count++];
    *span = (struct span){
        .begin_ns = event->time_ns,
        .duration_ns = -1,
        .name = event->name,
        .category = event->category,
        .parent = self->depth ? self->open[self->depth - 1].place : (uint32_t)MAP_NONE,
        .depth = (uint16_t)self->depth,
        .detail = event->detail,
    };
    self->open[self->depth++] = (struct open_span){span, self->count++};
    return 0;
}

static int is_end_of(const struct event *event, const struct span *span) {
    return (!event->name || event->name == span->name) &&
           (!event->category || event->category == span->category);
}

static int end(struct matching *self, const struct event *event, struct arguments *arguments) {
    uint32_t at = self->depth;
    while (at > 0 && !is_end_of(event, self->open[at - 1].span))
        at--;
    if (!at)
        return self->depth ? EVENT_OTHER_END : EVENT_STRAY;
    struct span *span = self->open[--at].span;
    span->duration_ns = (int64_t)((uint64_t)event->time_ns - (uint64_t)span->begin_ns);
    span->failed = event->flags & EVENT_FAILED; /* at a begin, "error" is a function's parameter */
    span->end_says =
        (uint8_t)((event->name ? END_SAYS_NAME : 0) | (event->category ? END_SAYS_CATEGORY : 0));
    if (event->detail)
        span->detail = arguments_join(arguments, span->detail, event->detail);
    self->depth--;
    memmove(self->open + at, self->open + at + 1, (self->depth - at) * sizeof *self->open);
    return 0;
}

int matching_take(struct track *track, const struct event *event, struct arguments *arguments) {
    if (!track->matching) {
        track->matching = calloc(1, sizeof *track->matching);
        if (!track->matching)
            return -1;
    }
    return event->kind == EVENT_BEGIN ? begin(track->matching, event)
                                      : end(track->matching, event, arguments);
}

/* --------------------------------------------------------------- undoing */

static struct event begin_of(const struct span *span, uint8_t clock) {
    return (struct event){.time_ns = span->begin_ns,
                          .name = span->name,
                          .category = span->category,
                          .kind = EVENT_BEGIN,
                          .clock = clock,
                          .detail = span->detail};
}

static struct event end_of(const struct span *span, uint8_t clock, struct arguments *arguments) {
    struct event event = {
        .time_ns = (int64_t)((uint64_t)span->begin_ns + (uint64_t)span->duration_ns),
        .name = span->end_says & END_SAYS_NAME ? span->name : 0,
        .category = span->end_says & END_SAYS_CATEGORY ? span->category : 0,
        .kind = EVENT_END,
        .clock = clock,
        .flags = span->failed ? EVENT_FAILED : 0,
    };
    if (span->detail) {
        event.detail = arguments->details[span->detail].end;
        arguments->details[span->detail].end = 0;
    }
    return event;
}

/* While spans are made events again. */
struct undoing {
    struct event *next;
    struct arguments *arguments;
    uint8_t clock;
};

/* Ends of the open spans that are over before one of that parent begins. */
static void undo_ends(struct matching *self, struct undoing *to, uint32_t parent) {
    while (self->depth && self->open[self->depth - 1].place != parent) {
        const struct span *span = self->open[--self->depth].span;
        if (span->duration_ns != -1)
            *to->next++ = end_of(span, to->clock, to->arguments);
    }
}

/* The open ones may be more than there ever were at a time: an end by name can have closed one further out. */
static int undo_spans(struct matching *self, struct undoing *to) {
    uint32_t place = 0;
    self->depth = 0;
    for (struct span_block *block = self->first; block; block = block->next)
        for (uint32_t i = 0; i < block->count; i++) {
            struct span *span = &block->spans[i];
            undo_ends(self, to, span->parent);
            if (GROW(self->open, self->depth, self->open_capacity))
                return -1;
            *to->next++ = begin_of(span, to->clock);
            self->open[self->depth++] = (struct open_span){span, place++};
        }
    undo_ends(self, to, MAP_NONE);
    return 0;
}

int matching_undo(struct track *track, struct arguments *arguments) {
    struct matching *self = track->matching;
    if (!self)
        return 0;
    size_t most = (size_t)track->count + 2 * (size_t)self->count;
    if (most > UINT32_MAX / 2)
        return -1;
    struct event *events = realloc(track->events, (most + 1) * sizeof *events);
    if (!events)
        return -1;
    track->events = events;
    track->capacity = (uint32_t)most + 1;
    /* What fitted nothing stays in front: of equal times it has to come first. */
    struct undoing to = {events + track->count, arguments, track->clock};
    if (undo_spans(self, &to))
        return -1;
    track->count = (uint32_t)(to.next - events);
    matching_free(track);
    return 0;
}

/* ---------------------------------------------------------------- moving */

void matching_move(struct track *track, struct span *to, uint32_t first, uint32_t place,
                   int64_t add_ns) {
    struct matching *self = track->matching;
    if (!self)
        return;
    for (struct span_block *block = self->first, *next; block; block = next) {
        next = block->next;
        for (uint32_t i = 0; i < block->count; i++) {
            *to = block->spans[i];
            to->begin_ns += add_ns;
            to->track = place;
            to->parent += to->parent == MAP_NONE ? 0 : first;
            to++;
        }
        free(block); /* at once: spans take most of the memory, and are not to take it twice */
    }
    self->first = self->last = NULL;
    matching_free(track);
}

void matching_free(struct track *track) {
    struct matching *self = track->matching;
    if (!self)
        return;
    for (struct span_block *block = self->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(self->open);
    free(self);
    track->matching = NULL;
}
