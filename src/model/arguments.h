/* What events say beside their name: typed arguments and the place in the source. Kept only where that is asked for: it
 * takes more memory than all the rest.
 *
 * A value is 16 bytes, whatever it is; those of an event stand in one row, each followed by what is inside it. */
#ifndef MAREY_MODEL_ARGUMENTS_H
#define MAREY_MODEL_ARGUMENTS_H

#include "format/wire.h"
#include "model/map.h"

enum {
    ARGUMENTS_MAX = 1 << 28,       /* values of a trace */
    ARGUMENT_VALUES_MAX = 1 << 16, /* values of one argument; the rest is left out */
    ARGUMENT_NESTING_MAX = 16,     /* levels; what is deeper is VALUE_CUT */
    SOURCE_PLACES_MAX = 1 << 22,   /* places in sources */
    FLOW_STEPS_MAX = 1 << 28,
};

enum value_kind {
    VALUE_NOTHING, /* an argument without a value, or with one of a kind that is not read */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_UINT,
    VALUE_DOUBLE,
    VALUE_POINTER,
    VALUE_TEXT,
    VALUE_DICT,
    VALUE_ARRAY,
    VALUE_CUT, /* it is nested too deep, or too much */
};

struct value {
    uint32_t key; /* strings; 0 in an array */
    uint32_t kind : 4;
    uint32_t inside : 28; /* how many values that follow are inside this one, on all levels */
    union {
        int64_t integer; /* VALUE_INT, VALUE_BOOL */
        uint64_t number; /* VALUE_UINT, VALUE_POINTER */
        double real;
        uint32_t text; /* strings; 0: the empty text */
    };
};

struct source_place {
    uint32_t file, function; /* strings; 0: not given */
    uint32_t line;           /* 0: not given */
    uint32_t detail;         /* of all events that say no more than this; 0: none yet */
};

/* An event takes part in a flow: those with one id are steps of it, by time. */
struct flow_step {
    uint64_t id;
    uint32_t ends; /* it is the last one */
};

/* Of one event; of a span: of its begin, and `end` leads to those of its end. Events that say no more than where they are,
 * as most calls do, have one in common. */
struct detail {
    uint32_t first, size;       /* in the values */
    uint32_t source;            /* in the sources; 0: none */
    uint32_t end;               /* in the details; 0: none */
    uint32_t first_flow, flows; /* in the flow steps */
};

enum arguments_wanted {
    ARGUMENTS_NONE,
    ARGUMENTS_MARKS, /* source locations, and arguments named like "(call)": what tells calls apart */
    ARGUMENTS_ALL,
};

/* All zero keeps nothing. */
struct arguments {
    uint32_t wanted; /* enum arguments_wanted */
    uint32_t flows_wanted;
    struct value *values;
    uint32_t value_count, value_capacity;
    struct detail *details; /* [0] is "none" */
    uint32_t detail_count, detail_capacity;
    struct source_place *sources; /* [0] is "none" */
    uint32_t source_count, source_capacity;
    struct map source_places;
    struct flow_step *flows;
    uint32_t flow_count, flow_capacity;
};

/* Where an event's own begin: counts before the first of them. */
struct arguments_mark {
    uint32_t value, flow;
};

/* The place in the sources, new or known. 0 where there are too many or memory is short. */
uint32_t arguments_source(struct arguments *arguments, uint32_t file, uint32_t function,
                          uint32_t line);
/* Values and flow steps from the mark on, and a source, as a new detail. 0 where there is nothing to keep or memory is
 * short. */
uint32_t arguments_detail(struct arguments *arguments, struct arguments_mark from, uint32_t source);
/* A step of the event that is being read, where flows are wanted. Returns 0, or -1 where there are too many or memory is
 * short. */
int arguments_flow(struct arguments *arguments, uint64_t id, int ends);
struct arguments_mark arguments_mark(const struct arguments *arguments);
/* Takes back what came since. */
void arguments_forget(struct arguments *arguments, struct arguments_mark from);
/* Takes back the newest detail, with what it holds. Of any other nothing happens. */
void arguments_drop(struct arguments *arguments, uint32_t detail);
/* Says that a span whose begin has `detail` (0: none) ends with `end`. Returns its detail. */
uint32_t arguments_join(struct arguments *arguments, uint32_t detail, uint32_t end);
void arguments_free(struct arguments *arguments);

#endif
