/* Processes: forked, started, and daemons.
 *
 *   fork fork|vfork|exec|spans-in|nested|busy|daemon|moved|deleted|replaced|ended TRACE
 *   fork joined [CATEGORY]    what "exec" and the tests start: records if $MAREY_TRACE says so
 * "daemon" says which descriptor it found closed; the test looks what became of the file that is opened on it. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

extern char **environ;
static const char *self;

static void wait_for(pid_t child) {
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void record_fork(char **arguments) {
    marey_span span;
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_track *track = marey_track_open("own", MAREY_OF_PROCESS);
    marey_counter *counter = marey_counter_open("counter", NULL, MAREY_OF_PROCESS);
    marey_counter_add_i64(counter, 1);
    marey_begin("outer");
    marey__span_begin(&span, NULL, NULL, marey_name_id("held"), NULL, 0);
    marey_track_begin(track, MAREY_NOW, "on the track");
    pid_t child = fork();
    if (child == 0) {
        marey__span_end(&span);
        marey_end();
        marey_track_end(track, MAREY_NOW);
        marey_begin("of the child");
        marey_counter_add_i64(counter, 1);
        marey_end();
        marey_status_info info;
        MUST(marey_status(&info) == 0 && !info.owner);
        MUST(marey_close() == 0); /* of its own part only */
        marey_track_close(track);
        marey_counter_close(counter);
        _exit(0);
    }
    wait_for(child);
    say("child", child);
    marey_instant("after the child");
    marey_track_end(track, MAREY_NOW);
    marey__span_end(&span);
    marey_end();
    marey_track_close(track);
    marey_counter_close(counter);
    MUST(marey_close() == 0);
}

static void record_vfork(char **arguments) {
    MUST(marey_open(arguments[0], &(marey_options){.flags = MAREY_CHILDREN}) == 0);
    marey_begin("outer");
    for (int i = 0; i < 3; i++) {
        const char *command[] = {self, "joined", NULL};
        pid_t child = vfork();
        if (child == 0) {
            execve(self, (char *const *)(uintptr_t)command, environ);
            _exit(97);
        }
        wait_for(child);
    }
    marey_end();
    MUST(marey_close() == 0);
    MUST(getenv("MAREY_TRACE") == NULL);
}

static MAREY_CATEGORY(category, "category");

static void record_joined(char **arguments) {
    if (arguments[0]) {
        MAREY_SPAN_IN(category, "in a category");
        return;
    }
    marey_begin("joined");
    marey_end();
}

/* The same process goes on as another program. */
static void record_exec(char **arguments) {
    const char *command[] = {self, "joined", NULL};
    MUST(marey_open(arguments[0], &(marey_options){.flags = MAREY_CHILDREN}) == 0);
    say("pid", getpid());
    marey_begin("before");
    execve(self, (char *const *)(uintptr_t)command, environ);
    _exit(97);
}

static void record_nested(char **arguments) {
    enum { GENERATIONS = 6 };
    MUST(marey_open(arguments[0], NULL) == 0);
    int generation = 0;
    pid_t child = 0;
    marey_begin("generation", MAREY_I64("number", 0));
    while (++generation < GENERATIONS && (child = fork()) == 0)
        if (generation % 2) /* every other one only hands on */
            marey_begin("generation", MAREY_I64("number", generation));
    if (child)
        wait_for(child);
    marey_end();
    if (generation != 1)
        _exit(0);
    MUST(marey_close() == 0);
}

static int stop_now;

static void *record_always(void *unused) {
    char name[32];
    for (unsigned i = 0; !__atomic_load_n(&stop_now, __ATOMIC_RELAXED); i++) {
        snprintf(name, sizeof name, "n%u", i % 20000);
        marey_begin(name);
        marey_end();
        for (int n = 40000; n; n--) /* some ten microseconds */
            __asm__ volatile("" ::: "memory");
    }
    return unused;
}

/* Children that are forked while threads have every lock there is. */
static void record_busy(char **arguments) {
    enum { THREADS = 4, CHILDREN = 100 };
    pthread_t threads[THREADS];
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(record_always, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            marey_begin("child", MAREY_I64("number", i));
            marey_end();
            marey_status_info info;
            MUST(marey_status(&info) == 0);
            marey_thread_name("a new name");
            _exit(0);
        }
        wait_for(child);
    }
    __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(marey_close() == 0);
}

/* Until the trace has grown several times. */
static void record_much(const char *name) {
    for (int i = 0; i < 20000; i++) {
        marey_begin("much");
        marey_end();
    }
    marey_begin(name);
    marey_end();
}

static int close_all(void) {
    int ours = -1;
    for (int fd = 3; fd < 1024; fd++)
        if (close(fd) == 0)
            ours = fd;
    return ours;
}

static void record_daemon(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_begin("before");
    marey_end();
    int ours = close_all();
    say("closed", ours);
    int fd = open(arguments[1], O_RDWR | O_CREAT | O_APPEND, 0600);
    MUST(write(fd, "the program's own", 17) == 17 && dup2(fd, ours) == ours && close(fd) == 0);
    say("snapshot", marey_snapshot(arguments[2]));
    record_much("after");
    pid_t child = fork();
    if (child == 0) {
        record_much("of the child");
        _exit(0);
    }
    wait_for(child);
    MUST(write(ours, ", still", 7) == 7);
    MUST(marey_close() == 0);
    MUST(write(ours, " open", 5) == 5);
}

static void record_moved(char **arguments) {
    char to[4096];
    snprintf(to, sizeof to, "%s.moved", arguments[0]);
    MUST(marey_open(arguments[0], NULL) == 0);
    MUST(rename(arguments[0], to) == 0);
    record_much("after");
    if (arguments[1]) { /* another file in its place, and the descriptor lost */
        int fd = open(arguments[0], O_WRONLY | O_CREAT, 0600);
        MUST(write(fd, "another", 7) == 7);
        close_all();
        record_much("nowhere");
        say_losses();
    }
    pid_t child = fork();
    if (child == 0) {
        record_much("of the child");
        _exit(0);
    }
    wait_for(child);
    MUST(marey_close() == 0);
}

static void record_deleted(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    MUST(unlink(arguments[0]) == 0);
    record_much("after");
    MUST(marey_snapshot(arguments[1]) == 0);
    MUST(marey_close() == 0);
}

/* A child goes on after the recording has ended: it notices, and that is all. */
static void record_ended(char **arguments) {
    int to_child[2];
    char byte;
    MUST(pipe(to_child) == 0 && marey_open(arguments[0], NULL) == 0);
    marey_begin("outer");
    pid_t child = fork();
    if (child == 0) {
        marey_begin("of the child");
        MUST(read(to_child[0], &byte, 1) == 1);
        record_much("late");
        marey_status_info info;
        MUST(marey_status(&info) == MAREY_EOFF);
        MUST(marey_open(arguments[1], NULL) == 0);
        marey_instant("in its own");
        MUST(marey_close() == 0);
        _exit(0);
    }
    sleep_ms(50);
    MUST(marey_close() == 0);
    MUST(write(to_child[1], "x", 1) == 1);
    wait_for(child);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"fork", record_fork},
        {"vfork", record_vfork},
        {"exec", record_exec},
        {"joined", record_joined},
        {"busy", record_busy},
        {"nested", record_nested},
        {"daemon", record_daemon},
        {"moved", record_moved},
        {"deleted", record_deleted},
        {"ended", record_ended},
        {NULL, NULL},
    };
    self = argv[0];
    return run_command(commands, argc, argv);
}
