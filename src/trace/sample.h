/* Stack samples of any process, as StackSample packets of the calling thread's sequence (protos/perfetto/trace/
 * profiling/stack_sample.proto, v58), or PerfSample for older viewers.
 *
 * A samples_log belongs to one thread, which is not one that other code records from while it writes: all samples of a
 * session stand on one sequence. Frames and callstacks are interned anew in each chunk. Like every recording call it
 * never fails: what cannot be kept is counted. Memory is fixed when it is opened. */
#ifndef MAREY_TRACE_SAMPLE_H
#define MAREY_TRACE_SAMPLE_H

#include <stdbool.h>

#include "base/sample.h"
#include "marey.h"

struct samples_log;

enum samples_flags {
    SAMPLES_FOR_OLD_VIEWERS = 1, /* PerfSample with mappings: trace_processor before v58 */
};

/* The sampling interval is shown by viewers (nanoseconds). NULL: no memory. */
MAREY_API struct samples_log *marey__samples_open(uint64_t interval_ns, unsigned flags);
MAREY_API void marey__samples_close(struct samples_log *log);

/* A process, or a thread of it, by the names under which it is shown from now on; those of the own process are known to
 * the recorder already. command_line: arguments, each NUL-terminated. A name that begins with "python" gives way to what the
 * command line runs, as a Python that records by itself is named. */
MAREY_API void marey__samples_process(struct samples_log *log, int32_t pid, const char *name,
                                      const char *command_line, size_t command_line_bytes);
MAREY_API void marey__samples_thread(struct samples_log *log, int32_t pid, int32_t tid,
                                     const char *name);
/* An asyncio task by its name (async context of its samples). */
MAREY_API void marey__samples_task(struct samples_log *log, int32_t pid, uint64_t task,
                                   const char *name);

/* Nothing where nothing records. True: the session has no counts yet, they are to be said now. */
MAREY_API bool marey__samples_write(struct samples_log *log, const struct sample *sample);

/* What the sampler itself did so far, and how many samples were written, as counter tracks (base/sample.h names them). To be
 * called with the first sample of a session or before, about once a second, and when it ends. Counts begin with the first
 * call within a session: the sampler may be older. Reports take the rate from the first and the last. */
struct sampling_counts {
    uint64_t torn, missed;
    uint64_t cpu_ns; /* that sampling took */
};
MAREY_API void marey__samples_counts(struct samples_log *log, const struct sampling_counts *counts);

#endif
