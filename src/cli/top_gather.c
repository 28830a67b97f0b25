/* See top_gather.h.
 *
 * The sampling thread alone touches the profile and the threads. Between two slices of sampling it makes a look of them;
 * only the finished look is behind the lock. */
#include "cli/top_gather.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_rows.h"
#include "marey.h"
#include "model/grow.h"
#include "model/profile.h"
#include "stack/proc.h"

enum {
    QUIET_LOOKS_MAX = 10, /* a thread that does nothing for so many looks is no longer listed */
    AT_BYTES = 128
};

struct known_thread {
    pid_t pid, tid;
    char name[PROC_NAME_BYTES], at[AT_BYTES];
    uint64_t new_ns[SAMPLE_WEIGHTS], total_ns[SAMPLE_WEIGHTS];
    int quiet;
};

struct top_gather {
    struct sampler *sampler;
    uint64_t period_ns, begin_ns, last_ns;
    struct profile *profile;
    struct top_rows functions, lines;
    struct known_thread *threads;
    uint32_t threads_count, threads_capacity, hint;
    uint64_t looks;
    pthread_t thread;
    bool has_thread;
    atomic_bool stopped, reset;
    pthread_mutex_t lock;
    struct top_look ready; /* number 0: taken already */
};

/* ------------------------------------------------------------ as they come */

/* NULL: no memory. */
static struct known_thread *thread_of(struct top_gather *gather, pid_t pid, pid_t tid) {
    for (uint32_t i = 0; i < gather->threads_count; i++) {
        uint32_t at = (gather->hint + i) % gather->threads_count;
        if (gather->threads[at].tid != tid || gather->threads[at].pid != pid)
            continue;
        gather->hint = at;
        return &gather->threads[at];
    }
    if (GROW(gather->threads, gather->threads_count, gather->threads_capacity))
        return NULL;
    struct known_thread *thread = &gather->threads[gather->threads_count++];
    *thread = (struct known_thread){.pid = pid, .tid = tid};
    return thread;
}

static void copy_text(char *to, size_t room, const char *from) {
    snprintf(to, room, "%s", from);
}

static void take(void *context, const struct sample *sample) {
    struct top_gather *gather = context;
    struct known_thread *thread = thread_of(gather, sample->pid, sample->tid);
    profile_add(gather->profile, sample);
    if (!thread)
        return;
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        thread->new_ns[weight] += sample->weights_ns[weight];
    if (sample->depth)
        copy_text(thread->at, sizeof thread->at, sample->frames[sample->depth - 1].name);
    thread->quiet = 0;
}

static void name_thread(void *context, pid_t pid, pid_t tid, const char *name) {
    struct known_thread *thread = thread_of(context, pid, tid);
    if (thread)
        copy_text(thread->name, sizeof thread->name, name);
}

/* ------------------------------------------------------------------ a look */

const char *top_text(const struct top_look *look, size_t text) {
    return text < look->texts.size ? look->texts.bytes + text : "";
}

static size_t keep_text(struct top_look *look, const char *text) {
    size_t at = look->texts.size;
    text_add_bytes(&look->texts, text, strlen(text) + 1);
    return at;
}

void top_look_free(struct top_look *look) {
    free(look->functions);
    free(look->lines);
    free(look->threads);
    text_free(&look->texts);
    *look = (struct top_look){0};
}

/* Returns how many there are; 0 where memory is short. */
static uint32_t look_at_rows(struct top_look *look, struct top_function **to,
                             const struct top_rows *rows, const struct profile *profile,
                             double period_ns) {
    uint32_t count;
    const struct profile_function *functions = profile_functions(profile, &count);
    *to = malloc((rows->count + 1) * sizeof **to);
    if (!*to)
        return 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct top_row *row = &rows->rows[i];
        const struct profile_function *function = &functions[row->function];
        if (!row->total_ns)
            continue;
        (*to)[used++] =
            (struct top_function){.name = keep_text(look, function->name),
                                  .file = keep_text(look, function->file),
                                  .line = rows->lines ? row->line : function->first_line,
                                  .self = (double)row->self_new_ns / period_ns,
                                  .total = (double)row->total_new_ns / period_ns,
                                  .self_ns = row->self_ns,
                                  .total_ns = row->total_ns};
    }
    return used;
}

static void look_at_thread(struct top_look *look, struct known_thread *thread, double period_ns) {
    struct top_thread *to = &look->threads[look->threads_count++];
    *to = (struct top_thread){.pid = thread->pid,
                              .tid = thread->tid,
                              .name = keep_text(look, thread->name),
                              .at = keep_text(look, thread->at)};
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++) {
        thread->total_ns[weight] += thread->new_ns[weight];
        to->total_ns[weight] = thread->total_ns[weight];
        to->share[weight] = (double)thread->new_ns[weight] / period_ns;
        look->share[weight] += to->share[weight];
        thread->new_ns[weight] = 0;
    }
}

static void look_at_threads(struct top_gather *gather, struct top_look *look, double period_ns) {
    uint32_t kept = 0;
    look->threads = malloc((gather->threads_count + 1) * sizeof *look->threads);
    for (uint32_t i = 0; look->threads && i < gather->threads_count; i++) {
        struct known_thread *thread = &gather->threads[i];
        if (thread->quiet++ > QUIET_LOOKS_MAX)
            continue;
        look_at_thread(look, thread, period_ns);
        gather->threads[kept++] = *thread;
    }
    if (look->threads)
        gather->threads_count = kept;
}

static void make_look(struct top_gather *gather, bool ended) {
    struct top_look look = {.number = ++gather->looks, .ended = ended}, old;
    uint64_t now = marey_now_ns();
    double period_ns = (double)(now - gather->last_ns + 1);
    gather->last_ns = now;
    look.elapsed_ns = now - gather->begin_ns;
    sampler_counts(gather->sampler, &look.counts);
    top_rows_count(&gather->functions, gather->profile);
    top_rows_count(&gather->lines, gather->profile);
    look.functions_count =
        look_at_rows(&look, &look.functions, &gather->functions, gather->profile, period_ns);
    look.lines_count = look_at_rows(&look, &look.lines, &gather->lines, gather->profile, period_ns);
    look_at_threads(gather, &look, period_ns);
    pthread_mutex_lock(&gather->lock);
    old = gather->ready;
    gather->ready = look;
    pthread_mutex_unlock(&gather->lock);
    top_look_free(&old);
}

static void begin_again(struct top_gather *gather) {
    profile_clear(gather->profile);
    top_rows_clear(&gather->functions);
    top_rows_clear(&gather->lines);
    for (uint32_t i = 0; i < gather->threads_count; i++)
        memset(gather->threads[i].total_ns, 0, sizeof gather->threads[i].total_ns);
    gather->begin_ns = marey_now_ns();
}

static void *run_thread(void *context) {
    struct top_gather *gather = context;
    int error = 0;
    gather->begin_ns = gather->last_ns = marey_now_ns();
    while (!error && !atomic_load(&gather->stopped)) {
        if (atomic_exchange(&gather->reset, false))
            begin_again(gather);
        error = sampler_run(gather->sampler, marey_now_ns() + gather->period_ns);
        make_look(gather, error != 0);
    }
    return NULL;
}

/* ------------------------------------------------------------ from outside */

int top_gather_open(struct top_gather **opened, const struct sampler_options *options,
                    uint64_t period_ns) {
    enum sample_weight weight = options->mode == SAMPLER_CPU   ? SAMPLE_CPU
                                : options->mode == SAMPLER_GIL ? SAMPLE_GIL
                                                               : SAMPLE_WALL;
    struct top_gather *gather = calloc(1, sizeof *gather);
    if (!gather)
        return MAREY_ENOMEM;
    struct sampler_sink sink = {.context = gather, .take = take, .thread = name_thread};
    gather->period_ns = period_ns;
    gather->functions.weight = gather->lines.weight = weight;
    gather->lines.lines = 1;
    pthread_mutex_init(&gather->lock, NULL);
    gather->profile = profile_open(PROFILE_NODES_USUAL, 1);
    int error = gather->profile ? sampler_open(&gather->sampler, options, &sink) : MAREY_ENOMEM;
    if (error)
        top_gather_close(gather);
    else
        *opened = gather;
    return error;
}

int top_gather_add(struct top_gather *gather, pid_t pid) {
    return sampler_add(gather->sampler, pid, false);
}

int top_gather_start(struct top_gather *gather) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    gather->has_thread = pthread_create(&gather->thread, NULL, run_thread, gather) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return gather->has_thread ? 0 : MAREY_ENOMEM;
}

void top_gather_close(struct top_gather *gather) {
    if (gather->has_thread) {
        atomic_store(&gather->stopped, true);
        sampler_stop(gather->sampler);
        pthread_join(gather->thread, NULL);
    }
    if (gather->sampler)
        sampler_close(gather->sampler);
    if (gather->profile)
        profile_close(gather->profile);
    top_rows_free(&gather->functions);
    top_rows_free(&gather->lines);
    top_look_free(&gather->ready);
    free(gather->threads);
    pthread_mutex_destroy(&gather->lock);
    free(gather);
}

bool top_gather_take(struct top_gather *gather, struct top_look *look) {
    struct top_look old = *look;
    pthread_mutex_lock(&gather->lock);
    bool newer = gather->ready.number != 0;
    if (newer) {
        *look = gather->ready;
        gather->ready = (struct top_look){0};
    }
    pthread_mutex_unlock(&gather->lock);
    if (newer)
        top_look_free(&old);
    return newer;
}

void top_gather_reset(struct top_gather *gather) {
    atomic_store(&gather->reset, true);
}
