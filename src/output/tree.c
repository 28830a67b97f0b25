/* See tree.h. */
#include "output/tree.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "output/tree_text.h"

enum {
    LEVEL_COLUMNS = 4,      /* of each level's lines */
    LEVELS_MAX = 100,       /* that are indented, however wide the output is */
    TEXT_COLUMNS_MIN = 3,   /* of arguments that are cut: "..." */
    RESULT_COLUMNS_MIN = 7, /* of a result: " -> ..." */
    NAME_COLUMNS_MIN = 12,
    BRACKETS_COLUMNS = 2, /* around the arguments */
    HOT_PERCENT = 10,     /* of the whole: a time that is marked */
    SCOPES_SHOWN = 5,
};

enum paint { PAINT_DIM, PAINT_NAME, PAINT_RESULT, PAINT_ERROR, PAINT_HOT, PAINT_COUNT, PAINTS };

static const char *const paints[PAINTS] = {
    [PAINT_DIM] = "\033[2m",    [PAINT_NAME] = "\033[1m", [PAINT_RESULT] = "\033[32m",
    [PAINT_ERROR] = "\033[31m", [PAINT_HOT] = "\033[33m", [PAINT_COUNT] = "\033[35m",
};

/* The lines between the rows. */
struct lines {
    const char *fork, *last, *through, *blank;
};

static const struct lines unicode_lines = {"├── ", "└── ", "│   ", "    "};
static const struct lines ascii_lines = {"|-- ", "`-- ", "|   ", "    "};

struct printing {
    const struct tree_rows *rows;
    const struct calls *calls;
    const struct tree_options *options;
    const struct lines *lines;
    FILE *to;
    int64_t whole_ns;
    struct row_text text; /* of the row at hand, */
    struct text prefix;   /* the lines before it, */
    struct text line;     /* and all together */
};

/* ---------------------------------------------------------------- pieces */

static void add_painted(struct printing *p, enum paint paint, const char *string) {
    if (*string && p->options->colour)
        text_addf(&p->line, "%s%s\033[0m", paints[paint], string);
    else
        text_add(&p->line, string);
}

/* ------------------------------------------------------------------ rows */

static int is_last(const struct tree_rows *rows, uint32_t place) {
    const struct tree_row *row = &rows->all[place];
    return !row->next_row && !rows->all[row->parent].hidden;
}

/* The lines before a row: those of the rows around it, from the outermost that there is room for. */
static void make_prefix(struct printing *p, uint32_t place, const char *own) {
    const char *pieces[TREE_DEPTH_MAX + 2];
    const struct tree_row *all = p->rows->all;
    uint32_t levels = 0;
    size_t room = p->options->width ? p->options->width / 2 / LEVEL_COLUMNS : LEVELS_MAX;
    int is_below_section = all[all[0].first_row].call == CALL_NONE;
    text_clear(&p->prefix);
    for (uint32_t at = all[place].parent; at && all[at].depth > (uint32_t)is_below_section;
         at = all[at].parent)
        pieces[levels++] = is_last(p->rows, at) ? p->lines->blank : p->lines->through;
    if (levels > room) {
        text_addf(&p->prefix, "(%u)%*s", all[place].depth, all[place].depth < 100 ? 4 : 3, "");
        levels = room > 2 ? (uint32_t)room - 2 : 0;
    }
    while (levels--)
        text_add(&p->prefix, pieces[levels]);
    text_add(&p->prefix, own);
}

/* Cuts a text to `columns`. */
static void cut(struct text *text, size_t columns) {
    struct text shown = {0};
    display_add(&shown, text_of(text), columns ? columns : 1);
    text_free(text);
    *text = shown;
}

/* Makes arguments and result fit beside what stands there: without `self`, and then cut. What is short stays whole, what is
 * long shares the rest. */
static void fit(struct printing *p, const struct tree_row *row, size_t fixed) {
    size_t width = p->options->width;
    size_t arguments = display_columns(text_of(&p->text.arguments));
    size_t result = display_columns(text_of(&p->text.result));
    size_t room = width > fixed ? width - fixed : 0;
    if (!width || arguments + result <= room)
        return;
    row_text_drop_self(&p->text, row);
    arguments = display_columns(text_of(&p->text.arguments));
    if (arguments + result <= room)
        return;
    size_t for_result = result < room / 2 ? result : room / 2;
    if (arguments + for_result < room)
        for_result = room - arguments;
    if (for_result < RESULT_COLUMNS_MIN)
        for_result = result < RESULT_COLUMNS_MIN ? result : RESULT_COLUMNS_MIN;
    size_t for_arguments =
        room > for_result + TEXT_COLUMNS_MIN ? room - for_result : TEXT_COLUMNS_MIN;
    if (result > for_result)
        cut(&p->text.result, for_result);
    if (arguments > for_arguments)
        cut(&p->text.arguments, for_arguments);
}

/* Puts the pieces of a call's row together. */
static void join_pieces(struct printing *p, const struct tree_row *row) {
    const struct row_text *text = &p->text;
    uint32_t kind = p->calls->functions[p->calls->all[row->call].function].kind;
    int hot = row->total_ns >= p->whole_ns / 100 * HOT_PERCENT;
    enum paint paint = row->calls > 1 ? PAINT_COUNT : hot ? PAINT_HOT : PAINT_DIM;
    text_clear(&p->line);
    add_painted(p, PAINT_DIM, text_of(&p->prefix));
    add_painted(p, PAINT_NAME, text_of(&text->name));
    text_add(&p->line, kind != FUNCTION_SPAN ? "(" : text->arguments.size ? "  " : "");
    text_add(&p->line, text_of(&text->arguments));
    text_add(&p->line, kind != FUNCTION_SPAN ? ")" : "");
    add_painted(p, row->failed ? PAINT_ERROR : PAINT_RESULT, text_of(&text->result));
    add_painted(p, paint, text_of(&text->times));
    add_painted(p, PAINT_DIM, text_of(&text->tail));
    fprintf(p->to, "%s\n", text_of(&p->line));
}

/* Columns of what is not cut: all but name, arguments and result. */
static size_t fixed_columns(const struct printing *p) {
    return display_columns(text_of(&p->prefix)) + display_columns(text_of(&p->text.times)) +
           display_columns(text_of(&p->text.tail)) + BRACKETS_COLUMNS;
}

static void print_call(struct printing *p, uint32_t place) {
    const struct tree_row *row = &p->rows->all[place];
    size_t width = p->options->width;
    make_prefix(p, place, is_last(p->rows, place) ? p->lines->last : p->lines->fork);
    row_text_make(&p->text, row);
    size_t fixed = fixed_columns(p), name = display_columns(text_of(&p->text.name));
    if (width && fixed + name > width) {
        row_text_shorten(&p->text, row);
        fixed = fixed_columns(p);
    }
    if (width && fixed + name > width) {
        cut(&p->text.name, width > fixed + NAME_COLUMNS_MIN ? width - fixed : NAME_COLUMNS_MIN);
        name = display_columns(text_of(&p->text.name));
    }
    fit(p, row, fixed + name);
    join_pieces(p, row);
}

/* What stands behind the last row below `place`. */
static void print_hidden(struct printing *p, uint32_t place) {
    const struct tree_row *row = &p->rows->all[place];
    struct text text = {0};
    make_prefix(p, row->first_row, p->lines->last);
    text_clear(&p->line);
    text_addf(&text, "%s[+", text_of(&p->prefix));
    text_add_counted(&text, row->hidden, "more call, ", "more calls, ");
    tree_add_time(&text, row->hidden_ns);
    text_add(&text, "]");
    add_painted(p, PAINT_DIM, text_of(&text));
    fprintf(p->to, "%s\n", text_of(&p->line));
    text_free(&text);
}

static const char *track_name(const struct trace *trace, const struct track *track) {
    const char *name = trace_text(trace, track->name);
    if (*name)
        return name;
    return track->kind == TRACK_THREAD ? "thread" : "track";
}

/* " (app 1234)": the process of a track, where there are several. */
static void add_process(const struct trace *trace, const struct track *track, struct text *text) {
    if (trace->process_count < 2 || track->process == MAP_NONE)
        return;
    const struct process *process = &trace->processes[track->process];
    text_add(text, " (");
    display_add(text, trace_text(trace, process->name), 0);
    text_addf(text, "%s%lld)", process->name ? " " : "", (long long)process->pid);
}

/* "MainThread", "asyncio of MainThread: 200 tasks". */
static void print_section(struct printing *p, const struct tree_row *row) {
    const struct trace *trace = p->calls->trace;
    const struct track *track = &trace->reader.tracks.all[row->track];
    const struct track *parent = trace_parent(trace, track);
    struct text text = {0};
    display_add(&text, track_name(trace, track), 0);
    if (parent && track->kind == TRACK_CUSTOM && parent->kind == TRACK_THREAD) {
        text_add(&text, " of ");
        display_add(&text, track_name(trace, parent), 0);
    }
    if (row->tracks > 1) {
        int tasks = !strcmp(trace_text(trace, track->name), "asyncio");
        text_add(&text, ": ");
        text_add_counted(&text, row->tracks, "", tasks ? "tasks" : "tracks");
    }
    add_process(trace, track, &text);
    text_clear(&p->line);
    add_painted(p, PAINT_NAME, text_of(&text));
    fprintf(p->to, "%s\n", text_of(&p->line));
    text_free(&text);
}

/* After a row without rows: the ends of all rows that it is the last of. */
static void print_ends(struct printing *p, uint32_t place) {
    const struct tree_row *all = p->rows->all;
    while (place && !all[place].next_row) {
        place = all[place].parent;
        if (all[place].hidden)
            print_hidden(p, place);
    }
}

static void print_rows(struct printing *p) {
    const struct tree_row *all = p->rows->all;
    for (uint32_t at = tree_rows_next(p->rows, 0); at; at = tree_rows_next(p->rows, at)) {
        if (all[at].call == CALL_NONE)
            print_section(p, &all[at]);
        else
            print_call(p, at);
        if (!all[at].first_row)
            print_ends(p, at);
    }
}

/* ------------------------------------------------------- before and after */

/* "calls 'checkout': 35 calls, limited by max_calls: 4,096 calls left out", where there is anything to say. */
static int print_scope(struct printing *p, const struct call_scope *scope) {
    const struct trace *trace = p->calls->trace;
    if (!scope->label && !scope->limit && !scope->skipped && !scope->lost)
        return 0;
    text_clear(&p->line);
    text_add(&p->line, scope->label ? "" : "calls");
    display_add(&p->line, trace_text(trace, scope->label), 0);
    text_add(&p->line, ": ");
    text_add_counted(&p->line, scope->call_count, "call", "calls");
    if (scope->limit) {
        text_add(&p->line, ", limited by ");
        display_add(&p->line, trace_text(trace, scope->limit), 0);
    }
    if (scope->skipped) {
        text_add(&p->line, ", ");
        text_add_counted(&p->line, scope->skipped, "call", "calls");
        text_add(&p->line, " left out (their time is their callers')");
    }
    if (scope->lost) {
        text_add(&p->line, ", ");
        text_add_counted(&p->line, scope->lost, "event", "events");
        text_add(&p->line, " lost");
    }
    fprintf(p->to, "%s\n", text_of(&p->line));
    return 1;
}

/* What limits left out, what could not be kept, what is damaged. */
static void print_head(struct printing *p) {
    const struct trace *trace = p->calls->trace;
    uint32_t said = 0;
    for (uint32_t i = 0; i < p->calls->scope_count && said < SCOPES_SHOWN; i++)
        said += (uint32_t)print_scope(p, &p->calls->scopes[i]);
    for (uint32_t i = 0; i < trace->loss_count; i++) {
        text_clear(&p->line);
        display_add(&p->line, trace_text(trace, trace->losses[i].what), 0);
        fprintf(p->to, "lost while recording: %.0f (%s)\n", trace->losses[i].count,
                text_of(&p->line));
    }
    if (damage_total(&trace->reader.damage, HARM_DAMAGE))
        fprintf(p->to, "the trace is damaged: calls may be missing\n");
}

/* Calls in all, of how many functions, how many failed. */
struct totals {
    uint64_t functions, spans, failed, shown;
};

static void count_all(const struct printing *p, struct totals *totals, uint8_t *seen) {
    const struct calls *calls = p->calls;
    *totals = (struct totals){0};
    for (uint32_t i = 0; i < calls->count; i++) {
        const struct call *call = &calls->all[i];
        int is_call = calls->functions[call->function].kind != FUNCTION_SPAN;
        totals->spans += !is_call;
        totals->functions += is_call && !seen[call->function];
        totals->failed += (call->flags & CALL_HAS_FAILED) != 0;
        seen[call->function] = 1;
    }
    for (uint32_t i = 1; i < p->rows->count; i++)
        totals->shown += p->rows->all[i].call == CALL_NONE ? 0 : p->rows->all[i].calls;
}

/* "35 calls of 12 functions, 3 spans, 1 exception, 1.23ms" */
static void print_sum(struct printing *p, const struct totals *totals) {
    const struct calls *calls = p->calls;
    struct text *line = &p->line;
    text_clear(line);
    if (calls->call_count) {
        text_add_counted(line, calls->call_count, "call of ", "calls of ");
        text_add_counted(line, totals->functions, "function", "functions");
    }
    if (totals->spans) {
        text_add(line, line->size ? ", " : "");
        text_add_counted(line, totals->spans, "span", "spans");
    }
    if (totals->failed) {
        text_add(line, ", ");
        text_add_counted(line, totals->failed, "exception", "exceptions");
    }
    text_add(line, ", ");
    tree_add_time(line, p->whole_ns);
    if (totals->shown < calls->count) {
        text_add(line, "; ");
        text_add_counted(line, calls->count - totals->shown, "", "");
        text_add(line, "of them not shown");
    }
    fprintf(p->to, "%s\n", text_of(line));
}

/* From the first root's begin to the last end. */
static int64_t whole_time(const struct calls *calls) {
    int64_t end_ns = 0;
    for (uint32_t i = 0; i < calls->root_count; i++) {
        const struct call *root = &calls->all[calls->roots[i]];
        if (root->begin_ns + root->elapsed_ns > end_ns)
            end_ns = root->begin_ns + root->elapsed_ns;
    }
    return calls->root_count ? end_ns - calls->all[calls->roots[0]].begin_ns : 0;
}

static int print_all(struct printing *p) {
    struct totals totals;
    print_head(p);
    if (!p->calls->count) {
        fprintf(p->to, "no calls\n");
        return 0;
    }
    uint8_t *seen = calloc(p->calls->function_count + 1, 1);
    if (!seen)
        return MAREY_ENOMEM;
    count_all(p, &totals, seen);
    free(seen);
    print_rows(p);
    print_sum(p, &totals);
    return 0;
}

int tree_print(const struct calls *calls, FILE *to, const struct tree_options *options) {
    struct tree_rows rows;
    struct printing p = {.rows = &rows,
                         .calls = calls,
                         .options = options,
                         .lines = options->ascii ? &ascii_lines : &unicode_lines,
                         .to = to,
                         .whole_ns = whole_time(calls),
                         .text = {.rows = &rows, .calls = calls, .options = options}};
    int error = tree_rows_make(&rows, calls, &options->limits);
    if (!error)
        error = print_all(&p);
    row_text_free(&p.text);
    text_free(&p.prefix);
    text_free(&p.line);
    tree_rows_free(&rows);
    return error;
}
