/* See tree_rows.h. */
#include "output/tree_rows.h"

#include <stdlib.h>

#include "marey.h"
#include "model/grow.h"
#include "output/tree_opening.h"

/* ----------------------------------------------------------------- heap */

static int is_before(const struct tree_rows *rows, uint32_t a, uint32_t b) {
    int64_t left = rows->all[a].total_ns, right = rows->all[b].total_ns;
    return left != right ? left > right : a < b;
}

static int heap_push(struct opening *o, uint32_t row) {
    if (GROW(o->heap, o->heap_count, o->heap_capacity))
        return -1;
    uint32_t at = o->heap_count++;
    for (uint32_t up = (at - 1) / 2; at && is_before(o->rows, row, o->heap[up]);
         up = (at - 1) / 2) {
        o->heap[at] = o->heap[up];
        at = up;
    }
    o->heap[at] = row;
    return 0;
}

static uint32_t heap_pop(struct opening *o) {
    uint32_t top = o->heap[0], moved = o->heap[--o->heap_count], at = 0;
    for (;;) {
        uint32_t down = 2 * at + 1;
        if (down >= o->heap_count)
            break;
        if (down + 1 < o->heap_count && is_before(o->rows, o->heap[down + 1], o->heap[down]))
            down++;
        if (!is_before(o->rows, o->heap[down], moved))
            break;
        o->heap[at] = o->heap[down];
        at = down;
    }
    o->heap[at] = moved;
    return top;
}

/* -------------------------------------------------------------- opening */

static int add_child(struct opening *o, uint32_t call) {
    if (GROW(o->children, o->child_count, o->child_capacity))
        return -1;
    o->children[o->child_count++] = call;
    return 0;
}

static int collect_children(struct opening *o, uint32_t row) {
    const struct calls *calls = o->rows->calls;
    int is_section = o->rows->all[row].call == CALL_NONE;
    uint32_t member = o->rows->all[row].members;
    o->child_count = 0;
    for (; member != CALL_NONE; member = o->rows->next_member[member]) {
        if (is_section && add_child(o, member))
            return -1;
        uint32_t child = is_section ? (uint32_t)CALL_NONE : calls->all[member].first_child;
        for (; child != CALL_NONE; child = calls->all[child].next)
            if (add_child(o, child))
                return -1;
    }
    return 0;
}

/* Puts rows below their parent, and those that can be opened themselves in line. */
static int hang(struct opening *o, uint32_t parent, uint32_t first) {
    struct tree_rows *rows = o->rows;
    if (rows->count > first)
        rows->all[parent].first_row = first;
    for (uint32_t row = first; row < rows->count; row++) {
        rows->all[row].next_row = row + 1 < rows->count ? row + 1 : 0;
        if (rows->all[row].depth < o->deepest && heap_push(o, row))
            return -1;
    }
    return 0;
}

/* Says of each row of a section of many tracks on which it ran. */
static void tell_tracks(struct tree_rows *rows, uint32_t section) {
    for (uint32_t row = rows->all[section].first_row; row; row = rows->all[row].next_row)
        if (rows->all[row].calls == 1)
            rows->all[row].track = rows->calls->all[rows->all[row].call].track;
}

static int open_row(struct opening *o, uint32_t row) {
    struct tree_rows *rows = o->rows;
    uint32_t first = rows->count;
    if (collect_children(o, row))
        return -1;
    int64_t made = tree_fold(o, row);
    if (made < 0 || tree_choose(o, row, first, (uint32_t)made) || hang(o, row, first))
        return -1;
    if (rows->all[row].tracks > 1)
        tell_tracks(rows, row);
    return 0;
}

/* ------------------------------------------------------------- sections */

/* Where calls belong that ran on a track: to a thread, or, those of tasks, to what is around all of them. */
static uint32_t section_of(const struct trace *trace, uint32_t place) {
    const struct tracks *tracks = &trace->reader.tracks;
    const struct track *track = &tracks->all[place];
    const struct track *parent = trace_parent(trace, track);
    if (track->kind != TRACK_CUSTOM || !parent || parent->kind != TRACK_CUSTOM)
        return place;
    return (uint32_t)(parent - tracks->all);
}

/* What is known of a track while sections are made. */
struct place {
    uint32_t row;  /* of a section; 0: none yet */
    uint32_t last; /* its last member */
    int seen;      /* it has roots */
};

/* A row for each section, in the order of their first roots. */
static int make_sections(struct opening *o, struct place *places) {
    struct tree_rows *rows = o->rows;
    const struct calls *calls = rows->calls;
    for (uint32_t i = 0; i < calls->root_count; i++) {
        uint32_t root = calls->roots[i], track = calls->all[root].track;
        uint32_t section = section_of(calls->trace, track);
        struct place *place = &places[section];
        rows->next_member[root] = CALL_NONE;
        if (!place->row) {
            place->row = tree_row_new(rows, 0, CALL_NONE);
            if (!place->row)
                return -1;
            rows->all[place->row].track = section;
            rows->all[place->row].members = root;
        } else {
            rows->next_member[place->last] = root;
        }
        place->last = root;
        rows->all[place->row].tracks += !places[track].seen;
        places[track].seen = 1;
        tree_row_count(rows, &rows->all[place->row], root);
    }
    return 0;
}

/* The top: sections, or, where there is but one track, its calls. */
static int open_top(struct opening *o) {
    struct tree_rows *rows = o->rows;
    struct place *places = calloc(rows->calls->trace->reader.tracks.count + 1, sizeof *places);
    int failed = !places || make_sections(o, places);
    free(places);
    if (failed)
        return -1;
    if (rows->count == 2 && rows->all[1].tracks == 1) {
        rows->all[0] = (struct tree_row){
            .call = CALL_NONE, .members = rows->all[1].members, .track = CALL_NONE};
        rows->count = 1;
        return open_row(o, 0);
    }
    o->deepest++;
    return tree_choose(o, 0, 1, rows->count - 1) || hang(o, 0, 1) ? -1 : 0;
}

/* ------------------------------------------------------------------ all */

static int open_all(struct opening *o) {
    struct tree_rows *rows = o->rows;
    if (GROW(rows->all, rows->count, rows->capacity))
        return -1;
    rows->all[rows->count++] =
        (struct tree_row){.call = CALL_NONE, .members = CALL_NONE, .track = CALL_NONE};
    if (open_top(o))
        return -1;
    while (o->heap_count && o->left)
        if (open_row(o, heap_pop(o)))
            return -1;
    return 0;
}

/* What is inside rows that were not opened. */
static void count_inside(struct tree_rows *rows) {
    for (uint32_t i = 1; i < rows->count; i++) {
        struct tree_row *row = &rows->all[i];
        if (row->first_row)
            continue;
        row->hidden = 0;
        for (uint32_t at = row->members; at != CALL_NONE; at = rows->next_member[at])
            row->hidden += calls_inside(rows->calls, at) + (row->call == CALL_NONE);
    }
}

/* What is known before anything is opened. */
static void begin(struct opening *o, uint32_t share) {
    uint32_t depth = o->limits->depth ? o->limits->depth : TREE_DEPTH_MAX;
    o->rows->count = 0;
    o->heap_count = 0;
    o->deepest = depth < TREE_DEPTH_MAX ? depth : TREE_DEPTH_MAX;
    o->left = o->limits->rows ? o->limits->rows : UINT32_MAX;
    o->share = share;
}

static int make_room(struct opening *o) {
    struct tree_rows *rows = o->rows;
    if (!rows->next_member)
        rows->next_member = malloc((rows->calls->count + 1ull) * sizeof *rows->next_member);
    o->row_of = calloc(rows->calls->function_count + 1ull, sizeof *o->row_of);
    return rows->next_member && o->row_of ? 0 : -1;
}

static void opening_free(struct opening *o) {
    free(o->heap);
    free(o->children);
    free(o->row_of);
    free(o->times);
}

static int make(struct opening *o) {
    if (make_room(o))
        return -1;
    /* Where many calls stand side by side they must not take the room of what is inside the longest of them. */
    begin(o, 2);
    if (open_all(o))
        return -1;
    if (!o->left || !o->limits->rows)
        return 0;
    begin(o, 1); /* there was room for more */
    return open_all(o);
}

int tree_rows_make(struct tree_rows *rows, const struct calls *calls,
                   const struct tree_limits *limits) {
    *rows = (struct tree_rows){.calls = calls};
    struct opening o = {.rows = rows, .limits = limits};
    int failed = make(&o);
    if (!failed)
        count_inside(rows);
    opening_free(&o);
    return failed ? MAREY_ENOMEM : 0;
}

/* One level: rows are not put in line to be opened. */
static void begin_level(struct opening *o) {
    o->deepest = 0;
    o->left = o->limits->rows ? o->limits->rows : UINT32_MAX;
    o->share = 1;
}

int tree_rows_top(struct tree_rows *rows, const struct calls *calls,
                  const struct tree_limits *limits) {
    *rows = (struct tree_rows){.calls = calls};
    struct opening o = {.rows = rows, .limits = limits};
    begin_level(&o);
    int failed = make_room(&o) || GROW(rows->all, rows->count, rows->capacity);
    if (!failed) {
        rows->all[rows->count++] =
            (struct tree_row){.call = CALL_NONE, .members = CALL_NONE, .track = CALL_NONE};
        failed = open_top(&o);
    }
    opening_free(&o);
    return failed ? MAREY_ENOMEM : 0;
}

int tree_rows_open(struct tree_rows *rows, uint32_t row, const struct tree_limits *limits) {
    struct opening o = {.rows = rows, .limits = limits};
    begin_level(&o);
    int failed = make_room(&o) || open_row(&o, row);
    opening_free(&o);
    return failed ? MAREY_ENOMEM : 0;
}

void tree_rows_free(struct tree_rows *rows) {
    free(rows->all);
    free(rows->next_member);
    *rows = (struct tree_rows){0};
}

uint32_t tree_rows_next(const struct tree_rows *rows, uint32_t row) {
    if (rows->all[row].first_row)
        return rows->all[row].first_row;
    while (row && !rows->all[row].next_row)
        row = rows->all[row].parent;
    return rows->all[row].next_row;
}
