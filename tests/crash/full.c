/* A program whose trace cannot grow for a while.
 *
 *   full disk TRACE BALLAST     the disk is full until BALLAST, which fills it, is removed
 *   full fsize TRACE            ulimit -f; then it is raised
 *   full limit TRACE            the recording's own limit, which stays
 *   full memory TRACE           ulimit -v; then it is raised
 *   full threads TRACE BALLAST  as disk, by eight threads for a second
 *   full start TRACE BYTES      ulimit -f from the start: says what marey_open returned
 *
 * A span is open when the trace cannot grow any more; one that begins in that time and one that ends in it follow. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"

enum { LIMIT_BYTES = 256 << 10, SPARE_BYTES = 64 << 10, LOST = 3000, MEMORY_SPARE = 64 << 10 };

static const char *ballast;
static uint64_t attempts;

static uint64_t lost_so_far(void) {
    marey_losses lost = losses_now();
    return lost.disk + lost.limit;
}

/* Until they are lost, and some more. */
static void record_until_lost(void) {
    while (lost_so_far() == 0) {
        marey_instant("attempt");
        attempts++;
    }
    for (int i = 0; i < LOST; i++) {
        marey_instant("attempt");
        attempts++;
    }
}

/* All in between happens while nothing can be written. Ends that cannot be written are when it works again. */
static void record_all(void (*exhaust)(void), void (*relieve)(void)) {
    marey_begin("outer");
    marey_begin("inner");
    exhaust();
    record_until_lost();
    uint64_t before = lost_so_far();
    marey_begin("lost");
    marey_begin("lost, too");
    marey_end();
    marey_end();
    marey_end(); /* of "inner" */
    marey_begin("lost and open");
    say("lost_spans", (long long)(lost_so_far() - before));
    relieve();
    sleep_ms(150); /* it does not try again before */
    marey_instant("in the lost one");
    marey_begin("within the lost one");
    marey_end();
    marey_end(); /* of "lost and open" */
    marey_begin("after", MAREY_I64("answer", 42));
    marey_end();
    marey_end(); /* of "outer" */
    marey_begin("next");
    marey_end();
    say("attempts", (long long)attempts);
    say_losses();
}

static void write_ballast(void) {
    static char block[4096];
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0);
    memset(block, 1, sizeof block);
    while (write(fd, block, sizeof block) > 0)
        continue;
    close(fd);
}

static void remove_ballast(void) {
    MUST(unlink(ballast) == 0);
}

static void set_soft_limit(int resource, rlim_t value) {
    struct rlimit limit;
    MUST(getrlimit(resource, &limit) == 0);
    limit.rlim_cur = value == RLIM_INFINITY ? limit.rlim_max : value;
    MUST(setrlimit(resource, &limit) == 0);
}

static void limit_file_size(void) {
    set_soft_limit(RLIMIT_FSIZE, LIMIT_BYTES + 700); /* no multiple of anything */
}

static void raise_file_size(void) {
    set_soft_limit(RLIMIT_FSIZE, RLIM_INFINITY);
}

static void limit_memory(void) {
    unsigned long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    MUST(file && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    set_soft_limit(RLIMIT_AS, pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_SPARE);
}

static void raise_memory(void) {
    set_soft_limit(RLIMIT_AS, RLIM_INFINITY);
}

static void do_nothing(void) {}

static void record_disk(char **arguments) {
    ballast = arguments[1];
    MUST(marey_open(arguments[0], NULL) == 0);
    record_all(write_ballast, remove_ballast);
    MUST(marey_close() == 0);
}

static void record_fsize(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    record_all(limit_file_size, raise_file_size);
    MUST(marey_close() == 0);
}

static void record_limit(char **arguments) {
    marey_options options = {.limit_bytes = LIMIT_BYTES};
    MUST(marey_open(arguments[0], &options) == 0);
    record_all(do_nothing, do_nothing);
    MUST(marey_close() == 0);
}

enum { WAITING, EXHAUSTED, RELIEVED };
static int memory_state;

static void wait_for(int state) {
    while (__atomic_load_n(&memory_state, __ATOMIC_ACQUIRE) != state)
        sleep_ms(1);
}

/* Records for the first time when there is no memory for what a thread needs for that. */
static void *record_without_memory(void *unused) {
    wait_for(EXHAUSTED);
    marey_begin("lost");
    for (int i = 0; i < LOST; i++)
        marey_instant("attempt");
    marey_end();
    __atomic_store_n(&memory_state, RELIEVED, __ATOMIC_RELEASE);
    raise_memory();
    sleep_ms(150);
    marey_begin("after");
    marey_end();
    return unused;
}

static void record_memory(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    pthread_t thread = start_thread(record_without_memory, NULL);
    sleep_ms(20); /* it is there, with all that the system's libraries want for it */
    marey_begin("outer");
    limit_memory();
    __atomic_store_n(&memory_state, EXHAUSTED, __ATOMIC_RELEASE);
    wait_for(RELIEVED);
    pthread_join(thread, NULL);
    marey_end();
    say("attempts", LOST);
    say_losses();
    MUST(marey_close() == 0);
}

static void *attempt_for_a_second(void *unused) {
    for (uint64_t until = now_ns() + 1000000000u; now_ns() < until;) {
        marey_instant("attempt", MAREY_STR("text", "a text that takes some room"));
        __atomic_add_fetch(&attempts, 1, __ATOMIC_RELAXED);
    }
    return unused;
}

static void record_threads(char **arguments) {
    pthread_t threads[8];
    struct stat status;
    ballast = arguments[1];
    MUST(marey_open(arguments[0], NULL) == 0);
    write_ballast();
    for (int i = 0; i < 8; i++)
        threads[i] = start_thread(attempt_for_a_second, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    marey_status_info info;
    MUST(marey_status(&info) == 0 && stat(arguments[0], &status) == 0);
    say("claimed", (long long)info.file_bytes);
    say("size", (long long)status.st_size);
    say("attempts", (long long)attempts);
    say_losses();
    MUST(marey_close() == 0);
}

static void open_limited(char **arguments) {
    set_soft_limit(RLIMIT_FSIZE, strtoul(arguments[1], NULL, 10));
    say("opened", marey_open(arguments[0], NULL));
    marey_instant("attempt");
    if (marey_close() == 0)
        say("closed", 1);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"disk", record_disk},
        {"fsize", record_fsize},
        {"limit", record_limit},
        {"memory", record_memory},
        {"threads", record_threads},
        {"start", open_limited},
        {NULL, NULL},
    };
    return run_command(commands, argc, argv);
}
