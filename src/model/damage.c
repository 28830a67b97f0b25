/* See damage.h. */
#include "model/damage.h"

static const struct {
    const char *word;
    const char *text;
    enum harm harm;
} kinds[] = {
#define DAMAGE_ROW(name, harm, word, text) {word, text, harm},
    DAMAGES(DAMAGE_ROW)
#undef DAMAGE_ROW
};

void damage_add(struct damage *damage, enum damage_kind kind, uint64_t offset) {
    uint64_t seen = damage->count[kind]++;
    if (seen < DAMAGE_PLACES)
        damage->place[kind][seen] = offset;
}

const char *damage_text(enum damage_kind kind) {
    return kinds[kind].text;
}

const char *damage_word(enum damage_kind kind) {
    return kinds[kind].word;
}

enum harm damage_harm(enum damage_kind kind) {
    return kinds[kind].harm;
}

uint64_t damage_total(const struct damage *damage, enum harm harm) {
    uint64_t total = 0;
    for (int kind = 0; kind < DAMAGE_KINDS; kind++)
        if (kinds[kind].harm == harm)
            total += damage->count[kind];
    return total;
}

int damage_has_place(enum damage_kind kind) {
    switch (kind) {
    case DAMAGE_NO_CLOCK:
    case DAMAGE_NEGATIVE:
    case LOSS_DEPTH:
    case LOSS_COUNTER:
    case LOSS_END:
    case LOSS_LIMIT:
    case NOTE_END: return 0;
    default: return 1;
    }
}

uint64_t damage_first_place(const struct damage *damage, enum harm harm) {
    uint64_t first = UINT64_MAX;
    for (int kind = 0; kind < DAMAGE_KINDS; kind++)
        if (kinds[kind].harm == harm && damage->count[kind] && damage_has_place(kind) &&
            damage->place[kind][0] < first)
            first = damage->place[kind][0];
    return first;
}
