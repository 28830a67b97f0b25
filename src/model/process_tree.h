/* Processes and threads that a trace names by their ids alone: those that were watched from outside. */
#ifndef MAREY_MODEL_PROCESS_TREE_H
#define MAREY_MODEL_PROCESS_TREE_H

#include "model/map.h"

struct listed_process {
    uint32_t machine;
    int64_t pid;
    uint32_t name, command_line; /* strings */
};

struct listed_thread {
    uint32_t machine;
    int64_t pid, tid;
    uint32_t name; /* strings */
};

/* All zero is empty. */
struct process_tree {
    struct listed_process *processes;
    uint32_t process_count, process_capacity;
    struct listed_thread *threads;
    uint32_t thread_count, thread_capacity;
    struct map by_pid, by_tid;
};

void process_tree_free(struct process_tree *tree);

#endif
