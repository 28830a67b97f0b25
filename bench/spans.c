/* What recording from C costs, beside two reads of the clock.
 *
 *   spans off                      nothing records
 *   spans FILE LABEL [ring bytes]  a recording into FILE
 *   spans check FILE               a small recording, for a decoder: prints how many events of each kind it must find
 *
 * The recording is in its steady state and pays for everything: chunks are claimed, mapped and their pages faulted in
 * while the clocks run. The very first round, with its small first chunks, is in the series like the others. */
#include "losses.h"
#include "series.h"

#include <fcntl.h>
#include <marey.h>
#include <unistd.h>

enum {
    ROUNDS = 31,
    LOOPS = 800,     /* 204,800 spans a turn, so that each turn claims its share of the file */
    ROUNDS_MORE = 9, /* of the lines without a bar */
    LOOPS_MORE = 400,
    BYTES = 24, /* of a span in the file */
    WARM_PASSES = (400 << 20) / (SITES * BYTES),
    CHECK_LOOPS = 8,
};

static MAREY_CATEGORY(quiet, "quiet");
static MAREY_CATEGORY(loud, "loud");
static marey_counter *items;
static marey_track *device;

#define BEGIN_END(name)                                                                            \
    marey_begin(name);                                                                             \
    marey_end();
#define SCOPE(name)                                                                                \
    { MAREY_SPAN(name); }
#define SCOPE_QUIET(name)                                                                          \
    { MAREY_SPAN_IN(quiet, name); }
#define SCOPE_LOUD(name)                                                                           \
    { MAREY_SPAN_IN(loud, name); }
#define WITH_INT(name)                                                                             \
    marey_begin(name, MAREY_I64("rows", 1234567));                                                 \
    marey_end();
#define WITH_TEXT(name)                                                                            \
    marey_begin(name, MAREY_STR("path", "/usr/share/dict/words"));                                 \
    marey_end();
#define INSTANT(name) marey_instant(name);
#define COUNTER(name) marey_counter_set(items, 17);
#define ON_TRACK(name)                                                                             \
    marey_track_begin(device, MAREY_NOW, name);                                                    \
    marey_track_end(device, MAREY_NOW);

static void begin_end(void) {
    EACH_256(BEGIN_END)
}
static void scope(void) {
    EACH_256(SCOPE)
}
static void scope_quiet(void) {
    EACH_256(SCOPE_QUIET)
}
static void scope_loud(void) {
    EACH_256(SCOPE_LOUD)
}
static void with_int(void) {
    EACH_256(WITH_INT)
}
static void with_text(void) {
    EACH_256(WITH_TEXT)
}
static void instant(void) {
    EACH_256(INSTANT)
}
static void counter(void) {
    EACH_256(COUNTER)
}
static void on_track(void) {
    EACH_256(ON_TRACK)
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What the file system alone asks for as many bytes: appended by write(2), 256 KiB at a time. */
static int bytes_file = -1;

static void same_bytes(void) {
    static char block[256 << 10];
    static size_t owed;
    owed += SITES * BYTES;
    for (; owed >= sizeof block; owed -= sizeof block)
        if (write(bytes_file, block, sizeof block) != sizeof block)
            fail("write", "the disk is full");
}

static void open_bytes(const char *path) {
    char beside[4096];
    snprintf(beside, sizeof beside, "%s.bytes", path);
    bytes_file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (bytes_file < 0)
        fail(beside, "cannot be opened");
    unlink(beside);
}

/* As much of the machine's memory as a race takes is used and given back just before it: under a hypervisor a page
 * that the guest has not used for seconds costs many microseconds, which no program can help. */
static void warm_memory(const char *path) {
    open_bytes(path);
    for (int i = 0; i < WARM_PASSES; i++)
        same_bytes();
    close(bytes_file);
}

static contestant barred[] = {
    {.who = "floor"},
    {.who = "begin, end", .run = begin_end},
    {.who = "as many bytes by write", .run = same_bytes},
};
static contestant more[] = {
    {.who = "floor"},
    {.who = "scope", .run = scope},
    {.who = "scope in a category", .run = scope_loud},
    {.who = "begin with an integer, end", .run = with_int},
    {.who = "begin with a text of 21 bytes, end", .run = with_text},
    {.who = "instant", .run = instant},
    {.who = "counter", .run = counter},
    {.who = "begin, end on a custom track", .run = on_track},
};
static contestant unrecorded[] = {
    {.who = "begin, end", .run = begin_end},
    {.who = "scope", .run = scope},
    {.who = "scope in a category", .run = scope_loud},
    {.who = "instant", .run = instant},
};
static contestant switched_off[] = {{.who = "scope in a category that is off", .run = scope_quiet}};

static void open_recording(const char *path, uint64_t ring_bytes) {
    marey_options options = {.ring_bytes = ring_bytes, .categories = "*,-quiet"};
    int error = marey_open(path, &options);
    if (error)
        fail(path, marey_strerror(error));
}

static void close_recording(void) {
    must_have_lost_nothing();
    marey_close();
}

static void measure_on(const char *path, const char *label, uint64_t ring_bytes) {
    char group[64];
    barred[0] = more[0] = floor_contestant();
    warm_memory(path);
    open_bytes(path);
    open_recording(path, ring_bytes);
    snprintf(group, sizeof group, "c.on.%s", label);
    race(group, barred, COUNT(barred) - (ring_bytes != 0), ROUNDS, LOOPS);
    close(bytes_file);
    warm_memory(path);
    snprintf(group, sizeof group, "c.more.%s", label);
    race(group, more, COUNT(more), ROUNDS_MORE, LOOPS_MORE);
    race("c.quiet", switched_off, COUNT(switched_off), ROUNDS, LOOPS);
    close_recording();
}

static void measure_off(void) {
    race("c.off", unrecorded, COUNT(unrecorded), ROUNDS, LOOPS);
}

/* Each thing the same number of times; what the file has to hold then. */
static void check(const char *path) {
    open_recording(path, 0);
    for (int i = 0; i < CHECK_LOOPS; i++) {
        begin_end();
        scope_quiet();
        for (size_t k = 1; k < COUNT(more); k++)
            more[k].run();
    }
    close_recording();
    int each = CHECK_LOOPS * SITES;
    printf("{\"group\": \"check\", \"begin\": %d, \"end\": %d, \"instant\": %d, \"counter\": %d}\n",
           6 * each, 6 * each, each, each);
}

int main(int argc, char **argv) {
    items = marey_counter_open("items", "items", MAREY_OF_PROCESS);
    device = marey_track_open("device", MAREY_OF_PROCESS);
    if (argc == 2 && !strcmp(argv[1], "off"))
        measure_off();
    else if (argc == 3 && !strcmp(argv[1], "check"))
        check(argv[2]);
    else if (argc == 3 || argc == 4)
        measure_on(argv[1], argv[2], argc == 4 ? strtoull(argv[3], NULL, 10) : 0);
    else
        fail("usage", "spans off | check FILE | FILE LABEL [RING BYTES]");
    return 0;
}
