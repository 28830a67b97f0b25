/* The calls of a trace as a forest: which function, called by which, for how long, and what came of it.
 *
 * A call is what docs/FORMAT.md (10) calls one: a slice, or, of a generator or coroutine, all its slices together. Any
 * other span is a node as well (a `marey.span` inside calls; a trace without calls gives trees of spans). Scopes are
 * none: what they hold stands where they stood.
 *
 * Nodes stand in one array, each parent before its children, so nothing here recurses, however deep a trace is. */
#ifndef MAREY_MODEL_CALLS_H
#define MAREY_MODEL_CALLS_H

#include "model/filter.h"

enum { CALL_NONE = MAP_NONE };

enum function_kind { FUNCTION_PYTHON, FUNCTION_C, FUNCTION_SPAN };

/* What calls are calls of. Two with the same name stand in different lines. */
struct call_function {
    uint32_t name;     /* strings: the qualified name, or the span's */
    uint32_t module;   /* strings; 0: not known */
    uint32_t file;     /* strings; 0: not known */
    uint32_t line;     /* the first one; 0: not known */
    uint32_t category; /* strings */
    uint32_t source;   /* of the arguments' sources; 0: none */
    uint32_t kind;     /* enum function_kind */
};

enum call_flag {
    /* it has no end: it went on when recording ended, or the program was killed */
    CALL_IS_OPEN = 1,
    CALL_HAS_FAILED = 2,   /* an exception left it */
    CALL_IS_SUSPENDED = 4, /* a generator or coroutine that was not resumed to its end */
    CALL_HAS_YIELDED = 8,  /* a generator that gave a value */
    CALL_IN_PIECES = 16,   /* a generator or coroutine */
};

struct call {
    int64_t begin_ns;   /* in the trace's clock */
    int64_t elapsed_ns; /* to its end; of an open one, to the end of the trace */
    int64_t self_ns;    /* of its running time: without its children's */
    int64_t waiting_ns; /* between its pieces */
    uint32_t function;  /* place in the functions */
    uint32_t parent, first_child, last_child, next; /* CALL_NONE: none */
    uint32_t track;                                 /* place in the reader's tracks */
    uint32_t pieces;
    uint32_t skipped;      /* calls inside that limits left out */
    uint32_t begin_detail; /* arguments; place in the details, 0: none */
    uint32_t end_detail;   /* result or exception */
    uint32_t flags;        /* enum call_flag */
};

/* A `with marey.calls(...)`. */
struct call_scope {
    int64_t begin_ns, duration_ns; /* -1: it has no end */
    uint32_t label;                /* strings; 0: none */
    uint32_t limit;                /* strings: see calls.h of the recorder; 0: none */
    uint32_t track;
    uint64_t call_count, skipped, lost;
};

struct calls {
    const struct trace *trace;
    struct call *all;
    uint32_t count, capacity;
    uint32_t *roots; /* by begin */
    uint32_t root_count;
    struct call_function *functions;
    uint32_t function_count, function_capacity;
    struct call_scope *scopes; /* by begin, track by track */
    uint32_t scope_count, scope_capacity;
    uint64_t call_count; /* of these nodes: calls, not spans */
};

/* Whether spans of a category (strings) are calls. */
int calls_is_call(const struct trace *trace, uint32_t category);
/* Whether they are calls or the slices around these. */
int calls_is_call_or_scope(const struct trace *trace, uint32_t category);
/* Whether any span is a call. */
int calls_are_there(const struct trace *trace);

/* The trace has been read with TRACE_ARGUMENTS, or with TRACE_CALLS (calls have no arguments and results then), and must
 * outlive the calls; texts are added to it. Returns 0 or MAREY_ENOMEM. calls_free in every case. */
int calls_make(struct calls *calls, struct trace *trace);
/* The same of a part of the trace: calls on tracks that are wanted, each with the part of its time that is. Of a generator or
 * coroutine, its pieces within. */
int calls_make_part(struct calls *calls, struct trace *trace, const struct trace_filter *filter);
void calls_free(struct calls *calls);

/* Which calls are wanted. All zero is all of them. A pattern is one of fnmatch(3); "!" before it leaves out. */
struct call_filter {
    /* of the qualified name, with or without its module, or of its last part */
    const char *const *names;
    const char *const *within;  /* likewise: calls of these, and all inside them; without "!" */
    const char *const *modules; /* of the module, or of a package that it is in */
    const char *exception;      /* of "Type: message" or its type; NULL: with or without */
    uint32_t name_count, within_count, module_count;
    /* by place in the reader's tracks: not 0 where calls are wanted; NULL: all */
    const uint8_t *tracks;
    int64_t min_ns; /* at least so long */
};

/* Those calls alone, as new calls of the same trace. A call takes the place of its parent that is left out; the time of
 * what is left out becomes its nearest caller's own. Returns 0 or MAREY_ENOMEM; calls_free(to) in every case. */
int calls_filter(struct calls *to, const struct calls *from, const struct call_filter *filter);

/* The value of that key among a call's arguments (detail: its begin_detail or end_detail); NULL: none. */
const struct value *calls_value(const struct calls *calls, uint32_t detail, const char *key);
/* The arguments of a detail; those that say something about the call itself ("(call)") are among them. */
const struct value *calls_values(const struct calls *calls, uint32_t detail, uint32_t *count);
/* Whether a key says something about the call itself. */
int calls_is_mark(const char *key);
/* "Type: message" of the exception that left it; "" where that is not known. */
const char *calls_exception(const struct calls *calls, const struct call *call);

/* How many calls there are inside, at any depth. */
uint64_t calls_inside(const struct calls *calls, uint32_t call);

#endif
