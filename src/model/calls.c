/* See calls.h. */
#include "model/call_parts.h"

#include <stdio.h>

#include "marey.h"
#include "model/grow.h"
#include "model/sums.h"

/* While the calls of a trace are put together. */
struct building {
    struct calls *calls;
    struct trace *trace;
    const struct trace_filter *filter;
    uint8_t *tracks;   /* those that are wanted */
    uint32_t *call_of; /* of a span: its call; of a scope: the one around it */
    struct call_functions functions;
    struct map invocations; /* process and number to call */
    uint32_t scope_category;
};

/* ------------------------------------------------------------- arguments */

const struct value *calls_values(const struct calls *calls, uint32_t detail, uint32_t *count) {
    const struct arguments *arguments = &calls->trace->reader.arguments;
    *count = detail ? arguments->details[detail].size : 0;
    return *count ? arguments->values + arguments->details[detail].first : NULL;
}

const struct value *calls_value(const struct calls *calls, uint32_t detail, const char *key) {
    uint32_t count;
    const struct value *values = calls_values(calls, detail, &count);
    for (uint32_t i = 0; i < count; i += 1 + values[i].inside)
        if (!strcmp(trace_text(calls->trace, values[i].key), key))
            return &values[i];
    return NULL;
}

int calls_is_mark(const char *key) {
    return *key == '(';
}

/* A number from 0 on; 0 where there is none. */
static uint64_t number_of(const struct calls *calls, uint32_t detail, const char *key) {
    const struct value *value = calls_value(calls, detail, key);
    int is_number = value && (value->kind == VALUE_UINT || value->kind == VALUE_BOOL ||
                              (value->kind == VALUE_INT && value->integer >= 0));
    return is_number ? value->number : 0;
}

static uint32_t text_of(const struct calls *calls, uint32_t detail, const char *key) {
    const struct value *value = calls_value(calls, detail, key);
    return value && value->kind == VALUE_TEXT ? value->text : 0;
}

static uint32_t end_of(const struct building *b, const struct span *span) {
    return span->detail ? b->trace->reader.arguments.details[span->detail].end : 0;
}

const char *calls_exception(const struct calls *calls, const struct call *call) {
    uint32_t text = text_of(calls, call->end_detail, "exception");
    return trace_text(calls->trace, text ? text : text_of(calls, call->end_detail, "error"));
}

/* ---------------------------------------------------------------- scopes */

static uint32_t scope_label(struct trace *trace, uint32_t name) {
    static const char prefix[] = "calls: ";
    const char *text = trace_text(trace, name);
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return 0;
    return strings_add_text(&trace->reader.strings, text + sizeof prefix - 1);
}

static int add_scope(struct building *b, const struct span *span) {
    struct calls *calls = b->calls;
    uint32_t end = end_of(b, span);
    if (GROW(calls->scopes, calls->scope_count, calls->scope_capacity))
        return -1;
    calls->scopes[calls->scope_count++] =
        (struct call_scope){.begin_ns = span->begin_ns,
                            .duration_ns = span->duration_ns,
                            .label = scope_label(b->trace, span->name),
                            .limit = text_of(calls, end, "limit"),
                            .track = span->track,
                            .call_count = number_of(calls, end, "call_count"),
                            .skipped = number_of(calls, end, "skipped"),
                            .lost = number_of(calls, end, "lost")};
    return 0;
}

/* ----------------------------------------------------------------- calls */

/* A new call of the span's function, around whose first piece `parent` is. CALL_NONE where memory is short. */
static uint32_t add_call(struct building *b, const struct span *span, uint32_t parent,
                         int64_t begin_ns) {
    struct calls *calls = b->calls;
    uint32_t function = call_functions_find(&b->functions, span);
    if (function == CALL_NONE || GROW(calls->all, calls->count, calls->capacity))
        return CALL_NONE;
    calls->all[calls->count] = (struct call){.begin_ns = begin_ns,
                                             .function = function,
                                             .parent = parent,
                                             .first_child = CALL_NONE,
                                             .last_child = CALL_NONE,
                                             .next = CALL_NONE,
                                             .track = span->track,
                                             .begin_detail = span->detail};
    calls->call_count += calls->functions[function].kind != FUNCTION_SPAN;
    calls->root_count += parent == CALL_NONE;
    calls_attach(calls, calls->count);
    return calls->count++;
}

/* The call that a span is of, or a piece of. CALL_NONE where memory is short. */
static uint32_t find_call(struct building *b, const struct span *span, uint32_t parent,
                          int64_t begin_ns) {
    uint64_t key = calls_invocation(b->calls, span);
    if (!key)
        return add_call(b, span, parent, begin_ns);
    uint32_t known = map_get(&b->invocations, key);
    if (known != MAP_NONE)
        return known;
    uint32_t added = add_call(b, span, parent, begin_ns);
    if (added == CALL_NONE || map_put(&b->invocations, key, added))
        return CALL_NONE;
    b->calls->all[added].flags |= CALL_IN_PIECES;
    return added;
}

/* How a piece ended: the last one tells how the call did. */
static void take_end(const struct building *b, struct call *call, const struct span *span) {
    uint32_t end = end_of(b, span);
    const char *suspended = trace_text(b->trace, text_of(b->calls, end, "(suspended)"));
    uint64_t skipped = call->skipped + number_of(b->calls, end, "(skipped)");
    call->skipped = skipped < UINT32_MAX ? (uint32_t)skipped : UINT32_MAX;
    call->end_detail = end;
    call->flags &= ~(uint32_t)(CALL_IS_OPEN | CALL_IS_SUSPENDED | CALL_HAS_FAILED);
    if (span->duration_ns < 0 || number_of(b->calls, end, "(open)"))
        call->flags |= CALL_IS_OPEN;
    if (span->failed)
        call->flags |= CALL_HAS_FAILED;
    if (*suspended)
        call->flags |= CALL_IS_SUSPENDED;
    if (!strcmp(suspended, "yield"))
        call->flags |= CALL_HAS_YIELDED;
}

/* Adds a span, of which [begin_ns, end_ns) is wanted, to its call: until then self_ns has its running time but for children,
 * waiting_ns all running time. */
static void add_piece(const struct building *b, struct call *call, const struct span *span,
                      int64_t begin_ns, int64_t end_ns) {
    int64_t running_ns = end_ns - begin_ns, known_end_ns = call->begin_ns + call->elapsed_ns;
    if (begin_ns < call->begin_ns)
        call->begin_ns = begin_ns;
    if (end_ns >= known_end_ns) {
        known_end_ns = end_ns;
        take_end(b, call, span);
    }
    call->elapsed_ns = known_end_ns - call->begin_ns;
    sum_add_ns(&call->self_ns, running_ns);
    sum_add_ns(&call->waiting_ns, running_ns);
    call->pieces++;
}

static int take_span(struct building *b, uint32_t place) {
    const struct span *span = &b->trace->spans[place];
    uint32_t parent = span->parent == MAP_NONE ? (uint32_t)CALL_NONE : b->call_of[span->parent];
    int64_t begin_ns, end_ns;
    b->call_of[place] = parent;
    if (!b->tracks[span->track] || !filter_clip_span(b->filter, b->trace, span, &begin_ns, &end_ns))
        return 0;
    if (span->category && span->category == b->scope_category)
        return add_scope(b, span);
    uint32_t call = find_call(b, span, parent, begin_ns);
    if (call == CALL_NONE)
        return -1;
    b->call_of[place] = call;
    add_piece(b, &b->calls->all[call], span, begin_ns, end_ns);
    if (parent != CALL_NONE)
        sum_add_ns(&b->calls->all[parent].self_ns, begin_ns - end_ns);
    return 0;
}

/* ---------------------------------------------------------------- forest */

static int compare_roots(const void *a, const void *b, void *context) {
    const struct calls *calls = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int64_t left_ns = calls->all[left].begin_ns, right_ns = calls->all[right].begin_ns;
    if (left_ns != right_ns)
        return left_ns < right_ns ? -1 : 1;
    return left < right ? -1 : 1;
}

void calls_sort_roots(struct calls *calls) {
    qsort_r(calls->roots, calls->root_count, sizeof *calls->roots, compare_roots, calls);
}

static int list_roots(struct calls *calls) {
    uint32_t found = 0;
    calls->roots = malloc((calls->root_count + 1) * sizeof *calls->roots);
    if (!calls->roots)
        return -1;
    for (uint32_t i = 0; i < calls->count; i++)
        if (calls->all[i].parent == CALL_NONE)
            calls->roots[found++] = i;
    calls_sort_roots(calls);
    return 0;
}

static int64_t not_below(int64_t value) {
    return value > 0 ? value : 0;
}

static void finish_times(struct calls *calls) {
    for (uint32_t i = 0; i < calls->count; i++) {
        struct call *call = &calls->all[i];
        call->self_ns = not_below(call->self_ns);
        call->waiting_ns = not_below(call->elapsed_ns - call->waiting_ns);
    }
}

static int build(struct building *b) {
    struct trace *trace = b->trace;
    b->call_of = malloc((trace->span_count + 1) * sizeof *b->call_of);
    b->tracks = filter_tracks(b->filter, trace);
    if (!b->call_of || !b->tracks)
        return -1;
    for (uint32_t i = 0; i < trace->span_count; i++)
        if (take_span(b, i))
            return -1;
    finish_times(b->calls);
    return list_roots(b->calls);
}

int calls_make(struct calls *calls, struct trace *trace) {
    const struct trace_filter all = {0};
    return calls_make_part(calls, trace, &all);
}

int calls_make_part(struct calls *calls, struct trace *trace, const struct trace_filter *filter) {
    struct strings *strings = &trace->reader.strings;
    *calls = (struct calls){.trace = trace};
    struct building b = {.calls = calls, .trace = trace, .filter = filter};
    call_functions_init(&b.functions, calls, trace);
    b.scope_category = strings_add_text(strings, CALL_SCOPE_CATEGORY);
    int failed = build(&b);
    free(b.call_of);
    free(b.tracks);
    call_functions_free(&b.functions);
    map_free(&b.invocations);
    return failed ? MAREY_ENOMEM : 0;
}

void calls_free(struct calls *calls) {
    free(calls->all);
    free(calls->roots);
    free(calls->functions);
    free(calls->scopes);
    *calls = (struct calls){0};
}

/* The node after `call` in the order of the tree, up to `top` and its tree: children first. CALL_NONE at the end. */
static uint32_t next_inside(const struct calls *calls, uint32_t call, uint32_t top) {
    if (calls->all[call].first_child != CALL_NONE)
        return calls->all[call].first_child;
    while (call != top && calls->all[call].next == CALL_NONE)
        call = calls->all[call].parent;
    return call == top ? (uint32_t)CALL_NONE : calls->all[call].next;
}

uint64_t calls_inside(const struct calls *calls, uint32_t call) {
    uint64_t inside = 0;
    for (uint32_t at = next_inside(calls, call, call); at != CALL_NONE;
         at = next_inside(calls, at, call))
        inside++;
    return inside;
}
