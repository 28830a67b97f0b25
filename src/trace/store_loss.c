/* What could not be kept: counted in the trace, and said once. See store.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "head.h"
#include "store_file.h"

/* The program must not feel that nobody reads there: neither a full pipe nor a broken one. */
static void write_to_stderr(const char *line, size_t bytes) {
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
        return;
    sigset_t broken, before, pending;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    sigpending(&pending);
    if (write(STDERR_FILENO, line, bytes) < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&broken, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void say_once(struct store *store, enum loss kind) {
    uint32_t bit = 1u << kind;
    if (__atomic_fetch_or(&store_control(store)->said, bit, __ATOMIC_RELAXED) & bit)
        return;
    char line[PIPE_BUF]; /* as much as a pipe that is ready takes at once */
    const char *why = kind == LOSS_DISK
                          ? "the trace cannot grow (disk full, or no memory to map it)"
                          : "the trace has reached its size limit";
    int n = snprintf(line, sizeof line,
                     "marey: %.3900s: %s; the program goes on, what is not recorded is counted\n",
                     store->path, why);
    write_to_stderr(line, (size_t)n);
}

void store_lost(struct store *store, enum loss kind, uint64_t count) {
    head_count_loss(store->head, kind, count,
                    clock_monotonic_ns() - store_control(store)->origin.ns);
    if ((kind == LOSS_DISK || kind == LOSS_LIMIT) && !store->is_memory)
        say_once(store, kind);
}

void store_losses(const struct store *store, marey_losses *losses) {
    uint64_t *lost = store_control(store)->lost;
    uint64_t now[LOSS_KINDS];
    for (int kind = 0; kind < LOSS_KINDS; kind++)
        now[kind] = __atomic_load_n(&lost[kind], __ATOMIC_RELAXED);
    *losses = (marey_losses){
        .disk = now[LOSS_DISK],
        .limit = now[LOSS_LIMIT],
        .depth = now[LOSS_DEPTH],
        .reentry = now[LOSS_REENTRY],
        .ring = now[LOSS_RING],
        .arguments = now[LOSS_ARGUMENTS],
    };
}
