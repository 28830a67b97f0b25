/* Processes, threads and tasks of others: what the sampler said of them, and which of them a chunk knows.
 *
 * They are described by a ProcessTree packet (protos/perfetto/trace/ps/process_tree.proto), which names them by their ids
 * alone. A process that records by itself has tracks for the same ids; a track descriptor of ours beside them would make
 * viewers believe that the ids had been given anew, and show two processes.
 *
 * The tables have fixed sizes: where there are more, the one that was needed longest ago is forgotten, and shown by its
 * ids alone if it is sampled again. */
#ifndef MAREY_TRACE_SAMPLED_H
#define MAREY_TRACE_SAMPLED_H

#include "base/sample.h"
#include "pack.h"

enum {
    SAMPLED_PROCESSES = 1024,
    SAMPLED_THREADS = 4096,
    SAMPLED_TASKS = 4096,
    SAMPLED_NAME = 64,
    SAMPLED_COMMAND_LINE = 256,
    SAMPLED_TREE_BYTES = 512 /* room for a description of a process and a thread */
};

/* How every entry of the tables begins. */
struct sampled_key {
    uint64_t a, b;
    uint32_t used;       /* when it was last needed; 0: free */
    uint32_t generation; /* the chunk that knows it */
};

struct sampled_process {
    struct sampled_key key; /* pid */
    uint32_t command_line_bytes;
    char name[SAMPLED_NAME];
    char command_line[SAMPLED_COMMAND_LINE]; /* arguments, each NUL-terminated */
};

struct sampled_thread {
    struct sampled_key key; /* pid, tid */
    char name[SAMPLED_NAME];
};

/* A task, or a thread itself (task 0), as it is named in samples: by a number of the chunk. */
struct sampled_context {
    struct sampled_key key; /* pid and tid, task */
    uint32_t iid;
};

struct sampled_task {
    struct sampled_key key; /* pid, task */
    uint32_t iid;           /* as a context of its own */
    char name[SAMPLED_NAME];
};

struct sampled {
    uint32_t generation, tick;
    uint32_t contexts_used, tasks_used; /* iids of this chunk */
    struct sampled_process processes[SAMPLED_PROCESSES];
    struct sampled_thread threads[SAMPLED_THREADS];
    struct sampled_task tasks[SAMPLED_TASKS];
    struct sampled_context contexts[SAMPLED_THREADS];
};

void sampled_set_process(struct sampled *sampled, int32_t pid, const char *name,
                         const char *command_line, size_t command_line_bytes);
void sampled_set_thread(struct sampled *sampled, int32_t pid, int32_t tid, const char *name);
void sampled_set_task(struct sampled *sampled, int32_t pid, uint64_t task, const char *name);

/* A new chunk: nobody is known there. */
void sampled_restart(struct sampled *sampled);
/* What was packed last is not in the chunk. */
void sampled_forget(struct sampled *sampled);

/* Whether the chunk knows this thread and its process. */
int sampled_is_known(struct sampled *sampled, int32_t pid, int32_t tid);
/* Packs those of the two that it does not know, as fields of ProcessTree. */
void sampled_describe(struct sampled *sampled, struct pack *pack, int32_t pid, int32_t tid);

/* The number by which samples of this thread and task are marked in the chunk; 0: none yet. */
uint32_t sampled_find_context(struct sampled *sampled, const struct sample *sample);
/* A new one, packed as fields of InternedData. */
uint32_t sampled_intern_context(struct sampled *sampled, struct pack *pack,
                                const struct sample *sample);

#endif
