/* See sampled.h. */
#include "sampled.h"

#include <stdio.h>

enum { WAYS = 4 }; /* places where an entry may stand */

static const uint64_t odd_1 = 0x9e3779b97f4a7c15u, odd_2 = 0xc2b2ae3d27d4eb4fu;

static uint32_t age(const struct sampled *self, const struct sampled_key *key) {
    return key->used ? self->tick - key->used : UINT32_MAX;
}

/* The entry of that key in a table of `count` (a power of two) entries of `size` bytes. A new one takes the place of the
 * one that was needed longest ago, of those that may stand where it does, and is all zero but for its key. */
static void *enter(struct sampled *self, void *table, size_t size, uint32_t count, uint64_t a,
                   uint64_t b) {
    uint64_t hash = (a * odd_1 ^ b * odd_2) * odd_1;
    char *set = (char *)table + (hash >> 32 & (count - 1) & ~(uint64_t)(WAYS - 1)) * size;
    struct sampled_key *oldest = (struct sampled_key *)(void *)set;
    self->tick += self->tick == UINT32_MAX ? 2 : 1; /* never 0 */
    for (int way = 0; way < WAYS; way++) {
        struct sampled_key *key = (struct sampled_key *)(void *)(set + (size_t)way * size);
        if (key->used && key->a == a && key->b == b) {
            key->used = self->tick;
            return key;
        }
        if (age(self, key) > age(self, oldest))
            oldest = key;
    }
    memset(oldest, 0, size);
    *oldest = (struct sampled_key){.a = a, .b = b, .used = self->tick};
    return oldest;
}

#define ENTER(self, table, a, b)                                                                   \
    enter(self, (self)->table, sizeof *(self)->table, sizeof(self)->table / sizeof *(self)->table, \
          a, b)

static struct sampled_process *process_of(struct sampled *self, int32_t pid) {
    return ENTER(self, processes, (uint32_t)pid, 0);
}

static struct sampled_thread *thread_of(struct sampled *self, int32_t pid, int32_t tid) {
    return ENTER(self, threads, (uint32_t)pid, (uint32_t)tid);
}

static struct sampled_context *context_of(struct sampled *self, const struct sample *sample) {
    uint64_t ids = (uint64_t)(uint32_t)sample->pid << 32 | (uint32_t)sample->tid;
    return ENTER(self, contexts, ids, sample->task);
}

static struct sampled_task *task_of(struct sampled *self, int32_t pid, uint64_t task) {
    return ENTER(self, tasks, (uint32_t)pid, task);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The argument behind `at`, NULL: there is none. */
static const char *next_argument(const struct sampled_process *process, const char *at) {
    const char *next = at + strlen(at) + 1;
    return next < process->command_line + process->command_line_bytes ? next : NULL;
}

/* What a Python runs says more than that it is one: the script, or the module of -m. NULL: neither. */
static const char *python_program(const struct sampled_process *process) {
    const char *at = process->command_line;
    while ((at = next_argument(process, at))) {
        size_t bytes = strlen(at);
        if (*at != '-' || bytes < 2)
            return *at == '-' ? NULL : base_name(at);
        char last = at[bytes - 1];
        if (at[1] == 'm' && bytes > 2)
            return at + 2;
        if (at[1] != '-' && last == 'm')
            return next_argument(process, at);
        if (at[1] != '-' && last == 'c')
            return NULL;
        if (bytes == 2 && (last == 'W' || last == 'X')) /* a value follows */
            at = next_argument(process, at);
        if (!at)
            return NULL;
    }
    return NULL;
}

static void name_process(struct sampled_process *process, const char *name) {
    const char *program = NULL;
    if (strncmp(name, "python", 6) == 0 && process->command_line_bytes)
        program = python_program(process);
    snprintf(process->name, sizeof process->name, "%s", program && *program ? program : name);
}

void sampled_set_process(struct sampled *self, int32_t pid, const char *name,
                         const char *command_line, size_t command_line_bytes) {
    struct sampled_process *process = process_of(self, pid);
    size_t bytes = command_line_bytes < SAMPLED_COMMAND_LINE - 1 ? command_line_bytes
                                                                 : SAMPLED_COMMAND_LINE - 1;
    if (bytes)
        memcpy(process->command_line, command_line, bytes);
    process->command_line[bytes] = 0;
    process->command_line_bytes = (uint32_t)bytes;
    name_process(process, name ? name : "");
    process->key.generation = 0;
}

void sampled_set_thread(struct sampled *self, int32_t pid, int32_t tid, const char *name) {
    struct sampled_thread *thread = thread_of(self, pid, tid);
    snprintf(thread->name, sizeof thread->name, "%s", name ? name : "");
    thread->key.generation = 0;
}

/* A task that the chunk knows by another name keeps it there: numbers are given once. */
void sampled_set_task(struct sampled *self, int32_t pid, uint64_t task, const char *name) {
    struct sampled_task *entry = task_of(self, pid, task);
    snprintf(entry->name, sizeof entry->name, "%s", name ? name : "");
}

void sampled_forget(struct sampled *self) {
    self->generation++;
    if (self->generation == 0)
        self->generation = 1;
}

void sampled_restart(struct sampled *self) {
    sampled_forget(self);
    self->contexts_used = self->tasks_used = 0;
}

/* ------------------------------------------------------------- descriptions */

int sampled_is_known(struct sampled *self, int32_t pid, int32_t tid) {
    return thread_of(self, pid, tid)->key.generation == self->generation &&
           process_of(self, pid)->key.generation == self->generation;
}

/* Viewers take the first argument for the process's name. */
static void pack_command_line(struct pack *pack, const struct sampled_process *process) {
    const char *name = process->name;
    size_t used = process->command_line_bytes ? strlen(process->command_line) + 1 : 0;
    if (!*name)
        name = process->command_line;
    if (!*name)
        return;
    pack_text(pack, TREE_PROCESS__cmdline, name, strlen(name), SAMPLED_COMMAND_LINE);
    while (used < process->command_line_bytes) {
        const char *argument = process->command_line + used;
        size_t bytes = strlen(argument);
        pack_text(pack, TREE_PROCESS__cmdline, argument, bytes, SAMPLED_COMMAND_LINE);
        used += bytes + 1;
    }
}

static void describe_process(struct pack *pack, const struct sampled_process *process) {
    uint8_t *entry = pack_open(pack, PROCESS_TREE__processes);
    pack_varint(pack, TREE_PROCESS__pid, process->key.a);
    pack_command_line(pack, process);
    pack_close(pack, entry);
}

static void describe_thread(struct pack *pack, const struct sampled_thread *thread) {
    uint8_t *entry = pack_open(pack, PROCESS_TREE__threads);
    pack_varint(pack, TREE_THREAD__tid, thread->key.b);
    if (*thread->name)
        pack_text(pack, TREE_THREAD__name, thread->name, strlen(thread->name), SAMPLED_NAME);
    pack_varint(pack, TREE_THREAD__tgid, thread->key.a);
    pack_close(pack, entry);
}

void sampled_describe(struct sampled *self, struct pack *pack, int32_t pid, int32_t tid) {
    struct sampled_process *process = process_of(self, pid);
    struct sampled_thread *thread = thread_of(self, pid, tid);
    if (process->key.generation != self->generation)
        describe_process(pack, process);
    if (thread->key.generation != self->generation)
        describe_thread(pack, thread);
    process->key.generation = thread->key.generation = self->generation;
}

/* ----------------------------------------------------------------- contexts */

uint32_t sampled_find_context(struct sampled *self, const struct sample *sample) {
    const struct sampled_context *context = context_of(self, sample);
    return context->key.generation == self->generation ? context->iid : 0;
}

static uint32_t intern_task(struct sampled *self, struct pack *pack, int32_t pid, uint64_t number) {
    struct sampled_task *task = task_of(self, pid, number);
    if (task->key.generation == self->generation)
        return task->iid;
    task->key.generation = self->generation;
    task->iid = ++self->tasks_used;
    uint8_t *entry = pack_open(pack, INTERNED__async_contexts);
    pack_varint(pack, ASYNC_CONTEXT__iid, task->iid);
    pack_text(pack, ASYNC_CONTEXT__name, task->name, strlen(task->name), SAMPLED_NAME);
    pack_bytes(pack, ASYNC_CONTEXT__kind, "asyncio", 7);
    pack_close(pack, entry);
    return task->iid;
}

uint32_t sampled_intern_context(struct sampled *self, struct pack *pack,
                                const struct sample *sample) {
    uint32_t task = sample->task ? intern_task(self, pack, sample->pid, sample->task) : 0;
    struct sampled_context *context = context_of(self, sample);
    context->key.generation = self->generation;
    context->iid = ++self->contexts_used;
    uint8_t *entry = pack_open(pack, INTERNED__task_contexts);
    pack_varint(pack, TASK_CONTEXT__iid, context->iid);
    pack_varint(pack, TASK_CONTEXT__pid, (uint32_t)sample->pid);
    pack_varint(pack, TASK_CONTEXT__tid, (uint32_t)sample->tid);
    if (task)
        pack_varint(pack, TASK_CONTEXT__async_id, task);
    pack_close(pack, entry);
    return context->iid;
}
