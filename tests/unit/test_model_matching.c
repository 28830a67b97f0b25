/* Begins and ends as spans: the same ones, in whatever order the pieces of a file stand. */
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECES = 9, EVENTS = 60 };

/* A chunk: its events are so long after its beginning. */
struct piece {
    size_t first, size; /* in `written` */
};

static struct message written;
static struct piece pieces[PIECES];

/* Some pieces of one track, each on deltas of its own, together a random walk of begins, ends and instants. */
static void write_pieces(unsigned seed) {
    static const char *const names[] = {"a", "b", "c"};
    uint64_t time = 0;
    srand(seed);
    written.size = 0;
    for (int i = 0; i < PIECES; i++) {
        uint64_t before = 0;
        pieces[i].first = written.size;
        put_chunk_start(&written);
        for (int j = 0; j < EVENTS; j++) {
            static const int kinds[] = {EVENT_BEGIN, EVENT_BEGIN, EVENT_END, EVENT_END,
                                        EVENT_INSTANT};
            int kind = kinds[rand() % 5];
            int is_named = kind == EVENT_BEGIN || (kind == EVENT_END && rand() % 8 == 0);
            time += 1 + (uint64_t)(rand() % 3);
            put_event(&written, time - before, kind, is_named ? names[rand() % 3] : NULL);
            before = time;
        }
        pieces[i].size = written.size - pieces[i].first;
    }
}

static void read_pieces(struct trace *trace, const int *order) {
    file.size = 0;
    for (int i = 0; i < PIECES; i++)
        put_raw(&file, written.bytes + pieces[order[i]].first, pieces[order[i]].size);
    read_file(trace);
}

static const struct track *track_of(const struct trace *trace) {
    return tracks_known(&trace->reader.tracks, TEST_TRACK);
}

static void assert_same_spans(const struct trace *a, const struct trace *b) {
    assert_int_equal(a->span_count, b->span_count);
    assert_int_equal(a->open_spans, b->open_spans);
    assert_int_equal(a->instants, b->instants);
    assert_int_equal(a->first_ns, b->first_ns);
    assert_int_equal(a->last_ns, b->last_ns);
    for (int kind = 0; kind < DAMAGE_KINDS; kind++)
        assert_int_equal(a->reader.damage.count[kind], b->reader.damage.count[kind]);
    for (uint32_t i = 0; i < a->span_count; i++) {
        assert_int_equal(a->spans[i].begin_ns, b->spans[i].begin_ns);
        assert_int_equal(a->spans[i].duration_ns, b->spans[i].duration_ns);
        assert_int_equal(a->spans[i].parent, b->spans[i].parent);
        assert_int_equal(a->spans[i].depth, b->spans[i].depth);
        assert_string_equal(trace_text(a, a->spans[i].name), trace_text(b, b->spans[i].name));
    }
}

static void shuffle(int *order) {
    for (int i = PIECES - 1; i > 0; i--) {
        int other = rand() % (i + 1), keep = order[i];
        order[i] = order[other];
        order[other] = keep;
    }
}

static void the_order_of_chunks_does_not_matter(void **state) {
    (void)state;
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct trace in_order, shuffled;
        int order[PIECES];
        for (int i = 0; i < PIECES; i++)
            order[i] = i;
        write_pieces(seed);
        read_pieces(&in_order, order);
        assert_false(track_of(&in_order)->disordered);
        shuffle(order);
        read_pieces(&shuffled, order);
        assert_true(track_of(&shuffled)->disordered);
        assert_same_spans(&in_order, &shuffled);
        trace_free(&in_order);
        trace_free(&shuffled);
    }
}

/* Beyond the limit begins are dropped, but not their ends. */
static void spans_deeper_than_readers_allow(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    for (int i = 0; i < SPAN_DEPTH_MAX + 3; i++)
        put_event(&file, 1, EVENT_BEGIN, "deeper");
    for (int i = 0; i < SPAN_DEPTH_MAX + 3; i++)
        put_event(&file, 1, EVENT_END, NULL);
    read_file(&trace);
    assert_int_equal(trace.span_count, SPAN_DEPTH_MAX);
    assert_int_equal(trace.open_spans, 0);
    assert_int_equal(trace.reader.damage.count[LOSS_DEPTH], 3);
    assert_int_equal(trace.reader.damage.count[NOTE_END], 3);
    trace_free(&trace);
}

/* Each end by name closes the outer of two spans: when all is undone, more are open than ever were. */
static void ends_by_name_are_undone(void **state) {
    (void)state;
    struct trace trace;
    enum { SPANS = 300 };
    put_chunk_start(&file);
    put_event(&file, 10, EVENT_BEGIN, "0");
    for (int i = 1; i < SPANS; i++) {
        char name[16], before[16];
        snprintf(name, sizeof name, "%d", i);
        snprintf(before, sizeof before, "%d", i - 1);
        put_event(&file, 10, EVENT_BEGIN, name);
        put_event(&file, 10, EVENT_END, before);
    }
    put_chunk_start(&file);
    put_event(&file, 1, EVENT_END, NULL); /* older than all of it */
    read_file(&trace);
    assert_true(track_of(&trace)->disordered);
    assert_int_equal(trace.span_count, SPANS);
    assert_int_equal(trace.open_spans, 1);
    for (uint32_t i = 0; i + 1 < SPANS; i++)
        assert_int_equal(trace.spans[i].duration_ns, i ? 30 : 20);
    trace_free(&trace);
}

/* Only what a table says is kept of a counter, and the table says the same. */
static void a_lean_trace_counts_the_same(void **state) {
    (void)state;
    struct trace whole, lean;
    enum { VALUES = 5000 };
    put_chunk_start(&file);
    size_t packet = packet_begin(&file), descriptor = file.size;
    put_number(&file, TRACK_DESCRIPTOR__uuid, TEST_TRACK);
    put_bytes(&file, TRACK_DESCRIPTOR__counter, NULL, 0);
    put_within(&file, PACKET__track_descriptor, descriptor);
    packet_end(&file, packet);
    for (int i = 0; i < VALUES; i++) {
        packet = packet_begin(&file);
        put_number(&file, PACKET__timestamp, 10);
        size_t event = file.size;
        put_number(&file, EVENT__type, EVENT_COUNTER);
        put_number(&file, EVENT__counter_value, (uint64_t)(i * 37 % 1009));
        put_within(&file, PACKET__track_event, event);
        packet_end(&file, packet);
    }
    for (int i = 0; i < VALUES; i++)
        put_event(&file, 10, EVENT_INSTANT, "tick");
    read_file(&whole);
    assert_int_equal(trace_read_memory(&lean, file.bytes, file.size, TRACE_LEAN), 0);
    const struct track *all = track_of(&whole), *few = track_of(&lean);
    struct counter_range of_all, of_few;
    trace_counter_range(all, &of_all);
    trace_counter_range(few, &of_few);
    assert_true(of_all.least == of_few.least && of_all.most == of_few.most);
    assert_true(of_all.last == of_few.last);
    assert_int_equal(all->count, 2 * VALUES);
    assert_in_range(few->count, 3, VALUES);
    assert_int_equal(few->total, 2 * VALUES);
    assert_int_equal(lean.values, VALUES);
    assert_int_equal(lean.instants, VALUES);
    assert_int_equal(lean.first_ns, whole.first_ns);
    assert_int_equal(lean.last_ns, whole.last_ns);
    trace_free(&whole);
    trace_free(&lean);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_order_of_chunks_does_not_matter, set_up),
        cmocka_unit_test_setup(spans_deeper_than_readers_allow, set_up),
        cmocka_unit_test_setup(ends_by_name_are_undone, set_up),
        cmocka_unit_test_setup(a_lean_trace_counts_the_same, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
