/* See profile.h.
 *
 * Nodes and functions stand in arrays that grow; both are found by hash tables of places, open addressing, at most half
 * full. The limit of nodes is one of functions too. */
#include "model/profile.h"

#include <stdlib.h>
#include <string.h>

#include "model/grow.h"
#include "model/map.h"
#include "model/strings.h"
#include "model/sums.h"

enum {
    ROOT = 0,
    FUNCTION_ROOT = 0,
    FUNCTION_OTHER = 1,
    NODES_MIN = 16,
    FIRST_SLOTS = 256,
    OTHERS_SHARE = 8,       /* one node in so many is kept for "(other)" */
    TEXT_BYTES_A_NODE = 16, /* on the average */
    TEXT_BYTES_MIN = 1 << 16,
    RECENT = 1024 /* functions remembered by their giver's number */
};

/* Places by hash; 0: free, as neither the root nor its function is looked for. */
struct places {
    uint32_t *at;
    uint32_t mask;
};

struct profile {
    struct profile_node *nodes;
    uint32_t node_count, node_capacity, nodes_limit;
    struct profile_function *functions;
    uint32_t function_count, function_capacity;
    struct places by_call;     /* nodes, by parent, function and line */
    struct places by_identity; /* functions, by name, file and first line */
    struct strings texts;
    size_t text_bytes, text_bytes_max;
    uint64_t lost;
    int lines;
    uint32_t recent[RECENT];
};

/* --------------------------------------------------------------- the tables */

static uint64_t hash_text(uint64_t hash, const char *text) {
    size_t bytes = strlen(text);
    for (; bytes >= 8; text += 8, bytes -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = map_mix(hash + word);
    }
    uint64_t rest = bytes;
    memcpy((char *)&rest + 1, text, bytes);
    return map_mix(hash + rest);
}

static uint32_t hash_function(const struct profile_function *function) {
    uint64_t numbers = (uint64_t)(uint32_t)function->first_line << 8 | function->kind;
    return (uint32_t)hash_text(hash_text(numbers, function->name), function->file);
}

static uint32_t hash_call(uint32_t parent, uint32_t function, int32_t line) {
    return (uint32_t)map_mix(((uint64_t)parent << 32 | function) ^ (uint64_t)(uint32_t)line << 17);
}

static int same_function(const struct profile_function *a, const struct profile_function *b) {
    return a->first_line == b->first_line && a->kind == b->kind && !strcmp(a->name, b->name) &&
           !strcmp(a->file, b->file);
}

static uint32_t *slot_of_call(const struct profile *self, uint32_t parent, uint32_t function,
                              int32_t line) {
    uint32_t at = hash_call(parent, function, line) & self->by_call.mask;
    for (; self->by_call.at[at]; at = (at + 1) & self->by_call.mask) {
        const struct profile_node *node = &self->nodes[self->by_call.at[at]];
        if (node->parent == parent && node->function == function && node->line == line)
            break;
    }
    return &self->by_call.at[at];
}

static uint32_t *slot_of_function(const struct profile *self,
                                  const struct profile_function *function) {
    uint32_t at = hash_function(function) & self->by_identity.mask;
    for (; self->by_identity.at[at]; at = (at + 1) & self->by_identity.mask)
        if (same_function(&self->functions[self->by_identity.at[at]], function))
            break;
    return &self->by_identity.at[at];
}

/* Twice as many slots, empty. Returns 0, or -1 where memory is short: then nothing has changed. */
static int places_double(struct places *places) {
    uint32_t slots = places->at ? (places->mask + 1) * 2 : FIRST_SLOTS;
    uint32_t *at = calloc(slots, sizeof *at);
    if (!at)
        return -1;
    free(places->at);
    places->at = at;
    places->mask = slots - 1;
    return 0;
}

static int room_for_call(struct profile *self) {
    if (self->by_call.at && self->node_count <= self->by_call.mask / 2)
        return 0;
    if (places_double(&self->by_call))
        return -1;
    for (uint32_t i = 1; i < self->node_count; i++) {
        const struct profile_node *node = &self->nodes[i];
        *slot_of_call(self, node->parent, node->function, node->line) = i;
    }
    return 0;
}

static int room_for_function(struct profile *self) {
    if (self->by_identity.at && self->function_count <= self->by_identity.mask / 2)
        return 0;
    if (places_double(&self->by_identity))
        return -1;
    for (uint32_t i = 1; i < self->function_count; i++)
        *slot_of_function(self, &self->functions[i]) = i;
    return 0;
}

/* ---------------------------------------------------------------- functions */

/* The profile's own copy; NULL where there is no room for it. */
static const char *keep_text(struct profile *self, const char *text) {
    uint32_t before = self->texts.count;
    if (!*text)
        return "";
    size_t bytes = strlen(text);
    if (bytes > STRING_BYTES_MAX || self->text_bytes + bytes > self->text_bytes_max)
        return NULL;
    uint32_t number = strings_add_text(&self->texts, text);
    if (self->texts.count != before)
        self->text_bytes += bytes + 1;
    return strings_text(&self->texts, number);
}

/* Returns its place; MAP_NONE where there is no room. */
static uint32_t add_function(struct profile *self, const struct profile_function *from) {
    if (room_for_function(self) ||
        GROW(self->functions, self->function_count, self->function_capacity))
        return MAP_NONE;
    struct profile_function function = *from;
    function.name = keep_text(self, from->name);
    function.file = keep_text(self, from->file);
    if (!function.name || !function.file)
        return MAP_NONE;
    *slot_of_function(self, &function) = self->function_count;
    self->functions[self->function_count] = function;
    return self->function_count++;
}

/* The place of a frame's function, 0 where it is new. Givers' numbers are a hint: another giver may use them too. */
static uint32_t find_function(struct profile *self, const struct profile_function *function,
                              uint64_t number) {
    uint32_t *recent = &self->recent[number % RECENT];
    if (*recent && same_function(&self->functions[*recent], function))
        return *recent;
    uint32_t place = *slot_of_function(self, function);
    if (place)
        *recent = place;
    return place;
}

/* -------------------------------------------------------------------- nodes */

/* A new child. Returns its place; 0 where there is no room. */
static uint32_t add_node(struct profile *self, uint32_t parent, uint32_t function, int32_t line,
                         uint32_t limit) {
    if (self->node_count >= limit || room_for_call(self) ||
        GROW(self->nodes, self->node_count, self->node_capacity))
        return 0;
    uint32_t place = self->node_count++;
    *slot_of_call(self, parent, function, line) = place;
    self->nodes[place] = (struct profile_node){.function = function,
                                               .line = line,
                                               .parent = parent,
                                               .next_sibling = self->nodes[parent].first_child,
                                               .depth = self->nodes[parent].depth + 1};
    self->nodes[parent].first_child = place;
    return place;
}

/* The child for a frame, new or known. 0 where there is no room for it. */
static uint32_t child_for(struct profile *self, uint32_t parent, const struct sample_frame *frame) {
    struct profile_function wanted = {frame->name, frame->file, frame->first_line, frame->kind};
    int32_t line = self->lines ? frame->line : 0;
    uint32_t limit = self->nodes_limit - self->nodes_limit / OTHERS_SHARE;
    uint32_t function = find_function(self, &wanted, frame->function);
    uint32_t known = function ? *slot_of_call(self, parent, function, line) : 0;
    if (known || self->node_count >= limit)
        return known;
    if (!function)
        function = add_function(self, &wanted);
    return function == MAP_NONE ? 0 : add_node(self, parent, function, line, limit);
}

/* Where the weight of a child goes that there is no room for: "(other)" below the parent, or, where there is no room for
 * that either, below the nearest above it that has one. The root has. */
static uint32_t other_below(struct profile *self, uint32_t parent) {
    for (;; parent = self->nodes[parent].parent) {
        uint32_t other = *slot_of_call(self, parent, FUNCTION_OTHER, 0);
        if (!other)
            other = add_node(self, parent, FUNCTION_OTHER, 0, self->nodes_limit);
        if (other)
            return other;
    }
}

/* ------------------------------------------------------------------ profile */

/* The root, its "(other)", and their functions. Returns 0, or -1 where memory is short. */
static int plant(struct profile *self) {
    static const struct profile_function root = {"", "", 0, SAMPLE_PYTHON},
                                         other = {"(other)", "", 0, SAMPLE_NATIVE};
    self->nodes[ROOT] = (struct profile_node){.function = FUNCTION_ROOT};
    self->functions[FUNCTION_ROOT] = root;
    self->node_count = self->function_count = 1;
    return add_function(self, &other) == FUNCTION_OTHER &&
                   add_node(self, ROOT, FUNCTION_OTHER, 0, self->nodes_limit)
               ? 0
               : -1;
}

struct profile *profile_open(uint32_t nodes_limit, int lines) {
    struct profile *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    if (nodes_limit > PROFILE_NODES_MAX)
        nodes_limit = PROFILE_NODES_MAX;
    self->nodes_limit = nodes_limit < NODES_MIN ? NODES_MIN : nodes_limit;
    self->lines = lines;
    self->text_bytes_max = (size_t)self->nodes_limit * TEXT_BYTES_A_NODE + TEXT_BYTES_MIN;
    if (GROW(self->nodes, 0, self->node_capacity) ||
        GROW(self->functions, 0, self->function_capacity) || room_for_call(self) ||
        room_for_function(self) || plant(self)) {
        profile_close(self);
        return NULL;
    }
    return self;
}

void profile_close(struct profile *self) {
    if (!self)
        return;
    free(self->nodes);
    free(self->functions);
    free(self->by_call.at);
    free(self->by_identity.at);
    strings_free(&self->texts);
    free(self);
}

void profile_clear(struct profile *self) {
    memset(self->by_call.at, 0, ((size_t)self->by_call.mask + 1) * sizeof *self->by_call.at);
    memset(self->by_identity.at, 0,
           ((size_t)self->by_identity.mask + 1) * sizeof *self->by_identity.at);
    memset(self->recent, 0, sizeof self->recent);
    self->lost = 0;
    /* Texts stay: what is sampled again has the same names, and they are bounded. */
    if (self->text_bytes > self->text_bytes_max / 2) {
        strings_free(&self->texts);
        self->text_bytes = 0;
    }
    plant(self);
}

static void weigh(uint64_t *count, uint64_t *ns, uint64_t more, const uint64_t *more_ns) {
    sum_add(count, more);
    for (int weight = 0; weight < SAMPLE_WEIGHTS; weight++)
        sum_add(&ns[weight], more_ns[weight]);
}

/* The node of the sample's innermost frame. */
static uint32_t find_leaf(struct profile *self, const struct sample *sample, int *whole) {
    uint32_t depth = sample->depth < PROFILE_DEPTH_MAX ? sample->depth : PROFILE_DEPTH_MAX;
    uint32_t node = ROOT;
    *whole = depth == sample->depth;
    for (uint32_t i = 0; i < depth; i++) {
        uint32_t child = child_for(self, node, &sample->frames[i]);
        if (!child) {
            *whole = 0;
            return other_below(self, node);
        }
        node = child;
    }
    return node;
}

uint32_t profile_add(struct profile *self, const struct sample *sample) {
    int whole;
    uint32_t leaf = find_leaf(self, sample, &whole), node = leaf;
    if (!whole)
        sum_add(&self->lost, sample->count);
    weigh(&self->nodes[node].self_count, self->nodes[node].self_ns, sample->count,
          sample->weights_ns);
    for (;; node = self->nodes[node].parent) {
        weigh(&self->nodes[node].total_count, self->nodes[node].total_ns, sample->count,
              sample->weights_ns);
        if (node == ROOT)
            return leaf;
    }
}

/* ------------------------------------------------- for givers who have trees */

uint32_t profile_function(struct profile *self, const struct profile_function *function) {
    uint32_t place = *slot_of_function(self, function);
    if (place)
        return place;
    return self->function_count < self->nodes_limit ? add_function(self, function)
                                                    : (uint32_t)MAP_NONE;
}

uint32_t profile_child(struct profile *self, uint32_t parent, uint32_t function, int32_t line) {
    const struct profile_node *above = &self->nodes[parent];
    if (above->function == FUNCTION_OTHER)
        return parent;
    if (function == MAP_NONE || above->depth > PROFILE_DEPTH_MAX)
        return other_below(self, parent);
    line = self->lines ? line : 0;
    uint32_t known = *slot_of_call(self, parent, function, line);
    if (!known)
        known = add_node(self, parent, function, line,
                         self->nodes_limit - self->nodes_limit / OTHERS_SHARE);
    return known ? known : other_below(self, parent);
}

void profile_weigh(struct profile *self, uint32_t node, uint64_t count,
                   const uint64_t weights_ns[SAMPLE_WEIGHTS]) {
    weigh(&self->nodes[node].self_count, self->nodes[node].self_ns, count, weights_ns);
    if (self->nodes[node].function == FUNCTION_OTHER)
        sum_add(&self->lost, count);
}

void profile_sum(struct profile *self) {
    for (uint32_t i = 0; i < self->node_count; i++) {
        struct profile_node *node = &self->nodes[i];
        node->total_count = node->self_count;
        memcpy(node->total_ns, node->self_ns, sizeof node->total_ns);
    }
    for (uint32_t i = self->node_count - 1; i > ROOT; i--) { /* children before their parents */
        const struct profile_node *node = &self->nodes[i];
        struct profile_node *parent = &self->nodes[node->parent];
        weigh(&parent->total_count, parent->total_ns, node->total_count, node->total_ns);
    }
}

const struct profile_node *profile_nodes(const struct profile *self, uint32_t *count) {
    *count = self->node_count;
    return self->nodes;
}

const struct profile_function *profile_functions(const struct profile *self, uint32_t *count) {
    *count = self->function_count;
    return self->functions;
}

uint64_t profile_lost(const struct profile *self) {
    return self->lost;
}
