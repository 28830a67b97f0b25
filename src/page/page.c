/* See page.h: which questions there are, and what becomes of them. */
#include "page/page.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/calls.h"
#include "page/formats.h"
#include "page/html.h"
#include "page/parts.h"

enum {
    SLICES_USUAL = 100,
    SLICES_MAX = 500,
    FLAME_USUAL = 5000,
    FLAME_MAX = 20000,
    FLOWS_ASKED_MAX = 2000,
    TREE_USUAL = 200,
    TREE_MAX = 500,
    FOUND_USUAL = 50,
    FOUND_MAX = 200,
};

static const struct question {
    const char *path;
    int (*answer)(struct asked *asked); /* NULL: not JSON, but a format of output/ */
    int needs_calls;                    /* of all of the trace, or a part of it */
    struct query_form form;
} questions[] = {
    {"api/trace", answer_trace, 0, {0, 0, 0, 0}},
    {"api/timeline",
     answer_timeline,
     0,
     {QUERY_TIME | QUERY_WIDTH | QUERY_TRACKS, QUERY_WIDTH | QUERY_TRACKS, 0, 0}},
    {"api/functions", answer_functions, 1, {QUERY_PROFILE, 0, 0, 0}},
    {"api/flame", answer_flame, 1, {QUERY_PROFILE | QUERY_LIMIT, 0, FLAME_USUAL, FLAME_MAX}},
    {"api/tree",
     answer_tree,
     1,
     {QUERY_PROFILE | QUERY_PARENT | QUERY_MIN | QUERY_LIMIT, 0, TREE_USUAL, TREE_MAX}},
    {"api/span-table", answer_span_table, 0, {QUERY_PART | QUERY_OF | QUERY_WEIGHT, 0, 0, 0}},
    {"api/slices",
     answer_slices,
     0,
     {QUERY_PROFILE | QUERY_NAME | QUERY_CATEGORY | QUERY_SORT | QUERY_OFFSET | QUERY_LIMIT,
      QUERY_NAME, SLICES_USUAL, SLICES_MAX}},
    {"api/span", answer_span, 0, {QUERY_ID, QUERY_ID, 0, 0}},
    {"api/instant", answer_instant, 0, {QUERY_ID, QUERY_ID, 0, 0}},
    {"api/flows",
     answer_flows,
     0,
     {QUERY_TIME | QUERY_TRACKS | QUERY_LIMIT, 0, FLOWS_ASKED_MAX, FLOWS_ASKED_MAX}},
    {"api/search", answer_search, 0, {QUERY_Q | QUERY_LIMIT, QUERY_Q, FOUND_USUAL, FOUND_MAX}},
    {"convert", NULL, 1, {QUERY_PROFILE | QUERY_FORMAT, QUERY_FORMAT, 0, 0}},
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

int asked_refuse(struct asked *asked, int status, const char *why) {
    asked->status = status;
    snprintf(asked->why, sizeof asked->why, "%s", why);
    return -1;
}

/* ------------------------------------------------------------------- answers */

/* An answer that is being written. */
struct writing {
    struct json json;
    FILE *to;
    char *bytes;
    size_t size;
};

static int writing_begin(struct writing *writing) {
    *writing = (struct writing){0};
    writing->to = open_memstream(&writing->bytes, &writing->size);
    if (!writing->to)
        return -1;
    json_init(&writing->json, writing->to, 0);
    json_object(&writing->json, NULL);
    return 0;
}

/* Ends it as the answer; whatever was short on the way makes it one that says so. */
static void writing_end(struct writing *writing, int status, struct page_answer *answer) {
    json_end(&writing->json);
    int failed = ferror(writing->to);
    failed |= fclose(writing->to);
    if (failed) {
        free(writing->bytes);
        *answer = (struct page_answer){.status = 503, .content_type = "text/plain"};
        return;
    }
    *answer = (struct page_answer){.status = status,
                                   .content_type = "application/json",
                                   .bytes = writing->bytes,
                                   .size = writing->size};
}

static void answer_error(struct page_answer *answer, int status, const char *why) {
    struct writing writing;
    *answer = (struct page_answer){.status = 503, .content_type = "text/plain"};
    if (writing_begin(&writing))
        return;
    json_text(&writing.json, "error", why);
    writing_end(&writing, status, answer);
}

/* Before calls are put together while others read texts: the texts that this adds are there. Returns 0 or MAREY_ENOMEM. */
static int know_texts(struct page *page) {
    struct calls calls = {0};
    int error = 0;
    if (atomic_load_explicit(&page->texts_known, memory_order_acquire))
        return 0;
    pthread_rwlock_wrlock(&page->texts);
    if (!atomic_load_explicit(&page->texts_known, memory_order_relaxed)) {
        error = calls_make(&calls, &page->trace);
        calls_free(&calls);
    }
    if (!error)
        atomic_store_explicit(&page->texts_known, 1, memory_order_release);
    pthread_rwlock_unlock(&page->texts);
    return error;
}

static void answer_question(struct page *page, const struct question *question,
                            const struct query *query, int without_spans,
                            struct page_answer *answer) {
    struct writing writing;
    *answer = (struct page_answer){.status = 503, .content_type = "text/plain"};
    if (writing_begin(&writing))
        return;
    struct asked asked = {.page = page,
                          .trace = &page->trace,
                          .index = &page->index,
                          .query = query,
                          .json = &writing.json,
                          .without_spans = without_spans};
    int error = question->needs_calls ? know_texts(page) : 0;
    pthread_rwlock_rdlock(&page->texts);
    if (!error)
        error = question->answer(&asked);
    pthread_rwlock_unlock(&page->texts);
    writing_end(&writing, 200, answer);
    if (!error)
        return;
    page_answer_free(answer);
    answer_error(answer, error == -1 ? asked.status : 503,
                 error == -1 ? asked.why : marey_strerror(error));
}

/* ------------------------------------------------------------------ formats */

char *page_filename(const struct page *page, const char *extension) {
    const char *dot = strrchr(page->name, '.');
    size_t length = extension && dot ? (size_t)(dot - page->name) : strlen(page->name);
    char *made = NULL;
    if (asprintf(&made, "%.*s%s", (int)length, page->name, extension ? extension : "") < 0)
        return NULL;
    for (char *at = made; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e || *at == '"' || *at == '\\')
            *at = '_';
    return made;
}

static int write_format(FILE *to, struct page *page, const struct format *format,
                        const struct query *query) {
    struct format_request request = {
        .filter = query->filter,
        .of = query->of,
        .title = page->name,
        .weight = query->weight < SAMPLE_WEIGHTS ? (enum sample_weight)query->weight : SAMPLE_WALL};
    int error = know_texts(page);
    if (error)
        return error;
    if (format == &format_html)
        return html_write(to, page, &query->filter); /* by questions, which take the lock */
    pthread_rwlock_rdlock(&page->texts);
    error = format->write(to, &page->trace, &request);
    pthread_rwlock_unlock(&page->texts);
    return error;
}

/* The trace, or a part of it, in another format. */
static void answer_format(struct page *page, const struct query *query,
                          struct page_answer *answer) {
    const struct format *format = page_format_named(query->format);
    *answer = (struct page_answer){.status = 200, .content_type = "application/octet-stream"};
    if (!format) {
        answer_error(answer, 404, "format: no such format");
        return;
    }
    answer->filename = page_filename(page, format->extensions[0]);
    FILE *to = answer->filename ? open_memstream(&answer->bytes, &answer->size) : NULL;
    int error = to ? write_format(to, page, format, query) : MAREY_ENOMEM;
    int failed = to && ferror(to);
    failed |= to && fclose(to);
    if (error || failed) {
        page_answer_free(answer);
        answer_error(answer, 503, marey_strerror(error ? error : MAREY_ENOMEM));
    }
}

static void answer_path(struct page *page, const char *path, const char *text, int without_spans,
                        struct page_answer *answer) {
    const struct question *question = NULL;
    struct query query;
    char why[160];
    for (int i = 0; i < QUESTIONS; i++)
        if (!strcmp(questions[i].path, path))
            question = &questions[i];
    if (!question) {
        answer_error(answer, 404, "no such question");
        return;
    }
    int error = query_read(&query, &question->form, &page->trace, text, why, sizeof why);
    if (error)
        answer_error(answer, error == -1 ? 400 : 503, error == -1 ? why : marey_strerror(error));
    else if (!question->answer)
        answer_format(page, &query, answer);
    else
        answer_question(page, question, &query, without_spans, answer);
    query_free(&query);
}

void page_answer(struct page *page, const char *path, const char *query,
                 struct page_answer *answer) {
    answer_path(page, path, query, 0, answer);
}

void page_answer_without_spans(struct page *page, const char *path, const char *query,
                               struct page_answer *answer) {
    answer_path(page, path, query, 1, answer);
}

void page_answer_free(struct page_answer *answer) {
    free(answer->bytes);
    free(answer->filename);
    *answer = (struct page_answer){0};
}

/* -------------------------------------------------------------------- a page */

/* Spans that are calls: their category says so. */
static uint64_t count_calls(const struct trace *trace) {
    const struct strings *strings = &trace->reader.strings;
    uint8_t *is_call = calloc((size_t)strings->count + 1, 1);
    uint64_t count = 0;
    for (uint32_t i = 1; is_call && i < strings->count; i++)
        is_call[i] = (uint8_t)calls_is_call(trace, i);
    for (uint32_t i = 0; is_call && i < trace->span_count; i++)
        count += is_call[trace->spans[i].category];
    free(is_call);
    return count;
}

/* Without calls and places in the source, to put calls together adds no texts but these. */
static int has_no_calls(struct trace *trace) {
    static const char *const categories[] = {"call", "call,c", "calls"};
    uint32_t numbers[3];
    for (int i = 0; i < 3; i++)
        numbers[i] = strings_add_text(&trace->reader.strings, categories[i]);
    for (uint32_t i = 0; i < trace->span_count; i++)
        for (int j = 0; trace->spans[i].category && j < 3; j++)
            if (trace->spans[i].category == numbers[j])
                return 0;
    return trace->reader.arguments.source_count <= 1;
}

static int settle(struct page *page, const char *name) {
    const char *slash = strrchr(name, '/');
    page->name = strdup(!strcmp(name, "-") ? "standard input" : slash ? slash + 1 : name);
    page->call_count = count_calls(&page->trace);
    atomic_store(&page->texts_known, has_no_calls(&page->trace));
    return page->name ? index_make(&page->index, &page->trace) : MAREY_ENOMEM;
}

static struct page *new_page(void) {
    struct page *page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    pthread_rwlock_init(&page->texts, NULL);
    for (int kind = 0; kind < PARTS; kind++)
        pthread_mutex_init(&page->kept[kind].lock, NULL);
    return page;
}

int page_open(struct page **page, const char *path) {
    return page_open_named(page, path, path);
}

int page_open_named(struct page **page, const char *path, const char *name) {
    *page = new_page();
    if (!*page)
        return MAREY_ENOMEM;
    int error = trace_read(&(*page)->trace, path, PAGE_KEEP);
    return error ? error : settle(*page, name);
}

int page_open_memory(struct page **page, const void *bytes, size_t size, const char *name) {
    *page = new_page();
    if (!*page)
        return MAREY_ENOMEM;
    int error = trace_read_memory(&(*page)->trace, bytes, size, PAGE_KEEP);
    return error ? error : settle(*page, name);
}

int page_open_trace(struct page **page, struct trace *trace, const char *name) {
    *page = new_page();
    if (!*page)
        return MAREY_ENOMEM;
    (*page)->trace = *trace;
    *trace = (struct trace){0};
    return settle(*page, name);
}

void page_offer_perfetto(struct page *page) {
    page->has_perfetto = 1;
}

/* All but the trace. */
static void free_page(struct page *page) {
    for (int kind = 0; kind < PARTS; kind++) {
        part_give(page, kind, page->kept[kind].part);
        pthread_mutex_destroy(&page->kept[kind].lock);
    }
    index_free(&page->index);
    pthread_rwlock_destroy(&page->texts);
    free(page->name);
    free(page);
}

void page_close(struct page *page) {
    if (!page)
        return;
    struct trace trace;
    page_close_trace(page, &trace);
    trace_free(&trace);
}

void page_close_trace(struct page *page, struct trace *trace) {
    if (!page)
        return;
    *trace = page->trace;
    free_page(page);
}
