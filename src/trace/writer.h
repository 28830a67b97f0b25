/* A thread's pen: the chunk that it writes, and what its readers will need to know of names, tracks and time.
 *
 * Invariants
 *   - Only its thread writes a writer, but for `limit`, which the end of a session sets to zero from outside so that
 *     the thread's next event takes the slow way and notices.
 *   - From chunk.base to `at` stand finished packets; at `at` stands a filler that reaches to the chunk's end. A packet is
 *     committed by (1) its bytes from the ninth on, (2) the new filler's head behind it, (3) its first eight bytes in one
 *     store. Before (3) it lies in the old filler's payload: at every instruction the chunk is whole.
 *   - Nothing in a chunk needs another chunk: it opens with its clock, its defaults and the thread's description, and
 *     gives the names and tracks it uses again. */
#ifndef MAREY_TRACE_WRITER_H
#define MAREY_TRACE_WRITER_H

#include <stdint.h>

#include "clock.h"
#include "function.h"
#include "marey.h"
#include "names.h"
#include "pack.h"
#include "store.h"

/* How deep a track's spans are nested. What is begun at `cap` or deeper is not written, nor is its end: so the two always
 * match in the file. cap is MAREY_DEPTH_MAX, or less while a begin that could not be written is open. */
struct nesting {
    uint32_t depth;
    uint32_t cap;
    uint32_t owed; /* ends that could not be written; they are as soon as anything can */
};

/* Sequences' numbers are less: three bytes. */
enum { SEQUENCES_MAX = 1 << 21 };

enum interned { INTERNED_NAME, INTERNED_ARGUMENT, INTERNED_CATEGORY, INTERNED_KINDS };

enum {
    SCRATCH_BYTES = MAREY_PACKET_MAX + 64,
    ROOM = 64,          /* every event without arguments fits in so much */
    EVENT_ROOM = 96,    /* what is asked for an event, with everything but its arguments */
    TRACKS_SEEN = 4096, /* remembered a chunk; a track that fell out is described again */
    SOURCES_SEEN = 1024,
    IIDS_MAX = 1 << 14,    /* of a chunk: a varint of one or two bytes */
    SHORT_DELTA = 1 << 14, /* such a time difference takes two */
};

/* What each chunk says of its process. */
enum { PROCESS_TEXT = 256 };
enum { PROCESS_NAME = 64 };
struct process {
    int32_t pid;
    uint64_t uuid;
    uint64_t start_ns;               /* since the origin; 0: before */
    char name[PROCESS_NAME];         /* may change: each writer has a copy */
    char command_line[PROCESS_TEXT]; /* arguments, each NUL-terminated */
    size_t command_line_bytes;
};

struct writer {
    /* the hot part */
    uint8_t *at;
    uint8_t *limit; /* the slow way from here on */
    struct clock clock;
    uint64_t last;       /* time of the last packet, nanoseconds since the origin */
    uint32_t generation; /* of the chunk, << 16 */
    uint32_t spare;      /* payload of the filler at `at`, as varint_spread28 */
    struct nesting nesting;
    uint32_t session_number; /* session->number; 0: none */
    uint32_t number;         /* this thread's in this session; later than session_number */
    uint32_t begin_bytes;    /* of the short packets, with an iid of one byte */
    uint32_t end_bytes;
    uint32_t length_shift; /* where, in begin_tail, the event's length stands, and the iid */
    uint32_t iid_shift;
    uint64_t begin_head, begin_tail, end_head, end_tail; /* their constant bytes: event.c */
    uint64_t call_head, call_tail[2];                    /* of a call's begin: call.c */
    uint32_t call_bytes;                                 /* 0: this chunk has no function yet */
    uint32_t call_name_at, call_source_at;
    uint8_t call_category_iid;

    /* the cold part */
    uint8_t *end;
    struct chunk chunk;
    uint32_t chunk_number;         /* of this chunk, or the last */
    size_t next_bytes;             /* the size of the next chunk */
    struct store *store;           /* of the session */
    const struct process *process; /* likewise */
    struct session *session;       /* held; NULL: none */
    uint32_t sequence;
    uint32_t sequence_of; /* number of the session that gave it */
    uint32_t iids_used[INTERNED_KINDS];
    uint32_t sources_used;
    uint64_t thread_uuid;
    int32_t tid;
    uint64_t retry_ns; /* no chunk was to be had, for this reason: not again before */
    int retry_code;
    char thread_name[64];
    char process_name[PROCESS_NAME];
    int named;                           /* by the user: what the system says does not count */
    struct writer *next;                 /* of the session's writers */
    uint64_t tracks_seen[TRACKS_SEEN];   /* uuid << 16 | generation */
    uint64_t sources_seen[SOURCES_SEEN]; /* source id << 32 | generation | iid */
    uint8_t scratch[SCRATCH_BYTES];
    uint32_t names[INTERNED_KINDS][MAREY_NAMES_MAX + 1]; /* generation << 16 | iid as a varint */
    uint32_t functions[FUNCTIONS_MAX + 1];               /* likewise, always of two bytes */
};

/* The next chunk of writer->store, wherever the last one ended; of at least `need` bytes after its opening. Returns 0, or
 * why there is none; then the writer has none (end is NULL). */
int writer_open_chunk(struct writer *writer, size_t need);

/* Starts anew in what another thread left of a chunk. Takes it over. */
void writer_adopt_chunk(struct writer *writer, const struct chunk *chunk, size_t used);

/* The writer has no chunk any more. Returns it, and in *used how much of it stands; the caller owns it. */
struct chunk writer_leave_chunk(struct writer *writer, size_t *used);

/* Commits a packet of `bytes` (8 .. SCRATCH_BYTES) built elsewhere, for which there is room (writer_has_room). */
void writer_commit(struct writer *writer, const uint8_t *packet, size_t bytes);

static inline int writer_has_room(const struct writer *writer, size_t bytes) {
    return writer->end && (size_t)(writer->end - writer->at) >= bytes + ROOM;
}

/* The iid that the name was given in this chunk. */
static inline uint32_t writer_iid(const struct writer *writer, enum interned kind, uint32_t name) {
    uint32_t code = writer->names[kind][name] - writer->generation;
    return code < 0x80 ? code : (code & 0x7f) | (code >> 8) << 7;
}

/* Gives the name an iid in this chunk, and writes that down, where it has none. 0 where the chunk has no room for that. */
int writer_intern(struct writer *writer, enum interned kind, uint32_t name);
uint32_t writer_intern_source(struct writer *writer, const marey_source *source);

/* The same for a function: one number for its name and for where it stands. */
int writer_intern_function(struct writer *writer, uint32_t function);
static inline uint32_t writer_function_iid(const struct writer *writer, uint32_t function) {
    uint32_t code = writer->functions[function] - writer->generation;
    return (code & 0x7f) | (code >> 8) << 7;
}
/* The short packet of a call's begin, in this chunk, in which its category has this iid. call.c. */
void writer_make_call(struct writer *writer, uint32_t category_iid);

/* 1 the first time that it is asked about this track in this chunk. */
int writer_track_is_new(struct writer *writer, uint64_t uuid);

/* Describe the thread and its process, as at the chunk's opening: again where a name has changed. There is room for
 * DESCRIPTOR_BYTES. `time`: not before writer->last. */
enum { DESCRIPTOR_BYTES = 640 };
void writer_describe_thread(struct writer *writer, uint64_t time);
void writer_describe_process(struct writer *writer, uint64_t time);

/* A packet of this writer's sequence in a buffer. writer_packet_time gives it a time, not before
 * writer->last: only for what is then committed. */
uint8_t *writer_packet_open(struct writer *writer, struct pack *pack);
void writer_packet_time(struct writer *writer, struct pack *pack, uint64_t time);

#endif
