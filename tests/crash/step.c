/* Whole at every instant, taken literally: a process records under the eyes of another one that lets it go on by one
 * instruction at a time, and looks at the file after each.
 *
 *   step TRACE WHAT RING_BYTES     WHAT: plain, arguments, tracks, losses, chunks, attributes, close
 *   step TRACE busy 0              it runs freely and is stopped again and again, for some instructions each time: what a
 *                                  busy thread does takes another way, which slow ones do not
 *
 * After each instruction the file must be whole items that end where it ends, each packet in it whole fields; and all begins
 * that had returned must be there. Says how many instructions there were, and how many times the file had changed. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"
#include "format/wire.h"

enum { FILE_MAX = 16 << 20, STOPS = 300, AT_A_TIME = 400, STEPS_AT_A_STOP = 90 };

static const char *path;
static volatile int *returned; /* begins; shared, as the next */
static volatile int *allowed;  /* so many may be */

static void begin(const char *name) {
    marey_begin(name);
    ++*returned;
}

static void record_plain(void) {
    for (int i = 0; i < 6; i++) {
        begin("a name");
        marey_end();
    }
}

static void record_arguments(void) {
    for (int i = 0; i < 3; i++) {
        marey_begin("with arguments", MAREY_I64("i", i), MAREY_STR("text", "some text"),
                    MAREY_DICT("d", MAREY_F64("x", 0.5), MAREY_BOOL("b", 1)), MAREY_HERE);
        ++*returned;
        marey_end(MAREY_U64("result", 7), MAREY_FLOW_OUT(77));
    }
}

static void record_tracks(void) {
    marey_track *outer = marey_track_open("outer", MAREY_OF_PROCESS);
    marey_track *inner = marey_track_open("inner", outer);
    marey_counter *counter = marey_counter_open("counter", "items", MAREY_OF_PROCESS);
    for (int i = 0; i < 3; i++) {
        marey_track_begin(inner, MAREY_NOW, "on a track");
        ++*returned;
        marey_counter_set(counter, 0.5);
        marey_counter_add(counter, 1);
        marey_track_end(inner, MAREY_NOW);
    }
    marey_thread_name("a new name");
}

static void record_losses(void) {
    marey_arg too_many[MAREY_ARGS_MAX + 1] = {0};
    for (int i = 0; i < MAREY_ARGS_MAX + 1; i++)
        too_many[i] = (marey_arg){.name = marey_name_id("i"), .kind = MAREY_KIND_I64, .i64 = i};
    for (int i = 0; i < 3; i++) {
        marey__begin_args(marey_name_id("too many"), too_many, MAREY_ARGS_MAX + 1);
        ++*returned;
    }
}

/* Over the border from one chunk to the next. */
static void record_chunks(void) {
    char text[700];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 24; i++) {
        marey_begin("large", MAREY_STRN("text", text, sizeof text));
        ++*returned;
    }
}

static void record_attributes(void) {
    for (int i = 0; i < 6; i++)
        marey_attribute_text("key", "value");
    begin("after");
}

static void record_close(void) {
    begin("before");
    MUST(marey_close() == 0);
}

static void record_always(void) {
    for (;;) {
        while (*returned >= *allowed)
            continue;
        begin("busy");
        marey_end();
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"busy", record_always},           {"plain", record_plain},   {"arguments", record_arguments},
    {"tracks", record_tracks},         {"losses", record_losses}, {"chunks", record_chunks},
    {"attributes", record_attributes}, {"close", record_close},   {NULL, NULL},
};

static void be_traced(const char *what, uint64_t ring_bytes) {
    MUST(marey_open(path, &(marey_options){.ring_bytes = ring_bytes}) == 0);
    MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    raise(SIGSTOP);
    for (int i = 0; parts[i].name; i++)
        if (strcmp(parts[i].name, what) == 0)
            parts[i].run();
    raise(SIGSTOP);
    _exit(0);
}

/* ------------------------------------------------------------------- looking */

static int is_begin(struct bytes event) {
    struct field field;
    int begins = 0;
    for (const uint8_t *at = event.at; wire_next(&at, event.at + event.size, &field) == 1;)
        begins |= field.number == EVENT__type && field.value == EVENT_BEGIN;
    return begins;
}

/* Returns the begins in a packet, -1 where it is damaged. */
static int look_at_packet(struct bytes packet) {
    const uint8_t *at = packet.at, *end = packet.at + packet.size;
    struct field field;
    int state, begins = 0;
    while ((state = wire_next(&at, end, &field)) == 1)
        if (field.number == PACKET__track_event)
            begins += is_begin(field.bytes);
    return state < 0 || packet.size == 0 ? -1 : begins;
}

/* Returns the begins in the file, -1 where it is damaged. */
static int look_at_file(const uint8_t *file, size_t size) {
    const uint8_t *at = file, *end = file + size;
    struct field field;
    int state, begins = 0;
    while ((state = wire_next(&at, end, &field)) == 1) {
        if (field.wire != WIRE_BYTES ||
            (field.number != TRACE__packet && field.number != TRACE__filler))
            return -1;
        int found = field.number == TRACE__packet ? look_at_packet(field.bytes) : 0;
        if (found < 0)
            return -1;
        begins += found;
    }
    return state < 0 ? -1 : begins;
}

struct watch {
    int fd;
    uint8_t *file;
    uint8_t before[FILE_MAX];
    size_t size;
    int begins;
    long long steps, changes;
};

static int has_changed(struct watch *watch) {
    struct stat status;
    MUST(fstat(watch->fd, &status) == 0 && status.st_size <= FILE_MAX);
    size_t size = (size_t)status.st_size;
    if (size == watch->size && memcmp(watch->before, watch->file, size) == 0)
        return 0;
    memcpy(watch->before, watch->file, size);
    watch->size = size;
    watch->changes++;
    return 1;
}

/* Another instruction. 0 at the end. */
static int step(pid_t child) {
    int status;
    MUST(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child);
    MUST(WIFSTOPPED(status));
    return WSTOPSIG(status) != SIGSTOP;
}

/* Looks at the file if it has changed. 0 where it is not as it must be. */
static int is_whole(struct watch *watch) {
    watch->steps++;
    if (has_changed(watch))
        watch->begins = look_at_file(watch->before, watch->size);
    if (watch->begins >= *returned)
        return 1;
    say("broken_at_step", watch->steps);
    say("begins", watch->begins);
    say("returned", *returned);
    return 0;
}

static void watch_all(pid_t child, struct watch *watch) {
    while (step(child) && is_whole(watch))
        continue;
}

static void watch_at_random(pid_t child, struct watch *watch) {
    for (int i = 0; i < STOPS; i++) {
        int status, whole = 1;
        MUST(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
        *allowed = *returned + AT_A_TIME;
        for (int until = *returned + 20 + i % 7; *returned < until;)
            continue;
        MUST(kill(child, SIGSTOP) == 0 && waitpid(child, &status, 0) == child);
        for (int n = 0; n < STEPS_AT_A_STOP && whole; n++)
            whole = step(child) && is_whole(watch);
        if (!whole)
            return;
    }
}

static void watch_child(pid_t child, int is_busy, struct watch *watch) {
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    watch->fd = open(path, O_RDONLY);
    MUST(watch->fd >= 0);
    watch->file = mmap(NULL, FILE_MAX, PROT_READ, MAP_SHARED, watch->fd, 0);
    MUST(watch->file != MAP_FAILED);
    (is_busy ? watch_at_random : watch_all)(child, watch);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

int main(int argc, char **argv) {
    static struct watch watch;
    MUST(argc == 4);
    path = argv[1];
    returned = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(returned != MAP_FAILED);
    allowed = returned + 1;
    pid_t child = fork();
    if (child == 0)
        be_traced(argv[2], strtoull(argv[3], NULL, 10));
    watch_child(child, strcmp(argv[2], "busy") == 0, &watch);
    say("steps", watch.steps);
    say("changes", watch.changes);
    say("begins_returned", *returned);
}
