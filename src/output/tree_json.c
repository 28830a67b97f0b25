/* See tree_json.h. */
#include "output/tree_json.h"

#include <string.h>

#include "output/tree_rows.h"
#include "output/value_text.h"

/* An object and an array a level, values inside, and what is around all. */
_Static_assert(JSON_DEPTH_MAX > 2 * TREE_DEPTH_MAX + ARGUMENT_NESTING_MAX + 8,
               "a tree is nested deeper than JSON is written");

static void arguments_json(const struct calls *calls, struct json *json, uint32_t detail) {
    const struct trace *trace = calls->trace;
    uint32_t count, shown = 0;
    const struct value *values = calls_values(calls, detail, &count);
    for (uint32_t i = 0; i < count; i += 1 + values[i].inside) {
        const char *key = trace_text(trace, values[i].key);
        if (calls_is_mark(key))
            continue;
        if (!shown++)
            json_object(json, "args");
        value_json(json, trace, key, &values[i]);
    }
    if (shown)
        json_end(json);
}

/* A call's result, or what a span was given at its end. */
static void end_json(const struct calls *calls, struct json *json, const struct call *call) {
    const struct value *result = calls_value(calls, call->end_detail, "result");
    if (call->flags & CALL_HAS_FAILED)
        json_text(json, "exception", calls_exception(calls, call));
    else if (result && !(call->flags & CALL_IS_SUSPENDED))
        value_json(json, calls->trace, "result", result);
}

static void flags_json(struct json *json, const struct call *call) {
    if (call->flags & CALL_IN_PIECES) {
        json_count(json, "pieces", call->pieces);
        json_integer(json, "waiting_ns", call->waiting_ns);
    }
    if (call->flags & CALL_IS_OPEN)
        json_bool(json, "open", 1);
    if (call->flags & CALL_IS_SUSPENDED)
        json_bool(json, "suspended", 1);
    if (call->skipped)
        json_count(json, "skipped", call->skipped);
}

static void track_json(const struct calls *calls, struct json *json, const struct call *call) {
    const struct trace *trace = calls->trace;
    const struct track *track = &trace->reader.tracks.all[call->track];
    const char *key = track->kind == TRACK_THREAD ? "thread" : "track";
    json_text(json, key, trace_text(trace, track->name));
    if (track->tid)
        json_integer(json, "tid", track->tid);
}

/* All of a call but its children. */
static void call_json(const struct calls *calls, struct json *json, const struct call *call) {
    const struct call_function *function = &calls->functions[call->function];
    const struct trace *trace = calls->trace;
    int64_t first_ns = calls->all[calls->roots[0]].begin_ns;
    json_text(json, "name", trace_text(trace, function->name));
    if (function->module)
        json_text(json, "module", trace_text(trace, function->module));
    if (function->file) {
        json_text(json, "file", trace_text(trace, function->file));
        json_count(json, "line", function->line);
    }
    if (function->kind == FUNCTION_SPAN)
        json_bool(json, "span", 1);
    arguments_json(calls, json, call->begin_detail);
    end_json(calls, json, call);
    json_integer(json, "start_ns", call->begin_ns - first_ns);
    json_integer(json, "elapsed_ns", call->elapsed_ns);
    json_integer(json, "self_ns", call->self_ns);
    flags_json(json, call);
    if (call->parent == CALL_NONE || calls->all[call->parent].track != call->track)
        track_json(calls, json, call);
}

/* Opens a call's object, and the array of its children where there are any that are shown. Returns whether it did. */
static int open_call(const struct calls *calls, struct json *json, uint32_t place, int depth) {
    const struct call *call = &calls->all[place];
    int indent = json->indent, opens = call->first_child != CALL_NONE && depth < TREE_DEPTH_MAX;
    json_object(json, NULL);
    json->indent = 0; /* a line a call */
    call_json(calls, json, call);
    if (opens)
        json_array(json, "children");
    else if (call->first_child != CALL_NONE)
        json_count(json, "not_shown", calls_inside(calls, place));
    if (!opens)
        json_end(json);
    json->indent = indent;
    return opens;
}

/* Behind the last of a call's children. */
static void close_call(struct json *json) {
    int indent = json->indent;
    json->indent = 0;
    json_end(json);
    json_end(json);
    json->indent = indent;
}

static void root_json(const struct calls *calls, struct json *json, uint32_t root) {
    uint32_t at = root;
    int depth = 1;
    for (;;) {
        if (open_call(calls, json, at, depth)) {
            at = calls->all[at].first_child;
            depth++;
            continue;
        }
        while (at != root && calls->all[at].next == CALL_NONE) {
            at = calls->all[at].parent;
            depth--;
            close_call(json);
        }
        if (at == root)
            return;
        at = calls->all[at].next;
    }
}

static void scopes_json(const struct calls *calls, struct json *json) {
    json_array(json, "scopes");
    for (uint32_t i = 0; i < calls->scope_count; i++) {
        const struct call_scope *scope = &calls->scopes[i];
        json_object(json, NULL);
        json_text(json, "label", trace_text(calls->trace, scope->label));
        json_count(json, "call_count", scope->call_count);
        json_bool(json, "was_limited", scope->limit != 0);
        if (scope->limit)
            json_text(json, "limit_reason", trace_text(calls->trace, scope->limit));
        else
            json_null(json, "limit_reason");
        json_count(json, "skipped", scope->skipped);
        json_count(json, "lost", scope->lost);
        json_end(json);
    }
    json_end(json);
}

void tree_json(const struct calls *calls, struct json *json) {
    const struct trace *trace = calls->trace;
    int64_t start_ns = calls->root_count ? calls->all[calls->roots[0]].begin_ns : 0;
    int64_t wall_ns = timebase_wall_ns(&trace->reader.timebase, start_ns);
    json_count(json, "version", TREE_JSON_VERSION);
    if (wall_ns > 0)
        json_integer(json, "start_unix_ns", wall_ns);
    json_count(json, "call_count", calls->call_count);
    scopes_json(calls, json);
    json_object(json, "losses");
    for (uint32_t i = 0; i < trace->loss_count; i++)
        json_double(json, trace_text(trace, trace->losses[i].what), trace->losses[i].count);
    json_end(json);
    json_count(json, "damage", damage_total(&trace->reader.damage, HARM_DAMAGE));
    json_array(json, "calls");
    for (uint32_t i = 0; i < calls->root_count; i++)
        root_json(calls, json, calls->roots[i]);
    json_end(json);
}
