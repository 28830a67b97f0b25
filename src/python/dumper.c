/* See dumper.h.
 *
 *   handler:  pending |= signal; sem_post        both async-signal-safe, no lock, no memory
 *   thread:   sem_wait; for each pending signal: read the process, write the text
 *
 * What a handler reads of `signals` is written before the handler is in place, or is a single word. */
#define _GNU_SOURCE
#include "dumper.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "marey.h"
#include "output/stacks.h"
#include "stack/dump.h"

/* A variable that a signal handler may touch: no call, no memory to find it. */
#ifdef __GLIBC__
#define INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#define INITIAL_EXEC
#endif

enum {
    SIGNALS = 65,
    THREAD_STACK_BYTES = 512 << 10, /* reserved */
    WRITE_MS = 5000                 /* so long it waits for a pipe that nobody empties */
};

struct watched {
    struct sigaction before;
    atomic_bool on, locals;
    atomic_int descriptor;
};

static struct watched signals[SIGNALS];
static _Atomic uint64_t pending; /* a bit a signal: 1 << (signal - 1) */
static sem_t wanted;
static atomic_bool ending;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for what follows, and for on and off */
static pthread_t thread;
static bool has_thread;
static int on_count;

/* --------------------------------------------------------------------- text */

/* "Process 4711, 2026-11-21 10:00:00, signal 10 (User defined signal 1)" */
static void add_title(struct text *to, int signal) {
    char when[64];
    struct tm local;
    time_t now = time(NULL);
    if (!localtime_r(&now, &local) || !strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local))
        when[0] = '\0';
    text_addf(to, "Process %d, %s", (int)getpid(), when);
    if (signal)
        text_addf(to, ", signal %d (%s)", signal, strsignal(signal));
    text_add(to, "\n");
}

/* The stacks as they are now. Returns 0, and then both are to be closed, or what process_open and dump_take return. */
static int take(struct process *process, struct dump *dump, bool locals) {
    struct dump_options options = {.tasks = true, .locals = locals};
    int error = process_open(process, getpid());
    if (error)
        return error;
    error = dump_take(dump, process, &options);
    for (int tries = 1; error == MAREY_EADDRESS && tries < DUMP_TRIES_MAX; tries++) {
        dump_free(dump); /* something was let go of meanwhile, by a thread that came or went */
        error = dump_take(dump, process, &options);
    }
    if (error) {
        dump_free(dump);
        process_close(process);
    }
    return error;
}

int dumper_show(struct text *to, int signal, bool locals) {
    struct process process;
    struct dump dump;
    struct stacks_style plain = {0};
    int error = take(&process, &dump, locals);
    if (error)
        return error;
    add_title(to, signal);
    stacks_show(to, &dump, &process, &plain);
    text_add(to, "\n");
    dump_free(&dump);
    process_close(&process);
    return to->failed ? MAREY_ENOMEM : 0;
}

int dumper_json(FILE *to) {
    struct process process;
    struct dump dump;
    struct json json;
    int error = take(&process, &dump, false);
    if (error)
        return error;
    json_init(&json, to, 0);
    json_object(&json, NULL);
    stacks_add_json(&json, &dump, &process, false);
    json_end(&json);
    json_finish(&json);
    dump_free(&dump);
    process_close(&process);
    return 0;
}

static void write_all(int descriptor, const char *bytes, size_t size) {
    while (size) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno == EAGAIN) {
            struct pollfd room = {descriptor, POLLOUT, 0};
            if (poll(&room, 1, WRITE_MS) <= 0)
                return;
        } else if (written <= 0 && errno != EINTR) {
            return;
        }
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
}

static void show_now(int signal) {
    struct text text = {0};
    int error = dumper_show(&text, signal, atomic_load(&signals[signal].locals));
    if (error)
        text_addf(&text, "marey: no stacks for signal %d: %s; %s\n", signal, marey_strerror(error),
                  marey_hint(error));
    write_all(atomic_load(&signals[signal].descriptor), text_of(&text), text.size);
    text_free(&text);
}

/* ---------------------------------------------------------- handler, thread */

/* Which signals this thread handles now: the handler that was there before may be one that calls ours. */
static INITIAL_EXEC _Thread_local uint64_t handling;

static void handle(int signal, siginfo_t *info, void *context) {
    int error = errno;
    uint64_t bit = UINT64_C(1) << (signal - 1);
    struct watched *watched = &signals[signal];
    if (handling & bit)
        return;
    handling |= bit;
    if (atomic_load(&watched->on)) {
        atomic_fetch_or(&pending, bit);
        sem_post(&wanted);
    }
    if (watched->before.sa_flags & SA_SIGINFO)
        watched->before.sa_sigaction(signal, info, context);
    else if (watched->before.sa_handler != SIG_DFL && watched->before.sa_handler != SIG_IGN)
        watched->before.sa_handler(signal);
    handling &= ~bit;
    errno = error;
}

static void *wait_for_signals(void *unused) {
    prctl(PR_SET_NAME, "marey dump");
    while (!atomic_load(&ending)) {
        uint64_t now = atomic_exchange(&pending, 0);
        for (int signal = 1; signal < SIGNALS; signal++)
            if (now >> (signal - 1) & 1)
                show_now(signal);
        if (!now)
            while (sem_wait(&wanted) && errno == EINTR)
                continue;
    }
    return unused;
}

static int start_thread(void) {
    pthread_attr_t attributes;
    sigset_t every, before;
    if (pthread_attr_init(&attributes))
        return MAREY_ENOMEM;
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    sem_init(&wanted, 0, 0);
    atomic_store(&ending, false);
    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, &before);
    has_thread = pthread_create(&thread, &attributes, wait_for_signals, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return has_thread ? 0 : MAREY_ENOMEM;
}

static void end_thread(void) {
    atomic_store(&ending, true);
    sem_post(&wanted);
    pthread_join(thread, NULL);
    has_thread = false;
}

/* --------------------------------------------------------------------- fork */

static void before_fork(void) {
    pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&lock);
}

/* Until dumper_after_fork, signals are noted and passed on. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&lock, NULL);
    sem_init(&wanted, 0, 0);
    has_thread = false;
}

static void watch_forks(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void dumper_after_fork(void) {
    pthread_mutex_lock(&lock);
    if (on_count && !has_thread)
        start_thread();
    pthread_mutex_unlock(&lock);
}

/* ---------------------------------------------------------------- on and off */

static bool may_be_watched(int signal) {
    switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS: return false;
    default: return signal > 0 && signal < SIGNALS;
    }
}

/* Keeps what stood there before. A system call goes on where one would have gone on before. */
static int install(int signal, struct watched *watched) {
    struct sigaction action = {.sa_sigaction = handle};
    if (sigaction(signal, NULL, &watched->before))
        return MAREY_EINVAL;
    bool had_handler =
        watched->before.sa_flags & SA_SIGINFO ||
        (watched->before.sa_handler != SIG_DFL && watched->before.sa_handler != SIG_IGN);
    action.sa_mask = watched->before.sa_mask;
    action.sa_flags =
        SA_SIGINFO | SA_ONSTACK |
        (had_handler ? watched->before.sa_flags & (SA_RESTART | SA_NODEFER) : SA_RESTART);
    return sigaction(signal, &action, NULL) ? MAREY_EINVAL : 0;
}

static bool is_in_place(int signal) {
    struct sigaction now;
    return sigaction(signal, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
           now.sa_sigaction == handle;
}

static int turn_on(int signal, struct watched *watched) {
    int error = has_thread ? 0 : start_thread();
    if (!error && !is_in_place(signal))
        error = install(signal, watched);
    if (!error) {
        on_count++;
        atomic_store(&watched->on, true);
    } else if (!on_count && has_thread) {
        end_thread();
    }
    return error;
}

int dumper_on(int signal, int descriptor, bool locals) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int error = 0;
    if (!may_be_watched(signal))
        return MAREY_EINVAL;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&lock);
    atomic_store(&signals[signal].descriptor, descriptor);
    atomic_store(&signals[signal].locals, locals);
    if (!atomic_load(&signals[signal].on))
        error = turn_on(signal, &signals[signal]);
    pthread_mutex_unlock(&lock);
    return error;
}

bool dumper_off(int signal) {
    if (!may_be_watched(signal))
        return false;
    pthread_mutex_lock(&lock);
    bool was_on = atomic_exchange(&signals[signal].on, false);
    if (was_on && is_in_place(signal))
        sigaction(signal, &signals[signal].before, NULL);
    on_count -= was_on;
    if (was_on && !on_count && has_thread)
        end_thread();
    pthread_mutex_unlock(&lock);
    return was_on;
}
