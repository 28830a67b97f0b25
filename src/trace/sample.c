/* See sample.h.
 *
 *   sample   0A len | 50 ss | BA 08 len 10 context 30 stack 58 wall 72 len cpu gil samples [gil wait] | 40 time
 *
 * In front of `BA 08` stands, in the same packet, what the chunk did not know of the stack and the thread yet: so a
 * sample is in the file with all that it needs, or not at all.
 *
 * Samples come in any order of time, as a run of equal ones is handed over when it is over, under the time of its first.
 * The sequence's clock counts forward: a sample that is not older than the packet before takes a difference (one to four
 * bytes), an older one its absolute time (eleven bytes), which does not move the clock. */
#include "sample.h"

#include <stdlib.h>

#include "sampled.h"
#include "session.h"
#include "stacks.h"

enum {
    SAMPLE_ROOM = 160,        /* a sample with nothing new */
    HEAD_BYTES = 2048,        /* what a chunk has before its first sample, at most */
    PACKET_BYTES = 192 << 10, /* with everything: STACK_DEPTH frames of usual names */
};

/* A longer one does not move the clock: the time may be wrong. */
static const uint64_t clock_step_max_ns = 60000000000;

enum counter { TAKEN, TORN, MISSED, COST, INTERVAL, COUNTERS };

struct samples_log {
    uint64_t interval_ns;
    unsigned flags;
    uint64_t chunk;                /* that is written */
    uint32_t session;              /* the latest that something was written to */
    uint64_t taken;                /* so many samples */
    uint32_t counted;              /* the session that has a first value of the counters */
    struct sampling_counts before; /* what was counted before that */
    size_t needed;                 /* by a packet for which there was no room */
    marey_counter *counters[COUNTERS];
    struct stacks stacks;
    struct sampled sampled;
    uint8_t packet[PACKET_BYTES];
};

struct samples_log *marey__samples_open(uint64_t interval_ns, unsigned flags) {
    static const struct {
        const char *name, *unit;
    } counters[COUNTERS] = {
        [TAKEN] = {SAMPLES_TAKEN, "samples"},   [TORN] = {SAMPLES_TORN, "samples"},
        [MISSED] = {SAMPLES_MISSED, "ticks"},   [COST] = {SAMPLING_COST, "ns"},
        [INTERVAL] = {SAMPLING_INTERVAL, "ns"},
    };
    struct samples_log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->interval_ns = interval_ns;
    log->flags = flags;
    log->stacks.mappings = (flags & SAMPLES_FOR_OLD_VIEWERS) != 0;
    for (int i = 0; i < COUNTERS; i++)
        log->counters[i] = marey_counter_open(counters[i].name, counters[i].unit, MAREY_OF_NOBODY);
    return log;
}

void marey__samples_close(struct samples_log *log) {
    for (int i = 0; log && i < COUNTERS; i++)
        marey_counter_close(log->counters[i]);
    free(log);
}

void marey__samples_process(struct samples_log *log, int32_t pid, const char *name,
                            const char *command_line, size_t command_line_bytes) {
    sampled_set_process(&log->sampled, pid, name, command_line, command_line_bytes);
}

void marey__samples_thread(struct samples_log *log, int32_t pid, int32_t tid, const char *name) {
    sampled_set_thread(&log->sampled, pid, tid, name);
}

void marey__samples_task(struct samples_log *log, int32_t pid, uint64_t task, const char *name) {
    sampled_set_task(&log->sampled, pid, task, name);
}

/* ------------------------------------------------------------------ packets */

/* Returns 0 where there is no room. */
static int commit(struct samples_log *log, struct writer *writer, struct pack *pack,
                  uint8_t *packet) {
    pack_close(pack, packet);
    size_t bytes = (size_t)(pack->at - log->packet);
    if (pack->full || !writer_has_room(writer, bytes)) {
        log->needed = pack->full ? PACKET_BYTES : bytes;
        return 0;
    }
    writer_commit(writer, log->packet, bytes);
    return 1;
}

static void pack_time(struct pack *pack, struct writer *writer, uint64_t time_ns) {
    uint64_t step = time_ns - writer->clock.origin_ns - writer->last;
    if (step <= clock_step_max_ns) {
        writer_packet_time(writer, pack, writer->last + step);
    } else {
        pack_varint(pack, PACKET__timestamp, time_ns);
        pack_varint(pack, PACKET__timestamp_clock_id, CLOCK_ID_MONOTONIC);
    }
}

static void pack_descriptor(struct pack *pack, unsigned field, const char *name, unsigned unit) {
    uint8_t *descriptor = pack_open(pack, field);
    pack_bytes(pack, WEIGHT__name, name, strlen(name));
    pack_varint(pack, WEIGHT__unit, unit);
    pack_close(pack, descriptor);
}

static void pack_stack_sample_defaults(struct pack *pack) {
    uint8_t *defaults = pack_open(pack, DEFAULTS__stack_sample_defaults);
    pack_bytes(pack, SAMPLE_DEFAULTS__source, "marey", 5);
    pack_descriptor(pack, SAMPLE_DEFAULTS__primary_descriptor, "wall", WEIGHT_IN_NS);
    pack_descriptor(pack, SAMPLE_DEFAULTS__follower_descriptors, "cpu", WEIGHT_IN_NS);
    pack_descriptor(pack, SAMPLE_DEFAULTS__follower_descriptors, "gil", WEIGHT_IN_NS);
    pack_descriptor(pack, SAMPLE_DEFAULTS__follower_descriptors, "samples", WEIGHT_IN_COUNT);
    pack_descriptor(pack, SAMPLE_DEFAULTS__follower_descriptors, "gil wait", WEIGHT_IN_NS);
    pack_close(pack, defaults);
}

static void pack_perf_sample_defaults(struct pack *pack, uint64_t interval_ns) {
    uint8_t *defaults = pack_open(pack, DEFAULTS__perf_sample_defaults);
    uint8_t *timebase = pack_open(pack, PERF_DEFAULTS__timebase);
    pack_varint(pack, TIMEBASE__period, interval_ns);
    pack_varint(pack, TIMEBASE__counter, SW_CPU_CLOCK);
    pack_bytes(pack, TIMEBASE__name, "wall", 4);
    pack_close(pack, timebase);
    pack_close(pack, defaults);
}

/* A chunk's defaults replace what its opening said, so that is said again. */
static int open_chunk(struct samples_log *log, struct writer *writer) {
    struct pack pack = pack_into(log->packet, PACKET_BYTES);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *defaults = pack_open(&pack, PACKET__trace_packet_defaults);
    pack_varint(&pack, DEFAULTS__timestamp_clock_id, CLOCK_ID_SEQUENCE);
    uint8_t *event = pack_open(&pack, DEFAULTS__track_event_defaults);
    pack_varint(&pack, EVENT_DEFAULTS__track_uuid, writer->thread_uuid);
    pack_close(&pack, event);
    if (log->flags & SAMPLES_FOR_OLD_VIEWERS)
        pack_perf_sample_defaults(&pack, log->interval_ns);
    else
        pack_stack_sample_defaults(&pack);
    pack_close(&pack, defaults);
    uint8_t *interned = pack_open(&pack, PACKET__interned_data);
    stacks_open(&log->stacks, &pack);
    pack_close(&pack, interned);
    return commit(log, writer, &pack, packet);
}

static int describe(struct samples_log *log, struct writer *writer, const struct sample *sample) {
    struct pack pack = pack_into(log->packet, PACKET_BYTES);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *tree = pack_open(&pack, PACKET__process_tree);
    sampled_describe(&log->sampled, &pack, sample->pid, sample->tid);
    pack_close(&pack, tree);
    if (commit(log, writer, &pack, packet))
        return 1;
    sampled_forget(&log->sampled);
    return 0;
}

/* ------------------------------------------------------------------- sample */

/* What a sample is told by in its chunk. */
struct reference {
    uint32_t context, callstack;
};

static void pack_weights(struct pack *pack, const struct sample *sample) {
    uint8_t *weights = pack_open(pack, STACK_SAMPLE__follower_weights);
    if (!pack_room(pack, (size_t)SAMPLE_WEIGHTS * VARINT_MAX))
        return;
    pack->at = varint_put(pack->at, sample->weights_ns[SAMPLE_CPU]);
    pack->at = varint_put(pack->at, sample->weights_ns[SAMPLE_GIL]);
    pack->at = varint_put(pack->at, sample->count);
    if (sample->weights_ns[SAMPLE_GIL_WAIT])
        pack->at = varint_put(pack->at, sample->weights_ns[SAMPLE_GIL_WAIT]);
    pack_close(pack, weights);
}

static void pack_stack_sample(struct pack *pack, const struct sample *sample,
                              const struct reference *reference) {
    uint8_t *body = pack_open(pack, PACKET__stack_sample);
    pack_varint(pack, STACK_SAMPLE__task_context_iid, reference->context);
    if (reference->callstack)
        pack_varint(pack, STACK_SAMPLE__callstack_iid, reference->callstack);
    pack_varint(pack, STACK_SAMPLE__primary_weight, sample->weights_ns[SAMPLE_WALL]);
    pack_weights(pack, sample);
    pack_close(pack, body);
}

static void pack_perf_sample(struct pack *pack, const struct sample *sample,
                             const struct reference *reference) {
    uint8_t *body = pack_open(pack, PACKET__perf_sample);
    pack_varint(pack, PERF_SAMPLE__cpu, 0);
    pack_varint(pack, PERF_SAMPLE__pid, (uint32_t)sample->pid);
    pack_varint(pack, PERF_SAMPLE__tid, (uint32_t)sample->tid);
    if (reference->callstack)
        pack_varint(pack, PERF_SAMPLE__callstack_iid, reference->callstack);
    pack_varint(pack, PERF_SAMPLE__cpu_mode, CPU_MODE_USER);
    pack_varint(pack, PERF_SAMPLE__timebase_count, sample->weights_ns[SAMPLE_WALL]);
    pack_close(pack, body);
}

/* What the chunk knows of the sample already. Returns 1 if that is all. */
static int find(struct samples_log *log, const struct sample *sample, struct reference *reference) {
    uint32_t call = stacks_find(&log->stacks, sample);
    reference->callstack = call ? log->stacks.calls[call].callstack : 0;
    reference->context =
        log->flags & SAMPLES_FOR_OLD_VIEWERS ? 1 : sampled_find_context(&log->sampled, sample);
    return reference->context && (reference->callstack || !sample->depth);
}

static void intern(struct samples_log *log, struct pack *pack, const struct sample *sample,
                   struct reference *reference) {
    uint8_t *interned = pack_open(pack, PACKET__interned_data);
    if (!reference->context)
        reference->context = sampled_intern_context(&log->sampled, pack, sample);
    if (!reference->callstack)
        reference->callstack =
            log->stacks.calls[stacks_intern(&log->stacks, pack, sample)].callstack;
    pack_close(pack, interned);
}

/* Returns 0 where the chunk has no room. */
static int write_into_chunk(struct samples_log *log, struct writer *writer,
                            const struct sample *sample) {
    uint64_t chunk = (uint64_t)writer->number << 32 | writer->generation;
    struct reference reference;
    if (chunk != log->chunk) {
        stacks_restart(&log->stacks);
        sampled_restart(&log->sampled);
        log->chunk = open_chunk(log, writer) ? chunk : 0;
    }
    if (!log->chunk)
        return 0;
    if (!sampled_is_known(&log->sampled, sample->pid, sample->tid) &&
        !describe(log, writer, sample))
        return 0;
    uint64_t last = writer->last;
    struct pack pack = pack_into(log->packet, PACKET_BYTES);
    uint8_t *packet = writer_packet_open(writer, &pack);
    if (!find(log, sample, &reference))
        intern(log, &pack, sample, &reference);
    if (log->flags & SAMPLES_FOR_OLD_VIEWERS)
        pack_perf_sample(&pack, sample, &reference);
    else
        pack_stack_sample(&pack, sample, &reference);
    pack_time(&pack, writer, sample->time_ns);
    if (commit(log, writer, &pack, packet))
        return 1;
    writer->last = last;
    stacks_forget(&log->stacks);
    sampled_forget(&log->sampled);
    return 0;
}

/* What a stack needs may not fit into what is left of the chunk; of very many frames, not into a small one either. */
static void write_sample(struct samples_log *log, const struct sample *sample) {
    struct writer *writer = session_writer(SAMPLE_ROOM);
    if (!writer || write_into_chunk(log, writer, sample))
        return;
    writer = session_fresh_writer(SAMPLE_ROOM);
    if (!writer || write_into_chunk(log, writer, sample))
        return;
    if (!store_is_ring(writer->store)) {
        writer = session_fresh_writer(log->needed + HEAD_BYTES);
        if (!writer || write_into_chunk(log, writer, sample))
            return;
    }
    session_lost_for_room(1);
}

bool marey__samples_write(struct samples_log *log, const struct sample *sample) {
    if (!marey_recording() || !recording_enter())
        return false;
    write_sample(log, sample);
    uint32_t session = log->chunk ? session_number(marey__thread.writer) : log->session;
    recording_leave();
    if (session != log->session)
        log->taken = 0;
    log->session = session;
    log->taken += sample->count;
    return session != log->counted;
}

/* The number of the session that is on; 0: none. */
static uint32_t current_session(void) {
    if (!marey_recording() || !recording_enter())
        return 0;
    const struct writer *writer = session_attach();
    uint32_t number = writer ? session_number(writer) : 0;
    recording_leave();
    return number;
}

void marey__samples_counts(struct samples_log *log, const struct sampling_counts *counts) {
    uint32_t session = current_session();
    if (!session)
        return;
    if (session != log->counted)
        log->before = *counts;
    log->counted = session;
    const struct sampling_counts *before = &log->before;
    uint64_t since[COUNTERS] = {session == log->session ? log->taken : 0,
                                counts->torn - before->torn, counts->missed - before->missed,
                                counts->cpu_ns - before->cpu_ns, log->interval_ns};
    for (int i = 0; i < COUNTERS; i++)
        marey_counter_set(log->counters[i], (int64_t)since[i]);
}
