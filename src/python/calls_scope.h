/* Inside the scopes of calls: the object of Python (calls_scope_object.c), and what is done with it (calls_scope.c). */
#ifndef MAREY_CALLS_SCOPE_H
#define MAREY_CALLS_SCOPE_H

#include "calls.h"

typedef struct scope_object {
    PyObject_HEAD scope *of;
    face_state *state;
    mark_object *mark;               /* as it was entered last; NULL: it is not */
    PyObject *label;                 /* bytes, or NULL */
    uint64_t max_time, min_duration; /* nanoseconds; 0: none */
    uint64_t log_bytes;              /* 0: no log */
    uint64_t lost;                   /* at the end */
    uint64_t unseen;                 /* when it was opened: what hooks had not seen until then */
    bool was_opened;
} scope_object;

/* Each returns 0, or -1 with an exception. */
int scope_open(scope_object *self);
int scope_enter(scope_object *self);
/* Of one that is not entered, or not open: nothing happens. */
void scope_leave(scope_object *self);
void scope_close(scope_object *self);

#endif
