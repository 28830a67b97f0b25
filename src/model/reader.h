/* A trace file, read: packets become events on tracks. What is damaged is skipped and counted; reading always comes to
 * its end. Understands what any writer of TrackEvent packets writes, not only Marey.
 *
 * Hostile input: every length is checked against what is there, every table has a named limit, nothing recurses (but
 * compressed packets, once), and time and memory grow with the size of the (decompressed) file only. */
#ifndef MAREY_MODEL_READER_H
#define MAREY_MODEL_READER_H

#include "format/wire.h"
#include "model/arguments.h"
#include "model/damage.h"
#include "model/loose_flows.h"
#include "model/process_tree.h"
#include "model/samples.h"
#include "model/sequence.h"
#include "model/source.h"
#include "model/strings.h"
#include "model/timebase.h"
#include "model/tracks.h"
#include "model/walker.h"

enum {
    EVENTS_MAX = 1 << 30,
    ATTRIBUTES_MAX = 1024,
    FLOWS_MAX = 1 << 28,
};

/* A fact about the whole trace. */
struct attribute {
    uint32_t key;  /* strings */
    uint32_t text; /* strings, unless is_number */
    int is_number;
    int64_t number;
};

/* The fields of a TracePacket that we read. Of one that stands twice the last counts. */
struct packet {
    struct bytes all;
    uint64_t offset; /* in the file, for damage */
    uint64_t timestamp;
    uint64_t sequence_id;
    uint64_t flags;
    uint64_t clock_id;
    uint32_t machine; /* 0: the one that recorded, or all there is */
    uint8_t has_timestamp, has_clock_id, cleared, zstd, dropped_before;
    struct bytes event, interned, defaults, snapshot, descriptor, attributes, compressed;
    struct bytes stack_sample, perf_sample, process_tree;
};

/* Who hears of each event and sample at once, so that none of them is kept: for what reads files of any size. Times are
 * as written, on the timebase's clock that they name. NULL: does not care. */
struct listener {
    void (*event)(void *context, uint32_t track, const struct event *event);
    void (*sample)(void *context, const struct taken_sample *sample);
    void *context;
};

/* Who says which events and samples are kept, each as it is read. The others count for their track's times alone. */
struct chooser {
    int (*event)(void *context, uint32_t track, const struct event *event);
    int (*sample)(void *context, const struct taken_sample *sample);
    void *context;
};

struct reader {
    const struct listener *listener; /* NULL: events, samples and flows are kept */
    const struct chooser *chooser;   /* NULL: all of them */
    struct damage damage;
    struct strings strings;
    struct tracks tracks;
    struct timebase timebase;
    struct arguments arguments;
    struct samples samples;
    struct process_tree tree;
    struct sequence *sequences;
    uint32_t sequence_count, sequence_capacity;
    struct map sequence_places;
    struct sequence *taken;   /* of the packet taken last; NULL: it has none */
    uint32_t machine;         /* of that packet */
    uint32_t recent_sequence; /* a place: packets of one sequence stand together */
    struct attribute *attributes;
    uint32_t attribute_count, attribute_capacity;
    uint64_t *flows; /* the id of each step of a flow */
    uint32_t flow_count, flow_capacity;
    struct loose_flows loose_flows; /* of JSON, where flows are wanted */
    uint64_t size_bytes;            /* of the file as it lies on the disk; 0: not known */
    uint64_t file_bytes;            /* read, after decompression of a gzip'ed file */
    uint64_t filler_bytes;          /* of these: space not used */
    uint64_t packets, events;
    uint64_t kept;                     /* events and samples */
    uint32_t damage_epoch;             /* counts the places where packets are missing */
    uint32_t known_sources;            /* of the arguments, when reader_forget was called last */
    uint32_t error_key, exception_key; /* strings: arguments that say that a span failed */
    uint8_t lean;                      /* enum trace_keep, TRACE_LEAN */
    uint8_t is_json;                   /* and not packets */
    uint8_t is_trace;                  /* although it may have no events */
    const char *looks_like;            /* what it is if it is no trace */
    uint8_t compressed;                /* the whole file is gzip'ed */
    int error;                         /* enum marey_error: reading stopped early */
};

/* Whether anything in it could be understood. */
int reader_is_trace(const struct reader *reader);
void reader_init(struct reader *reader);
void reader_free(struct reader *reader);
/* With a listener: forgets the texts that the packet taken last alone has said, names and arguments of an event, since
 * there were so many (reader->strings.count), and its arguments. */
void reader_forget(struct reader *reader, const struct packet *packet, uint32_t strings);
/* Looks at the first bytes, which may be of something else altogether: looks_like. */
void reader_look(struct reader *reader, struct source *source);
/* Takes the next packet in, which is whole and none of compressed packets. Returns 1, 0 at the end or where memory is
 * short (reader->error). */
int reader_next(struct reader *reader, struct walker *walker, struct packet *packet);
/* Reads all of it, packets or JSON; with a listener or a chooser it forgets texts as reader_forget does. Returns 0, or an
 * enum marey_error where the bytes could not be read or memory was short: what was read until then is there. */
int reader_read(struct reader *reader, struct source *source);

#endif
