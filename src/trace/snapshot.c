/* A copy of what is recorded so far, made while threads and processes go on recording.
 *
 * What a chunk holds up to its last filler does not change any more; its end does. A look at it from another thread can find
 * a packet half visible (its first eight bytes may lie in two cache lines), so each chunk is walked twice: first to find
 * where its packets end, and then, when all that stood before that has long become visible, to copy them. A chunk of a ring
 * that was claimed anew meanwhile is left out, and so is what the same thread wrote before it: with a gap in between, ends would
 * be taken for those of other spans. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "format/perfetto.h"
#include "format/varint.h"
#include "head.h"
#include "store_file.h"

enum {
    LOOK_TRIES = 1000,
    HEAD_COPIED = RING_OFFSET,
    LONGEST_PACKET = 2 * MAREY_PACKET_MAX,
    FILLER_ALIGNED = 1024
};

/* Packets that stand without a gap. */
struct run {
    uint64_t from, to;
    uint64_t begin_ns; /* 0: not known */
    /* of a ring */
    uint32_t slot, previous;
    uint64_t claim;
    uint64_t sequence; /* of its last packet: of the thread that goes on */
    uint64_t bytes;    /* copied, 0: none */
    off_t out;         /* where to */
    int is_wanted;
};

static uint32_t run_number(const struct run *run) {
    return (uint32_t)(run->claim / 2);
}

/* What is wanted; by CLOCK_MONOTONIC. */
struct moment {
    uint64_t from_ns, to_ns;
    int is_whole; /* found: the ring has not written over any of it */
};

struct runs {
    struct run *all;
    size_t count, room;
};

static int add_run(struct runs *runs, struct run run) {
    if (runs->count == runs->room) {
        size_t room = runs->room ? 2 * runs->room : 256;
        struct run *all = realloc(runs->all, room * sizeof *all);
        if (!all)
            return MAREY_ENOMEM;
        runs->all = all;
        runs->room = room;
    }
    runs->all[runs->count++] = run;
    return 0;
}

/* The item at `at`: its tag, and where the next one stands. 0 where this is no item, or only half visible yet. */
static uint8_t look_once(const uint8_t *file, uint64_t at, uint64_t end, uint64_t *next) {
    uint8_t head[8];
    uint64_t bytes;
    for (int i = 0; i < 8; i++)
        head[i] =
            at + (uint64_t)i < end ? __atomic_load_n(&file[at + (uint64_t)i], __ATOMIC_ACQUIRE) : 0;
    const uint8_t *body = varint_get(head + 1, head + sizeof head, &bytes);
    if (!body || bytes > end - at)
        return 0;
    *next = at + (uint64_t)(body - head) + bytes;
    if (*next > end)
        return 0;
    uint8_t following = *next < end ? __atomic_load_n(&file[*next], __ATOMIC_ACQUIRE) : head[0];
    if (following != TAG(TRACE__packet, WIRE_BYTES) && following != TAG(TRACE__filler, WIRE_BYTES))
        return 0;
    if (head[0] == TAG(TRACE__packet, WIRE_BYTES))
        return bytes <= LONGEST_PACKET ? head[0] : 0;
    return head[0] == TAG(TRACE__filler, WIRE_BYTES) && *next % FILLER_ALIGNED == 0 ? head[0] : 0;
}

static uint8_t look(const uint8_t *file, uint64_t at, uint64_t end, uint64_t *next) {
    for (int i = 0; i < LOOK_TRIES; i++) {
        uint8_t tag = look_once(file, at, end, next);
        if (tag)
            return tag;
        sched_yield();
    }
    return 0;
}

/* The runs of packets within [from, end). */
static int find_runs(const uint8_t *file, uint64_t from, uint64_t end, struct run like,
                     struct runs *runs) {
    int code = 0;
    for (uint64_t at = from, next; at < end && !code; at = next) {
        uint64_t start = at;
        uint8_t tag;
        while ((tag = look(file, at, end, &next)) == TAG(TRACE__packet, WIRE_BYTES))
            at = next;
        like.from = start;
        like.to = at;
        if (at > start)
            code = add_run(runs, like);
        if (!tag)
            break;
    }
    return code;
}

static int find_all(const struct store *store, const uint8_t *file, uint64_t file_bytes,
                    struct runs *runs) {
    const struct control *control = store_control(store);
    if (!control->ring_bytes) {
        uint64_t cursor = __atomic_load_n(&control->cursor, __ATOMIC_ACQUIRE);
        return find_runs(file, control->head_bytes, cursor < file_bytes ? cursor : file_bytes,
                         (struct run){0}, runs);
    }
    int code = 0;
    for (uint32_t i = 0; i < control->slots && !code; i++) {
        uint64_t from = control->head_bytes + i * control->chunk_bytes;
        struct run run = {.slot = i};
        run.claim = __atomic_load_n(&head_slots(store->head)[i].claim, __ATOMIC_ACQUIRE);
        run.previous = __atomic_load_n(&head_slots(store->head)[i].previous, __ATOMIC_RELAXED);
        if (!(run.claim & SLOT_CHANGING) && from + control->chunk_bytes <= file_bytes)
            code = find_runs(file, from, from + control->chunk_bytes, run, runs);
    }
    return code;
}

/* A packet says first to which sequence it belongs; the short ones say their time before that. */
static uint64_t sequence_of(const uint8_t *packet, const uint8_t *end) {
    uint64_t bytes, value = 0;
    const uint8_t *at = varint_get(packet + 1, end, &bytes);
    if (at && at < end && *at == TAG(PACKET__timestamp, WIRE_VARINT))
        at = varint_get(at + 1, end, &value);
    if (at && at < end && *at == TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT))
        varint_get(at + 1, end, &value);
    return value;
}

/* When the run begins: its second packet says how long after the session (FORMAT.md, 4). 0 where it does not. */
static uint64_t begin_of(const struct store *store, const uint8_t *file, const struct run *run) {
    uint64_t second, end, value;
    if (!look_once(file, run->from, run->to, &second) ||
        look_once(file, second, run->to, &end) != TAG(TRACE__packet, WIRE_BYTES))
        return 0;
    const uint8_t *at = varint_get(file + second + 1, file + end, &value);
    if (!at || at >= file + end || *at != TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT))
        return 0;
    at = varint_get(at + 1, file + end, &value);
    if (!at || at >= file + end || *at != TAG(PACKET__timestamp, WIRE_VARINT) ||
        !varint_get(at + 1, file + end, &value))
        return 0;
    return store_control(store)->origin.ns + value;
}

/* Whether the run's thread has gone on to another one until then. */
static int has_gone_on(const struct runs *runs, const struct run *run, uint64_t until_ns) {
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *later = &runs->all[i];
        if (later->sequence == run->sequence && later->begin_ns > run->begin_ns &&
            later->begin_ns <= until_ns)
            return 1;
    }
    return 0;
}

/* Whether the thread's chunk before this one, which has something of that time, is not there any more. */
static int has_lost_begin(const struct runs *runs, const struct run *run, uint64_t from_ns) {
    if (!run->previous || run->begin_ns <= from_ns)
        return 0;
    for (size_t i = 0; i < runs->count; i++)
        if (run_number(&runs->all[i]) == run->previous)
            return 0;
    return 1;
}

/* Takes out what has nothing between two times. What a thread wrote stays without a gap. */
static void drop_other_times(const struct store *store, const uint8_t *file, struct runs *runs,
                             struct moment *moment) {
    size_t kept = 0;
    for (size_t i = 0; i < runs->count; i++) {
        struct run *run = &runs->all[i];
        run->begin_ns = begin_of(store, file, run);
        run->sequence = sequence_of(file + run->from, file + run->to);
    }
    for (size_t i = 0; i < runs->count; i++) {
        struct run *run = &runs->all[i];
        run->is_wanted = !run->begin_ns || (run->begin_ns <= moment->to_ns &&
                                            !has_gone_on(runs, run, moment->from_ns));
        if (run->is_wanted && has_lost_begin(runs, run, moment->from_ns))
            moment->is_whole = 0;
    }
    for (size_t i = 0; i < runs->count; i++)
        if (runs->all[i].is_wanted)
            runs->all[kept++] = runs->all[i];
    runs->count = kept;
}

/* The last end of a packet in the run, now that all of it can be seen. */
static uint64_t whole_end(const uint8_t *file, struct run *run) {
    uint64_t at = run->from, last = at, next;
    while (at < run->to &&
           look_once(file, at, run->to + 8, &next) == TAG(TRACE__packet, WIRE_BYTES) &&
           next <= run->to) {
        last = at;
        at = next;
    }
    if (at > run->from)
        run->sequence = sequence_of(file + last, file + at);
    return at;
}

static int is_current(const struct store *store, const struct run *run) {
    return !store_is_ring(store) || __atomic_load_n(&head_slots(store->head)[run->slot].claim,
                                                    __ATOMIC_ACQUIRE) == run->claim;
}

static int copy_run(const struct store *store, const uint8_t *file, struct run *run, int out) {
    size_t bytes = (size_t)(whole_end(file, run) - run->from);
    uint8_t *copy = malloc(bytes ? bytes : 1);
    if (!copy)
        return MAREY_ENOMEM;
    memcpy(copy, file + run->from, bytes);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    int code = 0;
    if (is_current(store, run)) {
        run->out = lseek(out, 0, SEEK_END);
        run->bytes = bytes;
        code = store_write_all(out, copy, bytes);
    }
    free(copy);
    return code;
}

/* What was found while its thread was still writing it and has a successor by now is finished: all of it counts. */
static void complete_runs(const struct store *store, struct runs *runs) {
    const struct control *control = store_control(store);
    for (size_t i = 0; i < runs->count; i++)
        for (size_t j = 0; j < runs->count; j++)
            if (runs->all[j].previous && runs->all[j].previous == run_number(&runs->all[i]))
                runs->all[i].to = control->head_bytes +
                                  (runs->all[i].slot + 1) * control->chunk_bytes - FILLER_STORE;
}

/* 1 where a chunk of the same thread follows this one, and between them one is missing. */
static int is_before_gap(const struct runs *runs, const struct run *run) {
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *later = &runs->all[i];
        int is_here = later->previous == 0;
        if (!later->bytes || later->sequence != run->sequence || later->claim <= run->claim)
            continue;
        for (size_t j = 0; j < runs->count && !is_here; j++)
            is_here = runs->all[j].bytes && run_number(&runs->all[j]) == later->previous;
        if (!is_here)
            return 1;
    }
    return 0;
}

/* Puts a filler over what is before a gap. */
static int drop_before_gaps(const struct runs *runs, int out) {
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->all[i];
        uint64_t filler = run->bytes ? filler_head(run->bytes) : 0;
        if (filler && is_before_gap(runs, run) &&
            pwrite(out, &filler, FILLER_HEAD, run->out) != FILLER_HEAD)
            return error_from_errno(errno);
    }
    return 0;
}

static int copy_head(const struct store *store, int out) {
    uint64_t copy[HEAD_COPIED / 8];
    const uint64_t *head = (const uint64_t *)(const void *)store->head;
    for (size_t i = 0; i < HEAD_COPIED / 8; i++)
        copy[i] = __atomic_load_n(&head[i], __ATOMIC_ACQUIRE);
    struct control *control = head_control((uint8_t *)copy);
    control->state = STATE_ENDED; /* nobody joins the copy */
    control->snapshots = 0;
    control->head_bytes = HEAD_COPIED;
    control->ring_bytes = control->slots = 0;
    return store_write_all(out, (const uint8_t *)copy, sizeof copy);
}

static int copy_all(const struct store *store, const uint8_t *file, uint64_t file_bytes, int out,
                    struct moment *moment) {
    struct runs runs = {0};
    int code = find_all(store, file, file_bytes, &runs);
    if (!code && store_is_ring(store))
        complete_runs(store, &runs);
    if (!code && moment)
        drop_other_times(store, file, &runs, moment);
    if (!code)
        code = copy_head(store, out);
    for (size_t i = 0; i < runs.count && !code; i++)
        code = copy_run(store, file, &runs.all[i], out);
    if (!code && store_is_ring(store))
        code = drop_before_gaps(&runs, out);
    free(runs.all);
    return code;
}

static int copy_mapped(struct store *store, int out, struct moment *moment) {
    uint64_t bytes;
    int code = store_reopen_if_lost(store);
    if (!code)
        code = store_file_bytes(store, &bytes);
    if (code)
        return code;
    uint8_t *file = mmap(NULL, bytes, PROT_READ, MAP_SHARED, store->fd, 0);
    if (file == MAP_FAILED)
        return error_from_errno(errno);
    code = copy_all(store, file, bytes, out, moment);
    munmap(file, bytes);
    return code;
}

/* While the file stays as long as it is: this says that it is read, and then looks whether the session has ended; store_end
 * does it the other way round. */
static int copy_held(struct store *store, int out, struct moment *moment) {
    uint32_t *snapshots = &store_control(store)->snapshots;
    __atomic_fetch_add(snapshots, 1, __ATOMIC_SEQ_CST);
    int code = store_ended(store) ? MAREY_ECLOSED : copy_mapped(store, out, moment);
    __atomic_fetch_sub(snapshots, 1, __ATOMIC_SEQ_CST);
    return code;
}

int store_snapshot(struct store *store, const char *path) {
    char absolute[PATH_MAX], temporary[TEMPORARY_MAX];
    int code = store_absolute_path(path, absolute);
    if (!code && strcmp(absolute, store->path) == 0)
        code = MAREY_EINVAL;
    if (!code)
        code = store_may_replace(absolute);
    if (code)
        return code;
    store_temporary_path(absolute, temporary);
    int out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0)
        return error_from_errno(errno);
    code = copy_held(store, out, NULL);
    if (close(out) != 0 && !code)
        code = error_from_errno(errno);
    if (!code && rename(temporary, absolute) != 0)
        code = error_from_errno(errno);
    if (code)
        unlink(temporary);
    return code;
}

int store_snapshot_into(struct store *store, int out, uint64_t from_ns, uint64_t to_ns,
                        int *is_whole) {
    struct moment moment = {from_ns, to_ns, 1};
    int code = copy_held(store, out, &moment);
    *is_whole = moment.is_whole;
    return code;
}
