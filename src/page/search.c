/* api/search: functions, spans and tracks whose names hold a text, whatever its case. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/grow.h"
#include "page/parts.h"

enum what { WHAT_FUNCTION, WHAT_SPAN, WHAT_TRACK };

struct found {
    enum what what;
    uint32_t name, file; /* strings */
    uint64_t count;      /* samples, spans, or events of the track */
    uint32_t id;         /* of a track */
};

struct finding {
    struct asked *asked;
    struct found *all;
    uint32_t count, capacity;
};

static int is_found(const struct finding *finding, uint32_t name) {
    const char *text = trace_text(finding->asked->trace, name);
    return *text && strcasestr(text, finding->asked->query->q);
}

static int add(struct finding *finding, struct found found) {
    if (GROW(finding->all, finding->count, finding->capacity))
        return -1;
    finding->all[finding->count++] = found;
    return 0;
}

/* How many samples have each function innermost. NULL where memory is short. */
static uint64_t *count_samples(const struct samples *samples) {
    uint64_t *counts = calloc((size_t)samples->function_count + 1, sizeof *counts);
    for (uint32_t i = 0; counts && i < samples->count; i++) {
        uint32_t stack = samples->all[i].stack;
        if (stack)
            counts[samples->frames[samples->stacks[stack].frame].function] += samples->all[i].count;
    }
    return counts;
}

static int find_functions(struct finding *finding) {
    const struct samples *samples = &finding->asked->trace->reader.samples;
    uint64_t *counts = count_samples(samples);
    int failed = !counts;
    for (uint32_t i = 0; !failed && i < samples->function_count; i++) {
        const struct stack_function *function = &samples->functions[i];
        if (is_found(finding, function->name) || is_found(finding, function->file))
            failed = add(finding, (struct found){WHAT_FUNCTION, function->name, function->file,
                                                 counts[i], 0});
    }
    free(counts);
    return failed;
}

static int find_spans(struct finding *finding) {
    const struct strings *strings = &finding->asked->trace->reader.strings;
    const uint32_t *named = finding->asked->index->named;
    uint32_t known = finding->asked->index->named_count < strings->count
                         ? finding->asked->index->named_count
                         : strings->count;
    for (uint32_t i = 1; i < known; i++)
        if (named[i] && is_found(finding, i) &&
            add(finding, (struct found){WHAT_SPAN, i, 0, named[i], 0}))
            return -1;
    return 0;
}

static int find_tracks(struct finding *finding) {
    const struct tracks *tracks = &finding->asked->trace->reader.tracks;
    for (uint32_t i = 0; i < tracks->count; i++)
        if (tracks->all[i].total && is_found(finding, tracks->all[i].name) &&
            add(finding,
                (struct found){WHAT_TRACK, tracks->all[i].name, 0, tracks->all[i].total, i}))
            return -1;
    return 0;
}

static int compare(const void *a, const void *b) {
    const struct found *left = a, *right = b;
    if (left->what != right->what)
        return left->what < right->what ? -1 : 1;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    if (left->name != right->name)
        return left->name < right->name ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

/* Of each kind the first ones in turn, so that none crowds the others out; kinds stay together. Returns how many stay. */
static uint32_t choose(struct found *all, uint32_t count, uint32_t limit) {
    uint32_t of[3] = {0}, wanted[3] = {0}, kept = 0, seen[3] = {0};
    for (uint32_t i = 0; i < count; i++)
        of[all[i].what]++;
    for (uint32_t i = 0, left = limit; left && i < 3 * limit; i++)
        if (wanted[i % 3] < of[i % 3]) {
            wanted[i % 3]++;
            left--;
        }
    for (uint32_t i = 0; i < count; i++)
        if (seen[all[i].what]++ < wanted[all[i].what])
            all[kept++] = all[i];
    return kept;
}

static void write_id(struct json *json, const char *key, const struct found *found) {
    if (found->what == WHAT_TRACK)
        json_integer(json, key, found->id);
    else
        json_null(json, key);
}

int answer_search(struct asked *asked) {
    static const char *const words[] = {"function", "span", "track"};
    struct finding finding = {.asked = asked};
    struct json *json = asked->json;
    const struct trace *trace = asked->trace;
    if (!*asked->query->q)
        return asked_refuse(asked, 400, "q: a text is needed");
    int failed = find_functions(&finding) || find_spans(&finding) || find_tracks(&finding);
    if (!failed) {
        struct found *all = finding.all;
        if (all)
            qsort(all, finding.count, sizeof *all, compare);
        uint32_t count = all ? choose(all, finding.count, (uint32_t)asked->query->limit) : 0;
        json_object(json, "rows");
        COLUMN(json_text, json, "what", count, words[all[i].what]);
        COLUMN(json_text, json, "name", count, trace_text(trace, all[i].name));
        COLUMN(json_text, json, "file", count, trace_text(trace, all[i].file));
        COLUMN(json_count, json, "count", count, all[i].count);
        COLUMN(write_id, json, "id", count, &all[i]);
        json_end(json);
    }
    free(finding.all);
    return failed ? MAREY_ENOMEM : 0;
}
