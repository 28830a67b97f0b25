/* See reading.h: which spans or samples are wanted. */
#include "reading.h"

#include <fnmatch.h>

#include "model/filter.h"

struct choice {
    struct trace_filter part;
    const char **processes, **threads, **names, **categories; /* owned */
    uint32_t name_count, category_count;
    long long min_ns;
};

/* The patterns of a tuple of bytes, which keeps them. 0, or -1 with an exception. */
static int patterns(PyObject *tuple, const char ***texts, uint32_t *count) {
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    *texts = PyMem_Calloc((size_t)size + 1, sizeof **texts);
    if (!*texts) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++)
        if (!((*texts)[i] = PyBytes_AsString(PyTuple_GET_ITEM(tuple, i))))
            return -1;
    *count = (uint32_t)size;
    return 0;
}

static void choice_free(struct choice *choice) {
    PyMem_Free((void *)choice->processes);
    PyMem_Free((void *)choice->threads);
    PyMem_Free((void *)choice->names);
    PyMem_Free((void *)choice->categories);
}

/* (processes, threads, from_ns, to_ns, names, categories, min_ns): tuples of bytes, numbers. 0, or -1 with an
 * exception; choice_free in every case. */
static int choice_parse(struct choice *choice, PyObject *args) {
    PyObject *processes, *threads, *names, *categories;
    long long from, to;
    *choice = (struct choice){0};
    if (!PyArg_ParseTuple(args, "O!O!LLO!O!L", &PyTuple_Type, &processes, &PyTuple_Type, &threads,
                          &from, &to, &PyTuple_Type, &names, &PyTuple_Type, &categories,
                          &choice->min_ns) ||
        patterns(processes, &choice->processes, &choice->part.process_count) < 0 ||
        patterns(threads, &choice->threads, &choice->part.thread_count) < 0 ||
        patterns(names, &choice->names, &choice->name_count) < 0 ||
        patterns(categories, &choice->categories, &choice->category_count) < 0)
        return -1;
    choice->part.processes = choice->processes;
    choice->part.threads = choice->threads;
    choice->part.from_ns = from;
    choice->part.to_ns = to;
    return 0;
}

/* Whether a text is like one of the patterns, asked once for each text. */
static int is_like(const struct trace *trace, uint32_t string, const char *const *patterns,
                   uint32_t count, uint8_t *known) {
    enum { NOT_ASKED, NO, YES };
    if (!count)
        return 1;
    if (known[string] == NOT_ASKED) {
        known[string] = NO;
        for (uint32_t i = 0; i < count && known[string] == NO; i++)
            if (fnmatch(patterns[i], trace_text(trace, string), 0) == 0)
                known[string] = YES;
    }
    return known[string] == YES;
}

/* Whether some of it lies within [from, to). */
static int is_within(const struct trace_filter *part, int64_t begin_ns, int64_t duration_ns) {
    int64_t end_ns = begin_ns + (duration_ns > 0 ? duration_ns : 0);
    int is_open = duration_ns < 0;
    return (!part->to_ns || begin_ns < part->to_ns) &&
           (is_open || end_ns > part->from_ns || begin_ns >= part->from_ns);
}

/* Places as bytes of uint32. NULL with an exception. */
static PyObject *places_bytes(const uint32_t *places, uint32_t count) {
    return PyBytes_FromStringAndSize((const char *)places, (Py_ssize_t)(count * sizeof *places));
}

static PyObject *choose_spans(const struct trace *trace, const struct choice *choice) {
    uint32_t strings = trace->reader.strings.count + 1, count = 0;
    uint8_t *known_names = calloc(strings, 1), *known_categories = calloc(strings, 1);
    uint8_t *tracks = filter_tracks(&choice->part, trace);
    uint32_t *places = malloc((trace->span_count + (size_t)1) * sizeof *places);
    PyObject *made = NULL;
    int failed = !known_names || !known_categories || !tracks || !places;
    for (uint32_t i = 0; !failed && i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        if (tracks[span->track] && is_within(&choice->part, span->begin_ns, span->duration_ns) &&
            (span->duration_ns >= choice->min_ns || (span->duration_ns < 0 && !choice->min_ns)) &&
            is_like(trace, span->name, choice->names, choice->name_count, known_names) &&
            is_like(trace, span->category, choice->categories, choice->category_count,
                    known_categories))
            places[count++] = i;
    }
    made = failed ? PyErr_NoMemory() : places_bytes(places, count);
    free(known_names);
    free(known_categories);
    free(tracks);
    free(places);
    return made;
}

static PyObject *choose_samples(const struct trace *trace, const struct choice *choice) {
    const struct samples *samples = &trace->reader.samples;
    uint32_t *places = malloc((samples->count + (size_t)1) * sizeof *places), count = 0;
    uint8_t *threads = filter_sampled(&choice->part, trace);
    int failed = !places || !threads;
    for (uint32_t i = 0; !failed && i < samples->count; i++)
        if (threads[samples->all[i].thread] && is_within(&choice->part, samples->all[i].time_ns, 0))
            places[count++] = i;
    PyObject *made = failed ? PyErr_NoMemory() : places_bytes(places, count);
    free(places);
    free(threads);
    return made;
}

static PyObject *choose(PyObject *object, PyObject *args,
                        PyObject *(*of)(const struct trace *, const struct choice *)) {
    struct choice choice;
    PyObject *made = choice_parse(&choice, args) < 0 ? NULL : of(trace_of(object), &choice);
    choice_free(&choice);
    return made;
}

PyObject *reading_choose_spans(PyObject *object, PyObject *args) {
    return choose(object, args, choose_spans);
}

PyObject *reading_choose_samples(PyObject *object, PyObject *args) {
    return choose(object, args, choose_samples);
}
