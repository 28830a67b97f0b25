/* Inside the Firefox Profiler's writer: its tables are columns, each an array of JSON. */
#ifndef MAREY_OUTPUT_FIREFOX_H
#define MAREY_OUTPUT_FIREFOX_H

#include "output/digits.h"
#include "output/json.h"
#include "output/part.h"
#include "output/sample_groups.h"
#include "output/small_ids.h"

/* Places in meta.categories. */
enum firefox_category {
    FIREFOX_OTHER,
    FIREFOX_PYTHON,
    FIREFOX_NATIVE,
    FIREFOX_GC,
    FIREFOX_TASK,
    FIREFOX_SPAN
};

/* Texts of the trace that have a place in an array of the file, in order of appearance. */
struct firefox_texts {
    uint32_t *places; /* by string: its place and one; 0: none */
    uint32_t *all;    /* strings, by place */
    uint32_t count;
};

struct firefox {
    FILE *to;
    const struct part *part;
    const struct trace *trace;
    int spans, samples; /* what is written */
    struct small_ids ids;
    struct sample_groups groups;
    struct firefox_texts strings, sources;
    struct json args;
    uint32_t threads;      /* written so far */
    uint32_t first_pid;    /* of the first of them: whose is what belongs to no process */
    uint32_t *main_thread; /* by process: the place of its first one and one; 0: none */
};

/* ,"name":[ ... ] */
static inline void column_begin(struct firefox *writer, const char *name) {
    fprintf(writer->to, ",\n\"%s\":[", name);
}

static inline void column_end(struct firefox *writer) {
    putc_unlocked(']', writer->to);
}

/* A number or "null", behind a comma but for the first. */
static inline void column_put(struct firefox *writer, uint32_t row, const char *text, size_t size) {
    if (row)
        putc_unlocked(',', writer->to);
    fwrite_unlocked(text, 1, size, writer->to);
}

static inline void column_null(struct firefox *writer, uint32_t row) {
    column_put(writer, row, "null", 4);
}

static inline void column_integer(struct firefox *writer, uint32_t row, int64_t value) {
    char digits[DIGITS_MAX];
    column_put(writer, row, digits, (size_t)(digits_integer(digits, value) - digits));
}

static inline void column_ms(struct firefox *writer, uint32_t row, int64_t ns) {
    char digits[DIGITS_MAX];
    column_put(writer, row, digits, (size_t)(digits_ms(digits, ns) - digits));
}

/* The place of a text of the trace, new or known. */
static inline uint32_t firefox_place(struct firefox_texts *texts, uint32_t string) {
    if (!texts->places[string]) {
        texts->all[texts->count] = string;
        texts->places[string] = ++texts->count;
    }
    return texts->places[string] - 1;
}

/* The tables that all threads share, from "shared" on: stacks, frames, functions, sources, strings. Last of all: all that
 * is named has been. */
void firefox_shared(struct firefox *writer);
/* A thread's table of samples, of a trace's thread; MAP_NONE: it has none. */
void firefox_samples(struct firefox *writer, uint32_t thread);
/* A thread's table of markers: the spans [first, last) and the moments of that track; MAP_NONE: none. */
void firefox_markers(struct firefox *writer, uint32_t track, uint32_t first, uint32_t last);
/* Counters, as a list. */
void firefox_counters(struct firefox *writer);

#endif
