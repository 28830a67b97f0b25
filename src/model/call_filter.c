/* See calls.h: the calls that are wanted. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/call_parts.h"
#include "model/patterns.h"
#include "model/sums.h"

static int name_chosen(const struct calls *calls, const struct call_function *function,
                       const struct call_filter *filter) {
    const struct patterns names = {filter->names, filter->name_count};
    return patterns_choose_name(&names, trace_text(calls->trace, function->name),
                                trace_text(calls->trace, function->module));
}

static int is_within(const struct calls *calls, const struct call_function *function,
                     const struct call_filter *filter) {
    const struct patterns within = {filter->within, filter->within_count};
    return patterns_choose_name(&within, trace_text(calls->trace, function->name),
                                trace_text(calls->trace, function->module));
}

/* A pattern may be met by the module, or by a package that it is in. */
static int module_chosen(const struct calls *calls, const struct call_function *function,
                         const struct call_filter *filter) {
    enum { PACKAGES_MAX = 32 };
    char packages[PACKAGES_MAX][512];
    const char *texts[PACKAGES_MAX];
    const struct patterns modules = {filter->modules, filter->module_count};
    const char *module = trace_text(calls->trace, function->module);
    size_t bytes = strlen(module);
    uint32_t count = 0;
    if (!modules.count)
        return 1;
    do {
        snprintf(packages[count], sizeof packages[count], "%.*s", (int)bytes, module);
        texts[count] = packages[count];
        count++;
        while (bytes && module[--bytes] != '.')
            ;
    } while (bytes && count < PACKAGES_MAX);
    return patterns_choose(&modules, texts, count);
}

/* A pattern may be met by "Type: message", or by the type. */
static int exception_chosen(const struct calls *calls, const struct call *call,
                            const struct call_filter *filter) {
    char type[256];
    const char *text = calls_exception(calls, call);
    if (!filter->exception)
        return 1;
    snprintf(type, sizeof type, "%.*s", (int)strcspn(text, ":"), text);
    return call->flags & CALL_HAS_FAILED &&
           (fnmatch(filter->exception, text, 0) == 0 || fnmatch(filter->exception, type, 0) == 0);
}

enum { CHOSEN = 1, WITHIN = 2 }; /* it may be wanted; so may what is inside it */

/* For each function whether its calls may be wanted. NULL where memory is short. */
static uint8_t *choose_functions(const struct calls *calls, const struct call_filter *filter) {
    uint8_t *chosen = calloc(calls->function_count + 1, 1);
    for (uint32_t i = 0; chosen && i < calls->function_count; i++) {
        const struct call_function *function = &calls->functions[i];
        if (name_chosen(calls, function, filter) && module_chosen(calls, function, filter))
            chosen[i] |= CHOSEN;
        if (is_within(calls, function, filter))
            chosen[i] |= WITHIN;
    }
    return chosen;
}

/* Takes over a call; `around` is where its parent, or who stands for it, stands now. */
static void keep(struct calls *to, const struct call *call, uint32_t around) {
    to->all[to->count] = *call;
    to->all[to->count].parent = around;
    to->all[to->count].first_child = to->all[to->count].last_child = CALL_NONE;
    to->all[to->count].next = CALL_NONE;
    to->call_count += to->functions[call->function].kind != FUNCTION_SPAN;
    if (around == CALL_NONE)
        to->roots[to->root_count++] = to->count;
    calls_attach(to, to->count++);
}

static void leave_out(struct calls *to, const struct call *call, uint32_t around) {
    if (around != CALL_NONE)
        sum_add_ns(&to->all[around].self_ns, call->self_ns);
}

static void filter_calls(struct calls *to, const struct calls *from,
                         const struct call_filter *filter, const uint8_t *chosen, uint8_t *within,
                         uint32_t *place_of) {
    for (uint32_t i = 0; i < from->count; i++) {
        const struct call *call = &from->all[i];
        uint32_t around = call->parent == CALL_NONE ? (uint32_t)CALL_NONE : place_of[call->parent];
        within[i] = (chosen[call->function] & WITHIN) ||
                    (call->parent != CALL_NONE && within[call->parent]);
        int wanted = (chosen[call->function] & CHOSEN) && within[i] &&
                     call->elapsed_ns >= filter->min_ns &&
                     (!filter->tracks || filter->tracks[call->track]) &&
                     exception_chosen(from, call, filter);
        place_of[i] = wanted ? to->count : around;
        if (wanted)
            keep(to, call, around);
        else
            leave_out(to, call, around);
    }
}

static void *copy(const void *from, size_t count, size_t bytes) {
    void *to = calloc(count + 1, bytes);
    if (to && count)
        memcpy(to, from, count * bytes);
    return to;
}

int calls_filter(struct calls *to, const struct calls *from, const struct call_filter *filter) {
    *to = (struct calls){.trace = from->trace,
                         .function_count = from->function_count,
                         .scope_count = from->scope_count};
    to->functions = copy(from->functions, from->function_count, sizeof *from->functions);
    to->scopes = copy(from->scopes, from->scope_count, sizeof *from->scopes);
    to->all = calloc(from->count + 1, sizeof *to->all);
    to->roots = malloc((from->count + 1) * sizeof *to->roots);
    uint32_t *place_of = calloc(from->count + 1, sizeof *place_of);
    uint8_t *chosen = choose_functions(from, filter), *within = malloc(from->count + 1);
    int failed =
        !to->functions || !to->scopes || !to->all || !to->roots || !place_of || !chosen || !within;
    if (!failed) {
        filter_calls(to, from, filter, chosen, within, place_of);
        calls_sort_roots(to);
    }
    free(place_of);
    free(chosen);
    free(within);
    return failed ? MAREY_ENOMEM : 0;
}
