/* Four processes of eight threads each record until they die.
 *
 *   tree TRACE NOTES HOW AFTER
 *
 * HOW: what the third thread of each process does once it has done AFTER things: segv, abort, _exit, exit, oom; or
 * nothing ("go on"), until somebody kills it. NOTES is mapped by all: each thread writes down there what it did, after the
 * call has returned. So at any instant what is noted must be in the trace; at most one thing more may be. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "common.h"

enum {
    PROCESSES = 4,
    THREADS = 8,
    NAMES = 200, /* more than have a number of one byte */
    DEPTH = 6,
    THINGS_MAX = 1 << 16,
    END = 255,
    INSTANT = 254,
    COUNTER = 253,
    TRACK = 252, /* a span on a track of its own, with times of its own */
};

struct notes {
    int32_t pid, tid;
    uint32_t done;
    uint8_t things[THINGS_MAX]; /* the number of the name that was begun, or one of the above */
};

static struct notes *notes;
static int process, after;
static const char *how;

static void die(void) {
    if (strcmp(how, "segv") == 0)
        *(volatile int *)8 = 1;
    else if (strcmp(how, "abort") == 0)
        abort();
    else if (strcmp(how, "_exit") == 0)
        _exit(0);
    else if (strcmp(how, "exit") == 0)
        exit(0);
    else if (strcmp(how, "oom") == 0)
        for (;;) {
            char *memory = malloc(1 << 20);
            MUST(memory);
            memset(memory, 1, 1 << 20);
        }
}

struct pen {
    struct notes *notes;
    marey_counter *counter;
    marey_track *track;
    uint32_t random, depth;
};

/* Does something, returns what. */
static uint8_t do_thing(struct pen *pen) {
    uint32_t dice = next_random(&pen->random) % 16, thing = next_random(&pen->random) % NAMES;
    char name[16];
    snprintf(name, sizeof name, "n%u", (unsigned)thing);
    if (dice == 0) {
        marey_instant("instant", MAREY_I64("done", pen->notes->done));
        return INSTANT;
    }
    if (dice == 1) {
        marey_counter_set_i64(pen->counter, pen->notes->done);
        return COUNTER;
    }
    if (dice == 2) {
        uint64_t now = marey_now_ns();
        marey_track_begin(pen->track, now - 1000, "own", MAREY_I64("done", pen->notes->done));
        marey_track_end(pen->track, now);
        return TRACK;
    }
    if (pen->depth == DEPTH || (pen->depth && dice < 9)) {
        if (dice < 5)
            marey_end(MAREY_STR("result", "done"), MAREY_F64("share", 0.5));
        else
            marey_end();
        pen->depth--;
        return END;
    }
    if (dice < 12)
        marey_begin(name);
    else
        marey_begin(name, MAREY_I64("done", pen->notes->done), MAREY_STR("name", name));
    pen->depth++;
    return (uint8_t)thing;
}

static void *record(void *argument) {
    int index = (int)(intptr_t)argument;
    struct pen pen = {.notes = &notes[process * THREADS + index], .random = (uint32_t)now_ns()};
    char name[32];
    snprintf(name, sizeof name, "of %d.%d", process, index);
    pen.counter = marey_counter_open(name, NULL, MAREY_OF_PROCESS);
    pen.track = marey_track_open(name, MAREY_OF_PROCESS);
    pen.notes->pid = (int32_t)getpid();
    pen.notes->tid = (int32_t)gettid();
    for (uint32_t done = 0; done < THINGS_MAX; done++) {
        pen.notes->things[done] = do_thing(&pen);
        __atomic_store_n(&pen.notes->done, done + 1, __ATOMIC_RELEASE);
        if (index == 2 && (int)done == after)
            die();
        for (uint32_t n = next_random(&pen.random) % 32768; n; n--)
            __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

int main(int argc, char **argv) {
    MUST(argc == 5);
    int fd = open(argv[2], O_RDWR);
    MUST(fd >= 0);
    notes =
        mmap(NULL, PROCESSES * THREADS * sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(notes != MAP_FAILED);
    how = argv[3];
    after = atoi(argv[4]);
    MUST(marey_open(argv[1], NULL) == 0);
    for (process = 0; process < PROCESSES - 1; process++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            break;
    }
    for (int i = 1; i < THREADS; i++)
        start_thread(record, (void *)(intptr_t)i);
    if (process == 0)
        say("started", 1);
    record((void *)0);
    pause();
}
