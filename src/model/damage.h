/* What a trace file lacks or has wrong: each kind is counted, and where it was first seen is kept. */
#ifndef MAREY_MODEL_DAMAGE_H
#define MAREY_MODEL_DAMAGE_H

#include <stdint.h>

enum harm {
    HARM_DAMAGE, /* bytes are missing or wrong: a reader loses something, or may refuse the file */
    HARM_LOSS,   /* whole, but it cannot be shown as it was meant */
    HARM_NOTE,   /* worth knowing, nothing is lost */
};

/* X(name, harm, word, text): the word is for programs, the text goes on a line behind the count ("3 x ..."). */
#define DAMAGES(X)                                                                                 \
    X(DAMAGE_CUT, HARM_DAMAGE, "cut-off",                                                          \
      "the file is cut off in the middle of a packet or an event")                                 \
    X(DAMAGE_BYTES, HARM_DAMAGE, "foreign-bytes",                                                  \
      "bytes that are no packet and no event, skipped")                                            \
    X(DAMAGE_ZEROS, HARM_DAMAGE, "zeros", "zeros between packets, skipped")                        \
    X(DAMAGE_PACKET, HARM_DAMAGE, "broken-packet", "packet with a broken field, skipped")          \
    X(DAMAGE_SIZE, HARM_DAMAGE, "huge-packet", "packet larger than any reader takes, skipped")     \
    X(DAMAGE_EVENT, HARM_DAMAGE, "broken-event", "event with a broken field, skipped")             \
    X(DAMAGE_SAMPLE, HARM_DAMAGE, "broken-sample", "sample with a broken field, skipped")          \
    X(DAMAGE_STACK, HARM_DAMAGE, "unknown-stack",                                                  \
      "sample whose thread, or part of whose stack, is not in the file")                           \
    X(DAMAGE_DESCRIPTOR, HARM_DAMAGE, "broken-descriptor",                                         \
      "track descriptor with a broken field or without an id, skipped")                            \
    X(DAMAGE_INTERNED, HARM_DAMAGE, "broken-names", "interned data with a broken field, skipped")  \
    X(DAMAGE_CLOCK, HARM_DAMAGE, "broken-clock",                                                   \
      "clock snapshot or defaults with a broken field, skipped")                                   \
    X(DAMAGE_INFLATE, HARM_DAMAGE, "broken-compression",                                           \
      "compressed packets that do not decompress, skipped")                                        \
    X(DAMAGE_GZIP, HARM_DAMAGE, "broken-gzip", "the gzip'ed file is cut off or damaged")           \
    X(DAMAGE_TIME, HARM_DAMAGE, "unknown-time",                                                    \
      "event whose time is not known, because packets before it are missing")                      \
    X(DAMAGE_NAME, HARM_DAMAGE, "unknown-name", "event whose name is not in the file")             \
    X(DAMAGE_STATE, HARM_DAMAGE, "missing-state", "event that needs packets which are missing")    \
    X(DAMAGE_SEQUENCE, HARM_DAMAGE, "missing-sequence", "event without a sequence id")             \
    X(DAMAGE_NO_CLOCK, HARM_DAMAGE, "unknown-clock",                                               \
      "event on a clock that no snapshot relates to the others")                                   \
    X(DAMAGE_NEGATIVE, HARM_DAMAGE, "negative-time", "event before the clock's beginning")         \
    X(LOSS_DEPTH, HARM_LOSS, "too-deep", "span nested deeper than readers allow (512)")            \
    X(LOSS_COUNTER, HARM_LOSS, "no-counter", "counter value on a track that is no counter")        \
    X(LOSS_END, HARM_LOSS, "other-end",                                                            \
      "end of a span by another name or category than any open one: the span stays open")          \
    X(LOSS_IDENTITY, HARM_LOSS, "identity",                                                        \
      "one track id for two threads or processes: the second is shown as the first")               \
    X(LOSS_SOURCE, HARM_LOSS, "no-source", "stack sample without a source: viewers hide it")       \
    X(LOSS_LEGACY, HARM_LOSS, "legacy", "event of the old kind, not read")                         \
    X(LOSS_ZSTD, HARM_LOSS, "zstd", "packets compressed by zstd, not read")                        \
    X(LOSS_NESTED, HARM_LOSS, "nested-compression",                                                \
      "compressed packets inside compressed packets, not read")                                    \
    X(LOSS_LIMIT, HARM_LOSS, "limit", "more names, tracks, clocks or sequences than are kept")     \
    X(NOTE_END, HARM_NOTE, "end-without-begin", "end without a begin, ignored")                    \
    X(NOTE_TYPE, HARM_NOTE, "unknown-type", "event without a type that is known, ignored")         \
    X(NOTE_CATEGORY, HARM_NOTE, "unknown-category", "event whose category is not in the file")     \
    X(NOTE_TWICE, HARM_NOTE, "defined-twice", "interned id defined twice, the first counts")       \
    X(NOTE_TAIL, HARM_NOTE, "zero-tail",                                                           \
      "zeros at the end of the file, as a writer leaves them that was stopped")                    \
    X(NOTE_OPEN_LIST, HARM_NOTE, "open-list",                                                      \
      "list of events that is not closed, as a writer leaves it that was stopped")

#define DAMAGE_ENUM(name, harm, word, text) name,
enum damage_kind { DAMAGES(DAMAGE_ENUM) DAMAGE_KINDS };
#undef DAMAGE_ENUM

enum { DAMAGE_PLACES = 4 };

struct damage {
    uint64_t count[DAMAGE_KINDS];
    uint64_t place[DAMAGE_KINDS][DAMAGE_PLACES]; /* offsets in the file of the first ones */
    uint64_t skipped_bytes;                      /* of DAMAGE_BYTES and DAMAGE_ZEROS */
};

void damage_add(struct damage *damage, enum damage_kind kind, uint64_t offset);
const char *damage_text(enum damage_kind kind);
/* A short word for programs: "cut-off", ... */
const char *damage_word(enum damage_kind kind);
enum harm damage_harm(enum damage_kind kind);
/* Of what is found only when the whole file was read there is no place. */
int damage_has_place(enum damage_kind kind);
/* The first byte at which something of a harm was seen; UINT64_MAX: none has a place. */
uint64_t damage_first_place(const struct damage *damage, enum harm harm);
/* How many of a harm there are. */
uint64_t damage_total(const struct damage *damage, enum harm harm);

#endif
