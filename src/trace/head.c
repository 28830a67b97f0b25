/* See head.h. */
#include "head.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "pack.h"

static_assert(LOSS_OFFSET + LOSS_KINDS * LOSS_BYTES <= CONTROL_OFFSET - FILLER_HEAD,
              "losses end before the control block");
static_assert(CONTROL_OFFSET + sizeof(struct control) <= HEAD_PAGE,
              "the control block fits its page");
static_assert(RING_SLOTS_OFFSET + RING_SLOTS_MAX * sizeof(struct ring_slot) <= HEAD_PAGE,
              "the slots fit their page");
static_assert(ATTRIBUTE_SLOTS * ATTRIBUTE_BYTES == HEAD_PAGE, "the attributes fill their page");

enum { UNIT_COUNT = 2, UNIT_BYTES = 3 }; /* CounterDescriptor.Unit */

static const struct {
    const char *name;
    unsigned unit;
} loss_tracks[LOSS_KINDS] = {
    [LOSS_DISK] = {"marey lost: disk", UNIT_COUNT},
    [LOSS_LIMIT] = {"marey lost: limit", UNIT_COUNT},
    [LOSS_DEPTH] = {"marey lost: depth", UNIT_COUNT},
    [LOSS_REENTRY] = {"marey lost: reentry", UNIT_COUNT},
    [LOSS_RING] = {"marey lost: ring", UNIT_BYTES},
    [LOSS_ARGUMENTS] = {"marey lost: arguments", UNIT_COUNT},
};

static uint64_t loss_uuid(enum loss kind) {
    return 1 + (uint64_t)kind;
}

/* ------------------------------------------------------------------ build */

static void put_filler(uint8_t *at, size_t bytes) {
    uint64_t head = filler_head(bytes);
    memcpy(at, &head, FILLER_HEAD);
}

static void pack_clock(struct pack *pack, unsigned id, uint64_t ns) {
    uint8_t *clock = pack_open(pack, CLOCK_SNAPSHOT__clocks);
    pack_varint(pack, CLOCK__id, id);
    pack_varint(pack, CLOCK__timestamp, ns);
    pack_close(pack, clock);
}

static uint64_t clock_offset(clockid_t id, uint64_t monotonic_now) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - monotonic_now;
}

/* The origin, on all clocks. */
static void pack_global_clocks(struct pack *pack, struct clock_pair origin) {
    uint64_t now = clock_monotonic_ns();
    uint8_t *packet = pack_open(pack, TRACE__packet);
    uint8_t *snapshot = pack_open(pack, PACKET__clock_snapshot);
    pack_clock(pack, CLOCK_ID_REALTIME, origin.ns + clock_offset(CLOCK_REALTIME, now));
    pack_clock(pack, CLOCK_ID_MONOTONIC, origin.ns);
    pack_clock(pack, CLOCK_ID_BOOTTIME, origin.ns + clock_offset(CLOCK_BOOTTIME, now));
    pack_close(pack, snapshot);
    pack_close(pack, packet);
}

static uint64_t random_u64(uint64_t fallback) {
    uint64_t value;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = fallback * 0x9e3779b97f4a7c15u;
    return value;
}

static void pack_uuid(struct pack *pack, struct clock_pair origin) {
    uint8_t *packet = pack_open(pack, TRACE__packet);
    uint8_t *uuid = pack_open(pack, PACKET__trace_uuid);
    pack_varint(pack, TRACE_UUID__msb, random_u64(origin.ns) >> 1);
    pack_varint(pack, TRACE_UUID__lsb, random_u64(origin.ns + (uint64_t)getpid()) >> 1);
    pack_close(pack, uuid);
    pack_close(pack, packet);
}

static void pack_loss_sequence(struct pack *pack, struct clock_pair origin) {
    uint8_t *packet = pack_open(pack, TRACE__packet);
    pack_varint(pack, PACKET__trusted_packet_sequence_id, LOSS_SEQUENCE);
    pack_varint(pack, PACKET__sequence_flags, SEQUENCE_STATE_CLEARED);
    uint8_t *snapshot = pack_open(pack, PACKET__clock_snapshot);
    pack_clock(pack, CLOCK_ID_MONOTONIC, origin.ns);
    pack_clock(pack, PROCESS_CLOCK, 0);
    pack_close(pack, snapshot);
    pack_close(pack, packet);
}

/* ----------------------------------------------------------------- losses */

/* The place of a kind of loss, all numbers at multiples of eight so that each changes in one store:
 *   0     the counter's descriptor, then a filler
 *   64    count 0 at the time of the first loss      0A 1E 50 01 D0 03 41 40 <time: 8> 5A 0E 48 04 58 uu E1 02 <double: 8>
 *   96    the count so far, at its time              the same
 *   128   filler; in the last eight bytes of it the bytes 0 to 7, kept for when the place is shown
 * Until the first loss, bytes 0 to 7 are the head of a filler over the whole place. */
enum {
    FIRST_COUNT = 64,
    LAST_COUNT = 96,
    LOSS_REST = 128,
    SHOWN_HEAD = LOSS_BYTES - 8,
    COUNT_BYTES = 32,
    COUNT_TIME = 8,
    COUNT_VALUE = 24,
    LAST_AFTER_NS = 1000000, /* behind the first also where another thread's is stored late */
};

static uint8_t *place_of(uint8_t *head, enum loss kind) {
    return head + LOSS_OFFSET + (size_t)kind * LOSS_BYTES;
}

/* A varint of eight bytes: 56 bits. */
static uint64_t padded56(uint64_t value) {
    uint64_t low = varint_spread28((uint32_t)value & 0xfffffff) | 0x80808080u;
    uint64_t high = varint_spread28((uint32_t)(value >> 28) & 0xfffffff) | 0x00808080u;
    return low | high << 32;
}

static void put_count(uint8_t *at, enum loss kind) {
    uint8_t *p = at;
    *p++ = TAG(TRACE__packet, WIRE_BYTES);
    *p++ = COUNT_BYTES - 2;
    *p++ = TAG(PACKET__trusted_packet_sequence_id, WIRE_VARINT);
    *p++ = LOSS_SEQUENCE;
    p = varint_put(p, TAG(PACKET__timestamp_clock_id, WIRE_VARINT));
    *p++ = PROCESS_CLOCK;
    *p++ = TAG(PACKET__timestamp, WIRE_VARINT);
    assert(p == at + COUNT_TIME);
    uint64_t zero = padded56(0);
    memcpy(p, &zero, 8);
    p += 8;
    *p++ = TAG(PACKET__track_event, WIRE_BYTES);
    *p++ = COUNT_BYTES - COUNT_TIME - 8 - 2;
    *p++ = TAG(EVENT__type, WIRE_VARINT);
    *p++ = EVENT_COUNTER;
    *p++ = TAG(EVENT__track_uuid, WIRE_VARINT);
    *p++ = (uint8_t)loss_uuid(kind);
    p = varint_put(p, TAG(EVENT__double_counter_value, WIRE_FIXED64));
    assert(p == at + COUNT_VALUE);
    memset(p, 0, 8);
}

static void build_loss(uint8_t *head, enum loss kind) {
    uint8_t *place = place_of(head, kind);
    struct pack pack = pack_into(place, FIRST_COUNT);
    uint8_t *packet = pack_open(&pack, TRACE__packet);
    pack_varint(&pack, PACKET__trusted_packet_sequence_id, LOSS_SEQUENCE);
    uint8_t *descriptor = pack_open(&pack, PACKET__track_descriptor);
    pack_varint(&pack, TRACK_DESCRIPTOR__uuid, loss_uuid(kind));
    pack_bytes(&pack, TRACK_DESCRIPTOR__name, loss_tracks[kind].name,
               strlen(loss_tracks[kind].name));
    uint8_t *counter = pack_open(&pack, TRACK_DESCRIPTOR__counter);
    pack_varint(&pack, COUNTER__unit, loss_tracks[kind].unit);
    pack_close(&pack, counter);
    pack_close(&pack, descriptor);
    pack_close(&pack, packet);
    put_filler(pack.at, (size_t)(place + FIRST_COUNT - pack.at));
    put_count(place + FIRST_COUNT, kind);
    put_count(place + LAST_COUNT, kind);
    put_filler(place + LOSS_REST, LOSS_BYTES - LOSS_REST);
    memcpy(place + SHOWN_HEAD, place, 8);
    uint64_t hidden;
    memcpy(&hidden, place, 8);
    hidden = (hidden & ~((UINT64_C(1) << (8 * FILLER_HEAD)) - 1)) | filler_head(LOSS_BYTES);
    memcpy(place, &hidden, 8);
}

static void store_aligned(uint8_t *at, uint64_t value) {
    __atomic_store_n((uint64_t *)(void *)at, value, __ATOMIC_RELEASE);
}

/* Others may do so at the same time: whoever stores what is no longer the sum stores again. */
static void store_sum(uint8_t *place, const uint64_t *lost) {
    uint64_t sum = __atomic_load_n(lost, __ATOMIC_SEQ_CST), stored;
    do {
        double value = (double)sum;
        uint64_t bits;
        memcpy(&bits, &value, 8);
        store_aligned(place + LAST_COUNT + COUNT_VALUE, bits);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        stored = sum;
        sum = __atomic_load_n(lost, __ATOMIC_SEQ_CST);
    } while (sum != stored);
}

void head_count_loss(uint8_t *head, enum loss kind, uint64_t count, uint64_t time_ns) {
    uint8_t *place = place_of(head, kind);
    uint64_t *lost = &head_control(head)->lost[kind];
    uint64_t before = __atomic_fetch_add(lost, count, __ATOMIC_SEQ_CST);
    if (before == 0)
        store_aligned(place + FIRST_COUNT + COUNT_TIME, padded56(time_ns));
    store_aligned(place + LAST_COUNT + COUNT_TIME, padded56(time_ns + LAST_AFTER_NS));
    store_sum(place, lost);
    if (before == 0) {
        uint64_t shown;
        memcpy(&shown, place + SHOWN_HEAD, 8);
        store_aligned(place, shown);
    }
}

/* ------------------------------------------------------------------- head */

static void build_first_page(uint8_t *head, const struct control *control) {
    struct pack pack = pack_into(head, LOSS_OFFSET);
    pack_global_clocks(&pack, control->origin);
    pack_uuid(&pack, control->origin);
    pack_loss_sequence(&pack, control->origin);
    put_filler(pack.at, (size_t)(head + LOSS_OFFSET - pack.at));
    for (enum loss kind = 0; kind < LOSS_KINDS; kind++)
        build_loss(head, kind);
    uint8_t *rest = place_of(head, LOSS_KINDS);
    put_filler(rest, (size_t)(head + HEAD_PAGE - rest));
    *head_control(head) = *control;
}

void head_build(uint8_t *head, const struct control *control) {
    build_first_page(head, control);
    for (size_t i = 0; i < ATTRIBUTE_SLOTS; i++)
        put_filler(head + ATTRIBUTES_OFFSET + i * ATTRIBUTE_BYTES, ATTRIBUTE_BYTES);
    if (control->head_bytes > RING_OFFSET)
        put_filler(head + RING_OFFSET, control->head_bytes - RING_OFFSET);
}

/* What follows the head: chunks up to the cursor, or the slots of a ring. */
static int chunks_valid(const struct control *control, uint64_t page, uint64_t file_bytes) {
    if (control->ring_bytes == 0)
        return control->slots == 0 && control->cursor >= control->head_bytes &&
               control->cursor <= file_bytes && control->cursor % page == 0;
    return control->head_bytes >= RING_OFFSET + HEAD_PAGE && control->slots > 0 &&
           control->slots <= RING_SLOTS_MAX && control->chunk_bytes % page == 0 &&
           control->chunk_bytes >= CHUNK_MIN && control->chunk_bytes <= RING_CHUNK_MAX &&
           control->chunk_bytes * control->slots == control->ring_bytes;
}

int head_valid(const uint8_t *head, uint64_t file_bytes) {
    const struct control *control = (const struct control *)(const void *)(head + CONTROL_OFFSET);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return memcmp(control->magic, CONTROL_MAGIC, sizeof control->magic) == 0 &&
           control->version == CONTROL_VERSION && control->head_bytes >= RING_OFFSET &&
           control->head_bytes <= (1u << 20) && control->head_bytes % page == 0 &&
           control->head_bytes <= file_bytes && control->next_sequence >= FIRST_SEQUENCE &&
           chunks_valid(control, page, file_bytes);
}
