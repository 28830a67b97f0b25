/* Times, held against each other and against the system's clock.
 *
 *   clock token TRACE       two threads and two processes hand a token back and forth
 *   clock system TRACE MS   a busy and a slow thread note CLOCK_MONOTONIC beside each event
 *   clock own TRACE         times of one's own, in any order */
#include <sys/mman.h>
#include <sys/wait.h>

#include "common.h"

enum { ROUNDS = 3000 };

/* Of which player it is the turn; in memory that processes share. */
static volatile uint32_t *turn;

static void play(uint32_t player, uint32_t players) {
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t mine = round * players + player;
        for (uint32_t spins = 0; __atomic_load_n(turn, __ATOMIC_ACQUIRE) != mine; spins++)
            if (spins > 1000)
                sched_yield();
        marey_instant("token", MAREY_U64("turn", mine));
        __atomic_store_n(turn, mine + 1, __ATOMIC_RELEASE);
    }
}

static void *play_second(void *unused) {
    play(1, 4);
    return unused;
}

static void *play_fourth(void *unused) {
    play(3, 4);
    return unused;
}

static void record_token(char **arguments) {
    turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(turn != MAP_FAILED && marey_open(arguments[0], NULL) == 0);
    pid_t child = fork();
    pthread_t thread = start_thread(child ? play_second : play_fourth, NULL);
    play(child ? 0 : 2, 4);
    pthread_join(thread, NULL);
    if (child == 0)
        _exit(0);
    MUST(waitpid(child, NULL, 0) == child);
    MUST(marey_close() == 0);
}

static uint64_t end_ns;

/* An event between two readings of the clock; those tell between what its time must be. */
static void note_time(void) {
    uint64_t before = now_ns();
    marey_begin("noted", MAREY_U64("before", before));
    uint64_t after = now_ns();
    marey_end(MAREY_U64("after", after));
}

static void *note_seldom(void *unused) {
    while (now_ns() < end_ns) {
        note_time();
        sleep_ms(37);
    }
    return unused;
}

static void *note_often(void *unused) {
    for (long i = 0; now_ns() < end_ns; i++) {
        if (i % 1000 == 0)
            note_time();
        marey_begin("busy");
        marey_end();
        for (int n = 400000; n; n--)
            __asm__ volatile("" ::: "memory");
    }
    return unused;
}

/* Asleep for all the time between its first event and its last. */
static void *note_twice(void *unused) {
    note_time();
    uint64_t now = now_ns();
    sleep_ms(now < end_ns ? (long)((end_ns - now) / 1000000) : 0);
    uint64_t before = now_ns(), read = marey_now_ns(), after = now_ns();
    say("now", (long long)(read - before));
    say("window", (long long)(after - before));
    note_time();
    return unused;
}

static void record_system(char **arguments) {
    pthread_t threads[3];
    MUST(marey_open(arguments[0], NULL) == 0);
    end_ns = now_ns() + strtoull(arguments[1], NULL, 10) * 1000000;
    threads[0] = start_thread(note_seldom, NULL);
    threads[1] = start_thread(note_often, NULL);
    threads[2] = start_thread(note_twice, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    MUST(marey_close() == 0);
}

static void record_own(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_track *track = marey_track_open("own", MAREY_OF_PROCESS);
    marey_counter *counter = marey_counter_open("numbers", "items", MAREY_OF_PROCESS);
    uint64_t now = marey_now_ns();
    for (uint64_t i = 10; i; i--) {
        marey_track_end(track, now + i * 1000 + 500);
        marey_track_begin(track, now + i * 1000, "backwards", MAREY_U64("i", i));
        marey_counter_at_i64(counter, now + i * 1000, (int64_t)i);
        marey_instant("now");
    }
    marey_track_begin(track, 1, "at the dawn of time");
    marey_track_end(track, 2);
    marey_track_close(track);
    marey_counter_close(counter);
    MUST(marey_close() == 0);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"token", record_token}, {"system", record_system}, {"own", record_own}, {NULL, NULL}};
    return run_command(commands, argc, argv);
}
