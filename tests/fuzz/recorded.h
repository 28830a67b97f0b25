/* A process's memory as far as it was read, in a file: the input of fuzz_objects, made of a real process by
 * tests/stack/record.c.
 *
 * The file: version (4 bytes), runtime (8), then pieces: address (8), length (2), so many bytes. All are little-endian. */
#ifndef TESTS_FUZZ_RECORDED_H
#define TESTS_FUZZ_RECORDED_H

#include <stdlib.h>
#include <string.h>

#include "stack/asyncio.h"
#include "stack/thread_names.h"
#include "stack/unwind.h"
#include "stack/values.h"

enum { RECORDED_HEAD_BYTES = 12, RECORDED_PIECE_BYTES = 10 };

/* Reads all that there is to read of a process's objects: what is recorded, and what is tried with mutated records. */
static inline void read_objects(struct process *process) {
    static struct variables variables;
    struct unwinder unwinder;
    struct thread_list threads = {0};
    struct asyncio_tasks tasks = {0};
    struct asyncio *asyncio = NULL;
    struct values *values = NULL;
    struct thread_names *names = NULL;
    struct stack stack;
    char name[THREAD_NAME_BYTES];
    unwinder_init(&unwinder, process);
    if (asyncio_open(&asyncio, &unwinder) || values_open(&values, process) ||
        thread_names_open(&names, process))
        abort();
    if (process_threads(process, &threads) == 0)
        for (int i = 0; i < threads.count && i < 4; i++) {
            struct thread_reader reader;
            thread_names_find(names, &threads.threads[i], name);
            thread_reader_init(&reader, &unwinder, &threads.threads[i]);
            if (unwind_thread(&unwinder, &reader, &stack) == 0)
                for (int f = 0; f < stack.depth && f < 16; f++)
                    values_read(values, &stack.frames[f], &variables);
            thread_reader_fini(&reader);
        }
    if (asyncio_list(asyncio, &threads, &tasks) == 0)
        for (int i = 0; i < tasks.count && i < 64; i++)
            if (asyncio_stack(asyncio, &tasks.list[i], &stack) == 0 && stack.depth)
                values_read(values, &stack.frames[0], &variables);
    asyncio_tasks_free(&tasks);
    thread_names_close(names);
    values_close(values);
    asyncio_close(asyncio);
    thread_list_free(&threads);
    unwinder_fini(&unwinder);
}

#endif
