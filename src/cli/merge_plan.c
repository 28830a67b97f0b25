/* See merge_plan.h. */
#include "cli/merge_plan.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "model/grow.h"

/* Clocks of one host, as related by its wall-clock time at two moments, differ by what that was set right in between. */
enum { SAME_CLOCK_NS = 1000000000 };

/* A file while it is read for the first time. */
struct scan {
    struct merge_file *file;
    int64_t first_ns[CLOCKS_MAX]; /* by the timebase's clock: of its events */
    uint8_t seen[CLOCKS_MAX];
};

/* A sequence that is to get a number. */
struct candidate {
    struct merge_file *file;
    uint64_t key, packets;
};

struct candidates {
    struct candidate *all;
    uint32_t count, capacity;
};

static int64_t minus(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int out_of_memory(const char *path) {
    read_error("merge", path, MAREY_ENOMEM);
    return EXIT_FOUND;
}

/* ----------------------------------------------------------------- one file */

static void note_time(struct scan *scan, uint8_t clock, int64_t time_ns) {
    if (clock >= CLOCKS_MAX || (scan->seen[clock] && scan->first_ns[clock] <= time_ns))
        return;
    scan->seen[clock] = 1;
    scan->first_ns[clock] = time_ns;
}

static void hear_event(void *context, uint32_t track, const struct event *event) {
    (void)track;
    note_time(context, event->clock, event->time_ns);
}

static void hear_sample(void *context, const struct taken_sample *sample) {
    note_time(context, sample->clock, sample->time_ns);
}

/* Counts the packets of the sequence that the reader took last. Returns 0 or -1. */
static int count_packet(struct merge_file *file, const struct reader *reader) {
    if (!reader->taken)
        return 0;
    uint32_t place = (uint32_t)(reader->taken - reader->sequences);
    while (place >= file->sequence_capacity) {
        uint32_t before = file->sequence_capacity;
        if (GROW(file->sequence_packets, before, file->sequence_capacity))
            return -1;
        memset(file->sequence_packets + before, 0,
               (file->sequence_capacity - before) * sizeof *file->sequence_packets);
    }
    file->sequence_packets[place]++;
    return 0;
}

/* The first event, and the first moment of which anything is said, on the file's trace clock. */
static void find_times(struct scan *scan) {
    struct merge_file *file = scan->file;
    struct timebase *timebase = &file->timebase;
    for (uint32_t clock = 0; clock < timebase->clocks; clock++) {
        int64_t time = scan->first_ns[clock];
        if (!scan->seen[clock] || timebase_convert(timebase, clock, &time) || time < 0)
            continue;
        if (!file->has_events || time < file->first_event_ns)
            file->first_event_ns = time;
        file->has_events = 1;
    }
    file->first_ns = file->first_event_ns;
    for (uint32_t i = 0; i < timebase->reading_count; i++) {
        const struct clock_reading *reading = &timebase->readings[i];
        if (reading->clock == timebase->trace_clock && reading->time_ns >= 0 &&
            (!file->has_events || reading->time_ns < file->first_ns))
            file->first_ns = reading->time_ns;
    }
    int64_t wall_ns = timebase_wall_ns(timebase, file->first_ns);
    file->has_wall = wall_ns != 0;
    file->wall_add_ns = minus(wall_ns, file->first_ns);
}

static int add_pid(struct merge_file *file, uint32_t machine, int64_t pid) {
    if (GROW(file->pids, file->pid_count, file->pid_capacity))
        return -1;
    file->pids[file->pid_count++] = (uint64_t)machine << 32 | (uint32_t)pid;
    return 0;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The process ids that the file speaks of, each once. */
static int find_pids(struct merge_file *file, const struct reader *reader) {
    int failed = 0;
    for (uint32_t i = 0; i < reader->tracks.count; i++) {
        const struct track *track = &reader->tracks.all[i];
        if (track->kind == TRACK_PROCESS || track->kind == TRACK_THREAD)
            failed |= add_pid(file, track->machine, track->pid);
    }
    for (uint32_t i = 0; i < reader->tree.process_count; i++)
        failed |= add_pid(file, reader->tree.processes[i].machine, reader->tree.processes[i].pid);
    for (uint32_t i = 0; i < reader->samples.thread_count; i++)
        failed |= add_pid(file, reader->samples.threads[i].machine, reader->samples.threads[i].pid);
    if (failed || !file->pid_count)
        return failed;
    qsort(file->pids, file->pid_count, sizeof *file->pids, compare_numbers);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < file->pid_count; i++)
        if (file->pids[i] != file->pids[kept - 1])
            file->pids[kept++] = file->pids[i];
    file->pid_count = kept;
    return 0;
}

static int find_host(struct merge_file *file, const struct reader *reader) {
    for (uint32_t i = 0; i < reader->attribute_count; i++) {
        const char *key = strings_text(&reader->strings, reader->attributes[i].key);
        const char *host = strings_text(&reader->strings, reader->attributes[i].text);
        if (!file->host && key && host && !strcmp(key, "host")) {
            file->host = strdup(host);
            return file->host ? 0 : -1;
        }
    }
    return 0;
}

static int add_candidates(struct candidates *candidates, struct merge_file *file,
                          const struct reader *reader) {
    for (uint32_t i = 0; i < reader->sequence_count; i++) {
        const struct sequence *sequence = &reader->sequences[i];
        uint64_t packets = i < file->sequence_capacity ? file->sequence_packets[i] : 0;
        if (GROW(candidates->all, candidates->count, candidates->capacity))
            return -1;
        candidates->all[candidates->count++] =
            (struct candidate){file, renaming_key(sequence->machine, sequence->id), packets};
    }
    return 0;
}

/* What the reader knows when it has read all. Returns 0 or -1. */
static int take_facts(struct scan *scan, struct reader *reader, struct candidates *candidates) {
    struct merge_file *file = scan->file;
    file->timebase = reader->timebase;
    timebase_init(&reader->timebase);
    if (timebase_settle(&file->timebase))
        return -1;
    find_times(scan);
    return find_pids(file, reader) || find_host(file, reader) ||
                   add_candidates(candidates, file, reader)
               ? -1
               : 0;
}

/* Reads the file for the first time. Returns -1, or an exit status. */
static int scan_file(struct merge_file *file, struct candidates *candidates) {
    struct scan scan = {.file = file};
    const struct listener listener = {hear_event, hear_sample, &scan};
    struct input input;
    int failed = 0;
    if (input_open(&input, "merge", file->path, &listener))
        return EXIT_FOUND;
    while (!failed && input_next(&input))
        failed = count_packet(file, &input.reader);
    file->damaged = (uint8_t)input_check(&input);
    int unreadable = input.reader.error || !input.reader.packets;
    if (!unreadable && !failed)
        failed = take_facts(&scan, &input.reader, candidates);
    input_close(&input);
    return failed ? out_of_memory(file->path) : unreadable ? EXIT_FOUND : -1;
}

/* ---------------------------------------------------------------- all files */

/* Files that name no host may be of any: what each says of its processes stays apart. */
static int is_one_host(const struct merge_file *a, const struct merge_file *b) {
    return a->host && b->host && !strcmp(a->host, b->host);
}

/* The clock of the first file that knows the wall-clock time is everybody's. */
static void relate_clocks(struct merge_plan *plan) {
    struct merge_file *base = &plan->files[0];
    int64_t lowest = 0;
    for (uint32_t i = 0; i < plan->count && !base->has_wall; i++)
        if (plan->files[i].has_wall)
            base = &plan->files[i];
    plan->base = base;
    for (uint32_t i = 0; i < plan->count; i++) {
        struct merge_file *file = &plan->files[i];
        int64_t apart = minus(file->wall_add_ns, base->wall_add_ns);
        if (plan->align) {
            file->shift_ns = minus(base->first_event_ns, file->first_event_ns);
        } else if (file->has_wall && base->has_wall) {
            file->same_clock = file != base && is_one_host(file, base) && apart < SAME_CLOCK_NS &&
                               apart > -SAME_CLOCK_NS;
            file->shift_ns = file->same_clock ? 0 : apart;
        }
        int64_t first = plus(file->first_ns, file->shift_ns);
        lowest = first < lowest ? first : lowest;
    }
    /* The common clock begins early enough for all. */
    for (uint32_t i = 0; i < plan->count; i++)
        plan->files[i].renaming.add_ns = minus(plan->files[i].shift_ns, lowest);
}

static int shares_pids(const struct merge_file *a, const struct merge_file *b) {
    uint32_t i = 0, j = 0;
    while (i < a->pid_count && j < b->pid_count) {
        if (a->pids[i] == b->pids[j])
            return 1;
        if (a->pids[i] < b->pids[j])
            i++;
        else
            j++;
    }
    return 0;
}

static int is_simple(const struct merge_file *file) {
    return !file->pid_count || file->pids[file->pid_count - 1] <= UINT32_MAX;
}

/* The machine of a file that speaks of one: an earlier file's where they may be the same, else a new one. */
static uint32_t machine_of(const struct merge_plan *plan, const struct merge_file *file) {
    for (uint32_t machine = 0; machine < plan->machines; machine++) {
        int any = 0, fits = 1;
        for (const struct merge_file *other = plan->files; other < file; other++) {
            if (other->first_machine != machine && is_simple(other))
                continue;
            any |= is_simple(other);
            fits &= is_simple(other) && is_one_host(other, file) && !shares_pids(other, file);
        }
        if (any && fits)
            return machine;
    }
    return plan->machines;
}

/* Processes of equal ids, and those of different hosts, are of different machines. Returns 0 or -1. */
static int give_machines(struct merge_plan *plan) {
    for (struct merge_file *file = plan->files; file < plan->files + plan->count; file++) {
        uint32_t next = plan->machines;
        file->first_machine = is_simple(file) ? machine_of(plan, file) : next;
        if (map_put(&file->renaming.machines, 0, file->first_machine))
            return -1;
        if (file->first_machine == next)
            next++;
        for (uint32_t i = 0; i < file->pid_count; i++) {
            uint32_t machine = (uint32_t)(file->pids[i] >> 32);
            if (map_get(&file->renaming.machines, machine) != MAP_NONE)
                continue;
            if (next >= MERGE_MACHINES_MAX || map_put(&file->renaming.machines, machine, next++))
                return -1;
        }
        plan->machines = next;
    }
    return 0;
}

static int compare_candidates(const void *a, const void *b) {
    const struct candidate *left = a, *right = b;
    if (left->packets != right->packets)
        return left->packets < right->packets ? 1 : -1;
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    return (left->key > right->key) - (left->key < right->key);
}

/* The busiest get the numbers that take one byte. Returns 0 or -1. */
static int give_sequences(struct candidates *candidates) {
    if (candidates->count)
        qsort(candidates->all, candidates->count, sizeof *candidates->all, compare_candidates);
    for (uint32_t i = 0; i < candidates->count; i++)
        if (map_put(&candidates->all[i].file->renaming.sequences, candidates->all[i].key, i + 1))
            return -1;
    return 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file that a label is for: one of that path or name that has none yet. */
static struct merge_file *labelled(const struct merge_plan *plan, const char *label) {
    size_t length = (size_t)(strrchr(label, '=') - label);
    for (uint32_t i = 0; i < plan->count && plan->files[i].path; i++) {
        const char *names[] = {plan->files[i].path, base_name(plan->files[i].path)};
        for (int j = 0; j < 2 && !plan->files[i].label; j++)
            if (strlen(names[j]) == length && !memcmp(names[j], label, length))
                return &plan->files[i];
    }
    return NULL;
}

/* Returns -1, or an exit status. */
static int give_labels(struct merge_plan *plan, const struct merge_options *options) {
    for (uint32_t i = 0; i < options->label_count; i++) {
        struct merge_file *file = labelled(plan, options->labels[i]);
        if (!file)
            return usage_error("merge", "--label %s: no such file is merged", options->labels[i]);
        file->label = strrchr(options->labels[i], '=') + 1;
    }
    for (uint32_t i = 0; i < plan->count && plan->files[i].path; i++) {
        struct merge_file *file = &plan->files[i];
        const char *name = base_name(file->path);
        file->own_label = strndup(name, strcspn(name, "."));
        if (!file->own_label)
            return out_of_memory(file->path);
        file->renaming.label = file->label;
        file->renaming.attribute_label = file->label ? file->label : i ? file->own_label : NULL;
    }
    return -1;
}

int merge_plan_make(struct merge_plan *plan, const struct merge_options *options, char **paths,
                    uint32_t count) {
    struct candidates candidates = {0};
    int status = -1;
    *plan = (struct merge_plan){.align = options->align};
    plan->files = calloc(count, sizeof *plan->files);
    if (!plan->files)
        return out_of_memory(paths[0]);
    for (uint32_t i = 0; i < count; i++)
        plan->files[i].path = paths[i];
    for (; plan->count < count && status < 0; plan->count++) {
        struct merge_file *file = &plan->files[plan->count];
        file->renaming.timebase = &file->timebase;
        file->renaming.last_track = &plan->last_track;
        file->renaming.flow_key = options->join_flows ? 0 : plan->count * 0x9e3779b97f4a7c15u;
        timebase_init(&file->timebase);
        status = scan_file(file, &candidates);
    }
    if (status < 0)
        status = give_labels(plan, options);
    if (status < 0) {
        relate_clocks(plan);
        if (give_machines(plan) || give_sequences(&candidates))
            status = out_of_memory(paths[0]);
    }
    free(candidates.all);
    return status;
}

void merge_plan_free(struct merge_plan *plan) {
    for (uint32_t i = 0; i < plan->count; i++) {
        struct merge_file *file = &plan->files[i];
        timebase_free(&file->timebase);
        renaming_free(&file->renaming);
        free(file->own_label);
        free(file->host);
        free(file->pids);
        free(file->sequence_packets);
    }
    free(plan->files);
    *plan = (struct merge_plan){0};
}

/* ------------------------------------------------------------------- clocks */

static void put_reading(struct text *message, uint32_t clock, int64_t time_ns) {
    if (time_ns < 0)
        return;
    size_t opened = message_open(message, CLOCK_SNAPSHOT__clocks);
    message_number(message, CLOCK__id, clock);
    message_number(message, CLOCK__timestamp, (uint64_t)time_ns);
    message_close(message, opened);
}

int merge_clock_packet(const struct merge_plan *plan, uint32_t machine, struct text *message) {
    const struct merge_file *base = plan->base;
    int64_t monotonic = base->first_ns, now = plus(base->first_ns, base->renaming.add_ns);
    int has_monotonic = timebase_back(&base->timebase, CLOCK_ID_MONOTONIC, &monotonic) == 0;
    if (!base->has_wall && !has_monotonic)
        return 0;
    if (machine)
        message_number(message, PACKET__machine_id, machine);
    size_t opened = message_open(message, PACKET__clock_snapshot);
    if (base->has_wall)
        put_reading(message, CLOCK_ID_REALTIME, plus(base->first_ns, base->wall_add_ns));
    if (has_monotonic)
        put_reading(message, CLOCK_ID_MONOTONIC, monotonic);
    put_reading(message, CLOCK_ID_BOOTTIME, now);
    message_close(message, opened);
    return 1;
}
