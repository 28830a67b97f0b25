/* Every different stack that was seen, written once: what the tests of the unwinder look at.
 *
 *   S <tid> <thread's name> TAB <function>@<file>:<line> ; ...     a stack, the outermost call first
 *   G <tid> <holds|waits|-> <running|idle|-> <gc|->                how its thread stood
 *   P <tid> <name>                                                 what threading calls a thread
 *   C <n> <times>                                                  at the end: how often the n-th of them was seen
 *   N <stacks> <torn> <retries> <misses>                           at the end */
#ifndef TESTS_STACK_STACK_LIST_H
#define TESTS_STACK_STACK_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stack/unwind.h"

enum { SEEN_MAX = 1 << 18 };

static uint64_t seen[SEEN_MAX];
static int seen_number[SEEN_MAX];
static uint32_t seen_times[SEEN_MAX];
static int seen_count;

static inline uint64_t hash_of(const struct layout *layout, pid_t tid, const struct stack *stack) {
    uint64_t hash = (uint64_t)tid * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < stack->depth; i++) {
        int line = code_line(layout, stack->frames[i].code, stack->frames[i].index);
        hash = (hash ^ stack->frames[i].code_id) * 0x9e3779b97f4a7c15u;
        hash = ((hash ^ (hash >> 29)) ^ (uint64_t)line) * 0xbf58476d1ce4e5b9u;
    }
    return hash ? hash : 1;
}

static inline bool is_new(uint64_t hash) {
    uint32_t i = (uint32_t)(hash >> 20) % SEEN_MAX;
    while (seen[i] && seen[i] != hash)
        i = (i + 1) % SEEN_MAX;
    if (seen[i])
        seen_times[seen_number[i]]++;
    if (seen[i] || seen_count > SEEN_MAX / 2)
        return false;
    seen[i] = hash;
    seen_number[i] = seen_count++;
    seen_times[seen_number[i]] = 1;
    return true;
}

static inline void stack_print(FILE *out, const struct layout *layout, pid_t pid, pid_t tid,
                               const struct stack *stack) {
    char name[PROC_NAME_BYTES];
    proc_thread_name(pid, tid, name);
    fprintf(out, "S %d %s\t", (int)tid, name);
    for (int i = stack->depth - 1; i >= 0; i--) {
        const struct frame *frame = &stack->frames[i];
        fprintf(out, "%s@%s:%d%s", frame->code->name, frame->code->file,
                code_line(layout, frame->code, frame->index), i ? ";" : "");
    }
    fprintf(out, "\n");
}

static inline void counts_print(FILE *out, const struct unwind_counts *counts) {
    for (int i = 0; i < seen_count; i++)
        fprintf(out, "C %d %u\n", i, seen_times[i]);
    fprintf(out, "N %llu %llu %llu %llu\n", (unsigned long long)counts->stacks,
            (unsigned long long)counts->torn, (unsigned long long)counts->retries,
            (unsigned long long)counts->misses);
}

#endif
