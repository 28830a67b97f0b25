/* Which threads a process that is sampled has, and how they are called (target.h). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "marey.h"
#include "stack/schedule.h"
#include "stack/target.h"

/* ---- which there are */

static struct sampled_thread *thread_make(const struct target *target,
                                          const struct thread *thread) {
    struct sampled_thread *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->thread = *thread;
    thread_look_init(&made->look, target->pid, thread->tid);
    return made;
}

static void thread_free(struct target *target, struct sampling *sampling,
                        struct sampled_thread *thread) {
    sampled_thread_flush(target, sampling, thread);
    thread_look_fini(&thread->look, &sampling->files);
    if (thread->reader) {
        thread_reader_fini(thread->reader);
        free(thread->reader);
    }
    run_fini(&thread->run);
    free(thread);
}

void target_forget_threads(struct target *target, struct sampling *sampling) {
    for (int i = 0; i < target->threads_count; i++)
        thread_free(target, sampling, target->threads[i]);
    free(target->threads);
    target->threads = NULL;
    target->threads_count = 0;
    target->holder = target->ahead.thread = NULL;
}

/* The thread that was listed before, from *from on: threads keep their order, new ones stand first. */
static struct sampled_thread *take_known(struct target *target, const struct thread *thread,
                                         int *from) {
    for (int i = *from; i < target->threads_count; i++) {
        struct sampled_thread *known = target->threads[i];
        if (known && !known->ended && known->thread.address == thread->address &&
            known->thread.tid == thread->tid && known->thread.pthread == thread->pthread) {
            target->threads[i] = NULL;
            *from = i + 1;
            return known;
        }
    }
    return NULL;
}

static int interpreter_of(const struct thread_list *list, const struct thread *thread) {
    for (int i = 0; i < list->interpreters_count; i++)
        if (list->interpreters[i].address == thread->interpreter)
            return i;
    return 0;
}

/* A thread of the list, known or new; NULL: it is none of this process, or not to be sampled. */
static struct sampled_thread *adopt(struct target *target, struct sampling *sampling,
                                    const struct thread *thread, int *from) {
    uint64_t futex;
    if (thread->tid == 0 || thread->tid == sampling->own_tid)
        return NULL;
    struct sampled_thread *known = take_known(target, thread, from);
    if (known)
        return known;
    struct sampled_thread *made = thread_make(target, thread);
    if (!made)
        return NULL;
    made->doing = thread_look_state(&made->look, &sampling->files, &futex);
    if (made->doing != THREAD_GONE) {
        target->unnamed = true;
        return made;
    }
    thread_free(target, sampling, made);
    return NULL;
}

/* A thread that is being started has no number yet, and nothing tells when it gets it: it is looked for soon, then more
 * and more seldom, as some stay without. */
static uint64_t list_at_most(const struct target *target, bool changed) {
    bool unborn = false;
    for (int i = 0; i < target->list.count; i++)
        unborn |= target->list.threads[i].tid == 0;
    if (!unborn)
        return TARGET_LIST_NS;
    uint64_t soon_ns =
        changed || !target->list_most_ns ? TARGET_UNBORN_NS : 2 * target->list_most_ns;
    return soon_ns < TARGET_LIST_NS ? soon_ns : TARGET_LIST_NS;
}

int target_list(struct target *target, struct sampling *sampling, uint64_t now_ns) {
    int count = 0, from = 0;
    uint64_t start_ns = schedule_cpu_ns();
    int error = process_threads(&target->process, &target->list);
    target->listed_ns = now_ns;
    target->list_most_ns = list_at_most(target, target->changed);
    target->changed = error == MAREY_ETORN;
    struct sampled_thread **threads = NULL;
    if (!error &&
        !(threads = calloc((size_t)target->list.count + 1, sizeof(struct sampled_thread *))))
        error = MAREY_ENOMEM;
    for (int i = 0; i < target->list.count && !error; i++) {
        const struct thread *thread = &target->list.threads[i];
        struct sampled_thread *sampled = adopt(target, sampling, thread, &from);
        if (!sampled)
            continue;
        sampled->interpreter = interpreter_of(&target->list, thread);
        threads[count++] = sampled;
    }
    target->list_after_ns = TARGET_LIST_SHARE * (schedule_cpu_ns() - start_ns);
    if (error)
        return error;
    target->holder = target->ahead.thread = NULL;
    for (int i = 0; i < target->threads_count; i++)
        if (target->threads[i])
            thread_free(target, sampling, target->threads[i]);
    free(target->threads);
    target->threads = threads;
    target->threads_count = count;
    return count || target->pid == getpid() ? 0 : MAREY_ENOTYET;
}

/* ---- their names */

/* Tells the name that the program gave to it, else the system's, if it is another one than before. */
static void tell_name(struct target *target, struct sampling *sampling, struct thread_names *names,
                      struct sampled_thread *thread) {
    char name[THREAD_NAME_BYTES] = "";
    if (names)
        thread_names_find(names, &thread->thread, name);
    if (!*name)
        proc_thread_name(target->pid, thread->thread.tid, name);
    if (!*name || strcmp(name, thread->name) == 0)
        return;
    memcpy(thread->name, name, sizeof thread->name);
    if (sampling->sink.thread)
        sampling->sink.thread(sampling->sink.context, target->pid, thread->thread.tid, name);
}

static void tell_names(struct target *target, struct sampling *sampling, bool all) {
    struct thread_names *names; /* NULL, without memory for it: the system's alone */
    thread_names_open(&names, &target->process);
    for (int i = 0; i < target->threads_count; i++)
        if (all || !*target->threads[i]->name)
            tell_name(target, sampling, names, target->threads[i]);
    thread_names_close(names);
}

void target_tell_names(struct target *target, struct sampling *sampling, uint64_t now_ns) {
    bool all = now_ns >= target->names_ns;
    if (now_ns < target->names_pause_ns || !(all || target->unnamed))
        return;
    if (target->unnamed)
        target->names_after_ns = NAMES_NS;
    else if (target->names_after_ns < NAMES_MAX_NS)
        target->names_after_ns *= 2;
    target->unnamed = false;
    uint64_t start_ns = schedule_cpu_ns();
    tell_names(target, sampling, all);
    target->names_pause_ns = now_ns + NAMES_SHARE * (schedule_cpu_ns() - start_ns);
    target->names_ns = now_ns + target->names_after_ns;
}
