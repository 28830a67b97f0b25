/* Inside the calls: what those share who put them together. */
#ifndef MAREY_MODEL_CALL_PARTS_H
#define MAREY_MODEL_CALL_PARTS_H

#include "model/call_stats.h"

#define CALL_SCOPE_CATEGORY "calls"

/* Hangs a call below its parent, if it has one, behind the children that are there. */
static inline void calls_attach(struct calls *calls, uint32_t place) {
    if (calls->all[place].parent == CALL_NONE)
        return;
    struct call *parent = &calls->all[calls->all[place].parent];
    if (parent->first_child == CALL_NONE)
        parent->first_child = place;
    else
        calls->all[parent->last_child].next = place;
    parent->last_child = place;
}

/* The functions of the calls, while these are put together. */
struct call_functions {
    struct calls *calls; /* which keep them */
    struct trace *trace;
    struct map places;                  /* name, category and source to function */
    uint32_t categories[FUNCTION_SPAN]; /* strings, by kind */
};

void call_functions_init(struct call_functions *self, struct calls *calls, struct trace *trace);
void call_functions_free(struct call_functions *self);
/* The place of a span's function, new or known. CALL_NONE where memory is short. */
uint32_t call_functions_find(struct call_functions *self, const struct span *span);

/* The key of the generator's or coroutine's invocation that a span is a piece of; 0: it is of none. */
uint64_t calls_invocation(const struct calls *calls, const struct span *span);

/* A row's least, mean and largest time, and its percentiles, of `times`, one a call, which lose their order. */
void call_stats_describe(struct call_stats_row *row, int64_t *times);
/* Takes out rows of functions without calls, as a filter leaves them, and sorts the others. */
void call_stats_settle(struct call_stats *stats);

/* By begin. */
void calls_sort_roots(struct calls *calls);

#endif
