/* Inside the calls: what those share who put them together. */
#ifndef MAREY_MODEL_CALL_PARTS_H
#define MAREY_MODEL_CALL_PARTS_H

#include "model/calls.h"

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

/* By begin. */
void calls_sort_roots(struct calls *calls);

#endif
