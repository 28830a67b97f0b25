/* What was recorded of calls, for Python.
 *
 *   forest.c   Forest: the calls of a trace, read from bytes or a file
 *   call.c     Call: one of them, made when it is asked for
 *
 * Nothing of it changes once it is made, so threads share it without locks. marey/_call_results.py is what users see. */
#ifndef MAREY_FOREST_H
#define MAREY_FOREST_H

#include "face.h"
#include "model/calls.h"
#include "model_value.h"

typedef struct forest_object {
    PyObject_HEAD PyObject *whole; /* the forest that the trace belongs to; NULL: to this one */
    struct trace trace;            /* without `whole` */
    struct calls calls;
} forest_object;

/* The call at a place of a forest, as a new object. NULL with an exception. */
PyObject *call_make(forest_object *forest, uint32_t place);

#endif
