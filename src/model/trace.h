/* A whole trace: processes, threads, spans, counters, losses. Made by trace_read; afterwards nothing changes. */
#ifndef MAREY_MODEL_TRACE_H
#define MAREY_MODEL_TRACE_H

#include "model/reader.h"

enum { SPAN_DEPTH_MAX = 512 }; /* open spans of a track, as trace_processor has it */

struct span {
    int64_t begin_ns;    /* in the trace's clock */
    int64_t duration_ns; /* -1: it has no end */
    uint32_t name;       /* strings; 0: none */
    uint32_t category;
    uint32_t track;   /* place in the reader's tracks */
    uint32_t parent;  /* place in the spans; MAP_NONE: none */
    uint16_t depth;   /* 0: outermost */
    uint8_t failed;   /* an error ended it */
    uint8_t end_says; /* until the trace is settled: what else its end gave */
    uint32_t detail;  /* of the reader's arguments; 0: none, or they are not kept */
};

struct thread {
    int64_t pid, tid;
    uint32_t name;    /* strings */
    uint32_t process; /* place in the trace's processes */
    uint32_t track;   /* its place in the reader's tracks; MAP_NONE: it records nothing itself */
    uint64_t events, spans, samples;
};

struct process {
    int64_t pid;
    uint32_t machine;               /* 0: the one that recorded, or all there is */
    uint32_t name;                  /* strings */
    uint32_t command_line;          /* strings */
    uint32_t first_thread, threads; /* in the trace's threads, which stand process by process */
    uint64_t events, spans;         /* on all its tracks */
    uint64_t samples;               /* of all its threads */
};

/* What the recorder could not keep: the last value of its counter "marey lost: ...". */
struct loss {
    uint32_t what; /* strings: the counter's name without that beginning */
    double count;
};

struct trace {
    struct reader reader;
    struct span *spans; /* track by track, in the order in which they began */
    uint32_t span_count, span_capacity;
    uint64_t open_spans, instants, values, states; /* values: of counters */
    uint64_t flows;                                /* different ones */
    struct process *processes;
    uint32_t process_count, process_capacity;
    struct thread *threads;
    uint32_t thread_count;
    uint64_t samples; /* those that were alike counted each */
    struct loss *losses;
    uint32_t loss_count, loss_capacity;
    /* of all events, in the trace's clock; both 0 where there are none */
    int64_t first_ns, last_ns;
};

/* What is kept beside what is always, and, last, what is not: it takes time and memory. */
enum trace_keep {
    TRACE_ARGUMENTS = 1, /* arguments and source locations of spans and instants */
    TRACE_CALLS = 2,     /* only as much of that as calls are told by */
    TRACE_FLOWS = 4,     /* which events take part in which flows */
    /* Instants, states and values of counters are counted; of a track with many only the first, the last, the least
     * and the most are kept. */
    TRACE_LEAN = 8,
};

/* An empty one, whose reader will keep that: enum trace_keep. */
void trace_begin(struct trace *trace, unsigned keep);
/* Reads the file ("-": the standard input). keep: enum trace_keep. Returns 0; or an enum marey_error where it cannot be
 * opened, memory is short, or it is no trace at all (MAREY_ENOTRACE; reader.looks_like says what it is); damage is no
 * error. trace_free in every case. */
int trace_read(struct trace *trace, const char *path, unsigned keep);
/* The same, and says how far it has come. watch: NULL, or it outlives the call. */
int trace_read_watched(struct trace *trace, const char *path, unsigned keep,
                       const struct source_watch *watch);
/* The same of bytes in memory. */
int trace_read_memory(struct trace *trace, const void *bytes, size_t size, unsigned keep);
/* The same of a source, which is closed; chooser: NULL, or it says what is kept beside tracks. */
int trace_read_source(struct trace *trace, struct source *source, unsigned keep,
                      const struct chooser *chooser);
void trace_free(struct trace *trace);

/* The text of a string number; "" for none. */
const char *trace_text(const struct trace *trace, uint32_t string);
/* The values of a counter's track; all 0 where it has none. */
struct counter_range {
    double least, most, last;
};
void trace_counter_range(const struct track *track, struct counter_range *range);
/* Whether the recorder counts on this track what it could not keep. */
int trace_is_loss(const struct trace *trace, const struct track *track);
/* The parent of a track, NULL where it has none or that is not known. */
const struct track *trace_parent(const struct trace *trace, const struct track *track);

#endif
