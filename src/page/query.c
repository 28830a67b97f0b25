/* See query.h. */
#include "page/query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"

/* While a query is read. */
struct reading {
    struct query *query;
    const struct query_form *form;
    const struct trace *trace;
    const char *name; /* of the parameter, for errors */
    char *why;
    size_t room;
};

static int refuse(const struct reading *r, const char *reason) {
    snprintf(r->why, r->room, "%s: %s", r->name, reason);
    return -1;
}

/* ------------------------------------------------------------------ numbers */

/* A whole number, at most `most`. *end: behind it. Returns 0 or -1. */
static int take_digits(const char *text, const char **end, uint64_t most, uint64_t *value) {
    uint64_t sum = 0;
    if (!isdigit((unsigned char)*text))
        return -1;
    for (; isdigit((unsigned char)*text); text++)
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
            return -1;
    *end = text;
    *value = sum;
    return sum <= most ? 0 : -1;
}

static int take_number(const struct reading *r, const char *text, uint64_t least, uint64_t most,
                       uint64_t *value) {
    char reason[80];
    const char *end;
    if (take_digits(text, &end, most, value) == 0 && !*end && *value >= least)
        return 0;
    snprintf(reason, sizeof reason, "a whole number from %llu to %llu is needed",
             (unsigned long long)least, (unsigned long long)most);
    return refuse(r, reason);
}

/* Nanoseconds that may be negative. */
static int take_signed(const struct reading *r, const char *text, int64_t *value) {
    uint64_t size;
    const char *end;
    int negative = *text == '-';
    if (take_digits(text + negative, &end, INT64_MAX, &size) || *end)
        return refuse(r, "a whole number is needed");
    *value = negative ? -(int64_t)size : (int64_t)size;
    return 0;
}

/* A time since the trace's first event, in the trace's clock; before it and far behind its end are the same for all. */
static int take_time(const struct reading *r, const char *text, int64_t *time_ns) {
    int64_t since_ns;
    if (take_signed(r, text, &since_ns))
        return -1;
    if (__builtin_add_overflow(r->trace->first_ns, since_ns, time_ns))
        *time_ns = INT64_MAX;
    if (*time_ns < 0)
        *time_ns = 0;
    return 0;
}

/* Numbers below `count` with commas between, to `take`. */
static int take_list(const struct reading *r, const char *text, uint64_t count,
                     void (*take)(struct query *query, uint32_t id)) {
    uint32_t taken = 0;
    for (const char *at = text;; at++) {
        uint64_t id;
        if (take_digits(at, &at, UINT32_MAX, &id))
            return refuse(r, "whole numbers with commas between are needed");
        if (id >= count)
            return refuse(r, "there is no such id");
        if (taken++ == QUERY_IDS_MAX)
            return refuse(r, "too many ids");
        take(r->query, (uint32_t)id);
        if (*at != ',')
            return *at ? refuse(r, "whole numbers with commas between are needed") : 0;
    }
}

static void take_thread(struct query *query, uint32_t id) {
    query->threads[id] = 1;
}

static void take_track(struct query *query, uint32_t id) {
    query->tracks[query->track_count++] = id;
}

uint64_t query_track_ids(const struct trace *trace) {
    return (uint64_t)trace->reader.tracks.count + trace->thread_count;
}

static int take_threads(const struct reading *r, const char *text) {
    struct query *query = r->query;
    query->threads = calloc((size_t)r->trace->thread_count + 1, 1);
    if (!query->threads)
        return MAREY_ENOMEM;
    query->filter.only_threads = query->threads;
    return take_list(r, text, r->trace->thread_count, take_thread);
}

/* -------------------------------------------------------------------- words */

/* Which of the words it is. Returns 0 or -1. */
static int take_word(const struct reading *r, const char *text, const char *const *words,
                     unsigned *place) {
    char reason[120] = "";
    size_t used = 0;
    for (unsigned i = 0; words[i]; i++) {
        if (!strcmp(text, words[i])) {
            *place = i;
            return 0;
        }
        used += (size_t)snprintf(reason + used, sizeof reason - used, "%s%s", i ? ", " : "one of ",
                                 words[i]);
    }
    return refuse(r, reason);
}

static int take_of(const struct reading *r, const char *text) {
    static const char *const words[] = {"samples", "spans", NULL};
    unsigned place;
    if (take_word(r, text, words, &place))
        return -1;
    r->query->of = place ? STACKS_OF_SPANS : STACKS_OF_SAMPLES;
    return 0;
}

static int take_weight(const struct reading *r, const char *text) {
    static const char *const words[SAMPLE_WEIGHTS + 2] = {
        [SAMPLE_WALL] = "wall",         [SAMPLE_CPU] = "cpu",     [SAMPLE_GIL] = "gil",
        [SAMPLE_GIL_WAIT] = "gil_wait", [WEIGHT_COUNT] = "count", NULL};
    return take_word(r, text, words, &r->query->weight);
}

static int take_sort(const struct reading *r, const char *text) {
    static const char *const words[] = {"duration", "begin", NULL};
    unsigned place;
    if (take_word(r, text, words, &place))
        return -1;
    r->query->sort = place ? SORT_BEGIN : SORT_DURATION;
    return 0;
}

static int take_text(const struct reading *r, const char *text, char *to) {
    if (strlen(text) >= QUERY_TEXT_MAX)
        return refuse(r, "too long");
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

/* --------------------------------------------------------------- parameters */

static const struct {
    const char *name;
    enum query_parameter parameter;
} parameters[] = {
    {"from", QUERY_FROM},   {"to", QUERY_TO},         {"threads", QUERY_THREADS},
    {"of", QUERY_OF},       {"weight", QUERY_WEIGHT}, {"tracks", QUERY_TRACKS},
    {"width", QUERY_WIDTH}, {"limit", QUERY_LIMIT},   {"offset", QUERY_OFFSET},
    {"id", QUERY_ID},       {"parent", QUERY_PARENT}, {"min", QUERY_MIN},
    {"sort", QUERY_SORT},   {"name", QUERY_NAME},     {"category", QUERY_CATEGORY},
    {"q", QUERY_Q},         {"format", QUERY_FORMAT},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static int take_value(const struct reading *r, enum query_parameter parameter, const char *text) {
    struct query *query = r->query;
    switch (parameter) {
    case QUERY_FROM: return take_time(r, text, &query->filter.from_ns);
    case QUERY_TO: return take_time(r, text, &query->filter.to_ns);
    case QUERY_THREADS: return take_threads(r, text);
    case QUERY_OF: return take_of(r, text);
    case QUERY_WEIGHT: return take_weight(r, text);
    case QUERY_TRACKS: return take_list(r, text, query_track_ids(r->trace), take_track);
    case QUERY_WIDTH: return take_number(r, text, 1, QUERY_WIDTH_MAX, &query->width);
    case QUERY_LIMIT: return take_number(r, text, 1, r->form->limit_max, &query->limit);
    case QUERY_OFFSET: return take_number(r, text, 0, UINT32_MAX, &query->offset);
    case QUERY_ID: return take_number(r, text, 0, UINT32_MAX, &query->id);
    case QUERY_PARENT: return take_signed(r, text, &query->parent);
    case QUERY_MIN: return take_signed(r, text, &query->min_ns);
    case QUERY_SORT: return take_sort(r, text);
    case QUERY_NAME: return take_text(r, text, query->name);
    case QUERY_CATEGORY: return take_text(r, text, query->category);
    case QUERY_Q: return take_text(r, text, query->q);
    case QUERY_FORMAT: return take_text(r, text, query->format);
    default: return -1;
    }
}

static int find_parameter(const char *name) {
    for (int i = 0; i < PARAMETERS; i++)
        if (!strcmp(parameters[i].name, name))
            return i;
    return -1;
}

static int hex_digit(char digit) {
    if (isdigit((unsigned char)digit))
        return digit - '0';
    return isxdigit((unsigned char)digit) ? tolower((unsigned char)digit) - 'a' + 10 : -1;
}

/* "%2C" and "+" become what they stand for, in place. Returns 0, or -1 where a "%" is none, or stands for NUL. */
static int decode(char *text) {
    char *to = text;
    for (; *text; text++, to++) {
        *to = *text == '+' ? ' ' : *text;
        if (*text != '%')
            continue;
        int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
        if (low < 0 || high + low == 0)
            return -1;
        *to = (char)(high << 4 | low);
        text += 2;
    }
    *to = 0;
    return 0;
}

/* "name=value", which is changed. */
static int take_pair(struct reading *r, char *pair) {
    char *value = strchr(pair, '=');
    if (value)
        *value++ = 0;
    r->name = "query";
    if (decode(pair) || (value && decode(value)))
        return refuse(r, "a % without two digits behind it");
    int place = find_parameter(pair);
    if (place < 0)
        return refuse(r, "a parameter that is not known");
    r->name = parameters[place].name;
    if (!(parameters[place].parameter & r->form->takes))
        return refuse(r, "not a parameter of this question");
    if (r->query->given & parameters[place].parameter)
        return refuse(r, "given twice");
    if (!value)
        return refuse(r, "a value is needed");
    r->query->given |= parameters[place].parameter;
    return take_value(r, parameters[place].parameter, value);
}

static int take_pairs(struct reading *r, char *text) {
    char *rest = text, *pair;
    while ((pair = strsep(&rest, "&"))) {
        int error = *pair ? take_pair(r, pair) : 0;
        if (error)
            return error;
    }
    return 0;
}

/* What follows from all of them together. */
static int check(struct reading *r) {
    const struct query *query = r->query;
    for (int i = 0; i < PARAMETERS; i++)
        if (r->form->needs & ~query->given & parameters[i].parameter) {
            r->name = parameters[i].name;
            return refuse(r, "is needed");
        }
    r->name = "to";
    if (query->given & QUERY_TO && query->filter.to_ns <= query->filter.from_ns)
        return refuse(r, "not after from, or before the trace");
    return 0;
}

int query_read(struct query *query, const struct query_form *form, const struct trace *trace,
               const char *text, char *why, size_t room) {
    *query = (struct query){.limit = form->limit, .weight = SAMPLE_WALL};
    struct reading r = {query, form, trace, "query", why, room};
    size_t size = text ? strlen(text) : 0;
    if (size > QUERY_BYTES_MAX)
        return refuse(&r, "too long");
    char *copy = strndup(text ? text : "", size);
    if (!copy)
        return MAREY_ENOMEM;
    int error = take_pairs(&r, copy);
    free(copy);
    return error ? error : check(&r);
}

void query_free(struct query *query) {
    free(query->threads);
    query->threads = NULL;
}
