#define _GNU_SOURCE
#include "stack/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "marey.h"
#include "stack/schedule.h"

struct target *target_make(struct sampling *sampling, pid_t pid, pid_t parent,
                           const struct target *like) {
    struct target *target = calloc(1, sizeof *target);
    if (!target)
        return NULL;
    target->pid = pid;
    target->parent = parent;
    target->start_time = proc_start_time(pid);
    target->error = MAREY_ENOTYET;
    target->retry_after_ns = TARGET_RETRY_NS / 2;
    if (like && like->state == TARGET_SAMPLED)
        target->like = like->process;
    (void)sampling;
    return target;
}

/* ---- what the sink is told */

enum { COMMAND_LINE_MAX = 65536 };

static void announce(struct target *target, struct sampling *sampling, int error) {
    char path[64], name[64], *line = malloc(COMMAND_LINE_MAX);
    target->announced = target->announced || !error;
    if (!sampling->sink.process || !line) {
        free(line);
        return;
    }
    proc_thread_name(target->pid, target->pid, name);
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)target->pid);
    ssize_t bytes = proc_read_file(path, line, COMMAND_LINE_MAX);
    struct sampled_process process = {.pid = target->pid,
                                      .parent = target->parent,
                                      .version = target->process.version,
                                      .name = name,
                                      .command_line = line,
                                      .command_line_bytes = bytes > 0 ? (size_t)bytes : 0,
                                      .error = error};
    sampling->sink.process(sampling->sink.context, &process);
    free(line);
}

/* ---- finding it, losing it */

/* A fork has its Python where the parent has it: that is found at once. */
static int open_like_parent(struct target *target) {
    target->process = target->like;
    int error = memory_open(&target->process.memory, target->pid);
    if (error)
        return error;
    target->process.start_time = target->start_time;
    error = layout_check(&target->process.layout, &target->process.memory, target->process.runtime);
    if (error)
        process_close(&target->process);
    return error;
}

static int find_python(struct target *target, struct sampling *sampling) {
    uint64_t now_ns = schedule_now_ns();
    struct proc_identity identity;
    target->stack_start = proc_identify(target->pid, &identity) ? identity.stack_start : 0;
    int error = MAREY_ENOTYET;
    if (target->like.version)
        error = open_like_parent(target);
    if (error)
        error = process_open(&target->process, target->pid);
    if (error)
        return error == MAREY_EADDRESS ? MAREY_ENOTYET : error; /* it is just being loaded */
    unwinder_init(&target->unwinder, &target->process);
    /* Ids of code objects are different in all processes. */
    target->unwinder.codes.last_id = ++sampling->serial << 40;
    error = target_list(target, sampling, now_ns);
    if (!error && sampling->options.mode == SAMPLER_GIL && thread_list_without_gil(&target->list))
        error = MAREY_ENOGIL;
    if (!error)
        return 0;
    target_forget_threads(target, sampling);
    unwinder_fini(&target->unwinder);
    process_close(&target->process);
    return memory_torn(error) ? MAREY_ENOTYET : error;
}

/* It has started another program, or its Python has ended. */
static void lose(struct target *target, struct sampling *sampling) {
    target_forget_threads(target, sampling);
    target_forget_tasks(target);
    thread_list_free(&target->list);
    unwinder_fini(&target->unwinder);
    process_close(&target->process);
    target->open = false;
    target->state = TARGET_WAITS;
    target->error = MAREY_ENOTYET;
    target->names_ns = target->names_pause_ns = target->list_most_ns = 0;
    target->retry_ns = target->program = 0;
    target->retry_after_ns = TARGET_RETRY_NS / 2;
    target->search_after_ns = 0;
    target->like.version = 0;
}

void target_check(struct target *target, struct sampling *sampling) {
    struct proc_identity now;
    if (!target->start_time || !proc_identify(target->pid, &now) ||
        now.start_time != target->start_time || now.dead)
        target->state = TARGET_ENDED;
    else if (target->open && now.stack_start != target->stack_start)
        lose(target, sampling);
}

void target_close(struct target *target, struct sampling *sampling) {
    bool ended = target->state == TARGET_ENDED;
    if (target->open)
        lose(target, sampling);
    if (ended && target->announced && sampling->sink.process_ended)
        sampling->sink.process_ended(sampling->sink.context, target->pid);
    thread_list_free(&target->list);
    free(target);
}

/* ---- waiting for it */

/* Which program the process runs; never 0. */
static uint64_t program_of(pid_t pid) {
    char path[64], file[1024];
    uint64_t hash = 1;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t bytes = readlink(path, file, sizeof file);
    for (ssize_t i = 0; i < bytes; i++)
        hash = hash * 31 + (uint8_t)file[i];
    return hash | 1;
}

static uint64_t at_most(uint64_t value, uint64_t most) {
    return value < most ? value : most;
}

/* A program without Python is not searched again soon; that it has become another one is cheap to see. */
static bool worth_searching(struct target *target, uint64_t now_ns) {
    uint64_t program = program_of(target->pid);
    if (target->program != program) {
        target->program = program;
        target->search_after_ns = TARGET_RETRY_MAX_NS / 16;
        return true;
    }
    if (target->error != MAREY_ENOTPYTHON)
        return true;
    if (now_ns < target->search_ns)
        return false;
    target->search_after_ns = at_most(2 * target->search_after_ns, TARGET_SEARCH_MAX_NS);
    return true;
}

/* Others may become one that can be sampled: before it has a Python nothing is said of it. */
static bool is_told(int error) {
    return error == MAREY_EPTRACE || error == MAREY_EVERSION || error == MAREY_ENOGIL;
}

static void search(struct target *target, struct sampling *sampling) {
    uint64_t start_ns = schedule_cpu_ns();
    target->error = find_python(target, sampling);
    uint64_t now_ns = schedule_now_ns();
    uint64_t share_ns = TARGET_RETRY_SHARE * (schedule_cpu_ns() - start_ns);
    target->search_ns = now_ns + target->search_after_ns;
    if (target->retry_after_ns < share_ns)
        target->retry_after_ns = at_most(share_ns, TARGET_RETRY_MAX_NS);
    if (!target->error) {
        target->state = TARGET_SAMPLED;
        target->open = true;
        announce(target, sampling, 0);
        target_tell_names(target, sampling, now_ns);
    } else if (target->error != target->told && is_told(target->error)) {
        target->told = target->error;
        announce(target, sampling, target->error);
    }
}

void target_retry(struct target *target, struct sampling *sampling, uint64_t now_ns) {
    if (target->state != TARGET_WAITS || (now_ns && now_ns < target->retry_ns))
        return;
    target_check(target, sampling);
    if (target->state == TARGET_ENDED)
        return;
    target->retry_after_ns = at_most(2 * target->retry_after_ns, TARGET_RETRY_MAX_NS);
    if (worth_searching(target, now_ns))
        search(target, sampling);
    target->retry_ns = schedule_now_ns() + target->retry_after_ns;
}

/* ---- a tick */

/* Who has the GIL, and did threads come or go? `all`: also interpreters. */
static int look(struct target *target, struct sampling *sampling, bool all) {
    int error = 0;
    for (int i = 0; i < target->list.interpreters_count && !error; i++) {
        struct interpreter *interpreter = &target->list.interpreters[i];
        uint64_t births[3];
        memcpy(births, interpreter->births, sizeof births);
        error = all ? interpreter_read(&target->process, interpreter)
                    : target_glance(target, sampling, interpreter);
        if (!error && memcmp(births, interpreter->births, sizeof births) != 0)
            target->changed = true;
        if (error == MAREY_EADDRESS && i > 0) { /* a sub-interpreter has ended */
            target->changed = true;
            error = 0;
        }
    }
    return error;
}

static int list_if_changed(struct target *target, struct sampling *sampling, uint64_t now_ns) {
    uint64_t age_ns = now_ns - target->listed_ns;
    if (age_ns < target->list_after_ns || !(target->changed || age_ns >= target->list_most_ns))
        return 0;
    int error = target_list(target, sampling, now_ns);
    return error == MAREY_ETORN ? 0 : error;
}

static void sample(struct target *target, struct sampling *sampling, const struct tick *tick) {
    int error = 0;
    target->ahead.thread = NULL;
    bool all = tick->now_ns - target->codes_ns >= TARGET_CODES_NS;
    if (all) {
        target->codes_ns = tick->now_ns;
        unwinder_tick(&target->unwinder);
    }
    if (all || tick->now_ns - target->looked_ns >= TARGET_LOOK_NS) {
        target->looked_ns = tick->now_ns;
        error = look(target, sampling, all);
        if (!error)
            error = list_if_changed(target, sampling, tick->now_ns);
    }
    if (error && error != MAREY_ENOMEM) {
        lose(target, sampling);
        target_check(target, sampling);
        return;
    }
    target_tell_names(target, sampling, tick->now_ns);
    target_ask_still(target, sampling);
    for (int i = 0; i < target->threads_count; i++)
        sampled_thread_take(target, sampling, target->threads[i], tick);
    uint64_t torn = target->unwinder.counts.torn;
    if (sampling->options.tasks)
        target_sample_tasks(target, sampling, tick);
    sampling->torn += target->unwinder.counts.torn - torn;
}

void target_sample(struct target *target, struct sampling *sampling, const struct tick *tick) {
    if (!sampling->stops) {
        sample(target, sampling, tick);
        return;
    }
    stops_begin(sampling->stops);
    target_stop_threads(target, sampling, tick);
    sample(target, sampling, tick);
    stops_end(sampling->stops);
}

void target_flush(struct target *target, struct sampling *sampling) {
    for (int i = 0; i < target->threads_count; i++)
        sampled_thread_flush(target, sampling, target->threads[i]);
}
