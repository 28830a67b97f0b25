/* What is said of a recording when it has ended: a line, what was lost, the tables; or all that as JSON. */
#ifndef MAREY_CLI_ENDING_H
#define MAREY_CLI_ENDING_H

#include <stdint.h>
#include <stdio.h>

struct sampling_result;

struct ending {
    const char *command; /* "run" */
    const char *path;    /* of the trace */
    FILE *to;
    uint32_t rows; /* of each table; 0: all */
    int json, by_thread;
    const int *status; /* of the program that ran, as waitpid says it; NULL: none did */
    const struct sampling_result *sampling; /* NULL: nothing was sampled */
};

/* In a process of its own: whatever becomes of it, where memory is short for instance, the exit status is kept. */
void ending_report(const struct ending *ending);

#endif
