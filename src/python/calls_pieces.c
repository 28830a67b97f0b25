/* Generators and coroutines run in pieces. Which invocation a piece is of is found by its frame, which stays the same from
 * the first to the last: an open-addressing hash table of those that a scope has seen begin.
 *
 * A generator that is freed while it waits may not be heard of again. Its entry stays until another frame begins at its address;
 * so there are never more entries than there were generators alive at a time. */
#include "calls.h"

static invocation **table;
static uint32_t room; /* a power of two, or 0 */
uint32_t pieces_count;

static uint32_t home_of(const void *frame) {
    return (uint32_t)(((uintptr_t)frame >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (room - 1);
}

/* Where the frame stands, or where it would go. */
static uint32_t place_of(const void *frame) {
    uint32_t at = home_of(frame);
    while (table[at] && table[at]->frame != frame)
        at = (at + 1) & (room - 1);
    return at;
}

static bool table_grow(void) {
    invocation **old = table;
    uint32_t old_room = room, wanted = room ? 2 * room : 256;
    invocation **larger = calloc(wanted, sizeof(invocation *)); /* NOLINT(*-sizeof-expression) */
    if (!larger)
        return false;
    table = larger;
    room = wanted;
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i])
            table[place_of(old[i]->frame)] = old[i];
    free(old);
    return true;
}

invocation *pieces_find(const void *frame, const call_site *site) {
    invocation *found = room ? table[place_of(frame)] : NULL;
    return found && found->site == site->serial ? found : NULL;
}

/* Those behind it that stand there because of it move up. */
static void close_gap(uint32_t gap) {
    for (uint32_t at = (gap + 1) & (room - 1); table[at]; at = (at + 1) & (room - 1)) {
        uint32_t home = home_of(table[at]->frame);
        if (((at - home) & (room - 1)) >= ((at - gap) & (room - 1))) {
            table[gap] = table[at];
            table[at] = NULL;
            gap = at;
        }
    }
}

void pieces_forget(const void *frame) {
    if (!pieces_count)
        return;
    uint32_t at = place_of(frame);
    if (!table[at])
        return;
    free(table[at]);
    table[at] = NULL;
    pieces_count--;
    close_gap(at);
}

invocation *pieces_add(const void *frame, const call_site *site, uint32_t count) {
    static uint64_t last_number;
    pieces_forget(frame);
    if (pieces_count >= CALLS_PIECES_MAX ||
        (pieces_count >= room / 2 && !table_grow() && pieces_count + 1 >= room))
        return NULL;
    invocation *made = malloc(sizeof *made + count * sizeof *made->serials);
    if (!made)
        return NULL;
    *made =
        (invocation){.frame = frame, .site = site->serial, .number = ++last_number, .count = count};
    table[place_of(frame)] = made;
    pieces_count++;
    return made;
}

bool invocation_is_of(const invocation *self, const scope *of) {
    for (uint32_t i = 0; i < self->count; i++)
        if (self->serials[i] == of->serial)
            return true;
    return false;
}

void pieces_clear(void) {
    for (uint32_t i = 0; i < room; i++)
        free(table[i]);
    free(table);
    table = NULL;
    room = pieces_count = 0;
}
