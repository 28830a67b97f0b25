/* Any bytes as a trace of calls: they become a forest, and what is shown of it, as a tree, a table and JSON, is harmless
 * and no longer than the forest allows. */
#include <stdio.h>
#include <stdlib.h>

#include "marey.h"
#include "output/function_table.h"
#include "output/tree.h"
#include "output/tree_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void check_forest(const struct calls *calls) {
    uint64_t seen = 0;
    for (uint32_t i = 0; i < calls->count; i++) {
        const struct call *call = &calls->all[i];
        require(call->parent == CALL_NONE || call->parent < i, "a parent comes after its child");
        require(call->self_ns >= 0 && call->waiting_ns >= 0, "a time is negative");
        require(call->function < calls->function_count, "a call of no function");
    }
    for (uint32_t i = 0; i < calls->root_count; i++)
        seen += 1 + calls_inside(calls, calls->roots[i]);
    require(seen == calls->count, "a call is not in the tree, or twice");
}

/* What goes to a terminal holds no control character but the ends of lines. */
static void check_shown(FILE *to, char **shown, const size_t *size) {
    fclose(to);
    for (size_t i = 0; i < *size; i++)
        require((unsigned char)(*shown)[i] >= 0x20 || (*shown)[i] == '\n',
                "a control character is shown");
    free(*shown);
}

static void check_tree(const struct calls *calls, const struct tree_options *options) {
    char *shown = NULL;
    size_t size = 0, lines = 0;
    FILE *to = open_memstream(&shown, &size);
    if (!to)
        return;
    int error = tree_print(calls, to, options);
    require(error == 0 || error == MAREY_ENOMEM, "a tree cannot be shown");
    fflush(to);
    for (size_t i = 0; i < size; i++)
        lines += shown[i] == '\n';
    /* Head and sum, the rows, and behind each a line for what is hidden. */
    require(!options->limits.rows || lines <= 2100 + 2 * (size_t)options->limits.rows,
            "a tree has more rows than were asked for");
    check_shown(to, &shown, &size);
}

static void check_others(const struct calls *calls) {
    struct table_style style = {80, 0, "", 0};
    struct call_stats stats;
    struct json json;
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    if (!to)
        return;
    json_init(&json, to, 0);
    json_object(&json, NULL);
    tree_json(calls, &json);
    if (call_stats_make(&stats, calls) == 0) {
        function_table_json(&stats, calls, &json, "functions", 0);
        function_table_print(&stats, calls, to, 0, &style);
    }
    json_end(&json);
    call_stats_free(&stats);
    check_shown(to, &shown, &size);
}

static void check(const struct calls *calls) {
    const struct tree_options narrow = {.limits = {.rows = 20, .fold = 2}, .width = 60};
    const struct tree_options all = {.ascii = 1, .modules = 1, .locations = 1};
    check_forest(calls);
    check_tree(calls, &narrow);
    check_tree(calls, &all);
    check_others(calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"!a*", "[b-z]*"};
    const struct call_filter filter = {.names = names, .name_count = 2, .min_ns = 10};
    struct trace trace;
    struct calls calls = {0}, wanted = {0};
    if (trace_read_memory(&trace, data, size, TRACE_ARGUMENTS) == 0 &&
        calls_make(&calls, &trace) == 0) {
        check(&calls);
        if (calls_filter(&wanted, &calls, &filter) == 0)
            check(&wanted);
    }
    calls_free(&wanted);
    calls_free(&calls);
    trace_free(&trace);
    return 0;
}
