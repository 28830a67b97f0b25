/* Arguments and source locations of events, as the reader keeps them. */
#include "reading.h"

enum { SOURCE_ID = 3, KEY_ID = 4, TEXT_ID = 5 };

static void read_arguments(struct trace *trace) {
    assert_int_equal(trace_read_memory(trace, file.bytes, file.size, TRACE_ARGUMENTS), 0);
    assert_int_equal(damaged(trace), 0);
}

static void put_interned(uint32_t field, uint64_t id, const char *text) {
    size_t start = file.size;
    put_number(&file, INTERNED_ENTRY__iid, id);
    put_text(&file, INTERNED_ENTRY__name, text);
    put_within(&file, field, start);
}

static void put_source(uint32_t field, uint64_t id, const char *function, uint64_t line) {
    size_t start = file.size;
    put_number(&file, SOURCE_LOCATION__iid, id);
    put_text(&file, SOURCE_LOCATION__file, "app.py");
    put_text(&file, SOURCE_LOCATION__function, function);
    put_number(&file, SOURCE_LOCATION__line, line);
    put_within(&file, field, start);
}

static void put_names(void) {
    size_t packet = packet_begin(&file), interned = file.size;
    put_interned(INTERNED__debug_annotation_names, KEY_ID, "path");
    put_interned(INTERNED__debug_annotation_string_values, TEXT_ID, "/tmp");
    put_source(INTERNED__source_locations, SOURCE_ID, "app.load", 12);
    put_within(&file, PACKET__interned_data, interned);
    packet_end(&file, packet);
}

/* An event whose further fields `put` writes. */
static void put_event_with(int type, const char *name, void (*put)(void)) {
    size_t packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, 10);
    size_t event = file.size;
    put_number(&file, EVENT__type, (uint64_t)type);
    if (name)
        put_text(&file, EVENT__name, name);
    put();
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
}

static void put_numbered(void) {
    size_t start = file.size;
    put_number(&file, ANNOTATION__name_iid, KEY_ID);
    put_number(&file, ANNOTATION__string_value_iid, TEXT_ID);
    put_within(&file, EVENT__debug_annotations, start);
    put_number(&file, EVENT__source_location_iid, SOURCE_ID);
}

static void put_result(void) {
    size_t start = file.size;
    put_text(&file, ANNOTATION__name, "result");
    put_number(&file, ANNOTATION__int_value, (uint64_t)-7);
    put_within(&file, EVENT__debug_annotations, start);
}

static void put_nothing(void) {}

static const struct detail *detail_of(const struct trace *trace, uint32_t detail) {
    assert_true(detail && detail < trace->reader.arguments.detail_count);
    return &trace->reader.arguments.details[detail];
}

static const struct value *value_of(const struct trace *trace, const struct detail *detail,
                                    uint32_t place) {
    assert_true(place < detail->size);
    return &trace->reader.arguments.values[detail->first + place];
}

static void both_ends_of_a_span(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_names();
    put_event_with(EVENT_BEGIN, "load", put_numbered);
    put_event_with(EVENT_END, NULL, put_result);
    put_event_with(EVENT_BEGIN, "only the end", put_nothing);
    put_event_with(EVENT_END, NULL, put_result);
    read_arguments(&trace);
    const struct detail *begin = detail_of(&trace, trace.spans[0].detail);
    const struct value *path = value_of(&trace, begin, 0);
    assert_string_equal(trace_text(&trace, path->key), "path");
    assert_int_equal(path->kind, VALUE_TEXT);
    assert_string_equal(trace_text(&trace, path->text), "/tmp");
    const struct source_place *source = &trace.reader.arguments.sources[begin->source];
    assert_string_equal(trace_text(&trace, source->function), "app.load");
    assert_string_equal(trace_text(&trace, source->file), "app.py");
    assert_int_equal(source->line, 12);
    const struct value *result = value_of(&trace, detail_of(&trace, begin->end), 0);
    assert_int_equal(result->kind, VALUE_INT);
    assert_int_equal(result->integer, -7);
    const struct detail *late = detail_of(&trace, trace.spans[1].detail);
    assert_int_equal(late->size, 0);
    assert_int_equal(value_of(&trace, detail_of(&trace, late->end), 0)->integer, -7);
    trace_free(&trace);
}

static void put_step(uint32_t field, uint64_t id) {
    put_varint(&file, TAG(field, WIRE_FIXED64));
    put_raw(&file, &id, sizeof id);
}

static void put_flows(void) {
    put_step(EVENT__flow_ids, 7);
    put_step(EVENT__flow_ids, UINT64_MAX);
}

static void put_last_step(void) {
    put_step(EVENT__terminating_flow_ids, 7);
}

static void flows_of_events(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_event_with(EVENT_BEGIN, "send", put_flows);
    put_event_with(EVENT_END, NULL, put_nothing);
    put_event_with(EVENT_INSTANT, "receive", put_last_step);
    assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, TRACE_FLOWS), 0);
    const struct flow_step *steps = trace.reader.arguments.flows;
    const struct detail *sent = detail_of(&trace, trace.spans[0].detail);
    assert_int_equal(sent->flows, 2);
    assert_true(steps[sent->first_flow].id == 7 && !steps[sent->first_flow].ends);
    assert_true(steps[sent->first_flow + 1].id == UINT64_MAX);
    const struct track *track = &trace.reader.tracks.all[trace.spans[0].track];
    const struct detail *received = detail_of(&trace, track->events[0].detail);
    assert_int_equal(received->flows, 1);
    assert_true(steps[received->first_flow].id == 7 && steps[received->first_flow].ends);
    trace_free(&trace);
}

static void nothing_is_kept_unasked(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_names();
    put_event_with(EVENT_BEGIN, "load", put_numbered);
    put_event_with(EVENT_END, NULL, put_result);
    read_file(&trace);
    assert_int_equal(trace.spans[0].detail, 0);
    assert_int_equal(trace.reader.arguments.value_count, 0);
    assert_int_equal(trace.reader.arguments.source_count, 0);
    trace_free(&trace);
}

static void put_marked(void) {
    put_result();
    size_t start = file.size;
    put_text(&file, ANNOTATION__name, "(call)");
    put_number(&file, ANNOTATION__uint_value, 9);
    put_within(&file, EVENT__debug_annotations, start);
    put_number(&file, EVENT__source_location_iid, SOURCE_ID);
}

/* What calls are told by, and nothing else. */
static void only_marks_are_kept(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_names();
    put_event_with(EVENT_BEGIN, "load", put_marked);
    assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, TRACE_CALLS), 0);
    const struct detail *detail = detail_of(&trace, trace.spans[0].detail);
    assert_int_equal(detail->size, 1);
    assert_string_equal(trace_text(&trace, value_of(&trace, detail, 0)->key), "(call)");
    assert_int_equal(value_of(&trace, detail, 0)->number, 9);
    assert_int_equal(trace.reader.arguments.sources[detail->source].line, 12);
    trace_free(&trace);
}

/* {"a": [1.5, true], "b": {"c": 1}} with the key behind the entries, as a writer may have it. */
static void put_nested(void) {
    double real = 1.5;
    size_t all = file.size, a = file.size, item = file.size;
    put_varint(&file, TAG(ANNOTATION__double_value, WIRE_FIXED64));
    put_raw(&file, &real, sizeof real);
    put_within(&file, ANNOTATION__array_values, item);
    item = file.size;
    put_number(&file, ANNOTATION__bool_value, 1);
    put_within(&file, ANNOTATION__array_values, item);
    put_text(&file, ANNOTATION__name, "a");
    put_within(&file, ANNOTATION__dict_entries, a);
    size_t b = file.size, c = file.size;
    put_text(&file, ANNOTATION__name, "c");
    put_number(&file, ANNOTATION__uint_value, 1);
    put_within(&file, ANNOTATION__dict_entries, c);
    put_text(&file, ANNOTATION__name, "b");
    put_within(&file, ANNOTATION__dict_entries, b);
    put_text(&file, ANNOTATION__name, "all");
    put_within(&file, EVENT__debug_annotations, all);
}

static void nested_values_stand_in_one_row(void **state) {
    (void)state;
    struct trace trace;
    static const struct {
        const char *key;
        uint32_t kind, inside;
    } row[] = {{"all", VALUE_DICT, 5}, {"a", VALUE_ARRAY, 2}, {"", VALUE_DOUBLE, 0},
               {"", VALUE_BOOL, 0},    {"b", VALUE_DICT, 1},  {"c", VALUE_UINT, 0}};
    put_chunk_start(&file);
    put_event_with(EVENT_INSTANT, "here", put_nested);
    read_arguments(&trace);
    const struct track *track = tracks_known(&trace.reader.tracks, TEST_TRACK);
    const struct detail *detail = detail_of(&trace, track->events[0].detail);
    assert_int_equal(detail->size, 6);
    for (uint32_t i = 0; i < 6; i++) {
        const struct value *value = value_of(&trace, detail, i);
        assert_string_equal(trace_text(&trace, value->key), row[i].key);
        assert_int_equal(value->kind, row[i].kind);
        assert_int_equal(value->inside, row[i].inside);
    }
    assert_true(value_of(&trace, detail, 2)->real == 1.5);
    trace_free(&trace);
}

static void put_deep(void) {
    size_t starts[40];
    for (int i = 0; i < 40; i++)
        starts[i] = file.size;
    put_number(&file, ANNOTATION__int_value, 1);
    for (int i = 39; i > 0; i--)
        put_within(&file, ANNOTATION__array_values, starts[i]);
    put_within(&file, EVENT__debug_annotations, starts[0]);
}

static void nesting_has_an_end(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_event_with(EVENT_BEGIN, "deep", put_deep);
    read_arguments(&trace);
    const struct detail *detail = detail_of(&trace, trace.spans[0].detail);
    assert_int_equal(detail->size, ARGUMENT_NESTING_MAX + 1);
    assert_int_equal(value_of(&trace, detail, ARGUMENT_NESTING_MAX)->kind, VALUE_CUT);
    trace_free(&trace);
}

static void put_too_many(void) {
    size_t start = file.size;
    for (int i = 0; i < ARGUMENT_VALUES_MAX + 10; i++)
        put_bytes(&file, ANNOTATION__array_values, "", 0);
    put_within(&file, EVENT__debug_annotations, start);
}

static void one_argument_has_an_end(void **state) {
    (void)state;
    struct trace trace;
    put_chunk_start(&file);
    put_event_with(EVENT_BEGIN, "wide", put_too_many);
    read_arguments(&trace);
    assert_int_equal(trace.reader.damage.count[LOSS_LIMIT], 11);
    assert_int_equal(detail_of(&trace, trace.spans[0].detail)->size, ARGUMENT_VALUES_MAX);
    trace_free(&trace);
}

/* Every chunk says anew where a function stands; it is one place. */
static void sources_are_kept_once(void **state) {
    (void)state;
    struct trace trace;
    for (int i = 0; i < 3; i++) {
        put_chunk_start(&file);
        put_names();
        put_event_with(EVENT_BEGIN, "load", put_numbered);
        put_event_with(EVENT_END, NULL, put_result);
    }
    read_arguments(&trace);
    assert_int_equal(trace.reader.arguments.source_count, 2);
    trace_free(&trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(both_ends_of_a_span, set_up),
        cmocka_unit_test_setup(flows_of_events, set_up),
        cmocka_unit_test_setup(nothing_is_kept_unasked, set_up),
        cmocka_unit_test_setup(only_marks_are_kept, set_up),
        cmocka_unit_test_setup(nested_values_stand_in_one_row, set_up),
        cmocka_unit_test_setup(nesting_has_an_end, set_up),
        cmocka_unit_test_setup(one_argument_has_an_end, set_up),
        cmocka_unit_test_setup(sources_are_kept_once, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
