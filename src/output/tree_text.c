/* See tree_text.h. */
#include "output/tree_text.h"

#include <string.h>

#include "output/value_text.h"

void text_add_counted(struct text *text, uint64_t count, const char *one, const char *many) {
    char shown[DISPLAY_ROOM];
    display_count(shown, sizeof shown, count);
    text_addf(text, "%s %s", shown, count == 1 ? one : many);
}

void tree_add_time(struct text *text, int64_t ns) {
    char shown[DISPLAY_ROOM];
    if (ns < 1000 || ns >= 999500) {
        display_duration(shown, sizeof shown, ns);
        text_add(text, shown);
        return;
    }
    int tenths = (int)(ns + 50) / 100;
    if (tenths < 100 && tenths % 10)
        text_addf(text, "%d.%dus", tenths / 10, tenths % 10);
    else
        text_addf(text, "%dus", (int)(ns + 500) / 1000);
}

static const struct call_function *function_of(const struct row_text *p,
                                               const struct tree_row *row) {
    return &p->calls->functions[p->calls->all[row->call].function];
}

static int is_span(const struct row_text *p, const struct tree_row *row) {
    return function_of(p, row)->kind == FUNCTION_SPAN;
}

/* ------------------------------------------------------------- arguments */

static uint32_t detail_of(const struct row_text *p, uint32_t call, int at_end) {
    return at_end ? p->calls->all[call].end_detail : p->calls->all[call].begin_detail;
}

/* Whether that argument, the `place`th value, is the same in all calls of a row. */
static int is_same(const struct row_text *p, const struct tree_row *row, const struct value *value,
                   uint32_t place, int at_end) {
    for (uint32_t at = p->rows->next_member[row->call]; at != CALL_NONE;
         at = p->rows->next_member[at]) {
        uint32_t count;
        const struct value *others = calls_values(p->calls, detail_of(p, at, at_end), &count);
        if (place >= count || others[place].key != value->key ||
            !value_equal(&others[place], value))
            return 0;
    }
    return 1;
}

static void add_argument(struct row_text *p, const struct tree_row *row, const struct value *value,
                         uint32_t place, int at_end) {
    enum value_style style = is_span(p, row) ? VALUE_QUOTED : VALUE_WRITTEN;
    display_add(&p->arguments, trace_text(p->calls->trace, value->key), 0);
    text_add(&p->arguments, "=");
    if (is_same(p, row, value, place, at_end))
        value_add(&p->arguments, p->calls->trace, value, style);
    else
        text_add(&p->arguments, "...");
}

/* What a span was given at its end, but for what failed. */
static int is_shown(const char *key, int at_end) {
    if (calls_is_mark(key))
        return 0;
    return !at_end || (strcmp(key, "exception") != 0 && strcmp(key, "error") != 0);
}

static void add_arguments(struct row_text *p, const struct tree_row *row, int at_end) {
    uint32_t count;
    const struct value *values = calls_values(p->calls, detail_of(p, row->call, at_end), &count);
    for (uint32_t i = 0; i < count; i += 1 + values[i].inside) {
        if (!is_shown(trace_text(p->calls->trace, values[i].key), at_end))
            continue;
        text_add(&p->arguments, p->arguments.size ? ", " : "");
        add_argument(p, row, &values[i], i, at_end);
    }
}

static void make_arguments(struct row_text *p, const struct tree_row *row) {
    text_clear(&p->arguments);
    if (p->options->no_arguments)
        return;
    add_arguments(p, row, 0);
    if (is_span(p, row))
        add_arguments(p, row, 1);
}

void row_text_drop_self(struct row_text *p, const struct tree_row *row) {
    const char *text = text_of(&p->arguments), *rest;
    if (is_span(p, row) || (strncmp(text, "self=<", 6) != 0 && strncmp(text, "cls=<", 5) != 0))
        return;
    rest = strstr(text, ">, ");
    if (!rest)
        return;
    struct text kept = {0};
    text_add(&kept, rest + 3);
    text_free(&p->arguments);
    p->arguments = kept;
}

/* --------------------------------------------------------------- results */

/* The same result of all calls of a row; NULL where there is none, or it differs. */
static const struct value *same_result(const struct row_text *p, const struct tree_row *row,
                                       int *differs) {
    const struct value *result = NULL;
    *differs = 0;
    for (uint32_t at = row->call; at != CALL_NONE && !*differs; at = p->rows->next_member[at]) {
        const struct value *other = calls_value(p->calls, p->calls->all[at].end_detail, "result");
        if (!other || p->calls->all[at].flags & CALL_IS_SUSPENDED)
            continue;
        if (result && !value_equal(result, other))
            *differs = 1;
        result = result ? result : other;
    }
    return *differs ? NULL : result;
}

/* What of a row's calls failed first. */
static const char *first_exception(const struct row_text *p, const struct tree_row *row) {
    for (uint32_t at = row->call; at != CALL_NONE; at = p->rows->next_member[at])
        if (p->calls->all[at].flags & CALL_HAS_FAILED)
            return calls_exception(p->calls, &p->calls->all[at]);
    return "";
}

static void make_exception(struct row_text *p, const struct tree_row *row) {
    const char *exception = first_exception(p, row);
    text_add(&p->result, " !! ");
    if (row->calls > 1)
        text_addf(&p->result, "%u of %u: ", row->failed, row->calls);
    display_add(&p->result, *exception ? exception : "failed", 0);
}

/* " -> True", " !! ValueError: no", or nothing: a result None says nothing. */
static void make_result(struct row_text *p, const struct tree_row *row) {
    int differs;
    text_clear(&p->result);
    if (row->failed) {
        make_exception(p, row);
        return;
    }
    if (p->options->no_results || is_span(p, row))
        return;
    const struct value *result = same_result(p, row, &differs);
    if (!result && !differs)
        return;
    text_add(&p->result, " -> ");
    if (differs)
        text_add(&p->result, "...");
    else
        value_add(&p->result, p->calls->trace, result, VALUE_WRITTEN);
}

/* ----------------------------------------------------------------- times */

static void add_folded(struct text *text, const struct tree_row *row) {
    text_addf(text, "[x%u] avg ", row->calls);
    tree_add_time(text, row->total_ns / row->calls);
    text_add(text, " min ");
    tree_add_time(text, row->min_ns);
    text_add(text, " max ");
    tree_add_time(text, row->max_ns);
    text_add(text, "  ");
}

static void add_open(struct text *text, const struct tree_row *row) {
    if (row->open == row->calls)
        text_add(text, ", not ended");
    else if (row->open)
        text_addf(text, ", %u not ended", row->open);
}

static void add_suspended(const struct row_text *p, struct text *text, const struct tree_row *row) {
    uint32_t flags = p->calls->all[row->call].flags;
    if (row->calls == 1 && flags & CALL_IS_SUSPENDED)
        text_add(text, flags & CALL_HAS_YIELDED ? ", not exhausted" : ", not resumed");
}

/* "[x500]  [100ms]": where there is no room for more. */
void row_text_shorten(struct row_text *p, const struct tree_row *row) {
    text_clear(&p->tail);
    text_clear(&p->times);
    if (row->calls > 1)
        text_addf(&p->times, "  [x%u]", row->calls);
    text_add(&p->times, "  [");
    tree_add_time(&p->times, row->total_ns);
    text_add(&p->times, "]");
}

/* "[x500] avg 0.2ms min 0.1ms max 1ms  [100ms, self 60ms, waited 30ms]" */
static void make_times(struct row_text *p, const struct tree_row *row) {
    struct text *text = &p->times;
    text_clear(text);
    text_add(text, "  ");
    if (row->calls > 1)
        add_folded(text, row);
    text_add(text, "[");
    tree_add_time(text, row->total_ns);
    if (row->waiting_ns) {
        text_add(text, ", waited ");
        tree_add_time(text, row->waiting_ns);
    }
    if (!p->options->no_self && p->calls->all[row->call].first_child != CALL_NONE) {
        text_add(text, ", self ");
        tree_add_time(text, row->self_ns);
    }
    add_open(text, row);
    add_suspended(p, text, row);
    if (row->skipped) {
        text_add(text, ", ");
        text_add_counted(text, row->skipped, "call left out", "calls left out");
    }
    text_add(text, "]");
}

static void make_name(struct row_text *p, const struct tree_row *row) {
    const struct call_function *function = function_of(p, row);
    const char *name = trace_text(p->calls->trace, function->name);
    text_clear(&p->name);
    if (p->options->modules && function->module) {
        display_add(&p->name, trace_text(p->calls->trace, function->module), 0);
        text_add(&p->name, ".");
    }
    display_add(&p->name, *name ? name : "(no name)", 0);
}

/* ------------------------------------------------------------------ tail */

static void add_hidden(struct row_text *p, const struct tree_row *row) {
    if (row->first_row || !row->hidden)
        return;
    text_add(&p->tail, "  [");
    text_add_counted(&p->tail, row->hidden, "call inside]", "calls inside]");
}

static void add_track(struct row_text *p, const struct tree_row *row) {
    if (row->track == CALL_NONE)
        return;
    const struct track *track = &p->calls->trace->reader.tracks.all[row->track];
    text_add(&p->tail, "  ");
    display_add(&p->tail, trace_text(p->calls->trace, track->name), 0);
}

static void add_location(struct row_text *p, const struct tree_row *row) {
    const struct call_function *function = function_of(p, row);
    if (!p->options->locations || !function->file)
        return;
    text_add(&p->tail, "  (");
    display_add(&p->tail, trace_text(p->calls->trace, function->file), 0);
    text_addf(&p->tail, ":%u)", function->line);
}

void row_text_make(struct row_text *p, const struct tree_row *row) {
    make_name(p, row);
    make_arguments(p, row);
    make_result(p, row);
    make_times(p, row);
    text_clear(&p->tail);
    add_hidden(p, row);
    add_track(p, row);
    add_location(p, row);
}

void row_text_free(struct row_text *p) {
    text_free(&p->name);
    text_free(&p->arguments);
    text_free(&p->result);
    text_free(&p->times);
    text_free(&p->tail);
}
