/* See html_data.h. */
#include "page/html_data.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "page/html_spans.h"

enum {
    SPANS_MOST = 200000,
    DETAILS_MOST = 1000,   /* of the longest spans: arguments, result, source */
    THREADS_MOST = 200,    /* that have a flame graph of their own */
    TREE_ASKED_MOST = 300, /* rows of the call tree that can be opened */
    QUERY_MOST = 65536,
};

static const char *const WEIGHTS[] = {"wall", "cpu", "gil", "gil_wait", "count"};
enum { WEIGHTS_COUNT = sizeof WEIGHTS / sizeof *WEIGHTS };

/* The data in the making. */
struct data {
    FILE *to;
    struct page *page;
    const struct trace_filter *filter;
    char part[QUERY_MOST]; /* the filter, as parameters of a question, each behind a "&" */
    int answers;           /* stand there so far */
    int without_spans;     /* of the timeline: they stand by themselves */
    int error;
};

/* ------------------------------------------------------------------ questions */

/* Asks. What a trace has not, or a filter leaves nothing of, is refused: bytes NULL. page_answer_free. */
static struct page_answer ask(struct data *data, const char *path, const char *query) {
    struct page_answer answer = {0};
    if (data->error)
        return answer;
    (data->without_spans ? page_answer_without_spans : page_answer)(data->page, path, query,
                                                                    &answer);
    if (answer.status == 503)
        data->error = MAREY_ENOMEM;
    if (answer.status != 200)
        page_answer_free(&answer);
    return answer;
}

static void put_answer(struct data *data, const char *key, const struct page_answer *answer) {
    fprintf(data->to, "%s\"%s\": ", data->answers++ ? ",\n" : "", key);
    fwrite(answer->bytes, 1, answer->size, data->to);
}

/* Writes the answer, where there is one. key: the question as the page asks it of the whole. */
static void put(struct data *data, const char *key, const char *path, const char *query) {
    struct page_answer answer = ask(data, path, query);
    if (answer.bytes)
        put_answer(data, key, &answer);
    page_answer_free(&answer);
}

static void put_stacks(struct data *data) {
    char key[96], query[QUERY_MOST + 96];
    for (int i = 0; i < WEIGHTS_COUNT; i++) {
        snprintf(key, sizeof key, "api/functions?of=samples&weight=%s", WEIGHTS[i]);
        snprintf(query, sizeof query, "%s%s", strchr(key, '?') + 1, data->part);
        put(data, key, "api/functions", query);
    }
    snprintf(query, sizeof query, "of=spans%s", data->part);
    put(data, "api/functions?of=spans", "api/functions", query);
}

/* The filter without its threads: those are asked for one by one. */
static void put_flames(struct data *data) {
    const struct trace *trace = &data->page->trace;
    char key[128], query[256], time[96] = "";
    const char *threads = strstr(data->part, "&threads=");
    size_t length = threads ? (size_t)(threads - data->part) : strlen(data->part);
    snprintf(time, sizeof time, "%.*s", (int)length, data->part);
    uint32_t asked = 0;
    for (uint32_t i = 0; i < trace->thread_count && asked < THREADS_MOST; i++) {
        if (!trace->threads[i].samples || !filter_has_thread(data->filter, trace, i))
            continue;
        asked++;
        for (int weight = 0; weight < WEIGHTS_COUNT; weight++) {
            snprintf(key, sizeof key, "api/flame?threads=%u&of=samples&weight=%s", i,
                     WEIGHTS[weight]);
            snprintf(query, sizeof query, "%s%s", strchr(key, '?') + 1, time);
            put(data, key, "api/flame", query);
        }
    }
}

/* Whether a track of the timeline (query.h) has anything beside spans: instants, values, samples. */
static int has_more_than_spans(const struct page *page, uint32_t id) {
    const struct tracks *tracks = &page->trace.reader.tracks;
    uint32_t thread = id < tracks->count ? page->index.tracks[id].thread : id - tracks->count;
    return (id < tracks->count && tracks->all[id].count) ||
           (thread != MAP_NONE && page->index.threads[thread].count);
}

/* What the timeline has beside spans, on so many pixels as a screen has; of as many tracks as a question may name. */
static void put_timeline(struct data *data) {
    enum { ID_BYTES = 12 };
    char query[QUERY_BYTES_MAX] = "width=2048&tracks=";
    size_t length = strlen(query);
    uint32_t asked = 0;
    for (uint32_t id = 0; id < query_track_ids(&data->page->trace); id++) {
        if (asked == QUERY_IDS_MAX || length + ID_BYTES > sizeof query)
            break;
        if (has_more_than_spans(data->page, id))
            length += (size_t)snprintf(query + length, ID_BYTES, "%s%u", asked++ ? "," : "", id);
    }
    if (!asked)
        return;
    data->without_spans = 1;
    put(data, "api/timeline", "api/timeline", query);
    data->without_spans = 0;
}

/* ------------------------------------------------------------------- the tree */

/* The integers of a column of an answer, one after the other; NULL: there is no such column. Within texts each quote has a
 * backslash before it, so a key's quotes are found nowhere else. */
static const char *column(const struct page_answer *answer, const char *key) {
    char sought[32];
    snprintf(sought, sizeof sought, "\"%s\": [", key);
    const char *found = strstr(answer->bytes, sought);
    return found ? found + strlen(sought) : NULL;
}

struct rows {
    int64_t ids[TREE_ASKED_MOST];
    int count;
};

/* Adds the rows of an answer that have others below them. */
static void add_rows(struct rows *rows, const struct page_answer *answer) {
    const char *ids = column(answer, "id"), *children = column(answer, "children");
    while (ids && children && *ids != ']' && *children != ']' && rows->count < TREE_ASKED_MOST) {
        char *next;
        int64_t id = strtoll(ids, &next, 10);
        if (next == ids)
            return;
        ids = next + strspn(next, ", ");
        if (strtoull(children, &next, 10))
            rows->ids[rows->count++] = id;
        children = next + strspn(next, ", ");
    }
}

/* Level by level, until as many rows are open as may be. */
static void put_tree(struct data *data) {
    static const char question[] = "of=spans&limit=200";
    struct rows rows = {.count = 0};
    char key[64], query[QUERY_MOST + 96];
    snprintf(query, sizeof query, "%s%s", question, data->part);
    for (int i = -1; i < rows.count && !data->error; i++) {
        snprintf(key, sizeof key, "api/tree");
        if (i >= 0) {
            snprintf(key, sizeof key, "api/tree?parent=%lld", (long long)rows.ids[i]);
            snprintf(query, sizeof query, "%s&parent=%lld%s", question, (long long)rows.ids[i],
                     data->part);
        }
        struct page_answer answer = ask(data, "api/tree", query);
        if (answer.bytes) {
            put_answer(data, key, &answer);
            add_rows(&rows, &answer);
        }
        page_answer_free(&answer);
    }
}

/* -------------------------------------------------------------------- the data */

static void put_spans(struct data *data) {
    struct chosen_spans spans = {0};
    struct json json;
    char key[32];
    const struct trace *trace = &data->page->trace;
    data->error = html_choose_spans(&spans, trace, data->filter, SPANS_MOST);
    if (!data->error) {
        fputs("},\n\"spans\": ", data->to);
        json_init(&json, data->to, 0);
        data->error = html_write_spans(&json, &spans, data->page);
        fputs(",\n\"details\": {", data->to);
        data->answers = 0;
    }
    for (uint32_t i = 0; i < spans.count && i < DETAILS_MOST && !data->error; i++) {
        char query[32];
        snprintf(key, sizeof key, "%u", spans.all[i]);
        snprintf(query, sizeof query, "id=%u", spans.all[i]);
        put(data, key, "api/span", query);
    }
    free(spans.all);
}

static void add_part(struct data *data, const char *what, int64_t value) {
    size_t length = strlen(data->part), room = sizeof data->part - length;
    int added = snprintf(data->part + length, room, "%s%lld", what, (long long)value);
    if (added < 0 || (size_t)added >= room)
        data->error = MAREY_ELIMIT;
}

/* The filter as the page's questions have it. */
static void find_part(struct data *data) {
    const struct trace_filter *filter = data->filter;
    const struct trace *trace = &data->page->trace;
    if (filter->from_ns)
        add_part(data, "&from=", filter->from_ns - trace->first_ns);
    if (filter->to_ns)
        add_part(data, "&to=", filter->to_ns - trace->first_ns);
    if (!filter->process_count && !filter->thread_count && !filter->only_threads)
        return;
    const char *what = "&threads=";
    for (uint32_t i = 0; i < trace->thread_count; i++)
        if (filter_has_thread(filter, trace, i)) {
            add_part(data, what, i);
            what = ",";
        }
}

int html_write_data(FILE *to, struct page *page, const struct trace_filter *filter) {
    struct data data = {.to = to, .page = page, .filter = filter};
    find_part(&data);
    fprintf(to, "{\"part\": %s,\n\"answers\": {", *data.part ? "true" : "false");
    put(&data, "api/trace", "api/trace", "");
    put_stacks(&data);
    put(&data, "api/span-table", "api/span-table", *data.part ? data.part + 1 : "");
    put_flames(&data);
    put_timeline(&data);
    put(&data, "api/flows", "api/flows", "limit=2000");
    put_tree(&data);
    if (!data.error)
        put_spans(&data);
    fputs("}}", to);
    return data.error;
}
