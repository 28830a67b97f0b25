/* What several traces become when they are one: clocks related, ids given out. Made by reading each file once. */
#ifndef MAREY_CLI_MERGE_PLAN_H
#define MAREY_CLI_MERGE_PLAN_H

#include "cli/input.h"
#include "output/renaming.h"

enum {
    MERGE_FILES_MAX = 1000,
    MERGE_MACHINES_MAX = 1 << 16,
};

struct merge_options {
    const char *labels[MERGE_FILES_MAX]; /* "FILE=NAME" */
    uint32_t label_count;
    int align, join_flows;
};

struct merge_file {
    const char *path;
    const char *label; /* NULL: none was given */
    char *own_label;   /* in front of its attributes where it is not the first */
    char *host;        /* as it says itself; NULL: it does not */
    struct timebase timebase;
    struct renaming renaming;
    int64_t first_ns; /* on the file's trace clock: of its events and its clocks' first reading */
    int64_t first_event_ns; /* of its events alone; both 0 where there are none */
    int64_t wall_add_ns;    /* what makes wall-clock time of the trace clock's */
    int64_t shift_ns;       /* what makes the common clock's time of it */
    uint32_t first_machine; /* of the common trace */
    uint8_t has_wall, has_events, same_clock, damaged;
    uint64_t *pids; /* (machine, pid), sorted */
    uint32_t pid_count, pid_capacity;
    uint64_t *sequence_packets; /* while planning: by the reader's place */
    uint32_t sequence_capacity;
};

struct merge_plan {
    struct merge_file *files;
    uint32_t count;
    struct merge_file *base; /* whose clock is the common one */
    uint32_t machines;
    uint32_t last_track;
    int align;
};

/* Returns -1, or an exit status after saying what is wrong. merge_plan_free in any case. */
int merge_plan_make(struct merge_plan *plan, const struct merge_options *options, char **paths,
                    uint32_t count);
void merge_plan_free(struct merge_plan *plan);

/* The packet that relates the common clock to others, for a machine. Returns 0 where no file says anything. */
int merge_clock_packet(const struct merge_plan *plan, uint32_t machine, struct text *message);

#endif
