/* See difference_table.h: text and JSON. */
#include "output/difference_table.h"

#include <math.h>

#include "output/difference_rows.h"

enum {
    NAME_COLUMNS_MIN = 12,
    PLACE_COLUMNS_MIN = 8,
    POINTS_USUAL = 10, /* what a usual recording can tell from chance */
};

const char *certainty_word(enum certainty certainty) {
    static const char *const words[] = {
        [CERTAINTY_NOISE] = "noise", [CERTAINTY_LIKELY] = "likely", [CERTAINTY_SURE] = "sure"};
    return words[certainty];
}

/* Calls are all counted, so another count is a change by itself; how many spans there are may depend on what came in. */
static int is_counted_otherwise(const struct changed_span *row) {
    return row->is_call && row->side[BEFORE].count != row->side[AFTER].count;
}

const char *span_certainty(const struct changed_span *row) {
    if (!row->side[BEFORE].count)
        return "new";
    if (!row->side[AFTER].count)
        return "gone";
    if (row->certainty == CERTAINTY_NOISE && is_counted_otherwise(row))
        return "counted";
    return certainty_word(row->certainty);
}

int span_is_shown(const struct changed_span *row, const struct difference_style *style) {
    return style->all || row->certainty != CERTAINTY_NOISE || is_counted_otherwise(row) ||
           !row->side[BEFORE].count || !row->side[AFTER].count;
}

int share_is_shown(const struct changed_share *row, const struct difference_style *style) {
    return style->all || row->certainty != CERTAINTY_NOISE;
}

const char *span_name(const struct difference *difference, const struct changed_span *row) {
    return row->name ? difference_text(difference, row->name) : "(no name)";
}

/* ------------------------------------------------------------------- shares */

static void add_percent(struct table *table, double part) {
    text_addf(table_cell(table), "%.1f%%", 100 * part);
}

/* "+5.2", percentage points. */
static void add_points(struct table *table, double part) {
    text_addf(table_cell(table), "%+.1f", 100 * part);
}

static void add_place(struct table *table, const struct difference *difference,
                      const struct changed_share *row) {
    struct text *cell = table_cell(table);
    display_add(cell, difference_text(difference, row->file), 0);
    if (row->line > 0)
        text_addf(cell, ":%d", row->line);
}

static void add_share(struct table *table, const struct difference *difference,
                      const struct changed_share *row, const struct difference_style *style) {
    double before = difference_self(difference, row, BEFORE);
    double after = difference_self(difference, row, AFTER);
    add_points(table, after - before);
    add_percent(table, before);
    add_percent(table, after);
    add_points(table, difference_total(difference, row, AFTER) -
                          difference_total(difference, row, BEFORE));
    table_text(table, certainty_word(row->certainty));
    table_text(table, difference_text(difference, row->name));
    if (style->grouping == GROUP_FILES)
        table_text(table, "");
    else
        add_place(table, difference, row);
}

/* By how many points a function of half the samples has to change to be told from chance, as a rule: three times what
 * independent draws differ by. In steps of five. */
static unsigned points_to_tell(const struct difference *difference) {
    double before = (double)difference->samples[BEFORE], after = (double)difference->samples[AFTER];
    double points = 3 * 100 * sqrt(0.25 * (1 / before + 1 / after));
    return 5 * (unsigned)((points + 4.9) / 5);
}

/* Of few samples, what they cannot show. */
static void print_blindness(const struct difference *difference, FILE *to) {
    unsigned points = points_to_tell(difference);
    if (points > 100)
        fputs(": too few to compare; record for longer", to);
    else if (points > POINTS_USUAL)
        fprintf(to,
                ": so few show changes of some %u points; record for longer to see smaller ones",
                points);
}

static void print_counts(const struct difference *difference, FILE *to, const char *indent) {
    char before[DISPLAY_ROOM], after[DISPLAY_ROOM];
    display_count(before, sizeof before, difference->samples[BEFORE]);
    display_count(after, sizeof after, difference->samples[AFTER]);
    fprintf(to, "%ssamples: %s before, %s after", indent, before, after);
    if (difference->samples[BEFORE] && difference->samples[AFTER])
        print_blindness(difference, to);
    else
        fputs(": nothing to compare them with", to);
    fputs("\n", to);
}

/* What is left when the rows that are shown are: how many are alike, how many there is no room for. */
static void print_rest(uint32_t left, uint32_t alike, const char *one, const char *many, FILE *to,
                       const struct difference_style *style) {
    char count[DISPLAY_ROOM];
    table_print_more(left, to, &style->table);
    display_count(count, sizeof count, alike);
    if (alike)
        fprintf(to, "%s%s %s: no difference that is more than chance (--all: all of them)\n",
                style->table.indent ? style->table.indent : "", count, alike == 1 ? one : many);
}

static void print_shares(const struct difference *difference, FILE *to,
                         const struct difference_style *style) {
    struct table_column columns[] = {{"POINTS", ALIGN_RIGHT, 0},
                                     {"BEFORE", ALIGN_RIGHT, 0},
                                     {"AFTER", ALIGN_RIGHT, 0},
                                     {"TOTAL", ALIGN_RIGHT, 0},
                                     {"IT IS", ALIGN_LEFT, 0},
                                     {"FUNCTION", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                     {"FILE", ALIGN_LEFT, PLACE_COLUMNS_MIN}};
    struct table table;
    static const char *const words[][2] = {[GROUP_FUNCTIONS] = {"function", "functions"},
                                           [GROUP_LINES] = {"line", "lines"},
                                           [GROUP_FILES] = {"file", "files"}};
    uint32_t shown = 0, wanted = 0;
    if (style->grouping == GROUP_FILES)
        columns[5].title = "FILE", columns[6].title = "";
    table_init(&table, columns, 7);
    for (uint32_t i = 0; i < difference->share_count; i++) {
        if (!share_is_shown(&difference->shares[i], style))
            continue;
        wanted++;
        if (style->rows && shown == style->rows)
            continue;
        shown++;
        add_share(&table, difference, &difference->shares[i], style);
    }
    print_counts(difference, to, style->table.indent ? style->table.indent : "");
    if (shown)
        table_print(&table, to, &style->table);
    table_free(&table);
    if (difference->samples[BEFORE] && difference->samples[AFTER])
        print_rest(wanted - shown, difference->share_count - wanted, words[style->grouping][0],
                   words[style->grouping][1], to, style);
}

/* -------------------------------------------------------------------- spans */

/* "+12.3%", "x3.4" from double on. */
static void add_growth(struct table *table, int64_t before, int64_t after, int both) {
    struct text *cell = table_cell(table);
    if (!both || before <= 0)
        return;
    double ratio = (double)after / (double)before;
    if (ratio >= 2)
        text_addf(cell, "x%.1f", ratio);
    else
        text_addf(cell, "%+.1f%%", 100 * (ratio - 1));
}

/* With its sign. */
static void add_cost(struct table *table, int64_t ns) {
    char shown[DISPLAY_ROOM];
    display_duration(shown, sizeof shown, ns < 0 ? (ns == INT64_MIN ? INT64_MAX : -ns) : ns);
    text_addf(table_cell(table), "%s%s", ns < 0 ? "-" : "+", shown);
}

static void add_count(struct table *table, const struct changed_span *row) {
    char before[DISPLAY_ROOM], after[DISPLAY_ROOM];
    display_count(before, sizeof before, row->side[BEFORE].count);
    display_count(after, sizeof after, row->side[AFTER].count);
    if (row->side[BEFORE].count == row->side[AFTER].count)
        text_add(table_cell(table), after);
    else
        text_addf(table_cell(table), "%s->%s", before, after);
}

static void add_span(struct table *table, const struct difference *difference,
                     const struct changed_span *row) {
    const struct changed_times *before = &row->side[BEFORE], *after = &row->side[AFTER];
    int both = before->ended && after->ended;
    add_cost(table, difference_cost(row));
    table_duration(table, before->ended ? before->mean_ns : -1);
    table_duration(table, after->ended ? after->mean_ns : -1);
    add_growth(table, before->mean_ns, after->mean_ns, both);
    add_growth(table, before->p99_ns, after->p99_ns, both);
    add_count(table, row);
    table_text(table, span_certainty(row));
    if (row->is_call && row->category) {
        struct text *cell = table_cell(table);
        display_add(cell, difference_text(difference, row->category), 0);
        text_add(cell, ".");
        display_add(cell, span_name(difference, row), 0);
    } else {
        table_text(table, span_name(difference, row));
    }
}

static uint32_t count_spans(const struct difference *difference, int calls) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < difference->span_count; i++)
        count += difference->spans[i].is_call == calls;
    return count;
}

static void print_spans(const struct difference *difference, int calls, FILE *to,
                        const struct difference_style *style) {
    struct table_column columns[] = {
        {"COST", ALIGN_RIGHT, 0},  {"MEAN", ALIGN_RIGHT, 0},
        {"AFTER", ALIGN_RIGHT, 0}, {"CHANGE", ALIGN_RIGHT, 0},
        {"P99", ALIGN_RIGHT, 0},   {"COUNT", ALIGN_RIGHT, 0},
        {"IT IS", ALIGN_LEFT, 0},  {calls ? "CALLS OF" : "SPAN", ALIGN_LEFT, NAME_COLUMNS_MIN}};
    struct table table;
    uint32_t shown = 0, wanted = 0;
    table_init(&table, columns, 8);
    for (uint32_t i = 0; i < difference->span_count; i++) {
        const struct changed_span *row = &difference->spans[i];
        if (row->is_call != calls || !span_is_shown(row, style))
            continue;
        wanted++;
        if (style->rows && shown == style->rows)
            continue;
        shown++;
        add_span(&table, difference, row);
    }
    if (shown)
        table_print(&table, to, &style->table);
    table_free(&table);
    print_rest(wanted - shown, count_spans(difference, calls) - wanted,
               calls ? "called function" : "span name", calls ? "called functions" : "span names",
               to, style);
}

void difference_print(const struct difference *difference, FILE *to,
                      const struct difference_style *style) {
    int any = 0;
    if (difference->samples[BEFORE] || difference->samples[AFTER]) {
        print_shares(difference, to, style);
        any = 1;
    }
    for (int calls = 1; calls >= 0; calls--) {
        if (!count_spans(difference, calls))
            continue;
        if (any)
            fputc('\n', to);
        print_spans(difference, calls, to, style);
        any = 1;
    }
    if (!any)
        fprintf(to, "%sno spans and no samples\n", style->table.indent ? style->table.indent : "");
}

/* --------------------------------------------------------------------- JSON */

static void share_json(struct json *json, const struct difference *difference,
                       const struct changed_share *row) {
    json_object(json, NULL);
    json_text(json, "name", difference_text(difference, row->name));
    json_text(json, "file", difference_text(difference, row->file));
    if (row->line)
        json_integer(json, "line", row->line);
    json_text(json, "certainty", certainty_word(row->certainty));
    json_double(json, "chance", row->chance);
    for (int side = 0; side < SIDES; side++) {
        json_object(json, side == BEFORE ? "before" : "after");
        json_count(json, "samples", row->side[side].samples);
        json_double(json, "self_share", difference_self(difference, row, side));
        json_double(json, "total_share", difference_total(difference, row, side));
        json_end(json);
    }
    json_end(json);
}

static void times_json(struct json *json, const char *key, const struct changed_times *times) {
    json_object(json, key);
    json_count(json, "count", times->count);
    json_integer(json, "total_ns", times->total_ns);
    json_integer(json, "mean_ns", times->mean_ns);
    json_integer(json, "p50_ns", times->p50_ns);
    json_integer(json, "p99_ns", times->p99_ns);
    json_integer(json, "max_ns", times->max_ns);
    json_end(json);
}

static void spans_json(struct json *json, const struct difference *difference, int calls,
                       const struct difference_style *style) {
    uint32_t shown = 0;
    json_array(json, calls ? "calls" : "spans");
    for (uint32_t i = 0; i < difference->span_count; i++) {
        const struct changed_span *row = &difference->spans[i];
        if (row->is_call != calls || !span_is_shown(row, style) ||
            (style->rows && shown++ >= style->rows))
            continue;
        json_object(json, NULL);
        json_text(json, "name", difference_text(difference, row->name));
        json_text(json, calls ? "module" : "category", difference_text(difference, row->category));
        json_text(json, "certainty", span_certainty(row));
        json_double(json, "chance", row->chance);
        times_json(json, "before", &row->side[BEFORE]);
        times_json(json, "after", &row->side[AFTER]);
        json_end(json);
    }
    json_end(json);
}

void difference_json(const struct difference *difference, struct json *json,
                     const struct difference_style *style) {
    uint32_t shown = 0;
    json_array(json, "samples");
    for (uint32_t i = 0; i < difference->share_count; i++)
        if (share_is_shown(&difference->shares[i], style) &&
            (!style->rows || shown++ < style->rows))
            share_json(json, difference, &difference->shares[i]);
    json_end(json);
    spans_json(json, difference, 1, style);
    spans_json(json, difference, 0, style);
}
