/* Recordings that keep the last so many bytes.
 *
 *   ring keeps TRACE BYTES EVENTS    one thread; says how many it recorded
 *   ring crowd TRACE                 more threads at a time than the ring has slots
 *   ring killed TRACE                processes that are killed while they hold all slots, again and again
 *   ring exec TRACE                  a process that becomes another program again and again
 *   ring large TRACE                 events that no chunk of the ring has room for
 *   ring snapshots TRACE FOLDER N    N copies while two processes of four threads record
 *   ring closing TRACE FOLDER N      N recordings of which one thread takes copies while another closes them */
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common.h"

extern char **environ;
static const char *self;
static int stop_now;

static void open_ring(const char *path, uint64_t bytes, unsigned flags) {
    MUST(marey_open(path, &(marey_options){.ring_bytes = bytes, .flags = flags}) == 0);
}

static void record_and_keep(char **arguments) {
    open_ring(arguments[0], strtoull(arguments[1], NULL, 10), 0);
    long events = atol(arguments[2]);
    for (long i = 0; i < events; i++) {
        marey_begin("event", MAREY_I64("number", i));
        marey_end();
    }
    say_losses();
    MUST(marey_close() == 0);
}

enum { CROWD = 60 }; /* more than a small ring's 32 slots */

static pthread_barrier_t barrier;

static void *record_in_crowd(void *number) {
    marey_begin("first", MAREY_I64("number", (intptr_t)number));
    pthread_barrier_wait(&barrier); /* all have tried */
    marey_end();
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void record_crowd(char **arguments) {
    pthread_t threads[CROWD];
    open_ring(arguments[0], MAREY_RING_MIN, 0);
    pthread_barrier_init(&barrier, NULL, CROWD);
    for (intptr_t i = 0; i < CROWD; i++)
        threads[i] = start_thread(record_in_crowd, (void *)i);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    marey_begin("after the crowd");
    marey_end();
    say_losses();
    MUST(marey_close() == 0);
}

static void *hold_slot(void *unused) {
    marey_begin("held");
    pthread_barrier_wait(&barrier);
    pause();
    return unused;
}

static void hold_all_slots(void) {
    pthread_barrier_init(&barrier, NULL, 31);
    for (int i = 0; i < 30; i++)
        start_thread(hold_slot, NULL);
    pthread_barrier_wait(&barrier);
    raise(SIGKILL);
}

static void record_killed(char **arguments) {
    enum { TIMES = 8 };
    open_ring(arguments[0], MAREY_RING_MIN, 0);
    for (int i = 0; i < TIMES; i++) {
        pid_t child = fork();
        if (child == 0)
            hold_all_slots();
        MUST(waitpid(child, NULL, 0) == child);
    }
    marey_begin("after");
    marey_end();
    say_losses();
    MUST(marey_close() == 0);
}

static void exec_again(int times) {
    char number[16];
    snprintf(number, sizeof number, "%d", times);
    const char *command[] = {self, "exec-again", number, NULL};
    execve(self, (char *const *)(uintptr_t)command, environ);
    MUST(0);
}

static void record_exec(char **arguments) {
    open_ring(arguments[0], MAREY_RING_MIN, MAREY_CHILDREN);
    marey_begin("first");
    exec_again(100);
}

static void record_exec_again(char **arguments) {
    int times = atoi(arguments[0]);
    marey_begin("program", MAREY_I64("left", times));
    if (times > 0)
        exec_again(times - 1);
    say_losses();
}

/* Names of their own for so many arguments that they alone fill the chunk. */
static void record_large(char **arguments) {
    enum { MANY = 60, DEEP = 15 };
    static char text[MANY][400];
    marey_arg many[MANY];
    open_ring(arguments[0], MAREY_RING_MIN, 0);
    for (int i = 0; i < MANY; i++) {
        memset(text[i], 'a' + i % 26, sizeof text[i] - 1);
        memcpy(text[i], &i, 1);
        text[i][0] = (char)('0' + i);
        many[i] = (marey_arg){.name = marey_name_id(text[i]), .kind = MAREY_KIND_I64, .i64 = i};
    }
    marey_track *tracks[DEEP], *track = MAREY_OF_PROCESS;
    for (int i = 0; i < DEEP; i++)
        tracks[i] = track = marey_track_open(text[i], track);
    for (int i = 0; i < 3; i++) {
        marey__begin_args(marey_name_id("large"), many, MANY);
        marey_track_instant(track, MAREY_NOW, "on a deep track");
        marey_end();
    }
    say_losses();
    for (int i = DEEP; i--;)
        marey_track_close(tracks[i]);
    MUST(marey_close() == 0);
}

/* Spans in spans, by name as deep as they say. */
static void record_nest(int depth, uint32_t *random) {
    char name[8];
    snprintf(name, sizeof name, "d%d", depth);
    marey_begin(name, MAREY_I64("depth", depth));
    for (uint32_t n = depth < 5 ? next_random(random) % 3 : 0; n; n--)
        record_nest(depth + 1, random);
    if (next_random(random) % 4 == 0)
        marey_instant("instant", MAREY_STR("text", "some text"));
    marey_end();
}

static void *record_always(void *unused) {
    uint32_t random = (uint32_t)now_ns();
    marey_counter *counter = marey_counter_open("counter", NULL, MAREY_OF_THREAD);
    while (!__atomic_load_n(&stop_now, __ATOMIC_RELAXED)) {
        record_nest(0, &random);
        marey_counter_add_i64(counter, 1);
    }
    marey_counter_close(counter);
    return unused;
}

static void start_recorders(int count) {
    for (int i = 0; i < count; i++)
        start_thread(record_always, NULL);
}

static void take_snapshots(char **arguments) {
    char path[PATH_MAX];
    open_ring(arguments[0], MAREY_RING_MIN, 0);
    pid_t child = fork();
    start_recorders(4);
    if (child == 0)
        pause();
    sleep_ms(20);
    for (int i = 0; i < atoi(arguments[2]); i++) {
        snprintf(path, sizeof path, "%s/%d", arguments[1], i);
        MUST(marey_snapshot(path) == 0);
    }
    kill(child, SIGKILL);
    say_losses();
    _exit(0);
}

static const char *folder;
static int copies;

static void *copy_always(void *unused) {
    char path[PATH_MAX];
    for (int i = 0; !__atomic_load_n(&stop_now, __ATOMIC_RELAXED); i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        if (marey_snapshot(path) == 0)
            __atomic_add_fetch(&copies, 1, __ATOMIC_RELAXED);
    }
    return unused;
}

/* Asked so often; then as long as no copy was made. */
static int goes_on(int sessions, int wanted) {
    enum { SESSIONS_MAX = 100000 };
    return sessions < wanted ||
           (sessions < SESSIONS_MAX && !__atomic_load_n(&copies, __ATOMIC_RELAXED));
}

static void close_under_snapshots(char **arguments) {
    folder = arguments[1];
    pthread_t copier = start_thread(copy_always, NULL);
    for (int i = 0; goes_on(i, atoi(arguments[2])); i++) {
        MUST(marey_open(arguments[0], NULL) == 0);
        for (int n = 0; n < 200; n++) {
            marey_begin("event");
            marey_end();
        }
        MUST(marey_close() == 0);
    }
    __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
    pthread_join(copier, NULL);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"keeps", record_and_keep},
        {"crowd", record_crowd},
        {"killed", record_killed},
        {"exec", record_exec},
        {"exec-again", record_exec_again},
        {"large", record_large},
        {"snapshots", take_snapshots},
        {"closing", close_under_snapshots},
        {NULL, NULL},
    };
    self = argv[0];
    return run_command(commands, argc, argv);
}
