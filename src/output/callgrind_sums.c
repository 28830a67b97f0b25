/* See callgrind_sums.h.
 *
 * The tree is walked depth first with the stack's functions and lines in an array. */
#include "output/callgrind_sums.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/grow.h"
#include "model/sums.h"
#include "output/display.h"

enum { NAME_COLUMNS_MAX = 1000 };

/* A level of the stack. */
struct level {
    uint32_t function, place;
};

struct adding {
    struct callgrind_sums *sums;
    const struct stack_profile *made;
    const struct profile_node *nodes;
    const struct profile_function *described;
    uint32_t *function_of; /* of the profile's functions: ours; MAP_NONE: not looked for yet */
    struct map by_name, by_line, by_callee;
    struct level stack[PROFILE_DEPTH_MAX + 3];
    int failed; /* memory was short */
};

/* -------------------------------------------------------- functions and lines */

static uint32_t text_number(struct adding *adding, const char *text) {
    struct text shown = {0};
    display_add(&shown, text, NAME_COLUMNS_MAX);
    uint32_t number = strings_add_text(&adding->sums->names, text_of(&shown));
    adding->failed |= shown.failed;
    text_free(&shown);
    return number;
}

/* Our function for one of the profile's. 0 where memory is short. */
static uint32_t find_function(struct adding *adding, uint32_t described) {
    const struct profile_function *function = &adding->described[described];
    uint32_t *known = &adding->function_of[described];
    if (*known != MAP_NONE)
        return *known;
    int is_blank = function->name[strspn(function->name, " ")] == 0; /* it would not be a name */
    const char *name = is_blank ? "(none)" : function->name;
    uint32_t name_number = text_number(adding, name),
             file_number = text_number(adding, *function->file ? function->file : "???");
    uint64_t key = (uint64_t)name_number << 32 | file_number;
    *known = map_get(&adding->by_name, key);
    if (*known != MAP_NONE)
        return *known;
    if (GROW(adding->sums->functions, adding->sums->function_count,
             adding->sums->function_capacity) ||
        map_put(&adding->by_name, key, adding->sums->function_count)) {
        adding->failed = 1;
        return *known = 0;
    }
    const char *name_kept = strings_text(&adding->sums->names, name_number),
               *file_kept = strings_text(&adding->sums->names, file_number);
    adding->sums->functions[adding->sums->function_count] = (struct callgrind_function){
        name_kept ? name_kept : "(none)", file_kept ? file_kept : "???", file_number, {0}};
    return *known = adding->sums->function_count++;
}

static uint32_t find_place(struct adding *adding, uint32_t function, int32_t line) {
    uint64_t key = (uint64_t)function << 32 | (uint32_t)line;
    uint32_t place = map_get(&adding->by_line, key);
    if (place != MAP_NONE)
        return place;
    if (GROW(adding->sums->places, adding->sums->place_count, adding->sums->place_capacity) ||
        map_put(&adding->by_line, key, adding->sums->place_count)) {
        adding->failed = 1;
        return 0;
    }
    adding->sums->places[adding->sums->place_count] =
        (struct callgrind_place){.function = function, .line = line, .first_call = MAP_NONE};
    return adding->sums->place_count++;
}

static struct callgrind_call *find_call(struct adding *adding, uint32_t place, uint32_t callee,
                                        int32_t line) {
    uint64_t key = (uint64_t)place << 32 | callee;
    uint32_t call = map_get(&adding->by_callee, key);
    if (call != MAP_NONE)
        return &adding->sums->calls[call];
    if (GROW(adding->sums->calls, adding->sums->call_count, adding->sums->call_capacity) ||
        map_put(&adding->by_callee, key, adding->sums->call_count)) {
        adding->failed = 1;
        return NULL;
    }
    struct callgrind_call *added = &adding->sums->calls[adding->sums->call_count];
    *added = (struct callgrind_call){
        .callee = callee, .line = line, .next = adding->sums->places[place].first_call};
    adding->sums->places[place].first_call = adding->sums->call_count++;
    return added;
}

/* ----------------------------------------------------------------- the tree */

/* A call from the node's caller. What is done in it counts where none of its callee is on the stack. */
static void add_call(struct adding *adding, const struct profile_node *node, uint32_t callee) {
    const struct level *caller = &adding->stack[node->depth - 1];
    int32_t line = adding->described[node->function].first_line;
    struct callgrind_call *call = find_call(adding, caller->place, callee, line > 0 ? line : 0);
    uint64_t count = adding->made->of_spans ? node->self_count : node->total_count;
    if (!call)
        return;
    sum_add(&call->count, count ? count : 1);
    if (adding->sums->functions[callee / CALLGRIND_VARIANTS].active[callee % CALLGRIND_VARIANTS])
        return;
    for (unsigned i = 0; i < adding->sums->cost_count; i++)
        sum_add(&call->inside[i], profile_total(node, adding->sums->costs[i]));
}

/* Adds a node, which is on the stack from then on, if it weighs anything. */
static void enter(struct adding *adding, uint32_t place) {
    const struct profile_node *node = &adding->nodes[place];
    if (!node->total_count)
        return;
    int32_t line = node->line ? node->line : adding->described[node->function].first_line;
    uint32_t number = find_function(adding, node->function);
    if (adding->failed)
        return;
    struct callgrind_function *function = &adding->sums->functions[number];
    uint32_t variant = function->active[0] > 0;
    struct level level = {number * CALLGRIND_VARIANTS + variant, 0};
    level.place = find_place(adding, level.function, line > 0 ? line : 0);
    if (adding->failed)
        return;
    for (unsigned i = 0; i < adding->sums->cost_count; i++)
        sum_add(&adding->sums->places[level.place].self[i],
                profile_self(node, adding->sums->costs[i]));
    if (node->depth > 1)
        add_call(adding, node, level.function);
    function->active[variant]++;
    adding->stack[node->depth] = level;
}

static void leave(struct adding *adding, uint32_t place) {
    uint32_t function = adding->stack[adding->nodes[place].depth].function;
    if (!adding->nodes[place].total_count)
        return;
    adding->sums->functions[function / CALLGRIND_VARIANTS].active[function % CALLGRIND_VARIANTS]--;
}

static void walk(struct adding *adding) {
    const struct profile_node *nodes = adding->nodes;
    if (nodes[0].self_count) { /* of threads that ran no Python code */
        enter(adding, 0);
        if (!adding->failed)
            leave(adding, 0);
    }
    for (uint32_t node = nodes[0].first_child; node && !adding->failed;) {
        enter(adding, node);
        if (nodes[node].first_child && !adding->failed) {
            node = nodes[node].first_child;
            continue;
        }
        while (node && !adding->failed) {
            leave(adding, node);
            if (nodes[node].next_sibling)
                break;
            node = nodes[node].parent;
        }
        node = nodes[node].next_sibling;
    }
}

/* The weight that is asked for is the first column: that is what is shown and sorted by. */
static void choose_columns(struct callgrind_sums *sums, const struct stack_profile *made) {
    sums->costs[sums->cost_count++] = made->weight;
    if (made->weight == PROFILE_COUNT)
        return;
    for (unsigned weight = 0; weight < SAMPLE_WEIGHTS && !made->of_spans; weight++)
        if (weight != made->weight)
            sums->costs[sums->cost_count++] = weight;
    sums->costs[sums->cost_count++] = PROFILE_COUNT;
}

static int compare_places(const void *a, const void *b) {
    const struct callgrind_place *left = a, *right = b;
    if (left->function != right->function)
        return left->function < right->function ? -1 : 1;
    return left->line < right->line ? -1 : left->line > right->line;
}

static void add_all(struct adding *adding) {
    struct callgrind_sums *sums = adding->sums;
    uint32_t count;
    adding->nodes = profile_nodes(adding->made->profile, &count);
    adding->described = profile_functions(adding->made->profile, &count);
    adding->function_of = malloc(count * sizeof *adding->function_of);
    if (!adding->function_of) {
        adding->failed = 1;
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        adding->function_of[i] = MAP_NONE;
    choose_columns(sums, adding->made);
    walk(adding);
    if (sums->place_count)
        qsort(sums->places, sums->place_count, sizeof *sums->places, compare_places);
}

int callgrind_sums_make(struct callgrind_sums *sums, const struct stack_profile *made) {
    struct adding *adding = calloc(1, sizeof *adding);
    *sums = (struct callgrind_sums){0};
    if (!adding)
        return MAREY_ENOMEM;
    adding->sums = sums;
    adding->made = made;
    add_all(adding);
    int failed = adding->failed;
    free(adding->function_of);
    map_free(&adding->by_name);
    map_free(&adding->by_line);
    map_free(&adding->by_callee);
    free(adding);
    return failed ? MAREY_ENOMEM : 0;
}

void callgrind_sums_free(struct callgrind_sums *sums) {
    free(sums->functions);
    free(sums->places);
    free(sums->calls);
    strings_free(&sums->names);
    *sums = (struct callgrind_sums){0};
}
