/* See top_lines.h. */
#include "cli/top_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

enum {
    SHARE_COLUMNS = 15, /* SELF% TOTAL% */
    TIME_COLUMNS = 16,  /* SELF TOTAL: left out where the screen is narrow */
    TIMES_COLUMNS_MIN = 60,
    THREAD_COLUMNS = 66, /* before the function that a thread is in */
    NAME_COLUMNS_MIN = 10
};

const char *const top_help[] = {
    "marey top: where the time of running Python processes goes",
    "",
    "  SELF%   TOTAL%   in this second: the function itself, and with what it calls;",
    "                   100% is one thread all the time",
    "  SELF    TOTAL    the same as time, since the start or the last reset",
    "  CPU%    RUN%     on a processor; not asleep (with --idle: also asleep)",
    "  GIL%             held Python's lock",
    "  WAIT%            waited for it; 'sampler': what all this takes of a processor",
    "",
    "  s S              sort by the next, the previous column",
    "  f /              show only what has this in its name or file; Esc: all again",
    "  t                threads, functions",
    "  l                lines, functions",
    "  space p          hold the screen; sampling goes on",
    "  r                begin to count again",
    "  up down PgUp PgDn Home End     move",
    "  q                quit",
    "",
    "any key goes back",
};
const int top_help_count = sizeof top_help / sizeof *top_help;

/* ------------------------------------------------------------------- head */

/* The right part keeps its place; the left is cut. */
static void add_both(struct text *line, const char *left, const char *right, size_t columns) {
    size_t tail = display_columns(right);
    if (columns < tail + NAME_COLUMNS_MIN) {
        display_add(line, left, columns);
        return;
    }
    size_t used = display_add(line, left, columns - tail - 1);
    text_addf(line, "%*s%s", (int)(columns - tail - used), "", right);
}

void top_title_line(struct text *line, const struct top_look *look, const struct top_view *view,
                    size_t columns) {
    char elapsed[DISPLAY_ROOM];
    display_duration(elapsed, sizeof elapsed, (int64_t)look->elapsed_ns);
    add_both(line, view->title, elapsed, columns);
}

static double percent(double share) {
    return 100 * share;
}

void top_share_line(struct text *line, const struct top_look *look, size_t columns) {
    struct text all = {0};
    double cost =
        look->counts.wall_ns ? (double)look->counts.cpu_ns / (double)look->counts.wall_ns : 0;
    text_addf(&all, "CPU %.0f%%  GIL %.0f%%  wait %.0f%%", percent(look->share[SAMPLE_CPU]),
              percent(look->share[SAMPLE_GIL]), percent(look->share[SAMPLE_GIL_WAIT]));
    text_addf(&all, "  %u thread%s  %u process%s  sampler %.1f%%", look->counts.threads,
              look->counts.threads == 1 ? "" : "s", look->counts.processes,
              look->counts.processes == 1 ? "" : "es", percent(cost));
    display_add(line, text_of(&all), columns);
    text_free(&all);
}

void top_state_line(struct text *line, const struct top_look *look, const struct top_view *view,
                    size_t columns) {
    char samples[DISPLAY_ROOM], torn[DISPLAY_ROOM];
    struct text left = {0}, right = {0};
    display_count(samples, sizeof samples, look->counts.samples);
    display_count(torn, sizeof torn, look->counts.torn);
    text_addf(&left, "%s: %s samples, %s torn", view->what, samples, torn);
    if (*view->filter)
        text_addf(&right, "  only '%s'", view->filter);
    if (view->paused)
        text_add(&right, "  PAUSED");
    add_both(line, text_of(&left), text_of(&right), columns);
    text_free(&left);
    text_free(&right);
}

/* ------------------------------------------------------------------- rows */

static const struct top_look *sorted_look; /* of the sort that goes on: qsort hands nothing on */
static const struct top_function *sorted_functions;
static enum top_sort sorted_by;

static int compare(double a, double b) {
    return a < b ? 1 : a > b ? -1 : 0;
}

static double key_of(const struct top_function *function, enum top_sort by) {
    switch (by) {
    case SORT_SELF: return function->self;
    case SORT_TOTAL: return function->total;
    case SORT_SELF_TIME: return (double)function->self_ns;
    default: return (double)function->total_ns;
    }
}

static int by_key(const void *left, const void *right) {
    const struct top_function *a = &sorted_functions[*(const uint32_t *)left];
    const struct top_function *b = &sorted_functions[*(const uint32_t *)right];
    int order = compare(key_of(a, sorted_by), key_of(b, sorted_by));
    if (!order)
        order = compare((double)a->self_ns, (double)b->self_ns);
    if (!order)
        order = compare((double)a->total_ns, (double)b->total_ns);
    return order ? order : strcmp(top_text(sorted_look, a->name), top_text(sorted_look, b->name));
}

/* The column that is sorted by, for threads: CPU, GIL, waiting, then the number. */
static int by_thread_key(const void *left, const void *right) {
    static const enum sample_weight weights[SORTS] = {SAMPLE_CPU, SAMPLE_GIL, SAMPLE_GIL_WAIT,
                                                      SAMPLE_WALL};
    const struct top_thread *a = &sorted_look->threads[*(const uint32_t *)left];
    const struct top_thread *b = &sorted_look->threads[*(const uint32_t *)right];
    int order = compare(a->share[weights[sorted_by]], b->share[weights[sorted_by]]);
    return order ? order : a->tid < b->tid ? -1 : a->tid > b->tid;
}

static bool is_wanted(const struct top_view *view, const char *name, const char *file) {
    return !*view->filter || strcasestr(name, view->filter) || strcasestr(file, view->filter);
}

static void choose_threads(struct top_table *table, const struct top_view *view) {
    const struct top_look *look = table->look;
    for (uint32_t i = 0; i < look->threads_count; i++) {
        const struct top_thread *thread = &look->threads[i];
        if (is_wanted(view, top_text(look, thread->name), top_text(look, thread->at)))
            table->rows[table->count++] = i;
    }
}

static void choose_functions(struct top_table *table, const struct top_view *view, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const struct top_function *function = &table->functions[i];
        if (is_wanted(view, top_text(table->look, function->name),
                      top_text(table->look, function->file)))
            table->rows[table->count++] = i;
    }
}

void top_table_make(struct top_table *table, const struct top_look *look,
                    const struct top_view *view) {
    uint32_t count = view->threads ? look->threads_count
                     : view->lines ? look->lines_count
                                   : look->functions_count;
    *table = (struct top_table){.look = look,
                                .threads = view->threads,
                                .functions = view->lines ? look->lines : look->functions};
    table->rows = malloc((count + 1) * sizeof *table->rows);
    if (!table->rows)
        return;
    if (view->threads)
        choose_threads(table, view);
    else
        choose_functions(table, view, count);
    sorted_look = look;
    sorted_functions = table->functions;
    sorted_by = view->sort;
    qsort(table->rows, table->count, sizeof *table->rows, view->threads ? by_thread_key : by_key);
}

void top_table_free(struct top_table *table) {
    free(table->rows);
}

/* ---- as text */

/* The column that is sorted by is marked. */
static void add_title(struct text *line, const char *title, bool is_sorted, int columns) {
    char marked[32];
    snprintf(marked, sizeof marked, "%s%s", is_sorted ? ">" : "", title);
    text_addf(line, "%*s", columns, marked);
}

void top_table_titles(struct text *line, const struct top_view *view, size_t columns) {
    static const char *const functions[] = {"SELF%", "TOTAL%", "SELF", "TOTAL"};
    static const char *const threads[] = {"CPU%", "GIL%", "WAIT%", "RUN%"};
    struct text all = {0};
    if (view->threads)
        text_addf(&all, "%7s %7s ", "PID", "TID");
    int shown = view->threads || columns >= TIMES_COLUMNS_MIN ? SORTS : SORT_SELF_TIME;
    for (int i = 0; i < shown; i++)
        add_title(&all, view->threads ? threads[i] : functions[i], view->sort == (enum top_sort)i,
                  i ? 8 : 7);
    text_add(&all, view->threads ? "  THREAD           IN" : "  FUNCTION");
    display_add(line, text_of(&all), columns);
    text_free(&all);
}

static void add_times(struct text *line, const struct top_function *function) {
    char self[DISPLAY_ROOM], total[DISPLAY_ROOM];
    display_duration(self, sizeof self, (int64_t)function->self_ns);
    display_duration(total, sizeof total, (int64_t)function->total_ns);
    text_addf(line, "%8s%8s", self, total);
}

/* columns: at least as many as the screen has to have. */
static void add_function(struct text *line, const struct top_look *look,
                         const struct top_function *function, size_t columns) {
    char number[16] = "";
    size_t room = columns - SHARE_COLUMNS - 2;
    text_addf(line, "%7.1f%8.1f", percent(function->self), percent(function->total));
    if (columns >= TIMES_COLUMNS_MIN) {
        add_times(line, function);
        room -= TIME_COLUMNS;
    }
    text_add(line, "  ");
    size_t used = display_add(line, top_text(look, function->name), room);
    if (function->line)
        snprintf(number, sizeof number, ":%d", (int)function->line);
    size_t fixed = strlen(" ()") + strlen(number);
    const char *file = top_text(look, function->file);
    if (!*file || room < used + fixed + NAME_COLUMNS_MIN)
        return;
    text_add(line, " (");
    display_add_end(line, file, room - used - fixed);
    text_addf(line, "%s)", number);
}

static void add_thread(struct text *line, const struct top_look *look,
                       const struct top_thread *thread, size_t columns) {
    static const enum sample_weight weights[SORTS] = {SAMPLE_CPU, SAMPLE_GIL, SAMPLE_GIL_WAIT,
                                                      SAMPLE_WALL};
    text_addf(line, "%7d %7d ", (int)thread->pid, (int)thread->tid);
    for (int i = 0; i < SORTS; i++)
        text_addf(line, "%*.1f", i ? 8 : 7, percent(thread->share[weights[i]]));
    text_add(line, "  ");
    size_t used = display_add(line, top_text(look, thread->name), 15);
    text_addf(line, "%*s", (int)(17 - used), "");
    display_add(line, top_text(look, thread->at),
                columns > THREAD_COLUMNS ? columns - THREAD_COLUMNS : 1);
}

void top_table_row(struct text *line, const struct top_table *table, uint32_t row, size_t columns) {
    struct text all = {0};
    uint32_t place = table->rows[row];
    if (table->threads)
        add_thread(&all, table->look, &table->look->threads[place], columns);
    else
        add_function(&all, table->look, &table->functions[place], columns);
    display_add(line, text_of(&all), columns);
    text_free(&all);
}
