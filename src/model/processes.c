/* See processes.h.
 *
 * Two tracks of the same thread id are two threads, one after the other: a thread's number serves again when it has ended.
 * A thread that is only named or sampled is the last of these, if there is one. */
#include "model/processes.h"

#include <string.h>

#include "model/grow.h"

/* Threads as they turn up, before they are put process by process. */
struct finding {
    struct trace *trace;
    struct map process_places; /* by machine and pid */
    struct map tid_places;     /* thread ids take 64 bits: numbers for them */
    struct map thread_places;  /* by process and number */
    struct thread *threads;    /* in the order of the file */
    uint32_t *owners;          /* of each: its process */
    uint32_t count, capacity, owner_capacity;
};

/* The process of that id, new or known. MAP_NONE where memory is short. */
static uint32_t find_process(struct finding *self, uint32_t machine, int64_t pid) {
    struct trace *trace = self->trace;
    /* JSON has ids of 64 bits. */
    uint64_t key = machine ? map_spread((uint64_t)pid, machine) : (uint64_t)pid;
    uint32_t place = map_get(&self->process_places, key);
    if (place != MAP_NONE)
        return place;
    place = trace->process_count;
    if (GROW(trace->processes, place, trace->process_capacity) ||
        map_put(&self->process_places, key, place))
        return MAP_NONE;
    trace->processes[place] = (struct process){.pid = pid, .machine = machine};
    trace->process_count++;
    return place;
}

static uint64_t thread_key(struct finding *self, uint32_t process, int64_t tid) {
    uint32_t number = map_get(&self->tid_places, (uint64_t)tid);
    if (number == MAP_NONE) {
        number = self->tid_places.count;
        if (map_put(&self->tid_places, (uint64_t)tid, number))
            return UINT64_MAX;
    }
    return (uint64_t)process << 32 | number;
}

/* A new thread, which is the one of its id from now on. NULL where memory is short. */
static struct thread *add_thread(struct finding *self, uint32_t process,
                                 const struct thread *thread) {
    uint64_t key = thread_key(self, process, thread->tid);
    uint32_t place = self->count;
    if (key == UINT64_MAX || GROW(self->threads, place, self->capacity) ||
        GROW(self->owners, place, self->owner_capacity) ||
        map_put(&self->thread_places, key, place))
        return NULL;
    self->threads[place] = *thread;
    self->threads[place].process = process;
    self->owners[place] = process;
    self->trace->processes[process].threads++;
    self->count++;
    return &self->threads[place];
}

/* The thread of those ids, new or known. NULL where memory is short. */
static struct thread *find_thread(struct finding *self, uint32_t machine, int64_t pid,
                                  int64_t tid) {
    uint32_t process = find_process(self, machine, pid);
    uint64_t key = process == MAP_NONE ? UINT64_MAX : thread_key(self, process, tid);
    if (key == UINT64_MAX)
        return NULL;
    uint32_t place = map_get(&self->thread_places, key);
    if (place != MAP_NONE)
        return &self->threads[place];
    return add_thread(self, process, &(struct thread){.pid = pid, .tid = tid, .track = MAP_NONE});
}

/* ------------------------------------------------------------------- tracks */

const struct track *track_owner(const struct trace *trace, const struct track *track) {
    for (int i = 0; track && i < PARENTS_MAX; i++) {
        if (track->kind == TRACK_PROCESS || track->kind == TRACK_THREAD)
            return track;
        track = trace_parent(trace, track);
    }
    return NULL;
}

static int take_track(struct finding *self, uint32_t place) {
    struct trace *trace = self->trace;
    struct track *track = &trace->reader.tracks.all[place];
    const struct track *whose = track_owner(trace, track);
    if (!whose)
        return 0;
    track->process = find_process(self, whose->machine, whose->pid);
    if (track->process == MAP_NONE)
        return -1;
    struct process *process = &trace->processes[track->process];
    process->events += track->total;
    process->spans += track->spans;
    if (track->kind == TRACK_PROCESS) {
        process->name = track->name ? track->name : process->name;
        process->command_line = track->command_line ? track->command_line : process->command_line;
    }
    if (track->kind != TRACK_THREAD)
        return 0;
    struct thread thread = {.pid = track->pid,
                            .tid = track->tid,
                            .name = track->name,
                            .track = place,
                            .events = track->total,
                            .spans = track->spans};
    return add_thread(self, track->process, &thread) ? 0 : -1;
}

/* ------------------------------------------------------- watched from outside */

/* Of a name that is no more than an interpreter's: "python3.11". It is the system's, for want of another. */
static int says_little(const struct trace *trace, uint32_t name) {
    static const char interpreter[] = "python";
    const char *text = trace_text(trace, name);
    size_t length = sizeof interpreter - 1;
    return strncmp(text, interpreter, length) == 0 &&
           text[length + strspn(text + length, "0123456789.")] == 0;
}

/* What a process says of itself counts more, if it says anything. */
static uint32_t better_name(const struct trace *trace, uint32_t own, uint32_t listed) {
    return own && !(listed && says_little(trace, own)) ? own : listed;
}

static int take_listed(struct finding *self) {
    const struct process_tree *tree = &self->trace->reader.tree;
    for (uint32_t i = 0; i < tree->process_count; i++) {
        uint32_t place = find_process(self, tree->processes[i].machine, tree->processes[i].pid);
        if (place == MAP_NONE)
            return -1;
        struct process *process = &self->trace->processes[place];
        process->name = better_name(self->trace, process->name, tree->processes[i].name);
        if (!process->command_line)
            process->command_line = tree->processes[i].command_line;
    }
    for (uint32_t i = 0; i < tree->thread_count; i++) {
        const struct listed_thread *listed = &tree->threads[i];
        struct thread *thread = find_thread(self, listed->machine, listed->pid, listed->tid);
        if (!thread)
            return -1;
        thread->name = better_name(self->trace, thread->name, listed->name);
    }
    return 0;
}

static int take_sampled(struct finding *self) {
    struct samples *samples = &self->trace->reader.samples;
    for (uint32_t i = 0; i < samples->thread_count; i++) {
        struct sampled_thread *sampled = &samples->threads[i];
        struct thread *thread = find_thread(self, sampled->machine, sampled->pid, sampled->tid);
        if (!thread)
            return -1;
        sampled->thread = (uint32_t)(thread - self->threads);
        thread->samples += sampled->samples;
        self->trace->processes[thread->process].samples += sampled->samples;
    }
    return 0;
}

/* ---------------------------------------------------------------------- all */

/* Puts the threads process by process, in the order in which they were found. */
static int list_threads(struct finding *self) {
    struct trace *trace = self->trace;
    struct samples *samples = &trace->reader.samples;
    uint32_t total = 0;
    for (uint32_t i = 0; i < trace->process_count; i++) {
        trace->processes[i].first_thread = total;
        total += trace->processes[i].threads;
        trace->processes[i].threads = 0;
    }
    if (!total)
        return 0;
    trace->threads = calloc(total, sizeof *trace->threads);
    if (!trace->threads)
        return -1;
    trace->thread_count = total;
    for (uint32_t i = 0; i < self->count; i++) {
        struct process *process = &trace->processes[self->owners[i]];
        self->owners[i] = process->first_thread + process->threads++;
        trace->threads[self->owners[i]] = self->threads[i];
    }
    for (uint32_t i = 0; i < samples->thread_count; i++)
        samples->threads[i].thread = self->owners[samples->threads[i].thread];
    return 0;
}

int processes_find(struct trace *trace) {
    struct finding self = {.trace = trace};
    int error = 0;
    for (uint32_t i = 0; !error && i < trace->reader.tracks.count; i++)
        error = take_track(&self, i);
    if (!error)
        error = take_listed(&self) || take_sampled(&self) || list_threads(&self) ? -1 : 0;
    map_free(&self.process_places);
    map_free(&self.tid_places);
    map_free(&self.thread_places);
    free(self.threads);
    free(self.owners);
    return error;
}
