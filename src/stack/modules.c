#define _GNU_SOURCE
#include "stack/modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"

uint32_t modules_version_in(const char *path) {
    for (const char *at = path; (at = strstr(at, "python")); at++) {
        const char *digits = at + strlen("python");
        char *end;
        unsigned long major = strtoul(digits, &end, 10);
        if (end == digits || *end != '.' || major < 2 || major > 9)
            continue;
        const char *minor_text = end + 1;
        unsigned long minor = strtoul(minor_text, &end, 10);
        if (end != minor_text && minor < 100)
            return (uint32_t)(major << 8 | minor);
    }
    return 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A library named for Python first, then a program named so, then whatever runs, then all else. */
static int rank_of(const char *path, int index) {
    const char *name = base_name(path);
    if (strncmp(name, "libpython", 9) == 0)
        return 4;
    if (strncmp(name, "python", 6) == 0)
        return 3;
    if (strstr(name, "python") || index == 0)
        return 2;
    return strstr(name, ".so") ? 0 : 1;
}

static void add_region(struct module *module, uint64_t start, uint64_t end, bool writable) {
    if (module->regions_count < MODULE_REGIONS_MAX)
        module->regions[module->regions_count++] = (struct region){start, end, writable};
}

static struct module *find(struct modules *modules, const char *path) {
    for (int i = modules->count - 1; i >= 0; i--)
        if (strcmp(modules->list[i].path, path) == 0)
            return &modules->list[i];
    return NULL;
}

static struct module *add(struct modules *modules, const char *path) {
    if (modules->count == MODULES_MAX)
        return NULL;
    if ((modules->count & (modules->count - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
        size_t room = modules->count ? 2 * (size_t)modules->count : 1;
        struct module *list = realloc(modules->list, room * sizeof *list);
        if (!list)
            return NULL;
        modules->list = list;
    }
    struct module *module = &modules->list[modules->count];
    *module = (struct module){.path = strdup(path)};
    if (!module->path)
        return NULL;
    module->rank = rank_of(path, modules->count);
    module->python = modules_version_in(base_name(path));
    modules->count++;
    return module;
}

/* One line of maps. `last` is the module of the line before: zeroed data follow it without a name. */
static struct module *take_line(struct modules *modules, const char *line, struct module *last) {
    unsigned long start, end, offset, inode = 0;
    char rights[8];
    int path_at = 0;
    if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %n", &start, &end, rights, &offset, &inode,
               &path_at) < 5)
        return NULL;
    const char *path = path_at ? line + path_at : "";
    if (*path == '\0' && last && last->regions_count &&
        last->regions[last->regions_count - 1].end == start && rights[1] == 'w') {
        add_region(last, start, end, true);
        return last;
    }
    if (*path != '/')
        return NULL;
    if (!modules->python)
        modules->python = modules_version_in(path);
    struct module *module = last && strcmp(last->path, path) == 0 ? last : find(modules, path);
    if (!module) {
        module = add(modules, path);
        if (!module)
            return NULL;
        module->inode = inode;
        module->offset = offset;
        module->start = start;
        module->end = end;
    }
    add_region(module, start, end, rights[1] == 'w');
    return module;
}

static int likelier(const void *left, const void *right) {
    const struct module *a = left, *b = right;
    if (a->rank != b->rank)
        return b->rank - a->rank;
    return a->start < b->start ? -1 : a->start > b->start;
}

int modules_read(struct modules *modules, pid_t pid) {
    *modules = (struct modules){0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT || errno == ESRCH ? MAREY_ENOPROCESS : MAREY_EPTRACE;
    char *line = NULL;
    size_t room = 0;
    struct module *last = NULL;
    int lines = 0;
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        last = take_line(modules, line, last);
        lines++;
    }
    free(line);
    fclose(file);
    if (modules->count)
        qsort(modules->list, (size_t)modules->count, sizeof *modules->list, likelier);
    return lines ? 0 : MAREY_ENOPROCESS;
}

void modules_free(struct modules *modules) {
    for (int i = 0; i < modules->count; i++)
        free(modules->list[i].path);
    free(modules->list);
    *modules = (struct modules){0};
}
