/* The programs and libraries that a process has mapped, as /proc/PID/maps lists them. */
#ifndef MAREY_STACK_MODULES_H
#define MAREY_STACK_MODULES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { MODULES_MAX = 4096, MODULE_REGIONS_MAX = 16 };

struct region {
    uint64_t start, end;
    bool writable;
};

struct module {
    char *path;      /* as the process sees it */
    uint64_t inode;  /* of the file that is mapped */
    uint64_t offset; /* in the file, of its first mapping */
    uint64_t start;  /* of that */
    uint64_t end;
    uint32_t python; /* the version that its name tells (0x0309), 0: none */
    int rank;        /* how likely it is Python itself; larger is likelier */
    /* all its mappings, and the zeroed data behind the last */
    struct region regions[MODULE_REGIONS_MAX];
    int regions_count;
};

struct modules {
    struct module *list;
    int count;
    /* the version that any name of a file tells, also of one that is not Python itself */
    uint32_t python;
};

/* Reads the list, likeliest first. Returns 0, MAREY_ENOPROCESS, MAREY_EPTRACE or MAREY_ENOMEM. */
int modules_read(struct modules *modules, pid_t pid);
void modules_free(struct modules *modules);

/* The version in a name like "libpython3.9.so.1.0", "python3.12" or "lib/python3.10/os.pyc" (0x0309, ...); 0: none. */
uint32_t modules_version_in(const char *path);

#endif
