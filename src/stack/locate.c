#define _GNU_SOURCE
#include "stack/locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "marey.h"
#include "stack/elf.h"
#include "stack/modules.h"

enum { SCAN_BYTES_MAX = 64 << 20, SCAN_STEP = 1 << 20 };

/* A file by its name, if it is the one that is mapped: another may be in its place by now. */
static int open_by_name(struct elf *elf, const char *path, const struct module *module) {
    struct stat found;
    int error = elf_open(elf, path);
    if (error)
        return error;
    if (fstat(elf->fd, &found) == 0 && found.st_ino == module->inode)
        return 0;
    elf_close(elf);
    return MAREY_ENOENT;
}

/* The file of a module: what is mapped itself (also where it was removed or is in another mount namespace), else by its
 * name there, else by its name here. */
static int open_file(struct elf *elf, pid_t pid, const struct module *module) {
    char path[4352];
    snprintf(path, sizeof path, "/proc/%d/map_files/%lx-%lx", (int)pid,
             (unsigned long)module->start, (unsigned long)module->end);
    if (elf_open(elf, path) == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, module->path);
    if (open_by_name(elf, path, module) == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    if (open_by_name(elf, path, module) == 0)
        return 0;
    return open_by_name(elf, module->path, module);
}

/* Py_Version is there since 3.11. */
static uint32_t version_of_symbol(struct process *process, uint64_t address) {
    uint64_t hex = 0;
    if (!address || memory_read(&process->memory, address, &hex, sizeof hex))
        return 0;
    return hex >> 24 == 3 ? (uint32_t)(hex >> 16) : 0;
}

static int try_runtime(struct process *process, uint64_t runtime, uint32_t version) {
    int error = layout_find(&process->layout, &process->memory, runtime, version);
    if (error == 0) {
        process->runtime = runtime;
        process->version = process->layout.version;
    } else if (version) {
        process->version = version;
    } else if (process->layout.version > LAYOUT_NEWEST) { /* it says so itself */
        process->version = process->layout.version;
    }
    return error;
}

/* By its symbol, or its section. MAREY_ENOTPYTHON: this module has none. */
static int try_module(struct process *process, const struct modules *modules,
                      const struct module *module) {
    struct elf elf;
    uint64_t bias, runtime, version_at;
    if (open_file(&elf, process->memory.pid, module))
        return MAREY_ENOTPYTHON;
    bool known = elf_bias(&elf, module->offset, module->start, &bias) == 0;
    runtime = known ? elf_symbol(&elf, "_PyRuntime") : 0;
    if (known && !runtime)
        runtime = elf_section(&elf, ".PyRuntime");
    version_at = runtime ? elf_symbol(&elf, "Py_Version") : 0;
    elf_close(&elf);
    if (!runtime)
        return MAREY_ENOTPYTHON;
    uint32_t version = version_of_symbol(process, version_at ? version_at + bias : 0);
    if (!version)
        version = module->python ? module->python : modules->python;
    return try_runtime(process, runtime + bias, version);
}

/* ---- stripped of all names: looking for it in the data */

struct scan {
    struct process *process;
    uint32_t version;
    int error;
};

/* Is there a list of interpreters {head, main} at `words`, as a table of ours has it? One read tells nearly always. */
static bool try_interpreters(struct scan *scan, const uint64_t *words, uint64_t address) {
    uint64_t head = words[0], first = words[1];
    if (!head || !first || head % 8 || first % 8 || head < 4096 || first < 4096)
        return false;
    for (uint32_t version = LAYOUT_OLDEST; version < 0x030d; version++) {
        if (scan->version && scan->version != version)
            continue;
        const struct layout *table = layout_table(version);
        if (address < table->runtime_interpreters)
            continue;
        uint64_t runtime = address - table->runtime_interpreters;
        uint64_t thread = memory_pointer(&scan->process->memory, head + table->interp_threads);
        if (thread < 4096 || thread % 8 ||
            memory_pointer(&scan->process->memory, thread + table->thread_interp) != head)
            continue;
        if (try_runtime(scan->process, runtime, version) == 0)
            return true;
    }
    return false;
}

static bool scan_words(struct scan *scan, const uint64_t *words, size_t count, uint64_t address) {
    for (size_t i = 0; i + 1 < count; i++) {
        bool found =
            layout_has_cookie((const char *)&words[i])
                ? try_runtime(scan->process, address + i * 8, 0) == 0
                : scan->version < 0x030d && try_interpreters(scan, words + i, address + i * 8);
        if (found)
            return true;
    }
    return false;
}

static bool scan_region(struct scan *scan, const struct region *region, uint64_t *buffer) {
    uint64_t bytes = region->end - region->start;
    if (bytes > SCAN_BYTES_MAX)
        bytes = SCAN_BYTES_MAX;
    for (uint64_t at = 0; at < bytes; at += SCAN_STEP) {
        size_t step = bytes - at < SCAN_STEP ? (size_t)(bytes - at) : SCAN_STEP;
        if (memory_read(&scan->process->memory, region->start + at, buffer, step))
            continue;
        if (scan_words(scan, buffer, step / 8, region->start + at))
            return true;
    }
    return false;
}

static int scan_modules(struct process *process, const struct modules *modules) {
    uint64_t *buffer = malloc(SCAN_STEP);
    if (!buffer)
        return MAREY_ENOMEM;
    bool found = false;
    for (int i = 0; i < modules->count && !found; i++) {
        const struct module *module = &modules->list[i];
        uint32_t version = module->python ? module->python : modules->python;
        struct scan scan = {.process = process, .version = version};
        for (int r = 0; module->rank >= 2 && r < module->regions_count && !found; r++)
            if (module->regions[r].writable)
                found = scan_region(&scan, &module->regions[r], buffer);
    }
    free(buffer);
    return found ? 0 : MAREY_ENOTPYTHON;
}

/* A Python that is too old to have a runtime as we know it, by the name of its program or library. */
static uint32_t too_old(const struct modules *modules) {
    for (int i = 0; i < modules->count; i++)
        if (modules->list[i].rank >= 3 && modules->list[i].python &&
            modules->list[i].python < LAYOUT_OLDEST)
            return modules->list[i].python;
    return 0;
}

int locate_runtime(struct process *process) {
    struct modules modules;
    int error = modules_read(&modules, process->memory.pid);
    int worst = MAREY_ENOTPYTHON;
    if (error) {
        modules_free(&modules);
        return error;
    }
    for (int i = 0; i < modules.count; i++) {
        error = try_module(process, &modules, &modules.list[i]);
        if (error == 0)
            break;
        if (error != MAREY_ENOTPYTHON && worst == MAREY_ENOTPYTHON)
            worst = error;
    }
    if (error && worst == MAREY_ENOTPYTHON)
        error = scan_modules(process, &modules);
    else if (error)
        error = worst;
    uint32_t old = too_old(&modules);
    if (error && old) {
        process->version = old;
        error = MAREY_EVERSION;
    }
    modules_free(&modules);
    return error;
}

uint64_t locate_section(const struct process *process, const char *extension, const char *section) {
    struct modules modules;
    uint64_t found = 0, bias = 0;
    if (modules_read(&modules, process->memory.pid) == 0)
        for (int i = 0; i < modules.count && !found; i++) {
            const struct module *module = &modules.list[i];
            struct elf elf;
            if ((module->rank < 2 && !strstr(module->path, extension)) ||
                open_file(&elf, process->memory.pid, module))
                continue;
            if (elf_bias(&elf, module->offset, module->start, &bias) == 0)
                found = elf_section(&elf, section);
            elf_close(&elf);
        }
    modules_free(&modules);
    return found ? found + bias : 0;
}
