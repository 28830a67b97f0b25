/* Reading: a whole trace, for Python. It answers in plain numbers (nanoseconds of the trace's clock), tuples, and
 * columns: memory of the model itself, seen through Python's buffer protocol (PEP 3118), nothing copied.
 *
 *   reading.c          the type; what there is, and single spans, stacks, events of it
 *   reading_columns.c  a field of all spans or samples
 *   reading_choice.c   which spans or samples are wanted
 *
 * marey/_trace.py is what users see. Nothing in it changes once it is made, so threads share it without locks. */
#ifndef MAREY_READING_H
#define MAREY_READING_H

#include "model_value.h"

typedef struct reading_object {
    PyObject_HEAD struct trace trace;
} reading_object;

static inline const struct trace *trace_of(PyObject *object) {
    return &((reading_object *)object)->trace;
}

/* span_column(name), sample_column(name) -> memoryview; KeyError where there is no such field. */
PyObject *reading_span_column(PyObject *object, PyObject *name);
PyObject *reading_sample_column(PyObject *object, PyObject *name);
/* choose_spans(processes, threads, from_ns, to_ns, names, categories, min_ns) -> bytes of uint32: places of spans.
 * Patterns are tuples of bytes, as fnmatch(3) takes them, or ids; empty: all. to_ns 0: no end. */
PyObject *reading_choose_spans(PyObject *object, PyObject *args);
/* The same of samples; names, categories and min_ns count for nothing. */
PyObject *reading_choose_samples(PyObject *object, PyObject *args);

#endif
