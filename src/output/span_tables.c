/* See span_tables.h. */
#include "output/span_tables.h"

#include "model/processes.h"
#include "output/event_args.h"
#include "output/hot_table.h"
#include "output/value_text.h"

enum {
    NAME_COLUMNS_MIN = 12,
    THREAD_COLUMNS_MIN = 8,
    ARGUMENTS_COLUMNS = 60, /* at most */
    BESIDE_ARGUMENTS = 50,  /* what the other columns of single spans take */
};

static const char *name_of(const struct trace *trace, uint32_t name) {
    return name ? trace_text(trace, name) : "(no name)";
}

/* ---------------------------------------------------------- samples by span */

/* Of the time, or where samples stand for none, of the samples. */
static void add_share(struct table *table, const struct sample_times *part,
                      const struct sample_times *all) {
    double share = 0;
    if (all->ns[SAMPLE_WALL])
        share = (double)part->ns[SAMPLE_WALL] / (double)all->ns[SAMPLE_WALL];
    else if (all->count)
        share = (double)part->count / (double)all->count;
    text_addf(table_cell(table), "%.1f%%", 100 * share);
}

static void add_samples_row(struct table *table, const struct span_samples *spans,
                            const struct sample_times *self, const struct sample_times *total,
                            const char *name, const char *category) {
    add_share(table, self, &spans->all);
    add_share(table, total, &spans->all);
    table_duration(table, (int64_t)self->ns[SAMPLE_CPU]);
    table_duration(table, (int64_t)total->ns[SAMPLE_CPU]);
    table_count(table, self->count, 0);
    table_text(table, name);
    table_text(table, category);
}

void span_samples_print(const struct span_samples *spans, const struct trace *trace, FILE *to,
                        uint32_t rows, const struct table_style *style) {
    static const struct table_column columns[] = {
        {"SELF", ALIGN_RIGHT, 0},    {"TOTAL", ALIGN_RIGHT, 0},
        {"CPU", ALIGN_RIGHT, 0},     {"TOTAL CPU", ALIGN_RIGHT, 0},
        {"SAMPLES", ALIGN_RIGHT, 0}, {"SPAN", ALIGN_LEFT, NAME_COLUMNS_MIN},
        {"", ALIGN_LEFT, 0}};
    struct table table;
    uint32_t shown = rows && rows < spans->count ? rows : spans->count;
    table_init(&table, columns, 7);
    for (uint32_t i = 0; i < shown; i++)
        add_samples_row(&table, spans, &spans->rows[i].self, &spans->rows[i].total,
                        name_of(trace, spans->rows[i].name),
                        trace_text(trace, spans->rows[i].category));
    if (spans->outside.count)
        add_samples_row(&table, spans, &spans->outside, &spans->outside, "(in no span)", "");
    table_print(&table, to, style);
    table_free(&table);
    table_print_more(spans->count - shown, to, style);
}

static void samples_row_json(struct json *json, const char *name, const char *category,
                             const struct sample_times *self, const struct sample_times *total) {
    json_object(json, NULL);
    if (name)
        json_text(json, "name", name);
    else
        json_null(json, "name");
    if (*category)
        json_text(json, "category", category);
    sample_times_json(json, "self", self);
    sample_times_json(json, "total", total);
    json_end(json);
}

void span_samples_json(const struct span_samples *spans, const struct trace *trace,
                       struct json *json, const char *key, uint32_t rows) {
    json_array(json, key);
    for (uint32_t i = 0; i < spans->count && (!rows || i < rows); i++)
        samples_row_json(json, trace_text(trace, spans->rows[i].name),
                         trace_text(trace, spans->rows[i].category), &spans->rows[i].self,
                         &spans->rows[i].total);
    if (spans->outside.count)
        samples_row_json(json, NULL, "", &spans->outside, &spans->outside);
    json_end(json);
}

/* ------------------------------------------------------------ slowest spans */

static void add_values(struct text *text, const struct trace *trace, uint32_t detail) {
    const struct arguments *arguments = &trace->reader.arguments;
    const struct detail *said = &arguments->details[detail];
    const struct value *values = arguments->values + said->first;
    for (uint32_t i = 0; detail && i < said->size && text->size < ARGUMENTS_COLUMNS;
         i += 1 + values[i].inside) {
        text_add(text, text->size ? " " : "");
        display_add(text, trace_text(trace, values[i].key), ARGUMENTS_COLUMNS);
        text_add(text, "=");
        value_add(text, trace, &values[i], VALUE_QUOTED);
    }
}

/* In a narrow terminal arguments give way first. */
static size_t argument_columns(const struct table_style *style) {
    if (!style->width || style->width > BESIDE_ARGUMENTS + ARGUMENTS_COLUMNS)
        return ARGUMENTS_COLUMNS;
    return style->width < BESIDE_ARGUMENTS + NAME_COLUMNS_MIN ? (size_t)NAME_COLUMNS_MIN
                                                              : style->width - BESIDE_ARGUMENTS;
}

/* What the span was given and came to, cut. */
static void add_arguments(struct table *table, const struct trace *trace, uint32_t detail,
                          size_t columns) {
    struct text text = {0};
    if (detail) {
        add_values(&text, trace, detail);
        add_values(&text, trace, trace->reader.arguments.details[detail].end);
    }
    display_add(table_cell(table), text_of(&text), columns);
    text_free(&text);
}

/* The thread, process or track on which the span was. */
static const char *place_of(const struct trace *trace, const struct track *track) {
    const struct track *owner = track_owner(trace, track);
    if (track->kind == TRACK_CUSTOM || !owner)
        return trace_text(trace, track->name);
    return trace_text(trace, owner->name);
}

void slowest_print(const struct slowest *slowest, const struct trace *trace, FILE *to,
                   const struct table_style *style) {
    static const struct table_column columns[] = {{"TIME", ALIGN_RIGHT, 0},
                                                  {"AT", ALIGN_RIGHT, 0},
                                                  {"SLOWEST SPANS", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                  {"THREAD", ALIGN_LEFT, THREAD_COLUMNS_MIN},
                                                  {"", ALIGN_LEFT, NAME_COLUMNS_MIN}};
    struct table table;
    table_init(&table, columns, 5);
    for (uint32_t i = 0; i < slowest->count; i++) {
        const struct span *span = &trace->spans[slowest->spans[i]];
        table_duration(&table, span->duration_ns);
        table_duration(&table, span->begin_ns - trace->first_ns);
        table_text(&table, name_of(trace, span->name));
        table_text(&table, place_of(trace, &trace->reader.tracks.all[span->track]));
        add_arguments(&table, trace, span->detail, argument_columns(style));
    }
    table_print(&table, to, style);
    table_free(&table);
}

void slowest_json(const struct slowest *slowest, const struct trace *trace, struct json *json,
                  const char *key) {
    json_array(json, key);
    for (uint32_t i = 0; i < slowest->count; i++) {
        const struct span *span = &trace->spans[slowest->spans[i]];
        const struct track *track = &trace->reader.tracks.all[span->track];
        const struct track *owner = track_owner(trace, track);
        json_object(json, NULL);
        json_text(json, "name", trace_text(trace, span->name));
        if (span->category)
            json_text(json, "category", trace_text(trace, span->category));
        json_integer(json, "begin_ns", span->begin_ns - trace->first_ns);
        json_integer(json, "duration_ns", span->duration_ns);
        json_text(json, "track", place_of(trace, track));
        if (owner)
            json_integer(json, "pid", owner->pid);
        if (owner && owner->kind == TRACK_THREAD)
            json_integer(json, "tid", owner->tid);
        event_args_json(json, trace, "args", span->detail);
        json_end(json);
    }
    json_end(json);
}
