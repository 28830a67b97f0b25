/* See process_tree.h. */
#include "model/process_tree.h"

#include "model/grow.h"
#include "model/packet.h"

enum { COMMAND_LINE_MAX = 4096 };

/* The process, new or known; NULL where memory is short. */
static struct listed_process *find_process(struct process_tree *self, uint32_t machine,
                                           uint32_t pid) {
    uint64_t key = (uint64_t)machine << 32 | pid;
    uint32_t place = map_get(&self->by_pid, key);
    if (place != MAP_NONE)
        return &self->processes[place];
    place = self->process_count;
    if (GROW(self->processes, place, self->process_capacity) || map_put(&self->by_pid, key, place))
        return NULL;
    self->process_count++;
    self->processes[place] = (struct listed_process){.machine = machine, .pid = (int32_t)pid};
    return &self->processes[place];
}

static struct listed_thread *find_thread(struct process_tree *self, uint32_t machine, uint32_t pid,
                                         uint32_t tid) {
    uint64_t key = (uint64_t)pid << 32 | tid;
    if (machine)
        key = map_spread(key, machine);
    uint32_t place = map_get(&self->by_tid, key);
    if (place != MAP_NONE)
        return &self->threads[place];
    place = self->thread_count;
    if (GROW(self->threads, place, self->thread_capacity) || map_put(&self->by_tid, key, place))
        return NULL;
    self->thread_count++;
    self->threads[place] =
        (struct listed_thread){.machine = machine, .pid = (int32_t)pid, .tid = (int32_t)tid};
    return &self->threads[place];
}

static int read_process(struct reader *reader, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    char line[COMMAND_LINE_MAX];
    size_t length = 0;
    uint32_t pid = 0, name = 0;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.number == TREE_PROCESS__pid && field.wire == WIRE_VARINT)
            pid = (uint32_t)field.value;
        if (field.number != TREE_PROCESS__cmdline || field.wire != WIRE_BYTES)
            continue;
        if (!name)
            name = strings_add(&reader->strings, field.bytes);
        if (field.bytes.size + 1 > sizeof line - length)
            continue;
        if (length)
            line[length++] = ' ';
        memcpy(line + length, field.bytes.at, field.bytes.size);
        length += field.bytes.size;
    }
    struct listed_process *process =
        state ? NULL : find_process(&reader->tree, reader->machine, pid);
    if (process) {
        struct bytes all = {(const uint8_t *)line, length};
        process->name = name ? name : process->name;
        process->command_line = length ? strings_add(&reader->strings, all) : process->command_line;
    } else if (!state) {
        reader_out_of_memory(reader);
    }
    return state;
}

static int read_thread(struct reader *reader, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    uint32_t pid = 0, tid = 0, name = 0;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        switch (field.number << 3 | field.wire) {
        case TAG(TREE_THREAD__tid, WIRE_VARINT): tid = (uint32_t)field.value; break;
        case TAG(TREE_THREAD__tgid, WIRE_VARINT): pid = (uint32_t)field.value; break;
        case TAG(TREE_THREAD__name, WIRE_BYTES):
            name = strings_add(&reader->strings, field.bytes);
            break;
        default: break;
        }
    }
    struct listed_thread *thread =
        state ? NULL : find_thread(&reader->tree, reader->machine, pid, tid);
    if (thread)
        thread->name = name ? name : thread->name;
    else if (!state)
        reader_out_of_memory(reader);
    return state;
}

int process_tree_read(struct reader *reader, struct bytes bytes) {
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.size;
    struct field field;
    int state;
    while ((state = wire_next(&at, end, &field)) > 0) {
        if (field.wire != WIRE_BYTES)
            continue;
        if (field.number == PROCESS_TREE__processes && read_process(reader, field.bytes))
            return -1;
        if (field.number == PROCESS_TREE__threads && read_thread(reader, field.bytes))
            return -1;
    }
    return state;
}

void process_tree_free(struct process_tree *self) {
    free(self->processes);
    free(self->threads);
    map_free(&self->by_pid);
    map_free(&self->by_tid);
    *self = (struct process_tree){0};
}
