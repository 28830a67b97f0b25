/* A file that somebody writes, cuts off and writes over while `marey tail` follows it: looking ends, what is handed out lies
 * in the file, and lines hold no control character.
 *
 * The input is a script: a byte of switches, then steps, each `what | SOON, place (2 bytes), count (1), bytes`. A step
 * that is SOON happens in the middle of the look before it, at the next read. */
#include <string.h>
#include <unistd.h>

#include "cli/tail_lines.h"
#include "model/follow.h"
#include "trace_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { APPEND, WRITE, ZEROS, CUT, LOOK, LOOK_AT_LESS, KINDS, SOON = 0x80 };
enum { SWITCH_JSON = 1, SWITCH_FEW = 2, SWITCH_FILTER = 4 };
enum { STEP_BYTES = 4, FILE_MAX = 1 << 20, ZEROS_UNIT = 4096, READS_FEW = 16 };

static struct {
    uint8_t bytes[FILE_MAX];
    size_t size;
    uint64_t reads, changes;
} file;

struct script {
    const uint8_t *at, *end;
};

static struct script script;

struct step {
    unsigned what, place, count;
    const uint8_t *bytes; /* so many as there are, at most `count` */
    size_t size;
};

static int step_next(struct step *step, int soon) {
    size_t left = (size_t)(script.end - script.at);
    if (left < STEP_BYTES || (soon && !(script.at[0] & SOON)))
        return 0;
    *step = (struct step){(script.at[0] & ~SOON) % KINDS,
                          script.at[1] | (unsigned)script.at[2] << 8, script.at[3], NULL, 0};
    script.at += STEP_BYTES;
    left -= STEP_BYTES;
    if (step->what == APPEND || step->what == WRITE) {
        step->size = step->count < left ? step->count : left;
        step->bytes = script.at;
        script.at += step->size;
    }
    return 1;
}

static void write_at(size_t place, const uint8_t *bytes, size_t size) {
    size = size < FILE_MAX - place ? size : FILE_MAX - place;
    if (bytes)
        memcpy(file.bytes + place, bytes, size);
    else
        memset(file.bytes + place, 0, size);
    file.size = place + size > file.size ? place + size : file.size;
}

static void change(const struct step *step) {
    size_t place = file.size ? step->place % file.size : 0;
    file.changes++;
    switch (step->what) {
    case APPEND: write_at(file.size, step->bytes, step->size); break;
    case WRITE: write_at(place, step->bytes, step->size); break;
    case ZEROS: write_at(file.size, NULL, (size_t)step->count * ZEROS_UNIT); break;
    case CUT: file.size = place; break;
    default: break;
    }
}

/* The follower's file is the script's. */
ssize_t pread(int fd, void *to, size_t want, off_t offset) {
    struct step step;
    (void)fd;
    if (step_next(&step, 1))
        change(&step);
    file.reads++;
    if ((size_t)offset >= file.size)
        return 0;
    size_t have = file.size - (size_t)offset;
    have = want < have ? want : have;
    memcpy(to, file.bytes + offset, have);
    return (ssize_t)have;
}

struct watched {
    struct follower follower;
    struct tail_lines lines;
    uint64_t limit; /* of this look */
};

static void take(void *context, struct bytes packet, uint64_t offset) {
    struct watched *watched = context;
    const uint8_t *window = watched->follower.window;
    require(offset < watched->limit && packet.size < watched->limit - offset,
            "a packet lies beyond the file");
    require(packet.at > window &&
                packet.at + packet.size <= window + watched->follower.window_bytes,
            "a packet lies beyond what was read");
    tail_lines_take(&watched->lines, packet, offset);
}

static void check_places(const struct follower *follower, uint64_t limit) {
    uint64_t end = 0;
    for (uint32_t i = 0; i < follower->count; i++) {
        const struct follow_place *place = &follower->places[i];
        require(place->at >= end && place->at < place->end, "places are not in order");
        end = place->end;
    }
    require(end <= limit, "a place lies beyond the file");
}

static void write_lines(struct watched *watched) {
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    require(to != NULL, "memory is short");
    tail_lines_write(&watched->lines, to);
    fclose(to);
    check_shown(shown, size);
    free(shown);
    watched->lines.all = 1;
}

static void look(struct watched *watched, uint64_t limit) {
    struct follower *follower = &watched->follower;
    uint64_t places = follower->count, packets = follower->packets;
    file.reads = file.changes = 0;
    watched->limit = limit;
    require(follower_poll(follower, limit, take, watched) == 0, "memory is short");
    packets = follower->packets - packets;
    check_places(follower, limit);
    require(file.reads <= READS_FEW + 4 * (places + follower->count + packets + file.changes),
            "more is read than there is");
    write_lines(watched);
}

static void play(struct watched *watched) {
    struct step step;
    while (step_next(&step, 0)) {
        if (step.what == LOOK)
            look(watched, file.size);
        else if (step.what == LOOK_AT_LESS)
            look(watched, file.size ? step.place % file.size : 0);
        else
            change(&step);
    }
    look(watched, file.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct watched watched;
    uint8_t switches = size ? data[0] : 0;
    script = (struct script){data + (size > 0), data + size};
    file.size = 0;
    follower_open(&watched.follower, -1);
    tail_lines_init(&watched.lines, 0);
    watched.lines.json = switches & SWITCH_JSON;
    watched.lines.all = !(switches & SWITCH_FEW);
    watched.lines.keep = 3;
    if (switches & SWITCH_FILTER)
        watched.lines.filter = (struct tail_filter){
            .names = {"*n*"}, .threads = {"ma*"}, .name_count = 1, .thread_count = 1, .min_ns = 5};
    play(&watched);
    tail_lines_free(&watched.lines);
    follower_close(&watched.follower);
    return 0;
}
