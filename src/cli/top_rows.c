/* See top_rows.h. */
#include "cli/top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "model/grow.h"
#include "model/map.h"

enum { SLOTS_MIN = 1024 };

/* ---- which row a node belongs to */

static uint32_t *slot_of(const struct top_rows *self, uint32_t function, int32_t line) {
    uint32_t at = (uint32_t)map_mix((uint64_t)function << 32 | (uint32_t)line) & self->mask;
    for (; self->slots[at]; at = (at + 1) & self->mask) {
        const struct top_row *row = &self->rows[self->slots[at] - 1];
        if (row->function == function && row->line == line)
            break;
    }
    return &self->slots[at];
}

/* Twice the slots, where they are half full. */
static int grow_slots(struct top_rows *self) {
    uint32_t slots = self->slots ? 2 * (self->mask + 1) : SLOTS_MIN;
    if (self->slots && self->count < (self->mask + 1) / 2)
        return 0;
    uint32_t *grown = calloc(slots, sizeof *grown);
    if (!grown)
        return -1;
    free(self->slots);
    self->slots = grown;
    self->mask = slots - 1;
    for (uint32_t i = 0; i < self->count; i++)
        *slot_of(self, self->rows[i].function, self->rows[i].line) = i + 1;
    return 0;
}

static int add_node(struct top_rows *self, const struct profile_node *node) {
    if (grow_slots(self) || GROW(self->rows, self->count, self->capacity) ||
        GROW(self->row_of_node, self->nodes, self->nodes_capacity))
        return -1;
    int32_t line = self->lines ? node->line : 0;
    uint32_t *slot = slot_of(self, node->function, line);
    if (!*slot) {
        self->rows[self->count] = (struct top_row){.function = node->function, .line = line};
        *slot = ++self->count;
    }
    self->row_of_node[self->nodes++] = *slot - 1;
    return 0;
}

/* ---- the sums */

struct sums {
    struct top_rows *self;
    const struct profile_node *nodes;
};

static struct top_row *row_of(const struct sums *sums, uint32_t node) {
    return &sums->self->rows[sums->self->row_of_node[node]];
}

static void enter(const struct sums *sums, uint32_t node) {
    struct top_row *row = row_of(sums, node);
    row->self_ns += sums->nodes[node].self_ns[sums->self->weight];
    if (row->open++ == 0)
        row->total_ns += sums->nodes[node].total_ns[sums->self->weight];
}

/* All nodes, each before its children; the root, who is no function, is not counted. */
static void walk(const struct sums *sums) {
    uint32_t at = sums->nodes[0].first_child;
    while (at) {
        enter(sums, at);
        if (sums->nodes[at].first_child) {
            at = sums->nodes[at].first_child;
            continue;
        }
        for (;;) {
            row_of(sums, at)->open--;
            if (sums->nodes[at].next_sibling) {
                at = sums->nodes[at].next_sibling;
                break;
            }
            at = sums->nodes[at].parent;
            if (!at)
                return;
        }
    }
}

int top_rows_count(struct top_rows *self, const struct profile *profile) {
    uint32_t count;
    struct sums sums = {self, profile_nodes(profile, &count)};
    while (self->nodes < count)
        if (add_node(self, &sums.nodes[self->nodes]))
            return -1;
    for (uint32_t i = 0; i < self->count; i++) {
        struct top_row *row = &self->rows[i];
        row->self_new_ns = row->self_ns; /* what it was */
        row->total_new_ns = row->total_ns;
        row->self_ns = row->total_ns = 0;
    }
    walk(&sums);
    for (uint32_t i = 0; i < self->count; i++) {
        struct top_row *row = &self->rows[i];
        row->self_new_ns = row->self_ns - row->self_new_ns;
        row->total_new_ns = row->total_ns - row->total_new_ns;
    }
    return 0;
}

void top_rows_clear(struct top_rows *self) {
    self->count = self->nodes = 0;
    if (self->slots)
        memset(self->slots, 0, (size_t)(self->mask + 1) * sizeof *self->slots);
}

void top_rows_free(struct top_rows *self) {
    free(self->rows);
    free(self->row_of_node);
    free(self->slots);
    *self = (struct top_rows){0};
}
