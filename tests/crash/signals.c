/* Recording in signal handlers, at a high rate, in the middle of everything.
 *
 *   signals events TRACE        threads record while signals rain upon them
 *   signals sessions FOLDER     the main thread opens, closes, copies and asks meanwhile
 *   signals names TRACE         it adds names; so does the handler
 *   signals alone TRACE         the handler is the first of its thread to record */
#include <limits.h>
#include <signal.h>
#include <sys/time.h>

#include "common.h"

enum { PERIOD_US = 50 };

static int64_t handled; /* how often the handler ran */
static int stop_now;

static void record_in_handler(int number) {
    int kept = errno;
    __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    marey_begin("handler", MAREY_I64("signal", number));
    marey_instant("in the handler");
    marey_end();
    errno = kept;
}

static void start_timer(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, PERIOD_US}, {0, PERIOD_US}};
    MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void stop_timer(void) {
    struct itimerval never = {{0, 0}, {0, 0}};
    MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

/* A thousand take about half a microsecond. */
static void breathe(int count) {
    for (int n = count; n; n--)
        __asm__ volatile("" ::: "memory");
}

static void *record_always(void *unused) {
    for (int64_t i = 0; !__atomic_load_n(&stop_now, __ATOMIC_RELAXED); i++) {
        marey_begin("loop", MAREY_I64("i", i), MAREY_STR("text", "some text to take some time"));
        marey_begin("inner");
        marey_end();
        marey_end();
        breathe(20000);
    }
    return unused;
}

static void record_events(char **arguments) {
    enum { THREADS = 3, SIGNALS = 2000 };
    pthread_t threads[THREADS];
    MUST(marey_open(arguments[0], NULL) == 0);
    MUST(signal(SIGALRM, record_in_handler) != SIG_ERR);
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(record_always, NULL);
    sleep_ms(5);
    for (int i = 0; __atomic_load_n(&handled, __ATOMIC_RELAXED) < SIGNALS; i++) {
        MUST(pthread_kill(threads[i % THREADS], SIGALRM) == 0);
        breathe(10000);
    }
    __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    say("handled", handled);
    say_losses();
    MUST(marey_close() == 0);
}

static void record_sessions(char **arguments) {
    char path[PATH_MAX], copy[PATH_MAX + 16];
    start_timer(record_in_handler);
    for (int i = 0; i < 300; i++) {
        marey_status_info info;
        snprintf(path, sizeof path, "%s/%d", arguments[0], i);
        snprintf(copy, sizeof copy, "%s.copy", path);
        MUST(marey_open(path, NULL) == 0);
        marey_begin("main");
        MUST(marey_status(&info) == 0 && marey_snapshot(copy) == 0);
        marey_thread_name("a thread");
        marey_process_name("a process");
        marey_attribute_number("number", i);
        marey_track *track = marey_track_open("own", MAREY_OF_THREAD);
        marey_track_instant(track, MAREY_NOW, "on the track");
        marey_track_close(track);
        marey_end();
        MUST(marey_close() == 0);
    }
    stop_timer();
    say("handled", handled);
}

static void add_name(int number) {
    char name[32];
    int64_t count = __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    /* No printf here: a number in base 26. */
    name[0] = 'h';
    int at = 1;
    for (count %= 4000; count; count /= 26)
        name[at++] = (char)('a' + count % 26);
    name[at] = 0;
    marey_name_id(name);
    (void)number;
}

static void record_names(char **arguments) {
    char name[32];
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < 4001; i++) { /* so that the handler's are known: it must not allocate */
        handled = i;
        add_name(0);
    }
    start_timer(add_name);
    for (int i = 0; i < 25000; i++) {
        snprintf(name, sizeof name, "name %d", i);
        marey_instant(name);
    }
    stop_timer();
    say_losses();
    MUST(marey_close() == 0);
}

static void record_alone(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    start_timer(record_in_handler);
    while (__atomic_load_n(&handled, __ATOMIC_RELAXED) < 20)
        pause();
    stop_timer();
    say("handled", handled);
    say_losses();
    MUST(marey_close() == 0);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"events", record_events},
        {"sessions", record_sessions},
        {"names", record_names},
        {"alone", record_alone},
        {NULL, NULL},
    };
    return run_command(commands, argc, argv);
}
