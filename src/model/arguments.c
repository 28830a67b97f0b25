/* See arguments.h. */
#include "model/arguments.h"

#include "model/grow.h"

static uint32_t add_source(struct arguments *self, const struct source_place *place) {
    if (GROW(self->sources, self->source_count, self->source_capacity))
        return 0;
    if (!self->source_count)
        self->sources[self->source_count++] = (struct source_place){0};
    if (self->source_count >= SOURCE_PLACES_MAX ||
        GROW(self->sources, self->source_count, self->source_capacity))
        return 0;
    self->sources[self->source_count] = *place;
    return self->source_count++;
}

static int is_same(const struct source_place *a, const struct source_place *b) {
    return a->file == b->file && a->function == b->function && a->line == b->line;
}

uint32_t arguments_source(struct arguments *self, uint32_t file, uint32_t function, uint32_t line) {
    uint64_t key = map_mix((uint64_t)file << 32 | function) + line;
    uint32_t known = map_get(&self->source_places, key);
    const struct source_place place = {file, function, line, 0};
    if (known != MAP_NONE && is_same(&self->sources[known], &place))
        return known;
    uint32_t added = add_source(self, &place);
    /* Where two places have one key the first is found again, the second is kept each time. */
    if (added && known == MAP_NONE)
        (void)map_put(&self->source_places, key, added);
    return added;
}

static uint32_t add_detail(struct arguments *self, struct detail detail) {
    if (GROW(self->details, self->detail_count, self->detail_capacity))
        return 0;
    if (!self->detail_count)
        self->details[self->detail_count++] = (struct detail){0};
    if (GROW(self->details, self->detail_count, self->detail_capacity))
        return 0;
    self->details[self->detail_count] = detail;
    return self->detail_count++;
}

/* Whether events may share it. */
static int is_common(const struct arguments *self, uint32_t detail) {
    uint32_t source = self->details[detail].source;
    return source && self->sources[source].detail == detail;
}

/* The detail of events that say no more than where they are. Details may have been forgotten meanwhile. */
static uint32_t common_detail(struct arguments *self, uint32_t source) {
    const struct detail plain = {.source = source};
    uint32_t known = self->sources[source].detail;
    if (!known || known >= self->detail_count ||
        memcmp(&self->details[known], &plain, sizeof plain) != 0)
        known = self->sources[source].detail = add_detail(self, plain);
    return known;
}

struct arguments_mark arguments_mark(const struct arguments *self) {
    return (struct arguments_mark){self->value_count, self->flow_count};
}

void arguments_forget(struct arguments *self, struct arguments_mark from) {
    self->value_count = from.value;
    self->flow_count = from.flow;
}

void arguments_drop(struct arguments *self, uint32_t detail) {
    if (!detail || detail + 1 != self->detail_count || is_common(self, detail))
        return;
    const struct detail *last = &self->details[--self->detail_count];
    arguments_forget(self, (struct arguments_mark){last->first, last->first_flow});
}

int arguments_flow(struct arguments *self, uint64_t id, int ends) {
    if (!self->flows_wanted)
        return 0;
    if (self->flow_count >= FLOW_STEPS_MAX ||
        GROW(self->flows, self->flow_count, self->flow_capacity))
        return -1;
    self->flows[self->flow_count++] = (struct flow_step){id, ends != 0};
    return 0;
}

uint32_t arguments_detail(struct arguments *self, struct arguments_mark from, uint32_t source) {
    struct detail detail = {from.value, self->value_count - from.value, source, 0,
                            from.flow,  self->flow_count - from.flow};
    if (detail.size || detail.flows)
        return add_detail(self, detail);
    return source ? common_detail(self, source) : 0;
}

uint32_t arguments_join(struct arguments *self, uint32_t detail, uint32_t end) {
    if (!end)
        return detail;
    if (!detail)
        return add_detail(self, (struct detail){.end = end});
    if (is_common(self, detail)) {
        struct detail own = self->details[detail];
        own.end = end;
        return add_detail(self, own);
    }
    self->details[detail].end = end;
    return detail;
}

void arguments_free(struct arguments *self) {
    free(self->values);
    free(self->details);
    free(self->sources);
    map_free(&self->source_places);
    free(self->flows);
    *self = (struct arguments){0};
}
