/* Traces as JSON: what their writers mean, and what is left of them where they are cut off or wrong. */
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

#include "marey.h"
#include "model/json_scan.h"

static void read_json(struct trace *trace, const char *text) {
    assert_int_equal(trace_read_memory(trace, text, strlen(text), TRACE_ARGUMENTS), 0);
    assert_true(trace->reader.is_json);
}

static const struct span *span_of(const struct trace *trace, const char *name) {
    for (uint32_t i = 0; i < trace->span_count; i++)
        if (!strcmp(trace_text(trace, trace->spans[i].name), name))
            return &trace->spans[i];
    fail_msg("no span %s", name);
    return NULL;
}

static const struct track *track_named(const struct trace *trace, const char *name) {
    for (uint32_t i = 0; i < trace->reader.tracks.count; i++)
        if (!strcmp(trace_text(trace, trace->reader.tracks.all[i].name), name))
            return &trace->reader.tracks.all[i];
    fail_msg("no track %s", name);
    return NULL;
}

static const char *parent_name(const struct trace *trace, const char *name) {
    const struct span *span = span_of(trace, name);
    return span->parent == MAP_NONE ? "" : trace_text(trace, trace->spans[span->parent].name);
}

static uint64_t count_of(const struct trace *trace, enum damage_kind kind) {
    return trace->reader.damage.count[kind];
}

static void spans_of_one_event_nest_by_time(void **state) {
    (void)state;
    struct trace trace;
    read_json(
        &trace,
        "[{\"ph\":\"X\",\"name\":\"inner\",\"pid\":1,\"tid\":2,\"ts\":11,\"dur\":2},"
        "{\"ph\":\"X\",\"name\":\"nothing\",\"pid\":1,\"tid\":2,\"ts\":10,\"dur\":0},"
        "{\"ph\":\"X\",\"name\":\"outer\",\"pid\":1,\"tid\":2,\"ts\":10,\"dur\":10,\"cat\":\"io\"},"
        "{\"ph\":\"X\",\"name\":\"next\",\"pid\":1,\"tid\":2,\"ts\":20,\"dur\":1.5}]");
    assert_int_equal(trace.span_count, 4);
    assert_int_equal(trace.open_spans, 0);
    assert_int_equal(damaged(&trace), 0);
    assert_string_equal(parent_name(&trace, "inner"), "outer");
    assert_string_equal(parent_name(&trace, "nothing"), "outer");
    assert_string_equal(parent_name(&trace, "outer"), "");
    assert_string_equal(parent_name(&trace, "next"), "");
    assert_int_equal(span_of(&trace, "inner")->begin_ns, 11000);
    assert_int_equal(span_of(&trace, "next")->duration_ns, 1500);
    assert_string_equal(trace_text(&trace, span_of(&trace, "outer")->category), "io");
    assert_false(tracks_known(&trace.reader.tracks, 2)->disordered);
    trace_free(&trace);
}

/* Both keep their times; the later one stands on a further track below the thread's. */
static void spans_that_overlap_keep_their_times(void **state) {
    (void)state;
    struct trace trace;
    read_json(
        &trace,
        "[{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"loop\"}},"
        "{\"ph\":\"X\",\"name\":\"a\",\"pid\":1,\"tid\":1,\"ts\":0,\"dur\":10},"
        "{\"ph\":\"X\",\"name\":\"b\",\"pid\":1,\"tid\":1,\"ts\":5,\"dur\":10},"
        "{\"ph\":\"X\",\"name\":\"c\",\"pid\":1,\"tid\":1,\"ts\":6,\"dur\":4}]");
    const struct span *a = span_of(&trace, "a"), *b = span_of(&trace, "b"),
                      *c = span_of(&trace, "c");
    assert_int_equal(a->duration_ns, 10000);
    assert_int_equal(b->begin_ns, 5000);
    assert_int_equal(b->duration_ns, 10000);
    assert_int_equal(c->duration_ns, 4000);
    assert_int_equal(c->track, a->track);
    assert_int_not_equal(b->track, a->track);
    const struct track *further = &trace.reader.tracks.all[b->track];
    assert_string_equal(trace_text(&trace, further->name), "loop");
    assert_ptr_equal(trace_parent(&trace, further), &trace.reader.tracks.all[a->track]);
    trace_free(&trace);
}

/* More at a time than there are further tracks: none is lost, and none ends after the one around it. */
static void many_spans_that_overlap(void **state) {
    (void)state;
    struct trace trace;
    static char text[100000];
    size_t size = 1;
    enum { SPANS = 500 };
    text[0] = '[';
    for (int i = 0; i < SPANS; i++)
        size += (size_t)snprintf(
            text + size, sizeof text - size,
            "{\"ph\":\"X\",\"name\":\"s\",\"pid\":1,\"tid\":1,\"ts\":%d,\"dur\":1000},", i);
    read_json(&trace, text);
    assert_int_equal(trace.span_count, SPANS);
    assert_int_equal(trace.open_spans, 0);
    for (uint32_t i = 0; i < trace.span_count; i++) {
        const struct span *span = &trace.spans[i];
        if (span->parent != MAP_NONE) {
            const struct span *parent = &trace.spans[span->parent];
            assert_true(span->begin_ns + span->duration_ns <=
                        parent->begin_ns + parent->duration_ns);
        }
    }
    trace_free(&trace);
}

static void begins_ends_and_instants(void **state) {
    (void)state;
    struct trace trace;
    read_json(&trace,
              "{\"traceEvents\":[{\"ph\":\"B\",\"name\":\"x\",\"pid\":1,\"tid\":1,\"ts\":\"1.25\"},"
              "{\"ph\":\"E\",\"name\":\"another\",\"pid\":1,\"tid\":1,\"ts\":4,\"args\":{"
              "\"exception\":\"boom\"}},"
              "{\"ph\":\"B\",\"name\":\"open\",\"pid\":1,\"tid\":1,\"ts\":5},"
              "{\"ph\":\"i\",\"name\":\"t\",\"s\":\"t\",\"pid\":1,\"tid\":1,\"ts\":6},"
              "{\"ph\":\"I\",\"name\":\"p\",\"s\":\"p\",\"pid\":1,\"tid\":1,\"ts\":6},"
              "{\"ph\":\"R\",\"name\":\"g\",\"s\":\"g\",\"pid\":1,\"ts\":6}],"
              "\"displayTimeUnit\":\"ms\",\"other\":{\"a\":[\"}\",{}]}}");
    assert_int_equal(trace.span_count, 2);
    assert_int_equal(trace.open_spans, 1);
    assert_int_equal(span_of(&trace, "x")->begin_ns, 1250);
    assert_int_equal(span_of(&trace, "x")->duration_ns, 2750);
    assert_true(span_of(&trace, "x")->failed);
    assert_int_equal(trace.instants, 3);
    assert_int_equal(track_named(&trace, "all processes")->instants, 1);
    assert_int_equal(damaged(&trace), 0);
    trace_free(&trace);
}

static void counters_have_a_track_for_each_number(void **state) {
    (void)state;
    struct trace trace;
    struct counter_range range;
    read_json(&trace,
              "[{\"ph\":\"C\",\"name\":\"queue\",\"pid\":1,\"ts\":1,\"args\":{\"value\":3}},"
              "{\"ph\":\"C\",\"name\":\"queue\",\"pid\":1,\"ts\":2,\"args\":{\"value\":-4.5}},"
              "{\"ph\":\"C\",\"name\":\"memory\",\"pid\":1,\"ts\":1,\"args\":{\"rss\":7,\"text\":"
              "null}}]");
    assert_int_equal(trace.values, 3);
    trace_counter_range(track_named(&trace, "queue"), &range);
    assert_true(range.least == -4.5 && range.most == 3);
    assert_int_equal(track_named(&trace, "memory rss")->values, 1);
    assert_int_equal(count_of(&trace, LOSS_COUNTER), 1);
    trace_free(&trace);
}

static void async_spans_and_flows_by_their_ids(void **state) {
    (void)state;
    struct trace trace;
    read_json(
        &trace,
        "[{\"ph\":\"b\",\"cat\":\"net\",\"name\":\"get\",\"id\":\"0x1\",\"pid\":1,\"tid\":1,\"ts\":"
        "1},"
        "{\"ph\":\"b\",\"cat\":\"net\",\"name\":\"put\",\"id\":2,\"pid\":1,\"tid\":1,\"ts\":2},"
        "{\"ph\":\"n\",\"cat\":\"net\",\"name\":\"step\",\"id\":2,\"pid\":1,\"tid\":1,\"ts\":3},"
        "{\"ph\":\"e\",\"cat\":\"net\",\"name\":\"get\",\"id\":\"0x1\",\"pid\":1,\"tid\":9,\"ts\":"
        "4},"
        "{\"ph\":\"e\",\"cat\":\"net\",\"name\":\"put\",\"id2\":{\"global\":2},\"pid\":1,\"ts\":6},"
        "{\"ph\":\"b\",\"cat\":\"net\",\"name\":\"lost\",\"pid\":1,\"ts\":6},"
        "{\"ph\":\"s\",\"cat\":\"f\",\"name\":\"go\",\"id\":1,\"pid\":1,\"tid\":1,\"ts\":3},"
        "{\"ph\":\"f\",\"cat\":\"f\",\"name\":\"go\",\"id\":1,\"pid\":1,\"tid\":9,\"ts\":4},"
        "{\"ph\":\"s\",\"cat\":\"f\",\"name\":\"go\",\"id\":2,\"pid\":1,\"tid\":1,\"ts\":5}]");
    assert_int_equal(span_of(&trace, "get")->duration_ns, 3000);
    assert_int_equal(span_of(&trace, "put")->duration_ns, 4000);
    assert_int_equal(track_named(&trace, "put")->instants, 1);
    assert_int_equal(trace.flows, 2);
    assert_int_equal(count_of(&trace, DAMAGE_EVENT), 1); /* that without an id */
    trace_free(&trace);
}

static const struct value *argument(const struct trace *trace, const char *span, const char *key) {
    const struct arguments *arguments = &trace->reader.arguments;
    const struct detail *detail = &arguments->details[span_of(trace, span)->detail];
    for (uint32_t i = 0; i < detail->size; i += 1 + arguments->values[detail->first + i].inside)
        if (!strcmp(trace_text(trace, arguments->values[detail->first + i].key), key))
            return &arguments->values[detail->first + i];
    fail_msg("no argument %s", key);
    return NULL;
}

static uint64_t flow_of(const struct trace *trace, const char *name) {
    const struct arguments *arguments = &trace->reader.arguments;
    const struct detail *detail = &arguments->details[span_of(trace, name)->detail];
    assert_int_equal(detail->flows, 1);
    return arguments->flows[detail->first_flow].id;
}

/* A step stands beside its span: around it, or, of the last one, before it. */
static void flows_belong_to_spans(void **state) {
    (void)state;
    struct trace trace;
    static const char text[] =
        "[{\"ph\":\"s\",\"name\":\"go\",\"id\":7,\"pid\":1,\"tid\":1,\"ts\":3},"
        "{\"ph\":\"t\",\"name\":\"go\",\"id\":7,\"pid\":1,\"tid\":2,\"ts\":4},"
        "{\"ph\":\"f\",\"name\":\"go\",\"id\":7,\"pid\":1,\"tid\":2,\"ts\":5},"
        "{\"ph\":\"s\",\"name\":\"no\",\"id\":8,\"pid\":1,\"tid\":1,\"ts\":100},"
        "{\"ph\":\"X\",\"name\":\"a\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":9,\"args\":{\"k\":1}},"
        "{\"ph\":\"X\",\"name\":\"done\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":1},"
        "{\"ph\":\"X\",\"name\":\"b\",\"pid\":1,\"tid\":2,\"ts\":4,\"dur\":0},"
        "{\"ph\":\"X\",\"name\":\"c\",\"pid\":1,\"tid\":2,\"ts\":6,\"dur\":1}]";
    assert_int_equal(
        trace_read_memory(&trace, text, sizeof text - 1, TRACE_ARGUMENTS | TRACE_FLOWS), 0);
    uint64_t id = flow_of(&trace, "a");
    assert_int_equal(flow_of(&trace, "b"), id);
    assert_int_equal(flow_of(&trace, "c"), id);
    assert_int_equal(span_of(&trace, "done")->detail, 0);
    assert_int_equal(argument(&trace, "a", "k")->integer, 1);
    assert_int_equal(trace.flows, 2);
    trace_free(&trace);
}

static const struct flow_step *flows_of(const struct trace *trace, const char *name,
                                        uint32_t count) {
    const struct arguments *arguments = &trace->reader.arguments;
    const struct detail *detail = &arguments->details[span_of(trace, name)->detail];
    assert_int_equal(detail->flows, count);
    return &arguments->flows[detail->first_flow];
}

/* The new way: a span names its flow itself, beside what stands there of old. */
static void flows_that_spans_say_themselves(void **state) {
    (void)state;
    struct trace trace;
    static const char text[] =
        "[{\"ph\":\"X\",\"name\":\"a\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":9,\"bind_id\":\"0x5\","
        "\"flow_out\":true,\"args\":{\"k\":1}},"
        "{\"ph\":\"b\",\"name\":\"b\",\"cat\":\"t\",\"id\":1,\"pid\":1,\"ts\":2,\"bind_id\":"
        "\"0x5\","
        "\"flow_in\":true,\"flow_out\":true},"
        "{\"ph\":\"e\",\"name\":\"b\",\"cat\":\"t\",\"id\":1,\"pid\":1,\"ts\":3},"
        "{\"ph\":\"B\",\"name\":\"c\",\"pid\":1,\"tid\":2,\"ts\":4,\"bind_id\":\"0x5\","
        "\"flow_in\":true},"
        "{\"ph\":\"s\",\"name\":\"old\",\"id\":5,\"pid\":1,\"tid\":2,\"ts\":4},"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":2,\"ts\":5},"
        "{\"ph\":\"X\",\"name\":\"d\",\"pid\":1,\"tid\":1,\"ts\":20,\"dur\":1,\"bind_id\":6}]";
    assert_int_equal(
        trace_read_memory(&trace, text, sizeof text - 1, TRACE_ARGUMENTS | TRACE_FLOWS), 0);
    uint64_t id = flow_of(&trace, "a");
    assert_int_equal(argument(&trace, "a", "k")->integer, 1);
    assert_int_equal(flows_of(&trace, "a", 1)->ends, 0);
    assert_int_equal(flows_of(&trace, "b", 1)->id, id);
    assert_int_equal(flows_of(&trace, "b", 1)->ends, 0);
    assert_int_equal(flows_of(&trace, "c", 2)->id, id);
    assert_int_equal(flows_of(&trace, "c", 2)->ends, 1);
    assert_int_not_equal(flows_of(&trace, "c", 2)[1].id, id);
    assert_int_equal(span_of(&trace, "d")->detail, 0);
    assert_int_equal(trace.flows, 2);
    trace_free(&trace);
}

static void processes_and_threads_by_number_or_name(void **state) {
    (void)state;
    struct trace trace;
    read_json(&trace,
              "[{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":5,\"args\":{\"name\":\"app\"}},"
              "{\"ph\":\"i\",\"name\":\"a\",\"pid\":5,\"tid\":140234567890123456,\"ts\":1},"
              "{\"ph\":\"i\",\"name\":\"b\",\"pid\":5,\"tid\":-7,\"ts\":1},"
              "{\"ph\":\"i\",\"name\":\"c\",\"pid\":\"5\",\"tid\":\"6\",\"ts\":1},"
              "{\"ph\":\"i\",\"name\":\"d\",\"pid\":\"browser\",\"tid\":\"main\",\"ts\":1},"
              "{\"ph\":\"i\",\"name\":\"e\",\"pid\":\"browser\",\"tid\":\"io\",\"ts\":1}]");
    assert_int_equal(trace.process_count, 2);
    assert_int_equal(trace.thread_count, 5);
    assert_string_equal(trace_text(&trace, trace.processes[0].name), "app");
    assert_int_equal(trace.threads[0].tid, 140234567890123456);
    assert_int_equal(trace.threads[1].tid, -7);
    assert_int_equal(trace.threads[2].tid, 6);
    assert_string_equal(trace_text(&trace, trace.processes[1].name), "browser");
    assert_string_equal(trace_text(&trace, trace.threads[4].name), "io");
    trace_free(&trace);
}

static void ids_of_64_bits_are_kept_apart(void **state) {
    (void)state;
    struct trace trace;
    read_json(&trace, "[{\"ph\":\"i\",\"name\":\"a\",\"pid\":1,\"tid\":1,\"ts\":1},"
                      "{\"ph\":\"i\",\"name\":\"b\",\"pid\":4294967297,\"tid\":1,\"ts\":1}]");
    assert_int_equal(trace.process_count, 2);
    assert_int_equal(trace.processes[1].pid, 4294967297);
    trace_free(&trace);
}

static void arguments_keep_their_types(void **state) {
    (void)state;
    struct trace trace;
    read_json(
        &trace,
        "[{\"ph\":\"X\",\"name\":\"x\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":1,\"args\":{\"i\":-3,"
        "\"d\":2.5,\"t\":true,\"n\":null,\"s\":\"\\u00e4\\ud83d\\ude00\\n\\ud800!\",\"nan\":NaN,"
        "\"inf\":-Infinity,\"big\":99999999999999999999,\"o\":{\"k\":[1,[2]],\"l\":0},\"after\":1}}"
        "]");
    assert_int_equal(argument(&trace, "x", "i")->kind, VALUE_INT);
    assert_int_equal(argument(&trace, "x", "i")->integer, -3);
    assert_true(argument(&trace, "x", "d")->real == 2.5);
    assert_int_equal(argument(&trace, "x", "t")->kind, VALUE_BOOL);
    assert_int_equal(argument(&trace, "x", "n")->kind, VALUE_NOTHING);
    assert_string_equal(trace_text(&trace, argument(&trace, "x", "s")->text),
                        "\xc3\xa4\xf0\x9f\x98\x80\n\xef\xbf\xbd!");
    double nan = argument(&trace, "x", "nan")->real;
    assert_true(nan != nan);
    assert_true(argument(&trace, "x", "inf")->real < -1e308);
    assert_true(argument(&trace, "x", "big")->real == 1e20);
    assert_int_equal(argument(&trace, "x", "o")->kind, VALUE_DICT);
    assert_int_equal(argument(&trace, "x", "o")->inside, 5);
    assert_int_equal(argument(&trace, "x", "after")->integer, 1);
    trace_free(&trace);
}

static void nesting_is_bounded(void **state) {
    (void)state;
    struct trace trace;
    static char text[300000];
    size_t size =
        (size_t)snprintf(text, sizeof text,
                         "[{\"ph\":\"X\",\"name\":\"x\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":1,"
                         "\"args\":{\"deep\":");
    memset(text + size, '[', 100000);
    memset(text + size + 100000, ']', 100000);
    strcpy(text + size + 200000, "}}]");
    read_json(&trace, text);
    assert_int_equal(argument(&trace, "x", "deep")->kind, VALUE_ARRAY);
    assert_in_range(argument(&trace, "x", "deep")->inside, 1, ARGUMENT_NESTING_MAX);
    assert_int_equal(damaged(&trace), 0);
    trace_free(&trace);
}

/* A list may end anywhere: what is whole counts, and half an event is damage. */
static void a_list_is_cut_anywhere(void **state) {
    (void)state;
    static const char event[] =
        "{\"ph\":\"X\",\"name\":\"a}\\\"\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":1}";
    char text[400];
    size_t one = sizeof event - 1;
    snprintf(text, sizeof text, "[\n%s,\n%s,\n", event, event);
    for (size_t cut = 3 + one; cut <= strlen(text); cut++) {
        struct trace trace;
        size_t second = 2 + one + 2;
        int inside = cut > second && cut < second + one;
        assert_int_equal(trace_read_memory(&trace, text, cut, 0), 0);
        assert_int_equal(trace.span_count, 1 + (cut >= second + one));
        assert_int_equal(count_of(&trace, DAMAGE_CUT), inside);
        assert_int_equal(count_of(&trace, NOTE_OPEN_LIST), !inside);
        assert_int_equal(damaged(&trace), inside);
        trace_free(&trace);
    }
}

static void an_object_that_is_cut_is_damaged(void **state) {
    (void)state;
    struct trace trace;
    read_json(
        &trace,
        "{\"traceEvents\":[{\"ph\":\"X\",\"name\":\"a\",\"pid\":1,\"tid\":1,\"ts\":1,\"dur\":1},");
    assert_int_equal(trace.span_count, 1);
    assert_int_equal(count_of(&trace, DAMAGE_CUT), 1);
    trace_free(&trace);
}

/* "{}" closes the list of writers that end each event with a comma. */
static void an_empty_event_ends_a_list(void **state) {
    (void)state;
    struct trace trace;
    read_json(&trace, "[\n{\"ph\":\"i\",\"name\":\"a\",\"pid\":1,\"ts\":1},\n{}]\n");
    assert_int_equal(trace.instants, 1);
    for (int kind = 0; kind < DAMAGE_KINDS; kind++)
        assert_int_equal(trace.reader.damage.count[kind], 0);
    trace_free(&trace);
    read_json(&trace, "{\"traceEvents\": []}");
    assert_int_equal(trace.reader.events, 0);
    trace_free(&trace);
}

static void broken_events_are_skipped(void **state) {
    (void)state;
    struct trace trace;
    read_json(&trace, "[{\"ph\":\"X\",\"name\":\"no end\",\"pid\":1,\"ts\":1},\n"
                      "{\"ph\":\"X\",\"name\":\"negative\",\"pid\":1,\"ts\":1,\"dur\":-1},\n"
                      "{\"ph\":\"X\",\"name\":\"no time\",\"pid\":1,\"dur\":1},\n"
                      "{\"ph\":\"X\",\"name\":\"late\",\"pid\":1,\"ts\":1e300,\"dur\":1},\n"
                      "{\"ph\":\"X\",\"name\":\"long\",\"pid\":1,\"ts\":9000000000000000,\"dur\":"
                      "9000000000000000},\n"
                      "{\"ph\" \"X\"},\n"
                      "{\"ph\":\"B\",\"name\":\"before\",\"pid\":1,\"tid\":3,\"ts\":-5},\n"
                      "17,\"{\",\n"
                      "{\"ph\":\"S\",\"name\":\"old\",\"pid\":1,\"ts\":1},\n"
                      "{\"ph\":\"?\",\"name\":\"new\",\"pid\":1,\"ts\":1},\n"
                      "{\"ph\":\"X\",\"name\":\"not closed\",\"args\":{\"a\":1},\n"
                      "{\"ph\":\"X\",\"name\":\"good\",\"pid\":1,\"ts\":1,\"dur\":1}]");
    assert_int_equal(trace.span_count, 1);
    assert_int_equal(span_of(&trace, "good")->duration_ns, 1000);
    assert_int_equal(count_of(&trace, DAMAGE_NEGATIVE), 1);
    assert_int_equal(count_of(&trace, LOSS_LEGACY), 1);
    assert_int_equal(count_of(&trace, NOTE_TYPE), 1);
    assert_int_equal(count_of(&trace, DAMAGE_EVENT), 8);
    assert_true(count_of(&trace, DAMAGE_BYTES) > 0);
    trace_free(&trace);
}

static void bytes_behind_the_trace_are_damage(void **state) {
    (void)state;
    struct trace trace;
    read_json(&trace, "[{\"ph\":\"i\",\"name\":\"a\",\"pid\":1,\"ts\":1}] garbage");
    assert_int_equal(trace.instants, 1);
    assert_int_equal(count_of(&trace, DAMAGE_BYTES), 1);
    assert_int_equal(trace.reader.damage.skipped_bytes, 7);
    trace_free(&trace);
}

static int64_t ns(const char *text) {
    int64_t value;
    int wrong = json_scan_nanoseconds((struct bytes){(const uint8_t *)text, strlen(text)}, &value);
    return wrong ? INT64_MIN : value;
}

static void microseconds_are_exact(void **state) {
    (void)state;
    assert_int_equal(ns("1700000000123456.789"), 1700000000123456789);
    assert_int_equal(ns("0.0005"), 1);
    assert_int_equal(ns("0.00049"), 0);
    assert_int_equal(ns("1.9999"), 2000);
    assert_int_equal(ns("-1.5"), -1500);
    assert_int_equal(ns("1e3"), 1000000);
    assert_int_equal(ns("9223372036854775.807"), INT64_MAX);
    assert_int_equal(ns("9223372036854775.808"), INT64_MIN);
    assert_int_equal(ns("99999999999999999999999999999"), INT64_MIN);
    assert_int_equal(ns("1e30"), INT64_MIN);
    assert_int_equal(ns("NaN"), INT64_MIN);
    assert_int_equal(ns(""), INT64_MIN);
    assert_int_equal(ns("-"), INT64_MIN);
    assert_int_equal(ns("0x10"), INT64_MIN);
    assert_int_equal(ns("1.2.3"), INT64_MIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_of_one_event_nest_by_time),
        cmocka_unit_test(spans_that_overlap_keep_their_times),
        cmocka_unit_test(many_spans_that_overlap),
        cmocka_unit_test(begins_ends_and_instants),
        cmocka_unit_test(counters_have_a_track_for_each_number),
        cmocka_unit_test(async_spans_and_flows_by_their_ids),
        cmocka_unit_test(flows_belong_to_spans),
        cmocka_unit_test(flows_that_spans_say_themselves),
        cmocka_unit_test(processes_and_threads_by_number_or_name),
        cmocka_unit_test(ids_of_64_bits_are_kept_apart),
        cmocka_unit_test(arguments_keep_their_types),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_list_is_cut_anywhere),
        cmocka_unit_test(an_object_that_is_cut_is_damaged),
        cmocka_unit_test(an_empty_event_ends_a_list),
        cmocka_unit_test(broken_events_are_skipped),
        cmocka_unit_test(bytes_behind_the_trace_are_damage),
        cmocka_unit_test(microseconds_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
