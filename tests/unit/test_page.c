/* The page's answers: that what is merged is all that there is, what each question says of a small trace, and what is
 * refused. */
#include "reading.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "marey.h"
#include "output/format.h"
#include "page/assets.h"
#include "page/look.h"
#include "page/page.h"

/* ------------------------------------------------------------- a trace of chance */

static uint32_t chance_state = 1;

static uint32_t chance(uint32_t below) {
    chance_state = chance_state * 1103515245 + 12345;
    return (chance_state >> 8) % below;
}

/* Spans that begin, end, stay open, end out of order, fail. */
static void put_spans(int events) {
    static const char *const names[] = {"a", "b", "c"};
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
    for (int i = 0; i < events; i++) {
        uint32_t delta = chance(4) ? chance(30) : chance(3000);
        int type = chance(5) < 2 ? EVENT_BEGIN : chance(10) ? EVENT_END : EVENT_INSTANT;
        put_event(&file, delta, type, type == EVENT_END ? NULL : names[chance(3)]);
        if (!chance(40)) /* which leaves those inside it open */
            put_event(&file, 1, EVENT_END, names[chance(3)]);
    }
}

static int is_in(const struct trace *trace, const struct span *span, const struct view *view) {
    int64_t end_ns = span_end_ns(trace, span);
    return span->begin_ns < view->to_ns &&
           (span->begin_ns >= view->from_ns || end_ns > view->from_ns);
}

/* Where the test's track is. */
static uint32_t track_place(const struct trace *trace) {
    uint32_t place = 0;
    while (trace->reader.tracks.all[place].uuid != TEST_TRACK)
        place++;
    return place;
}

/* All spans of a view are in its picture, none twice, and in none of its rows do two overlap. */
static void check_look(const struct trace *trace, const struct index *index, struct look *look,
                       const struct view *view) {
    uint64_t wanted = 0, seen = 0, instants = 0, seen_instants = 0;
    uint32_t place = track_place(trace);
    const struct track *track = &trace->reader.tracks.all[place];
    assert_int_equal(look_at_track(look, index, trace, place, view), 0);
    for (uint32_t i = 0; i < trace->span_count; i++)
        wanted += is_in(trace, &trace->spans[i], view);
    for (uint32_t i = 0; i < track->count; i++)
        instants +=
            track->events[i].time_ns >= view->from_ns && track->events[i].time_ns < view->to_ns;
    for (uint32_t i = 0; i < look->instant_count; i++)
        seen_instants += look->instants[i].count;
    for (uint32_t i = 0; i < look->span_count; i++) {
        const struct seen_span *span = &look->spans[i];
        seen += span->count;
        assert_true(span->end_ns >= span->begin_ns && span->failed <= span->count);
        if (i && span->depth == span[-1].depth)
            assert_true(span->begin_ns >= span[-1].end_ns);
    }
    /* What is merged in the last pixel may begin a little behind the view. */
    assert_true(seen >= wanted && seen_instants >= instants);
    if (view->pixel_ns == 1)
        assert_int_equal(seen, wanted);
    int64_t pixels = (view->to_ns - view->from_ns) / view->pixel_ns + 2;
    assert_true(look->span_count <= 2 * pixels * index->tracks[place].lane_count);
    assert_true(look->instant_count <= pixels);
}

static void test_pictures_hold_all_spans(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 30; round++) {
        struct trace trace;
        struct index index;
        struct look look = {0};
        chance_state = round + 1;
        file.size = 0;
        put_spans(600);
        read_file(&trace);
        assert_int_equal(index_make(&index, &trace), 0);
        int64_t length = trace.last_ns - trace.first_ns;
        for (int i = 0; i < 60; i++) {
            struct view view = {.from_ns = trace.first_ns + chance((uint32_t)length)};
            view.to_ns = view.from_ns + 1 + chance((uint32_t)length * 2);
            view.pixel_ns = 1 + (i % 3 ? chance(500) : 0);
            check_look(&trace, &index, &look, &view);
        }
        look_free(&look);
        index_free(&index);
        trace_free(&trace);
    }
}

/* The same picture, wherever its left edge is: nothing flickers. */
static void test_pixels_stay_where_they_are(void **state) {
    (void)state;
    struct trace trace;
    struct index index;
    struct look one = {0}, other = {0};
    chance_state = 7;
    put_spans(600);
    read_file(&trace);
    assert_int_equal(index_make(&index, &trace), 0);
    struct view view = {trace.first_ns, trace.last_ns, 100}, moved = view;
    moved.from_ns += 137;
    look_at_track(&one, &index, &trace, track_place(&trace), &view);
    look_at_track(&other, &index, &trace, track_place(&trace), &moved);
    for (uint32_t depth = 0; depth < 3; depth++) {
        uint32_t a = one.span_count, b = other.span_count;
        while (a && one.spans[a - 1].depth != depth)
            a--;
        while (b && other.spans[b - 1].depth != depth)
            b--;
        for (;
             a > 1 && b > 1 && other.spans[b - 1].depth == depth &&
             one.spans[a - 1].depth == depth && other.spans[b - 1].begin_ns > moved.from_ns + 1000;
             a--, b--)
            assert_int_equal(one.spans[a - 1].begin_ns, other.spans[b - 1].begin_ns);
    }
    look_free(&one);
    look_free(&other);
    index_free(&index);
    trace_free(&trace);
}

/* ------------------------------------------------------------------- seeking */

static void test_seeking(void **state) {
    (void)state;
    struct event events[100];
    for (int i = 0; i < 100; i++)
        events[i] = (struct event){.time_ns = i / 3 * 10};
    for (uint32_t from = 0; from <= 100; from += 7)
        for (int64_t time = -5; time < 400; time += 5) {
            uint32_t wanted = from;
            while (wanted < 100 && events[wanted].time_ns < time)
                wanted++;
            assert_int_equal(index_seek_event(events, 100, from, time), wanted);
        }
}

static void put_counter_track(uint64_t uuid) {
    size_t packet = packet_begin(&file), descriptor = file.size;
    put_number(&file, TRACK_DESCRIPTOR__uuid, uuid);
    put_text(&file, TRACK_DESCRIPTOR__name, "queue");
    size_t counter = file.size;
    put_within(&file, TRACK_DESCRIPTOR__counter, counter);
    put_within(&file, PACKET__track_descriptor, descriptor);
    packet_end(&file, packet);
}

static void put_value(uint64_t delta_ns, uint64_t uuid, uint64_t value) {
    size_t packet = packet_begin(&file);
    put_number(&file, PACKET__timestamp, delta_ns);
    size_t event = file.size;
    put_number(&file, EVENT__type, EVENT_COUNTER);
    put_number(&file, EVENT__track_uuid, uuid);
    put_number(&file, EVENT__counter_value, value);
    put_within(&file, PACKET__track_event, event);
    packet_end(&file, packet);
}

/* The range of any values in a row is that of all of them, by blocks or not. */
static void test_ranges_of_values(void **state) {
    (void)state;
    enum { VALUES = 300 };
    double values[VALUES];
    struct trace trace;
    struct index index;
    put_chunk_start(&file);
    put_counter_track(9);
    for (int i = 0; i < VALUES; i++) {
        values[i] = chance(1000);
        put_value(1, 9, (uint64_t)values[i]);
    }
    read_file(&trace);
    assert_int_equal(index_make(&index, &trace), 0);
    uint32_t place = 0;
    while (trace.reader.tracks.all[place].uuid != 9)
        place++;
    for (int round = 0; round < 500; round++) {
        uint32_t from = chance(VALUES), to = from + 1 + chance(VALUES - from);
        struct value_range range = index_range(&index, &trace, place, from, to);
        double least = values[from], most = values[from];
        for (uint32_t i = from; i < to; i++) {
            least = values[i] < least ? values[i] : least;
            most = values[i] > most ? values[i] : most;
        }
        assert_true(range.least == least && range.most == most);
    }
    index_free(&index);
    trace_free(&trace);
}

/* ------------------------------------------------------------------ questions */

/* A handle with two loads, one of which is open, and an instant. */
static struct page *small_page(void) {
    struct page *page;
    put_chunk_start(&file);
    put_thread(&file, TEST_TRACK, TEST_TID);
    put_event(&file, 0, EVENT_BEGIN, "handle");
    put_event(&file, 10, EVENT_BEGIN, "load");
    put_event(&file, 20, EVENT_END, NULL);
    put_event(&file, 5, EVENT_INSTANT, "done");
    put_event(&file, 5, EVENT_BEGIN, "load");
    assert_int_equal(page_open_memory(&page, file.bytes, file.size, "dir/small"), 0);
    return page;
}

/* Asks, and wants that status, and that text in the answer. */
static void expect(struct page *page, const char *path, const char *query, int status,
                   const char *text) {
    struct page_answer answer;
    page_answer(page, path, query, &answer);
    if (answer.status != status || !answer.bytes || !strstr(answer.bytes, text))
        fail_msg("%s?%s: %d, not %d with %s:\n%s", path, query ? query : "", answer.status, status,
                 text, answer.bytes ? answer.bytes : "nothing");
    page_answer_free(&answer);
}

static void test_answers(void **state) {
    (void)state;
    struct page *page = small_page();
    expect(page, "api/trace", NULL, 200, "\"file\": \"small\"");
    expect(page, "api/trace", "", 200, "\"spans\": 3");
    expect(page, "api/timeline", "width=40&tracks=1", 200,
           "\"begin\": [0, 10, 40], \"end\": [40, 30, 40], \"depth\": [0, 1, 1]");
    expect(page, "api/timeline", "width=40&tracks=1&from=35&to=38", 200, "\"time\": [35]");
    expect(page, "api/span", "id=1", 200,
           "\"name\": \"load\", \"category\": \"\", \"track\": 1, \"begin\": 10, \"duration\": 20, "
           "\"depth\": 1");
    expect(page, "api/span", "id=2", 200, "\"duration\": null");
    expect(page, "api/span", "id=0", 200, "\"children\": 1");
    expect(page, "api/instant", "id=0", 200, "\"name\": \"done\"");
    expect(page, "api/slices", "name=load", 200, "\"count\": 2, \"rows\": {\"id\": [1, 2]");
    expect(page, "api/slices", "name=load&sort=begin&offset=1", 200, "\"id\": [2]");
    expect(page, "api/slices", "name=load&offset=5", 200, "\"id\": []");
    expect(page, "api/slices", "name=gone", 200, "\"count\": 0");
    expect(page, "api/span-table", NULL, 200, "\"name\": [");
    expect(page, "api/functions", "of=spans&weight=count", 200, "\"unit\": \"count\"");
    expect(page, "api/flame", NULL, 200, "\"unit\": \"ns\"");
    expect(page, "api/flows", NULL, 200, "\"left_out\": 0");
    expect(page, "api/tree", NULL, 200, "\"name\": [\"handle\"]");
    expect(page, "api/tree", "parent=0", 200, "\"name\": [\"load\", \"load\"]");
    expect(page, "api/tree", "parent=0&limit=1", 200, "\"left_out\": 1");
    expect(page, "api/search", "q=LOA", 200, "\"name\": [\"load\"]");
    expect(page, "convert", "format=csv", 200, "load");
    page_close(page);
}

static void test_refusals(void **state) {
    (void)state;
    struct page *page = small_page();
    expect(page, "api/nothing", NULL, 404, "no such question");
    expect(page, "", NULL, 404, "no such question");
    expect(page, "api/trace", "a=b", 400, "query: a parameter that is not known");
    expect(page, "api/span", NULL, 400, "id: is needed");
    expect(page, "api/span", "id=3", 404, "no such span");
    expect(page, "api/span", "id=18446744073709551616", 400, "id: a whole number");
    expect(page, "api/instant", "id=1", 404, "no such instant");
    expect(page, "api/timeline", "width=1&tracks=9", 400, "tracks: there is no such id");
    expect(page, "api/timeline", "width=1&tracks=0&from=1000", 400, "behind the end");
    expect(page, "api/timeline", "width=1&tracks=0&from=3&to=2", 400, "to: not after from");
    expect(page, "api/tree", "parent=77", 404, "no such row");
    expect(page, "api/tree", "parent=-77", 404, "no such row");
    expect(page, "api/tree", "of=samples&parent=77", 404, "no such row");
    expect(page, "api/search", "q=%4", 400, "%");
    page_close(page);
}

/* No file, a file that is none, one with nothing in it. */
static void test_what_has_nothing(void **state) {
    (void)state;
    struct page *page;
    assert_int_not_equal(page_open(&page, "/nothing/there"), 0);
    page_close(page);
    assert_int_not_equal(page_open_memory(&page, "", 0, ""), 0);
    page_close(page);
    put_chunk_start(&file);
    assert_int_equal(page_open_memory(&page, file.bytes, file.size, ""), 0);
    expect(page, "api/trace", NULL, 200, "\"duration_ns\": 0");
    expect(page, "api/flame", NULL, 200, "\"total\": 0");
    expect(page, "api/tree", NULL, 200, "\"id\": []");
    page_close(page);
}

/* What is downloaded from a page is what the command writes, also where ends out of order have put spans into other lanes. */
static void test_converts_as_the_command_does(void **state) {
    (void)state;
    struct page *page;
    chance_state = 1;
    put_spans(600);
    assert_int_equal(page_open_memory(&page, file.bytes, file.size, "chance"), 0);
    for (int i = 0; formats[i]; i++) {
        struct trace trace;
        struct format_request request = {.title = "chance"};
        struct page_answer answer;
        char *bytes, query[64];
        size_t size;
        FILE *to = open_memstream(&bytes, &size);
        assert_int_equal(trace_read_memory(&trace, file.bytes, file.size, PAGE_KEEP), 0);
        assert_int_equal(formats[i]->write(to, &trace, &request), 0);
        fclose(to);
        snprintf(query, sizeof query, "format=%s", formats[i]->name);
        page_answer(page, "convert", query, &answer);
        assert_int_equal(answer.status, 200);
        if (answer.size != size || memcmp(answer.bytes, bytes, size) != 0)
            fail_msg("%s differs", formats[i]->name);
        page_answer_free(&answer);
        trace_free(&trace);
        free(bytes);
    }
    page_close(page);
}

/* ----------------------------------------------------------------- many at once */

static const char *const at_once[][2] = {
    {"api/trace", NULL},         {"api/timeline", "width=40&tracks=1"},
    {"api/functions", NULL},     {"api/tree", NULL},
    {"convert", "format=html"},  {"convert", "format=folded"},
    {"convert", "format=pprof"}, {"api/flame", NULL},
};
enum { AT_ONCE = sizeof at_once / sizeof *at_once, ASKING = 4, ROUNDS = 5 };

/* NULL, or a question that was not answered. */
static void *ask_all(void *page) {
    const void *failed = NULL;
    for (int i = 0; i < ROUNDS * AT_ONCE; i++) {
        struct page_answer answer;
        const char *const *question = at_once[i % AT_ONCE];
        page_answer(page, question[0], question[1], &answer);
        if (answer.status != 200)
            failed = question[0];
        page_answer_free(&answer);
    }
    return (void *)(uintptr_t)failed;
}

static void test_threads_ask_at_once(void **state) {
    (void)state;
    struct page *page = small_page();
    pthread_t threads[ASKING];
    for (int i = 0; i < ASKING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all, page), 0);
    for (int i = 0; i < ASKING; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        if (failed)
            fail_msg("%s was not answered", (const char *)failed);
    }
    page_close(page);
}

static void expect_filename(struct page *page, const char *query, const char *name) {
    struct page_answer answer;
    page_answer(page, "convert", query, &answer);
    assert_string_equal(answer.filename, name);
    page_answer_free(&answer);
}

static void test_names_to_save_by(void **state) {
    (void)state;
    struct page *page = small_page();
    expect_filename(page, "format=csv", "small.csv");
    expect_filename(page, "format=speedscope", "small.speedscope.json");
    page_close(page);
    put_chunk_start(&file);
    assert_int_equal(page_open_memory(&page, file.bytes, file.size, "a\"b\\\xc3\xa4\r\n.gz"), 0);
    expect_filename(page, "format=html", "a_b_____.html");
    char *own = page_filename(page, NULL);
    assert_string_equal(own, "a_b_____.gz");
    free(own);
    page_close(page);
}

static void test_assets_are_found(void **state) {
    (void)state;
    assert_non_null(page_asset("index.html"));
    assert_null(page_asset("index.htm"));
    assert_null(page_asset(""));
    for (size_t i = 0; i < page_asset_count; i++) {
        assert_ptr_equal(page_asset(page_assets[i].path), &page_assets[i]);
        assert_memory_equal(page_assets[i].bytes, "\x1f\x8b", 2); /* gzip */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pictures_hold_all_spans, set_up),
        cmocka_unit_test_setup(test_pixels_stay_where_they_are, set_up),
        cmocka_unit_test(test_seeking),
        cmocka_unit_test_setup(test_ranges_of_values, set_up),
        cmocka_unit_test_setup(test_answers, set_up),
        cmocka_unit_test_setup(test_refusals, set_up),
        cmocka_unit_test_setup(test_what_has_nothing, set_up),
        cmocka_unit_test_setup(test_converts_as_the_command_does, set_up),
        cmocka_unit_test_setup(test_threads_ask_at_once, set_up),
        cmocka_unit_test_setup(test_names_to_save_by, set_up),
        cmocka_unit_test(test_assets_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
