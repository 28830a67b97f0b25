/* Events as lines of Chrome's JSON ("Trace Event Format"), for a text file that is written while the program runs.
 *
 *   chrome_log.c   ChromeLog: lines that wait to be written, and which threads they name
 *   chrome_span.c  ChromeSpan: a context manager that leaves one line, a complete event (ph "X")
 *
 * Spans are added by C, all else by marey/compat/keke, which also writes what has gathered. */
#ifndef MAREY_CHROME_LOG_H
#define MAREY_CHROME_LOG_H

#include "face.h"

typedef struct log_object {
    PyObject_HEAD PyObject *clock; /* gives seconds; NULL: nanoseconds of CLOCK_MONOTONIC, ours */
    PyObject *meet;                /* called with a thread's id before its first event */
    PyObject *full;                /* called when much waits */
    uint64_t number;               /* no other log of the process has it */
    int64_t pid;
    char *bytes; /* lines that wait */
    size_t size, capacity;
    uint64_t lost; /* lines for which there was no memory, or no time was to be had */
    int is_open;
} log_object;

/* The time in nanoseconds. -1 where the clock failed: the exception is dropped. */
int64_t log_now(log_object *log);
/* Adds a complete event of this thread. Arguments: a list of str, key and value by turns; NULL: none. No code of the
 * program runs, but `meet` and `full`. Leaves no exception. */
void log_complete(log_object *log, PyObject *name, PyObject *category, int64_t begin_ns,
                  int64_t end_ns, PyObject *arguments);

#endif
