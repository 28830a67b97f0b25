/* Profiles as KCachegrind, QCachegrind and callgrind_annotate read them: what each line of a function weighs itself, and what
 * the calls in it do (callgrind_sums.h).
 *
 *     fn=(1) main
 *     3 2000000 200            line 3 itself: 2 ms, 200 samples
 *     cfi=(2) json/decoder.py
 *     cfn=(3) decode
 *     calls=50 337             50 calls from line 3, to a function that begins in line 337
 *     3 500000 50              what was done in them
 *
 * A function that is on the stack already is called "fib'2", as callgrind has it. Names stand with a number, and by it alone
 * from then on.
 *
 * Source: valgrind.org/docs/manual/cl-format.html; what callgrind_annotate needs: a call counted 0 times is none to it. */
#include <inttypes.h>
#include <stdlib.h>

#include "marey.h"
#include "output/callgrind_sums.h"
#include "output/display.h"

enum { TEXT_COLUMNS_MAX = 1000 };

struct writing {
    FILE *to;
    const struct stack_profile *made;
    struct callgrind_sums sums;
    uint8_t *named; /* of a function and its variant: written before, so its number is enough */
    uint8_t *file_named; /* of a file, by its number */
};

/* -------------------------------------------------------------- calls and lines */

static void put_file(struct writing *writing, const char *key,
                     const struct callgrind_function *function) {
    uint8_t *named = &writing->file_named[function->file_number];
    fprintf(writing->to, "%s=(%" PRIu32 ")%s%s\n", key, function->file_number, *named ? "" : " ",
            *named ? "" : function->file);
    *named = 1;
}

static void put_function(struct writing *writing, const char *key, uint32_t number) {
    const struct callgrind_function *function =
        &writing->sums.functions[number / CALLGRIND_VARIANTS];
    fprintf(writing->to, "%s=(%" PRIu32 ")", key, number + 1);
    if (!writing->named[number])
        fprintf(writing->to, " %s%s", function->name, number % CALLGRIND_VARIANTS ? "'2" : "");
    writing->named[number] = 1;
    fputc('\n', writing->to);
}

static void put_costs(struct writing *writing, const uint64_t *costs) {
    for (unsigned i = 0; i < writing->sums.cost_count; i++)
        fprintf(writing->to, " %" PRIu64, costs[i]);
    fputc('\n', writing->to);
}

static void put_call(struct writing *writing, const struct callgrind_place *place,
                     const struct callgrind_call *call) {
    put_file(writing, "cfi", &writing->sums.functions[call->callee / CALLGRIND_VARIANTS]);
    put_function(writing, "cfn", call->callee);
    fprintf(writing->to, "calls=%" PRIu64 " %" PRId32 "\n%" PRId32, call->count, call->line,
            place->line);
    put_costs(writing, call->inside);
}

static void put_place(struct writing *writing, const struct callgrind_place *place) {
    fprintf(writing->to, "%" PRId32, place->line);
    put_costs(writing, place->self);
    for (uint32_t i = place->first_call; i != MAP_NONE; i = writing->sums.calls[i].next)
        put_call(writing, place, &writing->sums.calls[i]);
}

static void put_places(struct writing *writing) {
    for (uint32_t i = 0; i < writing->sums.place_count; i++) {
        const struct callgrind_place *place = &writing->sums.places[i];
        if (!i || place->function != place[-1].function) {
            fputc('\n', writing->to);
            put_file(writing, "fl", &writing->sums.functions[place->function / CALLGRIND_VARIANTS]);
            put_function(writing, "fn", place->function);
        }
        put_place(writing, place);
    }
}

/* --------------------------------------------------------------------- head */

static void put_columns(struct writing *writing) {
    static const char *const names[] = {"Wall", "Cpu", "Gil", "GilWait"},
                             *const long_names[] = {"Wall time", "CPU time", "Holding the GIL",
                                                    "Waiting for the GIL"};
    struct text events = {0};
    for (unsigned i = 0; i < writing->sums.cost_count; i++) {
        unsigned cost = writing->sums.costs[i];
        int is_count = cost == PROFILE_COUNT, of_spans = writing->made->of_spans;
        const char *name = is_count   ? (of_spans ? "Calls" : "Samples")
                           : of_spans ? "Time"
                                      : names[cost];
        const char *long_name = is_count || of_spans ? name : long_names[cost];
        fprintf(writing->to, "event: %s : %s%s\n", name, long_name, is_count ? "" : " (ns)");
        text_addf(&events, " %s", name);
    }
    fprintf(writing->to, "events:%s\n", text_of(&events));
    text_free(&events);
}

static void put_head(struct writing *writing, const struct trace *trace, const char *title) {
    struct text shown = {0};
    fputs("# callgrind format\nversion: 1\ncreator: marey\n", writing->to);
    if (trace->process_count) {
        display_add(&shown, trace_text(trace, trace->processes[0].command_line), TEXT_COLUMNS_MAX);
        fprintf(writing->to, "pid: %" PRId64 "\ncmd: %s\npart: 1\n", trace->processes[0].pid,
                text_of(&shown));
        shown.size = 0;
    }
    if (title) {
        display_add(&shown, title, TEXT_COLUMNS_MAX);
        fprintf(writing->to, "desc: Title: %s\n", text_of(&shown));
    }
    text_free(&shown);
    fputs("positions: line\n", writing->to);
    put_columns(writing);
}

static void put_total(struct writing *writing, const char *word) {
    uint64_t costs[CALLGRIND_COSTS];
    const struct profile_node *root = profile_nodes(writing->made->profile, &(uint32_t){0});
    for (unsigned i = 0; i < writing->sums.cost_count; i++)
        costs[i] = profile_total(root, writing->sums.costs[i]);
    fprintf(writing->to, "%s:", word);
    put_costs(writing, costs);
}

/* --------------------------------------------------------------------- file */

static void put_all(struct writing *writing, const struct trace *trace, const char *title) {
    put_head(writing, trace, title);
    put_total(writing, "summary");
    put_places(writing);
    fputc('\n', writing->to);
    put_total(writing, "totals");
}

static int write_profile(FILE *to, const struct trace *trace, const struct stack_profile *made,
                         const char *title) {
    struct writing writing = {.to = to, .made = made};
    int error = callgrind_sums_make(&writing.sums, made);
    writing.named = calloc((size_t)writing.sums.function_count * CALLGRIND_VARIANTS + 1, 1);
    writing.file_named = calloc((size_t)writing.sums.names.count + 1, 1);
    if (!error && writing.named && writing.file_named)
        put_all(&writing, trace, title);
    else
        error = MAREY_ENOMEM;
    free(writing.named);
    free(writing.file_named);
    callgrind_sums_free(&writing.sums);
    return error;
}

/* What reads it adds up lines by itself, so it always gets them. */
static int write_callgrind(FILE *to, struct trace *trace, const struct format_request *request) {
    struct stack_profile made;
    struct format_request with_lines = *request;
    with_lines.lines = 1;
    int error = stack_profile_make(&made, trace, &with_lines, 0);
    if (!error)
        error = write_profile(to, trace, &made, request->title);
    stack_profile_free(&made);
    return error;
}

static const char *const extensions[] = {".callgrind", NULL};
const struct format format_callgrind = {
    .name = "callgrind",
    .extensions = extensions,
    .summary = "callers, callees and lines: for KCachegrind and callgrind_annotate",
    .keep = TRACE_CALLS,
    .holds = HOLDS_STACKS,
    .write = write_callgrind};
