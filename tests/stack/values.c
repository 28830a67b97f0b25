/* values PID: the variables of all frames of a process's threads.
 *
 *   F <function>                                     a frame, the innermost of a thread first
 *   L <argument|local|cell|free> <name> = <value>    a variable of it */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "marey.h"
#include "stack/unwind.h"
#include "stack/values.h"

static const char *const kinds[] = {"argument", "local", "cell", "free"};

static void print_frame(struct values *values, const struct frame *frame) {
    static struct variables variables;
    printf("F %s\n", frame->code->name);
    int error = values_read(values, frame, &variables);
    if (error)
        printf("E %d\n", error);
    for (int i = 0; i < variables.count; i++)
        printf("L %s %s = %s\n", kinds[variables.list[i].kind], variables.list[i].name,
               variables.list[i].value);
    if (variables.cut)
        printf("cut\n");
}

int main(int argc, char **argv) {
    static struct process process;
    struct thread_list threads = {0};
    struct unwinder unwinder;
    struct values *values;
    if (argc < 2 || process_open(&process, (pid_t)strtol(argv[1], NULL, 10)))
        return 1;
    unwinder_init(&unwinder, &process);
    if (values_open(&values, &process) || process_threads(&process, &threads))
        return 1;
    for (int i = 0; i < threads.count; i++) {
        struct thread_reader reader;
        struct stack stack;
        thread_reader_init(&reader, &unwinder, &threads.threads[i]);
        if (unwind_thread(&unwinder, &reader, &stack) == 0)
            for (int f = 0; f < stack.depth; f++)
                print_frame(values, &stack.frames[f]);
        thread_reader_fini(&reader);
    }
    values_close(values);
    thread_list_free(&threads);
    unwinder_fini(&unwinder);
    process_close(&process);
    return 0;
}
