/* Processes that the sampled ones start, found soon and at little cost.
 *
 * Each look asks the kernel for the number it gave last to a process or thread (/proc/loadavg): mostly none is new. The
 * few that are new are asked for their parent. Now and then, and where too many are new at once, the lists of children
 * in /proc are read instead, which miss nothing that still runs. */
#ifndef MAREY_STACK_CHILDREN_H
#define MAREY_STACK_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHILDREN_LOOK_NS = 5000000,   /* between two looks */
    CHILDREN_SCAN_NS = 250000000, /* between two readings of all lists */
    CHILDREN_SCAN_SHARE = 50,     /* and so many times as long as one takes, at the least */
    CHILDREN_NEW_MAX = 512,       /* numbers that are asked one by one */
    /* of them, how many may be asked again: a process that is just being made */
    CHILDREN_LATE = 32,
    CHILDREN_LATE_LOOKS = 3
};

/* One that may not be there yet. */
struct late_child {
    pid_t pid;
    int looks;
};

struct children {
    int fd; /* of /proc/loadavg */
    pid_t last;
    uint64_t look_ns, scan_ns; /* when the next is due */
    bool scan_soon;
    struct late_child late[CHILDREN_LATE];
    int late_count;
};

/* Who asks. */
struct children_family {
    void *context;
    bool (*has)(void *context, pid_t pid);
    void (*add)(void *context, pid_t pid, pid_t parent); /* a child of one that it has */
    pid_t (*member)(void *context,
                    int i); /* the i-th process, also of those added meanwhile; 0: no more */
};

void children_init(struct children *children);
void children_fini(struct children *children);
/* The lists are read at the next look. */
void children_scan_soon(struct children *children);
void children_look(struct children *children, const struct children_family *family,
                   uint64_t now_ns);

#endif
