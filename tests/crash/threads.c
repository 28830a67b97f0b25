/* What threads do to spans, and what starting and stopping does to threads.
 *
 *   threads unbalanced|deep|many|foreign|recycled|cancelled|small-stack|late TRACE
 *   threads restart FOLDER TIMES     starts and stops while four threads record
 *   threads two TRACE TRACE          one recording after the other
 *   threads exit TRACE               exit() while four threads record */
#include <limits.h>

#include "common.h"

static int stop_now, some_recorded;

static void record_unbalanced(char **arguments) {
    marey_begin("before");
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_end();
    marey_end();
    marey_begin("first");
    marey_end();
    marey_end(MAREY_STR("too", "many"));
    {
        MAREY_SPAN("scope");
        marey_begin("left open inside");
        marey_begin("and inside that");
    }
    marey_begin("outer");
    marey_begin("open");
    MUST(marey_close() == 0);
    marey_end();
}

static void record_deep(char **arguments) {
    enum { DEPTH = 1000 };
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_track *track = marey_track_open("own", MAREY_OF_PROCESS);
    for (int i = 0; i < DEPTH; i++) {
        marey_begin("deep", MAREY_I64("depth", i));
        marey_track_begin(track, MAREY_NOW, "deep");
    }
    marey_instant("at the bottom");
    for (int i = 0; i < DEPTH; i++) {
        marey_end();
        marey_track_end(track, MAREY_NOW);
    }
    marey_begin("after");
    marey_end();
    marey_track_begin(track, MAREY_NOW, "after");
    marey_track_end(track, MAREY_NOW);
    say_losses();
    marey_track_close(track);
    MUST(marey_close() == 0);
}

static void *record_one(void *argument) {
    MAREY_SPAN("life", MAREY_I64("number", (intptr_t)argument));
    marey_instant("born");
    return NULL;
}

static void record_many(char **arguments) {
    enum { THREADS = 10000, AT_A_TIME = 50 };
    pthread_t threads[AT_A_TIME];
    MUST(marey_open(arguments[0], NULL) == 0);
    for (intptr_t born = 0; born < THREADS; born += AT_A_TIME) {
        for (int i = 0; i < AT_A_TIME; i++)
            threads[i] = start_thread(record_one, (void *)(born + i));
        for (int i = 0; i < AT_A_TIME; i++)
            MUST(pthread_join(threads[i], NULL) == 0);
    }
    say_losses();
    MUST(marey_close() == 0);
}

static void begin_span(marey_span *span, const char *name) {
    marey__span_begin(span, NULL, NULL, marey_name_id(name), NULL, 0);
}

static void *end_span(void *span) {
    marey_begin("of the other thread");
    marey__span_end(span);
    marey_end();
    return NULL;
}

static void record_foreign(char **arguments) {
    marey_span span;
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_begin("outer");
    begin_span(&span, "ended elsewhere");
    run_in_thread(end_span, &span);
    marey_instant("goes on");
    marey_end();
    marey_end();
    MUST(marey_close() == 0);
}

static void *begin_and_leave(void *span) {
    marey_begin("left open");
    begin_span(span, "taken along");
    return NULL;
}

static void *end_of_the_dead(void *span) {
    marey_begin("outer");
    marey_begin("middle");
    marey_begin("inner");
    marey__span_end(span);
    marey_instant("goes on");
    marey_end();
    marey_end();
    marey_end();
    return NULL;
}

/* The second thread gets what the first has left. */
static void record_recycled(char **arguments) {
    marey_span span;
    MUST(marey_open(arguments[0], NULL) == 0);
    run_in_thread(begin_and_leave, &span);
    run_in_thread(end_of_the_dead, &span);
    MUST(marey_close() == 0);
}

/* Some ten microseconds, so that the files stay small. */
static void breathe(void) {
    for (int n = 20000; n; n--)
        __asm__ volatile("" ::: "memory");
}

static void *record_always(void *unused) {
    for (long i = 0; !__atomic_load_n(&stop_now, __ATOMIC_RELAXED); i++) {
        MAREY_SPAN("loop", MAREY_I64("i", i));
        marey_begin("inner");
        marey_instant("instant");
        marey_end();
        breathe();
        __atomic_store_n(&some_recorded, 1, __ATOMIC_RELAXED);
    }
    return unused;
}

static void record_restart(char **arguments) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    char path[PATH_MAX];
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(record_always, NULL);
    for (int i = 0; i < atoi(arguments[1]); i++) {
        snprintf(path, sizeof path, "%s/%d", arguments[0], i);
        MUST(marey_open(path, NULL) == 0);
        marey_counter *counter = marey_counter_open("counter", NULL, MAREY_OF_PROCESS);
        marey_counter_set_i64(counter, i);
        marey_process_name(path + strlen(path) / 2);
        if (i % 8 == 0)
            sched_yield();
        marey_counter_close(counter);
        MUST(marey_close() == 0);
    }
    __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void record_two(char **arguments) {
    for (int i = 0; i < 2; i++) {
        marey_status_info info;
        MUST(marey_open(arguments[i], NULL) == 0);
        MUST(marey_open(arguments[1 - i], NULL) == MAREY_EBUSY);
        MUST(marey_status(&info) == 0 && info.owner);
        marey_begin(i ? "second" : "first");
        MUST(marey_close() == 0);
        MUST(marey_close() == MAREY_EOFF);
    }
    marey_end();
}

static void exit_now(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_begin("main");
    for (int i = 0; i < 4; i++)
        start_thread(record_always, NULL);
    do {
        sleep_ms(5);
    } while (!__atomic_load_n(&some_recorded, __ATOMIC_RELAXED));
    exit(0);
}

static void record_cancelled(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < 200; i++) {
        pthread_t thread = start_thread(record_always, NULL);
        uint32_t random = (uint32_t)now_ns();
        for (uint32_t n = next_random(&random) % 100000; n; n--)
            __asm__ volatile("" ::: "memory");
        MUST(pthread_cancel(thread) == 0);
        /* Recording is no place to be cancelled at; the thread is at its own next one. */
        __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
        MUST(pthread_join(thread, NULL) == 0);
        __atomic_store_n(&stop_now, 0, __ATOMIC_RELAXED);
    }
    marey_begin("after");
    marey_end();
    MUST(marey_close() == 0);
}

/* With the smallest stack that a thread can have. */
static void record_on_small_stack(char **arguments) {
    pthread_attr_t attributes;
    pthread_t thread;
    marey_options options = {.limit_bytes = 64 << 10}; /* so that it says so, too */
    MUST(marey_open(arguments[0], &options) == 0);
    pthread_attr_init(&attributes);
    MUST(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
    __atomic_store_n(&stop_now, 1, __ATOMIC_RELAXED);
    MUST(pthread_create(&thread, &attributes, record_one, NULL) == 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 400; i++) {
        MUST(pthread_create(&thread, &attributes, record_one, NULL) == 0);
        pthread_join(thread, NULL);
    }
    MUST(marey_close() == 0);
}

static pthread_key_t late_key;

static void record_late(void *unused) {
    marey_begin("in a destructor");
    marey_end();
    (void)unused;
}

static void *set_late(void *unused) {
    marey_begin("alive");
    marey_end();
    pthread_setspecific(late_key, &late_key);
    return unused;
}

/* Threads that record when they are as good as gone. */
static void record_at_thread_end(char **arguments) {
    pthread_key_create(&late_key, record_late);
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < 20; i++)
        run_in_thread(set_late, NULL);
    MUST(marey_close() == 0);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"unbalanced", record_unbalanced},
        {"deep", record_deep},
        {"many", record_many},
        {"foreign", record_foreign},
        {"recycled", record_recycled},
        {"restart", record_restart},
        {"two", record_two},
        {"exit", exit_now},
        {"cancelled", record_cancelled},
        {"small-stack", record_on_small_stack},
        {"late", record_at_thread_end},
        {NULL, NULL},
    };
    return run_command(commands, argc, argv);
}
